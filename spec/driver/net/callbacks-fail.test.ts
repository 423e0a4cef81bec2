// Each of Node's callbacks of the portable driver fails once, at each step of a script: every
// operation completes once, no block is lost, nothing stays watched, and the socket closes once.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { ERRNO } from '../../../src/base/errno.ts';
import { Slab } from '../../../src/base/slab.ts';
import { Completions, Op } from '../../../src/driver/driver.ts';
import { NetListener } from '../../../src/driver/net/listener.ts';
import type { Probed } from '../../../src/driver/net/probe.ts';
import { NetQueue } from '../../../src/driver/net/queue.ts';
import { Flight, NetSocket } from '../../../src/driver/net/socket.ts';
import { errorOf, ScriptedSocket } from '../scripted/node-socket.ts';

const BLOCKS = 4;
const BLOCK_BYTES = 4_096;

/** One socket of the driver, with the completions that it has had. */
class Walk {
  readonly node = new ScriptedSocket();
  readonly slab = new Slab(BLOCK_BYTES, BLOCKS);
  readonly queue = new NetQueue(16);
  readonly watched = new Set<Probed>();
  readonly starved = new Set<NetSocket>();
  readonly socket: NetSocket;
  readonly completions = new Completions(16);
  readonly counts = new Map<number, number>();
  readonly started = new Map<number, number>();
  /** Blocks that others use: a receive that has bytes is starved. */
  readonly held: number[] = [];
  isClosing = false;

  constructor() {
    const probe = {
      add: (one: Probed) => void this.watched.add(one),
      remove: (one: Probed) => void this.watched.delete(one),
    };
    const { queue, slab, starved } = this;
    const shared = { queue, slab, starved, probe, table: {}, blockReleased: () => {} };
    this.socket = new NetSocket(shared as never, this.node as unknown as Socket, false);
    this.socket.slot = 0;
  }

  /** As poll(). */
  drain(): void {
    const { completions } = this;
    const count = this.queue.moveTo(completions, 0);
    for (let index = 0; index < count; index++) {
      const op = completions.op[index];
      this.#check(op, completions.result[index], completions.block[index]);
      this.counts.set(op, (this.counts.get(op) ?? 0) + 1);
      if (op === Op.Close) continue;
      this.socket.endFlight(op);
      const block = completions.block[index];
      if (block >= 0) this.slab.release(block);
    }
  }

  #check(op: number, result: number, block: number): void {
    const { socket } = this;
    assert.equal(block >= 0, op === Op.Receive && result > 0, `block ${block} of op ${op}`);
    if (op === Op.Watch) assert.ok(result < 0, `a watch ends with a fault, not ${result}`);
    if (op === Op.Send) assert.ok(result < 0 || result === 4, `a send ends with ${result}`);
    if (op === Op.Receive && result === 0) assert.equal(socket.rest, null, 'bytes come first');
    if (op === Op.Receive) assert.ok(result <= BLOCK_BYTES, `a receive ends with ${result}`);
  }

  #begin(op: number, flight: number, start: () => void): void {
    if (flight !== Flight.Idle || this.isClosing) return;
    this.started.set(op, (this.started.get(op) ?? 0) + 1);
    start();
  }

  step(name: string): void {
    const { node, socket } = this;
    if (name === 'receive') this.#begin(Op.Receive, socket.receiving, () => socket.receive());
    if (name === 'watch') this.#begin(Op.Watch, socket.watching, () => socket.watch());
    if (name === 'send' && !socket.shutdownAsked) {
      this.#begin(Op.Send, socket.sending, () => socket.send(Buffer.from('text')));
    }
    if (name === 'shutdown') socket.shutdownSend();
    if (name === 'written') node.writes.shift()?.();
    if (name === 'data' && node.isReading && !node.destroyed && !socket.ended) {
      node.emit('data', Buffer.alloc(BLOCK_BYTES + 10));
    }
    if (name === 'end' && !node.destroyed && !socket.ended) node.emit('end');
    if (name === 'probe') for (const one of this.watched) one.probe();
    if (name === 'drain') this.drain();
    if (name === 'hold') while (this.slab.freeCount > 0) this.held.push(this.slab.acquire());
    if (name === 'free') for (const block of this.held.splice(0)) this.slab.release(block);
  }

  /** Without an abort: what is in flight completes by itself when the socket is broken. */
  checkBroken(): void {
    const { node, socket } = this;
    this.drain();
    assert.ok(node.writes.length > 0 || socket.sending === Flight.Idle, 'the send has completed');
    if (socket.ended || node.destroyed) {
      const isStarved = this.starved.has(socket);
      assert.ok(isStarved || socket.receiving === Flight.Idle, 'the receive has completed');
    }
    if (!node.destroyed || socket.fault === 0) return;
    assert.equal(socket.watching, Flight.Idle, 'the watch has completed');
  }

  finish(reset: boolean): void {
    const { socket } = this;
    this.checkBroken();
    socket.abort(reset);
    this.drain();
    for (const flight of [socket.receiving, socket.sending, socket.watching, socket.connecting]) {
      assert.equal(flight, Flight.Idle, 'nothing is in flight');
    }
    this.isClosing = true;
    socket.close();
    if (socket.resetPending) {
      this.node.writableFinished = true;
      this.node.emit('finish');
    }
    this.drain();
    for (const [op, count] of this.started) assert.equal(this.counts.get(op), count, `op ${op}`);
    assert.equal(this.counts.get(Op.Close), 1, 'it closes once');
    assert.ok(this.node.destroyed);
    this.step('free');
    assert.equal(this.slab.freeCount, BLOCKS, 'no block is lost');
    assert.equal(this.watched.size, 0);
    assert.equal(this.starved.size, 0);
  }
}

