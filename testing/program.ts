// Runs a program of the project as a child process, as a person at a terminal would: waits for the
// line that names its URL, and ends it by its own pid.

import { fileURLToPath } from 'node:url';
import { ChildProgram } from './child-program.ts';

export interface Running {
  /** The base URL, ending in a slash. */
  readonly url: string;
  readonly port: number;
  /** The line that named the URL. */
  readonly line: string;
  /** Sends SIGTERM and resolves with the exit code; null if a signal ended it. May be repeated. */
  stop(): Promise<number | null>;
}

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly problems: string;
}

/** Path of a compiled example. */
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

/** Runs a program that is expected to end by itself. */
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
