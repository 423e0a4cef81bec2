// A server in memory with one client: the real reactor, connections and handlers over a scripted
// driver.

import type { AsyncIo } from '../../src/async-io/async-io.ts';
import { ERRNO } from '../../src/base/errno.ts';
import type { Slab } from '../../src/base/slab.ts';
import { type Counts, makeCounts } from '../../src/metrics/counters.ts';
import { configFrom } from '../../src/server/config/config.ts';
import { Runtime } from '../../src/server/runtime.ts';
import { FakeDriver, type FakeSocket } from '../../testing/fake-driver.ts';
import { check, same } from './check.ts';
import { Handled, makeApplication } from './handlers.ts';

/** How a client behaves. */
export interface ClientBehaviour {
  /** The size of the split parts, and whether the server runs between two. */
  readonly splitBytes: number;
  readonly pauses: boolean;
  /** The most bytes of a response taken at once. */
  readonly takenBytes: number;
  readonly ending: Ending;
}

export const Ending = { Close: 0, Stay: 1, Reset: 2 } as const;
export type Ending = (typeof Ending)[keyof typeof Ending];

const { ECONNRESET } = ERRNO;
/** The most rounds until a connection ends; each one advances the clock at least. */
const ROUNDS_MAX = 4_000;
/**
 * Rounds of the event loop after which a pending handler waits for the client or the clock. A
 * guess.
 */
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
  readonly counters: Counts = makeCounts();
  readonly handled: Handled = new Handled();
  readonly #driver: FakeDriver;
  readonly #runtime: Runtime;

  constructor() {
    let driver: FakeDriver | null = null;
    const logged = (message: string) => this.handled.errors.push(message);
    this.#runtime = new Runtime({
      config: CONFIG,
      // No handler reads files.
      asyncIo: {} as AsyncIo,
      log: { error: logged, warn: logged, notice() {}, debug() {}, debugEnabled: false },
      counters: this.counters,
      application: makeApplication(this.counters, this.handled),
      makeDriver: ({ slab }: { slab: Slab }) => {
        driver = new FakeDriver(slab);
        return { driver, note: null };
      },
    });
    check(driver !== null, 'a runtime makes its driver');
    this.#driver = driver as unknown as FakeDriver;
    this.#runtime.reactor.listen({ host: '127.0.0.1', port: 80 });
    this.#runtime.reactor.turn();
  }

  /** Returns all bytes that a client receives for these bytes. */
  async converse(bytes: Uint8Array, behaviour: ClientBehaviour): Promise<Buffer> {
    const driver = this.#driver;
    driver.calls.length = 0;
    driver.arrive(1);
    this.#runtime.reactor.turn();
    const [slot] = driver.sockets.keys();
    const socket = driver.socket(slot);
    await this.#send(slot, socket, bytes, behaviour);
    await this.#finish(slot, socket, behaviour);
    this.#checkBalance();
    return socket.output;
  }

  async #send(
    slot: number,
    socket: FakeSocket,
    bytes: Uint8Array,
    behaviour: ClientBehaviour,
  ): Promise<void> {
    const { reactor } = this.#runtime;
    const driver = this.#driver;
    for (let from = 0; from < bytes.length; from += behaviour.splitBytes) {
      for (let round = 0; !socket.receiving; round++) {
        if (socket.isAborted || !driver.sockets.has(slot)) return;
        check(round < ROUNDS_MAX, 'a server receives, or ends the connection');
        if (!(await this.#step(slot, socket, behaviour))) await this.#advanceClock();
      }
      driver.deliver(slot, bytes.subarray(from, from + behaviour.splitBytes));
      reactor.turn();
      if (behaviour.pauses) await this.#step(slot, socket, behaviour);
    }
  }

  async #finish(slot: number, socket: FakeSocket, behaviour: ClientBehaviour): Promise<void> {
    const driver = this.#driver;
    let isOver = behaviour.ending === Ending.Stay;
    for (let round = 0; driver.sockets.has(slot); round++) {
      check(round < ROUNDS_MAX, 'a connection ends');
      if (!isOver && socket.receiving) {
        driver.finish(slot, behaviour.ending === Ending.Reset ? -ECONNRESET : 0);
        isOver = true;
      }
      if (!(await this.#step(slot, socket, behaviour))) await this.#advanceClock();
    }
    // Handlers may outlive their connection.
    for (let round = 0; this.handled.pending > 0; round++) {
      check(round < ROUNDS_MAX, 'handlers settle');
      await drain();
    }
  }

  /** Runs all that needs neither client nor clock; false if there was nothing to run. */
  async #step(slot: number, socket: FakeSocket, behaviour: ClientBehaviour): Promise<boolean> {
    const { reactor } = this.#runtime;
    let moved = reactor.turn() > 0;
    if (this.handled.pending > 0) {
      const before = this.handled.pending;
      await drain();
      moved ||= this.handled.pending !== before;
    }
    if (socket.send !== null) {
      this.#driver.take(slot, behaviour.takenBytes);
      moved = true;
    }
    return moved;
  }

  /** Advances the clock to the next deadline, when nothing else can run. */
  async #advanceClock(): Promise<void> {
    const { reactor } = this.#runtime;
    // Some promises settle only after several rounds of the event loop.
    const before = this.handled.pending;
    for (let round = 0; round < ROUNDS_OF_PROMISES; round++) {
      await drain();
      if (reactor.turn() > 0 || this.handled.pending !== before) return;
    }
    const dueMs = reactor.nextDueMs();
    check(Number.isFinite(dueMs), 'a waiting connection has a deadline');
    this.#driver.nowMs = Math.max(this.#driver.nowMs, dueMs);
    reactor.turn();
  }

  #checkBalance(): void {
    const { reactor } = this.#runtime;
    const { sockets, slab } = reactor;
    reactor.turn();
    same(sockets.openCount, 0, 'open slots');
    same(slab.freeCount, slab.blockCount, 'free blocks');
    same(reactor.nextDueMs(), Number.POSITIVE_INFINITY, 'the next deadline');
    same(this.#driver.regionCount, 0, 'mapped regions');
    same(this.counters.accepted, this.counters.closed, 'accepted and closed connections');
    same(this.handled.errors.join('\n'), '', 'the error log');
  }
}

/** Runs all pending promise callbacks, ticks and steps of streams. */
function drain(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
