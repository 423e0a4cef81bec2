// Runs a program of the project as a child process: waits for the line with its URL, and stops it
// by its process id.

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

/** The root of the project: this file is compiled to build/testing/. */
export const ROOT: string = fileURLToPath(new URL('../../', import.meta.url));

const START_MS_MAX = 20_000;
const EXIT_MS_MAX = 20_000;

type Child = ChildProcessByStdio<null, Readable, Readable>;

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
  const child = launch(script, args);
  const ended = watchEnd(child);
  const line = await firstUrlLine(child, ended);
  const { url, port } = urlOf(line);
  async function stop(): Promise<number | null> {
    child.kill('SIGTERM');
    return (await ended(EXIT_MS_MAX)).code;
  }
  return { url, port, line, stop };
}

/** Runs a program that exits by itself. */
export async function run(script: string, args: readonly string[]): Promise<Ended> {
  const child = launch(script, args);
  return await watchEnd(child)(EXIT_MS_MAX);
}

function launch(script: string, args: readonly string[]): Child {
  return spawn(process.execPath, [script, ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Collects the output. The returned function waits for the exit, and kills after `timeoutMs`. */
function watchEnd(child: Child): (timeoutMs: number) => Promise<Ended> {
  let out = '';
  let problems = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    problems += text;
  });
  const closed = once(child, 'close');
  return async (timeoutMs) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    await closed;
    clearTimeout(timer);
    return { code: child.exitCode, out, problems };
  };
}

/** Resolves with the line with the URL; rejects with all output if there is none. */
function firstUrlLine(child: Child, ended: (timeoutMs: number) => Promise<Ended>): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), START_MS_MAX);
    let text = '';
    child.stdout.on('data', (more: string) => {
      text += more;
      const line = /^.*http:\/\/\S+:\d+.*\n/m.exec(text)?.[0];
      if (line === undefined) return;
      clearTimeout(timer);
      resolve(line.trimEnd());
    });
    child.once('close', () => {
      clearTimeout(timer);
      void ended(EXIT_MS_MAX).then(({ code, out, problems }) => {
        reject(new Error(`no URL printed, exit code ${code}\n${out}${problems}`));
      });
    });
  });
}

function urlOf(line: string): { url: string; port: number } {
  const match = /http:\/\/[^\s/]+:(\d+)/.exec(line);
  if (match === null) throw new Error(`no URL in ${JSON.stringify(line)}`);
  return { url: `${match[0]}/`, port: Number(match[1]) };
}
