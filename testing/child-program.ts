// Runs a compiled script as a child process: collects what it prints, waits for a line of it, and
// waits for its end.

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { eventually } from './with-server.ts';

/** The project's root: compiled, this file lies in build/testing/. */
export const ROOT: string = fileURLToPath(new URL('../../', import.meta.url));

/** A child that has not ended by then is killed. */
const EXIT_MS_MAX = 40_000;

/** The environment without the settings of the test run, which are not the child's. */
export function childEnvironment(): NodeJS.ProcessEnv {
  const all = Object.entries(process.env);
  return Object.fromEntries(all.filter(([name]) => !name.startsWith('VIBING_')));
}

export class ChildProgram {
  readonly process: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #closed: Promise<unknown>;
  #hasClosed = false;
  /** Standard output and standard error so far. */
  out = '';
  problems = '';

  /** `before` is a shell command that runs first, in the same process. */
  constructor(script: string, args: readonly string[], before = '') {
    const command = [process.execPath, '--expose-gc', script, ...args];
    const shell = ['sh', '-c', `${before} && exec "$@"`, 'sh'];
    const [file, ...rest] = before === '' ? command : [...shell, ...command];
    this.process = spawn(file, rest, {
      cwd: ROOT,
      env: childEnvironment(),
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.process.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.out += text;
    });
    this.process.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.problems += text;
    });
    this.#closed = once(this.process, 'close').then(() => {
      this.#hasClosed = true;
    });
  }

  /** The first line of its output that matches. A child that ends or waits without one fails. */
  async line(pattern: RegExp): Promise<string> {
    let line: string | undefined;
    try {
      await eventually(`a line of the child that matches ${pattern}`, () => {
        const lines = this.out.split('\n').slice(0, -1);
        line = lines.find((one) => pattern.test(one));
        return line !== undefined || this.#hasClosed;
      });
    } catch (error) {
      this.process.kill('SIGKILL');
      throw error;
    }
    if (line !== undefined) return line;
    const what = `no line matches ${pattern}, exit code ${this.process.exitCode}`;
    throw new Error(`${what}\n${this.out}${this.problems}`);
  }

  /** The first line it prints, which is JSON. */
  async firstLine(): Promise<Record<string, unknown>> {
    return JSON.parse(await this.line(/^/));
  }

  /** Ends its input, so that it closes by itself; resolves with the exit code. */
  async end(): Promise<number | null> {
    this.process.stdin.end();
    return await this.exitCode();
  }

  /** Waits for its end; resolves with the exit code, or null if a signal ended it. */
  async exitCode(): Promise<number | null> {
    const timer = setTimeout(() => this.process.kill('SIGKILL'), EXIT_MS_MAX);
    await this.#closed;
    clearTimeout(timer);
    return this.process.exitCode;
  }
}