const SCRIPT =
  'receive watch send data drain receive written drain probe send receive drain written data ' +
  'drain receive drain hold receive data drain free drain receive drain receive hold data send ' +
  'watch shutdown drain written drain probe end drain receive drain';

const FAILURES: Readonly<Record<string, (walk: Walk) => void>> = {
  'an error': ({ node }) => node.destroy(errorOf('ETIMEDOUT')),
  'a reset': ({ node }) => node.destroy(errorOf('ECONNRESET')),
  'a close without an error': ({ node }) => node.destroy(),
  'a write that fails before the error is known': ({ node }) => {
    const [written] = node.writes.splice(0);
    written?.(errorOf('EPIPE'));
    node.destroy(errorOf('EPIPE'));
  },
  'a write that fails alone': ({ node }) => node.writes.shift()?.(errorOf('ENOBUFS')),
  'an error without a known code': ({ node }) => node.destroy(new Error('unknown')),
  'an end': (walk) => walk.step('end'),
};

describe('a callback of a socket fails', () => {
  for (const [what, fail] of Object.entries(FAILURES)) {
    it(`${what}, at each step`, () => {
      const steps = SCRIPT.split(' ');
      for (let at = 0; at <= steps.length; at++) {
        for (const reset of [false, true]) {
          const walk = new Walk();
          try {
            for (const [index, step] of steps.entries()) {
              if (index === at) fail(walk);
              walk.step(step);
            }
            if (at === steps.length) fail(walk);
            walk.finish(reset);
          } catch (error) {
            throw new Error(`at step ${at} (${steps[at]}), reset ${reset}`, { cause: error });
          }
        }
      }
    });
  }
});

describe('a callback of a listener fails', () => {
  const folder = mkdtempSync(join(tmpdir(), 'vibing-callbacks-'));
  after(() => rmSync(folder, { recursive: true }));

  interface Heard {
    readonly listener: NetListener;
    readonly results: number[];
    readonly faults: number[];
    readonly accepted: Socket[];
  }

  function made(address: ConstructorParameters<typeof NetListener>[0]): Heard {
    const results: number[] = [];
    const faults: number[] = [];
    const accepted: Socket[] = [];
    const listener = new NetListener(address, 16, {
      listenDone: (result) => void results.push(result),
      accepted: (socket) => void accepted.push(socket),
      acceptFault: (fault) => void faults.push(fault),
    });
    return { listener, results, faults, accepted };
  }

  const TCP = { host: '127.0.0.1', port: 0 };

  it('listen() that throws, or reports an error, is told once', () => {
    for (const code of ['EACCES', 'EADDRINUSE', 'EMFILE', 'EADDRNOTAVAIL']) {
      const wanted = -(ERRNO as Record<string, number>)[code];
      const throwing = made(TCP);
      throwing.listener.server.listen = () => {
        throw errorOf(code);
      };
      throwing.listener.listen();
      const reporting = made(TCP);
      reporting.listener.server.listen = () => reporting.listener.server;
      reporting.listener.listen();
      reporting.listener.server.emit('error', errorOf(code));
      for (const { faults, listener, results } of [throwing, reporting]) {
        assert.deepEqual(results, [wanted], code);
        assert.ok(listener.isClosed);
        listener.server.emit('error', errorOf(code));
        assert.deepEqual([results.length, faults.length], [1, 0]);
      }
    }
  });

  it('an error while it listens is one of accept(); a late client is closed', async (context) => {
    const { accepted, faults, listener, results } = made(TCP);
    context.after(() => {
      listener.server.close();
      for (const socket of accepted) socket.destroy();
    });
    listener.listen();
    await once(listener.server, 'listening');
    assert.ok(results[0] > 0);
    listener.server.emit('error', errorOf('EMFILE'));
    listener.server.emit('error', errorOf('ENFILE'));
    assert.deepEqual(faults, [-ERRNO.EMFILE, -ERRNO.ENFILE]);
    assert.equal(listener.isClosed, false);
    const client = connect(results[0], '127.0.0.1');
    context.after(() => client.destroy());
    await once(listener.server, 'connection');
    assert.equal(accepted.length, 1);
    listener.close();
    listener.server.emit('error', errorOf('EMFILE'));
    const late = new ScriptedSocket();
    listener.server.emit('connection', late);
    assert.ok(late.destroyed);
    assert.deepEqual([accepted.length, faults.length, results.length], [1, 2, 1]);
  });

  it('a unix socket whose mode cannot be set is closed, and leaves no file', async () => {
    if (process.platform === 'win32') return;
    const path = join(folder, 'socket');
    const { listener, results } = made({ path, mode: 0o600 });
    listener.server.prependListener('listening', () => rmSync(path));
    listener.listen();
    await once(listener.server, 'close');
    assert.deepEqual(results, [-ERRNO.ENOENT]);
    assert.ok(listener.isClosed && !listener.isListening);
    assert.equal(existsSync(path), false);
  });
});
