// The uring driver on the real kernel under stress: hundreds of sockets that share a few blocks,
// random resets, aborts, ends and slots used again; bytes are checked, nothing is left over.

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { readdirSync, readlinkSync } from 'node:fs';
import { it } from 'node:test';
import { Op } from '../../../src/driver/driver.ts';
import { UringDriver } from '../../../src/driver/linux/uring.ts';
import type { RingSizes } from '../../../src/driver/linux/uring-instance.ts';
import { uringProblem } from '../../../src/driver/linux/uring-problem.ts';

import { isChosen } from '../suite/cases.ts';
import { Client } from '../suite/client.ts';
import { Fixture, REGION, until } from '../suite/fixture.ts';

const BLOCK_BYTES = 1024;
const TIMEOUT_MS = 120_000;

interface Stress {
  readonly name: string;
  /** Connections at once, and how many of them in sequence. */
  readonly sockets: number;
  readonly rounds: number;
  readonly blockCount: number;
  /** Entries of a poll(). */
  readonly completions: number;
  readonly sizes?: RingSizes;
}

const STRESSES: readonly Stress[] = [
  { name: 'few blocks', sockets: 120, rounds: 3, blockCount: 16, completions: 64 },
  { name: 'polls with few completions', sockets: 100, rounds: 3, blockCount: 64, completions: 3 },
  {
    name: 'queues far smaller than what is in flight',
    sockets: 120,
    rounds: 3,
    blockCount: 32,
    completions: 256,
    sizes: { entries: 8, completions: 8 },
  },
];

class Pressure {
  readonly #fixture: Fixture;
  readonly #port: number;
  readonly #random: (below: number) => number;
  /** Local ports of clients that the server aborted. */
  readonly #brokenOff = new Set<number>();
  /** Bytes that were echoed in full. */
  echoedBytes = 0;

  constructor(fixture: Fixture, port: number, random: (below: number) => number) {
    this.#fixture = fixture;
    this.#port = port;
    this.#random = random;
  }

  async run(sockets: number, rounds: number): Promise<void> {
    const clients = Array.from({ length: sockets }, () => this.#clients(rounds));
    const serving: Promise<void>[] = [];
    for (let left = sockets * rounds; left > 0; left--) {
      serving.push(this.#serve(await this.#fixture.accept()));
    }
    await Promise.all([...clients, ...serving]);
  }

  /** The driver's side: an echo, aborted now and then. */
  async #serve(slot: number): Promise<void> {
    const fixture = this.#fixture;
    const { port } = fixture.peer(slot);
    const start = slot * BLOCK_BYTES;
    // An aborted client has sent something, and so knows that it is connected.
    for (let isKnown = false; ; isKnown = true) {
      fixture.receive(slot);
      if (isKnown && this.#random(30) === 0) {
        this.#brokenOff.add(port);
        fixture.abort(slot);
      }
      const bytes = fixture.take(await fixture.wait(Op.Receive, slot));
      if (typeof bytes === 'number' || this.#brokenOff.has(port)) break;
      bytes.copy(fixture.region, start);
      if ((await fixture.sendAll(slot, REGION, start, start + bytes.length)) < 0) break;
    }
    await fixture.close(slot);
  }

  async #clients(rounds: number): Promise<void> {
    for (let round = 0; round < rounds; round++) await this.#client();
  }

  async #client(): Promise<void> {
    const client = await Client.open(this.#port);
    const { socket } = client;
    const port = socket.localPort ?? 0;
    const bytes = this.#noise(1 + this.#random(8 * BLOCK_BYTES));
    const resetsAfter = this.#random(5) === 0 ? this.#random(bytes.length) : bytes.length;
    for (let from = 0; from < bytes.length; ) {
      const to = Math.min(bytes.length, from + 1 + this.#random(3 * BLOCK_BYTES));
      socket.write(bytes.subarray(from, to));
      if (this.#random(2) === 0) await new Promise((resolve) => setImmediate(resolve));
      from = to;
    }
    const isOver = (): boolean =>
      client.byteCount >= resetsAfter || client.errorCode !== '' || client.ended || client.closed;
    await until(`${bytes.length} bytes back, ${client.byteCount} are`, isOver);
    const echoed = client.bytes;
    assert.ok(echoed.equals(bytes.subarray(0, echoed.length)), 'the echo is what was sent');
    if (resetsAfter < bytes.length) socket.resetAndDestroy();
    else {
      const isWhole = echoed.length === bytes.length || this.#brokenOff.has(port);
      assert.ok(isWhole, `${echoed.length} of ${bytes.length} bytes, '${client.errorCode}'`);
      socket.end();
      this.echoedBytes += echoed.length;
    }
    await until('the client is closed', () => client.closed || client.ended);
    socket.destroy();
    this.#brokenOff.delete(port);
  }

  #noise(length: number): Buffer {
    const bytes = Buffer.alloc(length);
    for (let at = 0; at < length; at++) bytes[at] = this.#random(256);
    return bytes;
  }
}

/** Numbers below a bound, from a seed (xorshift32). */
function chance(seed: number): (below: number) => number {
  let state = seed | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** What this process has open, by what it is. */
function descriptors(): readonly string[] {
  return readdirSync('/proc/self/fd').map((name) => {
    try {
      return readlinkSync(`/proc/self/fd/${name}`);
    } catch {
      return 'closed';
    }
  });
}

let isWarm = false;

/** Opens what a process opens once and keeps, so that it does not count as a leak. */
async function openAll(): Promise<void> {
  if (isWarm) return;
  isWarm = true;
  const fixture = new Fixture((options) => new UringDriver(options), { slots: 4 });
  const client = await Client.open(await fixture.listen());
  await fixture.close(await fixture.accept());
  await until('the client is closed', () => client.closed || client.ended);
  await fixture.end();
  Client.destroyAll();
}

async function runStress(stress: Stress, seed: number): Promise<void> {
  const { sockets, rounds, blockCount, completions, sizes } = stress;
  await openAll();
  const before = descriptors();
  const fixture = new Fixture((options) => new UringDriver(options, undefined, undefined, sizes), {
    // Some may still be closing while others connect.
    slots: sockets * rounds,
    blockBytes: BLOCK_BYTES,
    blockCount,
    completions,
  });
  const pressure = new Pressure(fixture, await fixture.listen(), chance(seed));
  await pressure.run(sockets, rounds);
  await fixture.end();
  assert.ok(pressure.echoedBytes > 0);
  Client.destroyAll();
  await until(
    () => `as few descriptors as before, ${before}; now ${descriptors()}`,
    () => descriptors().length <= before.length,
  );
}

const problem = isChosen('uring') ? uringProblem() : 'another driver is tested';
const seed = Number(process.env['VIBING_SEED'] ?? randomInt(1, 2 ** 31));

for (const stress of STRESSES) {
  const options = problem === null ? {} : { skip: problem };
  it(`uring under stress: ${stress.name}, seed ${seed}`, { timeout: TIMEOUT_MS, ...options }, () =>
    runStress(stress, seed),
  );
}
