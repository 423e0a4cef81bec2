// The end of the portable driver's listener, on a model of Node's loop: which clients of the
// kernel's queue are accepted before it closes. The model draws when clients come, and in which
// phase of a round unlisten() is called.

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { it } from 'node:test';
import { ERRNO } from '../../../src/base/errno.ts';
import { Slab } from '../../../src/base/slab.ts';
import { Completions, Op } from '../../../src/driver/driver.ts';
import { NetClients } from '../../../src/driver/net/clients.ts';
import { NetListener } from '../../../src/driver/net/listener.ts';
import { NetProbe } from '../../../src/driver/net/probe.ts';
import { NetQueue } from '../../../src/driver/net/queue.ts';
import { NetTable } from '../../../src/driver/net/table.ts';
import { Random } from '../../../testing/random.ts';

const ADDRESS = { host: '127.0.0.1', port: 0 } as const;

class Loop {
  readonly clients: NetClients;
  readonly listener: NetListener;
  readonly queue: NetQueue = new NetQueue(8);
  /** The arrival of each client in the kernel's queue, on a clock that counts events. */
  readonly kernel: number[] = [];
  accepted = 0;
  /** Clients beyond the backlog, for which the driver has no room. */
  destroyed = 0;
  /** What poll() reported. */
  readonly reported: number[] = [];
  readonly reportedResults: number[] = [];
  wakes = 0;
  unlistenAt = -1;
  lastPollAt = -1;
  rounds = 0;
  nowMs = 0;
  readonly #steps: (() => void)[] = [];
  readonly #out: Completions;
  #clock = 0;
  /** Called for each ACCEPT: a client that was served, and may connect again. */
  served: () => void = () => {};

  constructor(backlog: number, capacity = 8) {
    this.#out = new Completions(capacity);
    const shared = {
      slab: new Slab(64, 1),
      queue: this.queue,
      starved: new Set<never>(),
      blockReleased: () => {},
      probe: new NetProbe(),
      table: new NetTable(),
    };
    this.clients = new NetClients(
      shared,
      backlog,
      (step) => this.#steps.push(step),
      () => this.nowMs,
    );
    this.listener = new NetListener(ADDRESS, backlog, {
      listenDone: (result) => this.clients.onListenDone(result),
      accepted: (socket, isUnix) => this.clients.onAccepted(socket, isUnix),
      acceptFault: (fault) => this.clients.onAcceptFault(fault),
    });
    this.listener.isListening = true;
    this.clients.listener = this.listener;
    this.queue.wake = () => {
      this.wakes += 1;
    };
  }

