// Runs a program of the project as a child process: waits for the line with its URL, and stops it
// by its process id.

import { fileURLToPath } from 'node:url';
import { ChildProgram } from './child-program.ts';

export interface Running {
  /** The base URL, with a slash at its end. */
  readonly url: string;
  readonly port: number;
  /** The line with the URL. */
  readonly line: string;
  /** Sends SIGTERM and resolves with the exit code; null after a signal. May be repeated. */
  stop(): Promise<number | null>;
}

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly problems: string;
}

/** The path of a compiled example. */
export function example(name: string): string {
  return fileURLToPath(new URL(`../examples/${name}.js`, import.meta.url));
}

/** Starts a server that prints one line with its URL. */
export async function start(script: string, args: readonly string[]): Promise<Running> {
  const child = new ChildProgram(script, args);
  const line = (await child.line(/http:\/\/\S+:\d+/)).trimEnd();
  const { url, port } = urlOf(line);
  async function stop(): Promise<number | null> {
    child.process.kill('SIGTERM');
    return await child.exitCode();
  }
  return { url, port, line, stop };
}

/** Runs a program that exits by itself. */
export async function run(script: string, args: readonly string[]): Promise<Ended> {
  const child = new ChildProgram(script, args);
  const code = await child.exitCode();
  return { code, out: child.out, problems: child.problems };
}

function urlOf(line: string): { url: string; port: number } {
  const match = /http:\/\/[^\s/]+:(\d+)/.exec(line);
  if (match === null) throw new Error(`no URL in ${JSON.stringify(line)}`);
  return { url: `${match[0]}/`, port: Number(match[1]) };
}
