// A server of spec/behaviour/log-server.ts whose standard output and error are what a test says: a
// pipe that it reads or not, a file, a device.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RawClient } from '../../testing/raw-client.ts';
import { type DriverName, eventually } from '../../testing/with-server.ts';

const SCRIPT = fileURLToPath(new URL('../server/log-server.js', import.meta.url));
const EXIT_MS_MAX = 40_000;

/** A pipe with both ends in this process; the reading end never waits. */
export class Pipe {
  readonly writer: number;
  #reader: number;
  text = '';

  constructor() {
    const folder = mkdtempSync(join(tmpdir(), 'vibing-pipe-'));
    const path = join(folder, 'pipe');
    execFileSync('mkfifo', [path]);
    this.#reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    this.writer = openSync(path, constants.O_WRONLY);
    rmSync(folder, { recursive: true });
  }

  /** Takes what is there; false at the end, when nobody has it open for writing. */
  read(): boolean {
    const into = Buffer.alloc(64 * 1024);
    try {
      for (;;) {
        const count = readSync(this.#reader, into);
        if (count === 0) return false;
        this.text += into.toString('latin1', 0, count);
      }
    } catch {
      return true;
    }
  }

  /** Fills it to the last byte, so that nothing more can be written. */
  fill(): void {
    const { O_NONBLOCK, O_WRONLY } = constants;
    const fd = openSync(`/proc/self/fd/${this.writer}`, O_WRONLY | O_NONBLOCK);
    for (const bytes of [Buffer.alloc(4096, 10), Buffer.alloc(1, 10)]) {
      try {
        for (;;) writeSync(fd, bytes);
      } catch {
        // It is full.
      }
    }
    closeSync(fd);
  }

  get lines(): readonly string[] {
    return this.text.split('\n').slice(0, -1);
  }

  closeReader(): void {
    if (this.#reader >= 0) closeSync(this.#reader);
    this.#reader = -1;
  }
}

export interface Stats {
  readonly rss: number;
  readonly listeners: number;
  readonly pid: number;
  readonly logLinesDropped: number;
  readonly handlerErrors: number;
}

export type Stream = Pipe | number | 'pipe' | 'ignore';

export class LogServer {
  readonly process: ChildProcess;
  readonly #ended: Promise<unknown>;
  port = 0;
  ending: number | string | null = null;

  constructor(driver: DriverName, out: Stream, error: Stream, workers = 1) {
    const env = Object.entries(process.env).filter(([name]) => !name.startsWith('VIBING_'));
    const args = ['--expose-gc', SCRIPT, driver, String(workers)];
    this.process = spawn(process.execPath, args, {
      env: Object.fromEntries(env),
      stdio: ['ignore', descriptorOf(out), descriptorOf(error), 'ipc'],
    });
    for (const stream of [out, error]) if (stream instanceof Pipe) closeSync(stream.writer);
    this.process.on('message', (message: { port: number }) => {
      this.port = message.port;
    });
    this.#ended = once(this.process, 'exit').then(([code, signal]) => {
      this.ending = code ?? signal;
    });
  }

  async listening(): Promise<this> {
    await eventually('the server listens', () => this.port > 0 || this.ending !== null);
    if (this.port === 0) throw new Error(`the server ended: ${this.ending}`);
    return this;
  }

  /** Asks again and again on one connection, for what this text asks; gives the last answer. */
  async ask(request: string, times = 1): Promise<string> {
    const client = await RawClient.open(this.port);
    let text = '';
    for (let left = times; left > 0; ) {
      const train = Math.min(left, 50);
      void client.send(request.repeat(train));
      for (let index = 0; index < train; index++) text = (await client.nextResponse()).text;
      left -= train;
    }
    client.reset();
    return text;
  }

  async stats(): Promise<Stats> {
    return JSON.parse(await this.ask('GET /stats HTTP/1.1\r\nHost: a\r\n\r\n'));
  }

  /** Has it close; gives the exit code, or the signal that it was ended with. */
  async close(): Promise<number | string | null> {
    if (this.process.connected) this.process.send('close');
    return this.end();
  }

  async end(): Promise<number | string | null> {
    const timer = setTimeout(() => this.process.kill('SIGKILL'), EXIT_MS_MAX);
    await this.#ended;
    clearTimeout(timer);
    return this.ending;
  }
}

function descriptorOf(stream: Stream): number | 'pipe' | 'ignore' {
  return stream instanceof Pipe ? stream.writer : stream;
}
