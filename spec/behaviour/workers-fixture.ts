// What tests of a cluster share: starting one, asking until every worker has answered, and clients
// that go on asking whatever happens to the workers.

import assert from 'node:assert/strict';
import { get, RawClient } from '../../testing/raw-client.ts';
import type { RawResponse } from '../../testing/raw-response.ts';
import { eventually, wait } from '../../testing/with-server.ts';
import { Child } from './child.ts';

/** A guard against asking for ever, never a measurement. */
const PATIENCE_MS = 30_000;

export async function ask(port: number, target = '/'): Promise<number> {
  const client = await RawClient.open(port);
  const response = await client.ask(get(target, 'Connection: close'));
  assert.equal(response.status, 200);
  client.half();
  return Number(response.text);
}

/** Asks until so many different workers have answered. */
export async function pidsOf(port: number, count: number): Promise<Set<number>> {
  const pids = new Set<number>();
  const givenUpMs = performance.now() + PATIENCE_MS;
  while (pids.size < count && performance.now() < givenUpMs) pids.add(await ask(port));
  assert.equal(pids.size, count, 'every worker answers');
  return pids;
}

/** Asks until a worker answers that is none of these. */
export async function freshPid(port: number, known: ReadonlySet<number>): Promise<number> {
  const givenUpMs = performance.now() + PATIENCE_MS;
  while (performance.now() < givenUpMs) {
    const pid = await ask(port);
    if (!known.has(pid)) return pid;
  }
  throw new Error('no new worker answers');
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Runs workers-server.ts with a port and, maybe, its folder. It ends in order. */
export async function withWorkers(
  driver: string,
  body: (port: number, child: Child) => Promise<void>,
  port = 0,
  ...folder: string[]
): Promise<void> {
  const child = new Child('workers-server', [driver, String(port), ...folder]);
  try {
    const listening = await child.firstLine();
    assert.equal(listening['workers'], 2);
    assert.equal(listening['driver'], driver);
    const given = Number(listening['port']);
    assert.ok(given > 0, 'port 0 became one port');
    await body(given, child);
  } finally {
    const code = await child.end();
    assert.equal(code, 0, child.problems);
  }
  // A reload that was under way may tell of its end after that.
  assert.match(child.out, /\nclosed\n(not reloaded: reload failed: .*\n)?$/);
}

/** Reloads so many times at once, and waits for what comes of it. */
export async function reload(child: Child, times = 1): Promise<void> {
  const lines = () => child.out.match(/reloaded/g)?.length ?? 0;
  const before = lines();
  child.process.stdin.write('reload\n'.repeat(times));
  await eventually('the reload is over', () => lines() === before + times);
}

/**
 * How a client asks. `piped` keeps its connection and sends the next request before the one before
 * is answered: what stands behind an answer with `Connection: close` was not taken, and is sent
 * again on a new connection, as RFC 9112 9.6 has it. `kept` waits for each answer. `fresh` takes a
 * new connection for each request, and so does `late`, which says nothing on it for a while: its
 * worker may have been told to end meanwhile. Nothing else is ever sent twice.
 */
export type Asking = 'piped' | 'kept' | 'fresh' | 'late';

/** Far below the time that a closing server gives those who have not asked yet. */
const LATE_MS = 100;

/** Asks all the time. A request without an answer is a failure, whenever it was sent. */
export class SteadyClient {
  readonly pids: Set<number> = new Set();
  responses = 0;
  /** Why it stopped, if it did so by itself. */
  failure: unknown = null;
  readonly #port: number;
  readonly #asking: Asking;
  readonly #done: Promise<void>;
  #stopping = false;

  constructor(port: number, asking: Asking) {
    this.#port = port;
    this.#asking = asking;
    this.#done = this.#run();
    this.#done.catch((error) => {
      this.failure = error;
    });
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      const client = await RawClient.open(this.#port);
      if (this.#asking === 'piped') await this.#pipe(client);
      else await this.#ask(client);
      client.half();
    }
  }

  async #ask(client: RawClient): Promise<void> {
    const lines = this.#asking === 'kept' ? [] : ['Connection: close'];
    if (this.#asking === 'late') await wait(LATE_MS);
    let isKept = true;
    while (isKept && !this.#stopping) {
      isKept = this.#note(await client.ask(get('/after/2', ...lines)));
    }
  }

  async #pipe(client: RawClient): Promise<void> {
    await client.send(get('/after/5'));
    for (;;) {
      await client.send(get('/after/5'));
      if (!this.#note(await client.nextResponse())) return;
      if (!this.#stopping) continue;
      await client.nextResponse();
      return;
    }
  }

  /** Gives whether the connection goes on. */
  #note(response: RawResponse): boolean {
    assert.equal(response.status, 200);
    this.responses += 1;
    this.pids.add(Number(response.text));
    return response.field('connection') !== 'close';
  }

  /** Fails if a request has failed. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#done;
  }
}
