// What tests of a cluster share: starting one, asking until every worker has answered, and clients
// that go on asking whatever happens to the workers.

import assert from 'node:assert/strict';
import { Child } from './child.ts';
import { get, RawClient } from './raw-client.ts';

/** A guard against asking for ever, never a measurement. */
const PATIENCE_MS = 30_000;

export async function ask(port: number, target = '/'): Promise<number> {
  const client = await RawClient.open(port);
  const answer = await client.ask(get(target, 'Connection: close'));
  assert.equal(answer.status, 200);
  client.half();
  return Number(answer.text);
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
  assert.match(child.out, /\nclosed\n$/);
}

/**
 * Asks all the time, with a request under way at every moment: the next is sent before the one
 * before is answered. What stands behind an answer with `Connection: close` was not taken, and is
 * sent again on a new connection, as RFC 9112 9.6 has it. So is a first request when its connection
 * ends in order without a byte: it may have come after the server had decided to close (9.3.1).
 */
export class SteadyClient {
  readonly pids: Set<number> = new Set();
  answers = 0;
  /** Why it stopped, if it did so by itself. */
  failure: unknown = null;
  readonly #port: number;
  readonly #done: Promise<void>;
  #stopping = false;

  constructor(port: number) {
    this.#port = port;
    this.#done = this.#run();
    this.#done.catch((error) => {
      this.failure = error;
    });
  }

  async #run(): Promise<void> {
    while (!this.#stopping) await this.#connection();
  }

  async #connection(): Promise<void> {
    const client = await RawClient.open(this.#port);
    await client.send(get('/after/5'));
    for (let count = 0; ; count++) {
      await client.send(get('/after/5'));
      const answer = await client.answer().catch((error: unknown) => {
        const isUnseen = count === 0 && client.ended && client.errorCode === '';
        if (!isUnseen || client.receivedBytes > 0) throw error;
        return null;
      });
      if (answer === null) break;
      assert.equal(answer.status, 200);
      this.answers += 1;
      this.pids.add(Number(answer.text));
      if (answer.field('connection') === 'close') break;
      if (!this.#stopping) continue;
      await client.answer();
      break;
    }
    client.half();
  }

  /** Fails if a request has failed. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#done;
  }
}
