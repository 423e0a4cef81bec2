// Runs a compiled script of spec/server/ in a process of its own, which talks in lines of standard
// output and ends when its standard input does.

import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { eventually } from '../../testing/with-server.ts';

const EXIT_MS_MAX = 40_000;

export class Child {
  readonly process: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #closed: Promise<unknown>;
  out = '';
  problems = '';

  /** `before` is what a shell does first, in the same process. */
  constructor(script: string, args: readonly string[], before = '') {
    const path = fileURLToPath(new URL(`./${script}.js`, import.meta.url));
    // The parent's settings are not the child's.
    const env = Object.entries(process.env).filter(([name]) => !name.startsWith('VIBING_'));
    const command = [process.execPath, '--expose-gc', path, ...args];
    const shell = ['sh', '-c', `${before} && exec "$@"`, 'sh'];
    const [file, ...rest] = before === '' ? command : [...shell, ...command];
    this.process = spawn(file, rest, {
      env: Object.fromEntries(env),
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.process.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.out += text;
    });
    this.process.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.problems += text;
    });
    this.#closed = once(this.process, 'close');
  }

  /** The first line it prints, which is JSON. */
  async firstLine(): Promise<Record<string, unknown>> {
    const isThere = () => this.out.includes('\n') || this.process.exitCode !== null;
    await eventually('a line of the child', isThere);
    assert.ok(this.out.includes('\n'), `the child says something: ${this.problems}`);
    return JSON.parse(this.out.slice(0, this.out.indexOf('\n')));
  }

  /** Ends its input, so that it closes by itself; gives the exit code. */
  async end(): Promise<number | null> {
    this.process.stdin.end();
    const timer = setTimeout(() => this.process.kill('SIGKILL'), EXIT_MS_MAX);
    await this.#closed;
    clearTimeout(timer);
    return this.process.exitCode;
  }
}