  arrive(): void {
    this.kernel.push(this.#clock++);
  }

  unlisten(): void {
    this.unlistenAt = this.#clock++;
    this.clients.unlisten(false);
  }

  get isClosed(): boolean {
    return this.listener.isClosed;
  }

  /** One round: the kernel is polled, Node accepts, `during` happens, then immediates run. */
  round(during: () => void, accepts = 1): void {
    this.rounds += 1;
    this.lastPollAt = this.#clock++;
    const count = Math.min(accepts, this.kernel.length);
    for (let index = 0; index < count && !this.isClosed; index++) {
      this.kernel.shift();
      this.accepted += 1;
      const socket = new FakeSocket();
      this.listener.onConnection(socket as unknown as Socket);
      if (socket.isDestroyed) this.destroyed += 1;
    }
    during();
    for (const step of this.#steps.splice(0)) step();
  }

  /** A turn: what poll() has, served at once. */
  turn(): void {
    const count = this.clients.isReady() ? this.clients.poll(this.#out) : 0;
    for (let index = 0; index < count; index++) {
      const { block, op, result, slot } = this.#out;
      this.reported.push(op[index]);
      assert.deepEqual([slot[index], block[index]], [-1, -1]);
      this.reportedResults.push(result[index]);
      if (op[index] !== Op.Accept || result[index] < 0) continue;
      this.clients.release(result[index]);
      this.served();
    }
  }
}

class FakeSocket extends EventEmitter {
  isDestroyed = false;

  destroy(): void {
    this.isDestroyed = true;
  }
}

const firstSeed = Number(process.env['VIBING_SEED'] ?? randomInt(1, 2 ** 30));

function walk(seed: number): void {
  const random = new Random(seed, 'net clients');
  const backlog = random.pick([1, 2, 5, 40]);
  const loop = new Loop(backlog, random.pick([2, 4, 64]));
  // Clients that connect again as soon as they are served.
  if (random.once(2)) loop.served = () => loop.arrive();
  const accepts = random.pick([1, 1, 3, Number.POSITIVE_INFINITY]);
  const unlistenIn = 1 + random.below(6);
  let arrivals = random.below(2 * backlog + 2);
  for (let count = random.below(backlog + 1); count > 0; count--) loop.arrive();
  for (let round = 1; !loop.isClosed; round++) {
    assert.ok(round < unlistenIn + 3 * (backlog + 2), 'the listener closes');
    const act = (): void => {
      if (arrivals > 0 && random.once(2)) {
        arrivals -= 1;
        loop.arrive();
      }
      if (random.once(2)) loop.turn();
      if (round === unlistenIn && loop.unlistenAt < 0) loop.unlisten();
    };
    // Between rounds is the phase of immediates.
    if (random.once(2)) act();
    loop.round(act, accepts);
  }
  const isFull = loop.clients.handlesFree.count === 0;
  const hasAll = loop.accepted >= backlog;
  for (const arrival of isFull || hasAll ? [] : loop.kernel) {
    assert.ok(arrival > loop.lastPollAt, 'who came before the last poll is accepted');
    assert.ok(arrival > loop.unlistenAt, 'who came before unlisten() is accepted');
  }
  loop.served = () => {};
  for (let turns = 0; loop.clients.isReady(); turns++) {
    assert.ok(turns < 2 * backlog + 4, 'UNLISTEN is reported');
    loop.turn();
  }
  assert.equal(loop.reported.at(-1), Op.Unlisten, 'UNLISTEN is the last');
  const count = loop.accepted - loop.destroyed;
  const expected = [...new Array<number>(count).fill(Op.Accept), Op.Unlisten];
  assert.deepEqual(loop.reported, expected, 'each client is reported once');
  loop.clients.destroy();
}

it(`no client that waits is reset, seed ${firstSeed}`, () => {
  for (let seed = firstSeed; seed < firstSeed + 1_000; seed++) {
    try {
      walk(seed);
    } catch (error) {
      throw new Error(`repeat with VIBING_SEED=${seed}`, { cause: error });
    }
  }
});

it('until the listener is closed no client is reported, and poll() is not worth calling', () => {
  const loop = new Loop(8);
  for (let count = 0; count < 5; count++) loop.arrive();
  loop.served = () => loop.arrive();
  loop.unlisten();
  loop.queue.armed = true;
  for (let round = 0; round < 6; round++) {
    loop.round(() => loop.turn());
    assert.deepEqual([loop.isClosed, loop.wakes, loop.reported.length], [false, 0, 0]);
  }
  loop.round(() => {});
  assert.deepEqual([loop.isClosed, loop.wakes], [true, 1], 'two quiet rounds close it');
  loop.turn();
  assert.deepEqual(loop.reported, [...new Array<number>(4).fill(Op.Accept)], 'half of a poll()');
});

it('a slow loop does not accept clients for longer than its time', () => {
  const loop = new Loop(512);
  for (let count = 0; count < 500; count++) loop.arrive();
  loop.unlisten();
  for (let round = 0; round < 100; round++) {
    assert.equal(loop.isClosed, false);
    loop.nowMs += 20;
    loop.round(() => {});
  }
  assert.ok(loop.isClosed);
  while (loop.clients.isReady()) loop.turn();
  assert.equal(loop.reported.at(-1), Op.Unlisten);
  loop.clients.destroy();
});

it('a listener whose clients fill the backlog closes at once', () => {
  for (const isServed of [false, true]) {
    const loop = new Loop(2);
    for (let count = 0; count < 3; count++) loop.arrive();
    for (let round = 0; round < 2; round++) loop.round(() => {});
    if (isServed) loop.turn();
    loop.unlisten();
    assert.equal(loop.isClosed, !isServed, 'there is no room for another client');
    // With room as many as the backlog has follow, and no more.
    for (let count = 0; count < 3; count++) loop.arrive();
    for (let round = 0; round < 2 && isServed; round++) {
      assert.equal(loop.isClosed, false);
      loop.round(() => {});
    }
    assert.ok(loop.isClosed);
    assert.equal(loop.accepted, isServed ? 4 : 2);
    while (loop.clients.isReady()) loop.turn();
    loop.clients.destroy();
  }
});

it('a listener that others have open closes at once, but for the last of them', () => {
  for (const last of [false, true]) {
    const loop = new Loop(8);
    Object.assign(loop.listener, { address: { fd: 3 } });
    loop.arrive();
    loop.clients.unlisten(last);
    assert.equal(loop.isClosed, !last);
    for (let round = 0; round < 3; round++) loop.round(() => {});
    assert.deepEqual([loop.isClosed, loop.accepted], [true, last ? 1 : 0]);
  }
});

it('clients and faults wait while none may be accepted', () => {
  const loop = new Loop(8);
  loop.arrive();
  loop.round(() => {});
  loop.turn();
  loop.reported.length = 0;
  loop.reportedResults.length = 0;
  loop.arrive();
  loop.round(() => {});
  loop.queue.armed = true;
  loop.clients.setAccepting(false);
  loop.arrive();
  loop.round(() => loop.listener.onError(Object.assign(new Error(), { code: 'EMFILE' })));
  loop.turn();
  assert.deepEqual([loop.accepted, loop.wakes, loop.reported], [3, 0, []]);
  loop.clients.setAccepting(true);
  assert.equal(loop.wakes, 1);
  loop.turn();
  assert.equal(loop.reportedResults.length, 3);
  assert.equal(loop.reportedResults[2], -ERRNO.EMFILE);
  loop.turn();
  assert.equal(loop.reported.length, 3, 'once');
});

it('a fault of before the end of the listener is not reported', () => {
  const loop = new Loop(8);
  loop.listener.onError(Object.assign(new Error(), { code: 'EMFILE' }));
  loop.unlisten();
  for (let round = 0; round < 2; round++) loop.round(() => {});
  loop.turn();
  assert.deepEqual(loop.reported, [Op.Unlisten]);
  assert.equal(loop.clients.listener, null);
});

it('a driver that is destroyed closes clients that were neither adopted nor refused', () => {
  const loop = new Loop(8);
  const [kept, released] = [new FakeSocket(), new FakeSocket()];
  for (const socket of [kept, released]) loop.listener.onConnection(socket as unknown as Socket);
  loop.clients.release(1);
  assert.throws(() => loop.clients.release(1), /a handle is used once/);
  assert.throws(() => loop.clients.destroy(), /a driver is destroyed after UNLISTEN/);
  loop.clients.listener = null;
  loop.clients.destroy();
  loop.clients.destroy();
  assert.deepEqual([kept.isDestroyed, released.isDestroyed], [true, false]);
});

it('a fault of accept() before the end is reported after the clients, before UNLISTEN', () => {
  const loop = new Loop(8);
  loop.arrive();
  loop.unlisten();
  loop.round(() => loop.listener.onError(Object.assign(new Error(), { code: 'EMFILE' })));
  for (let round = 0; round < 2; round++) loop.round(() => loop.turn());
  loop.turn();
  assert.deepEqual(loop.reported, [Op.Accept, Op.Accept, Op.Unlisten]);
  assert.equal(loop.reportedResults.at(1), -ERRNO.EMFILE);
});
