// A server in memory and a client that talks to it: the real reactor, connections and handlers over
// a driver that does what the client says.

import type { AsyncIo } from '../../src/async-io/async-io.ts';
import type { Slab } from '../../src/base/slab.ts';
import { type Counters, makeCounters } from '../../src/metrics/counters.ts';
import { configFrom } from '../../src/server/config/config.ts';
import { Runtime } from '../../src/server/runtime.ts';
import { FakeDriver, type FakeSocket } from '../../testing/fake-driver.ts';
import { check, same } from './check.ts';
import { Handled, makeApplication } from './handlers.ts';

/** How a client behaves. */
export interface Manner {
  /** Bytes of a piece, and what comes between two. */
  readonly pieceBytes: number;
  readonly pauses: boolean;
  /** Most bytes of an answer taken at once. */
  readonly takenBytes: number;
  readonly ending: Ending;
}

export const Ending = { Close: 0, Silence: 1, Reset: 2 } as const;
export type Ending = (typeof Ending)[keyof typeof Ending];

const ECONNRESET = 104;
/** Rounds until a client is served or given up; each moves at least the clock. */
const ROUNDS_MAX = 4_000;
/** Rounds of the event loop after which a handler that goes on waits for the client. A guess. */
const ROUNDS_OF_PROMISES = 5;

const CONFIG = configFrom({
  logLevel: 'silent',
  headBytesMax: 512,
  targetBytesMax: 160,
  fieldsMax: 16,
  trailerBytesMax: 128,
  chunkExtensionBytesMax: 64,
  bodyBytesMax: 200,
  streamBytesMax: 500,
  sendQueueBytesMax: 1_024,
  pipelineDepthMax: 3,
  requestsPerConnectionMax: 12,
  blockCount: 16,
  connectionsMax: 4,
});

export class MemoryServer {
  readonly counters: Counters = makeCounters();
  readonly handled: Handled = new Handled();
  readonly #driver: FakeDriver;
  readonly #runtime: Runtime;

  constructor() {
    let driver: FakeDriver | null = null;
    const logged = (message: string) => this.handled.errors.push(message);
    this.#runtime = new Runtime({
      config: CONFIG,
      // No handler asks for files.
      asyncIo: {} as AsyncIo,
      log: { error: logged, warn: logged, notice() {}, debug() {}, debugEnabled: false },
      counters: this.counters,
      application: makeApplication(this.counters, this.handled),
      makeDriver: ({ slab }: { slab: Slab }) => {
        driver = new FakeDriver(slab);
        return { driver, note: null };
      },
    });
    check(driver !== null, 'a world makes its driver');
    this.#driver = driver as unknown as FakeDriver;
    this.#runtime.reactor.listen({ host: '127.0.0.1', port: 80 });
    this.#runtime.reactor.turn();
  }

  /** All that a client gets who sends this. */
  async converse(bytes: Uint8Array, manner: Manner): Promise<Buffer> {
    const driver = this.#driver;
    driver.calls.length = 0;
    driver.arrive(1);
    this.#runtime.reactor.turn();
    const [slot] = driver.sockets.keys();
    const socket = driver.socket(slot);
    await this.#send(slot, socket, bytes, manner);
    await this.#finish(slot, socket, manner);
    this.#isBalanced();
    return socket.output;
  }

  async #send(slot: number, socket: FakeSocket, bytes: Uint8Array, manner: Manner): Promise<void> {
    const { reactor } = this.#runtime;
    const driver = this.#driver;
    for (let from = 0; from < bytes.length; from += manner.pieceBytes) {
      for (let round = 0; !socket.receiving; round++) {
        if (socket.isAborted || !driver.sockets.has(slot)) return;
        check(round < ROUNDS_MAX, 'a server takes what it is sent, or ends');
        if (!(await this.#step(slot, socket, manner))) await this.#passTime();
      }
      driver.deliver(slot, bytes.subarray(from, from + manner.pieceBytes));
      reactor.turn();
      if (manner.pauses) await this.#step(slot, socket, manner);
    }
  }

  async #finish(slot: number, socket: FakeSocket, manner: Manner): Promise<void> {
    const driver = this.#driver;
    let isOver = manner.ending === Ending.Silence;
    for (let round = 0; driver.sockets.has(slot); round++) {
      check(round < ROUNDS_MAX, 'a connection ends');
      if (!isOver && socket.receiving) {
        driver.finish(slot, manner.ending === Ending.Reset ? -ECONNRESET : 0);
        isOver = true;
      }
      if (!(await this.#step(slot, socket, manner))) await this.#passTime();
    }
    // Handlers that outlive their connection.
    for (let round = 0; this.handled.pending > 0; round++) {
      check(round < ROUNDS_MAX, 'handlers settle');
      await drained();
    }
  }

  /** What can go on without the client or the clock; false when that was nothing. */
  async #step(slot: number, socket: FakeSocket, manner: Manner): Promise<boolean> {
    const { reactor } = this.#runtime;
    let moved = reactor.turn() > 0;
    if (this.handled.pending > 0) {
      const before = this.handled.pending;
      await drained();
      moved ||= this.handled.pending !== before;
    }
    if (socket.send !== null) {
      this.#driver.take(slot, manner.takenBytes);
      moved = true;
    }
    return moved;
  }

  /** To the next deadline, when nothing else is left to do. */
  async #passTime(): Promise<void> {
    const { reactor } = this.#runtime;
    // The server lets the event loop go round before some promises settle, more than once in a row.
    const before = this.handled.pending;
    for (let round = 0; round < ROUNDS_OF_PROMISES; round++) {
      await drained();
      if (reactor.turn() > 0 || this.handled.pending !== before) return;
    }
    const dueMs = reactor.nextDueMs();
    check(Number.isFinite(dueMs), 'whoever waits has a deadline');
    this.#driver.nowMs = Math.max(this.#driver.nowMs, dueMs);
    reactor.turn();
  }

  #isBalanced(): void {
    const { reactor } = this.#runtime;
    const { sockets, slab } = reactor;
    reactor.turn();
    same(sockets.openCount, 0, 'open slots');
    same(slab.freeCount, slab.blockCount, 'free blocks');
    same(reactor.nextDueMs(), Number.POSITIVE_INFINITY, 'the next deadline');
    same(this.#driver.regionCount, 0, 'mapped regions');
    same(this.counters.accepted, this.counters.closed, 'clients taken and ended');
    same(this.handled.errors.join('\n'), '', 'the error log');
  }
}

/** Promises, ticks and streams of handlers have gone as far as they can. */
function drained(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
