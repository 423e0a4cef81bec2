// Runs a script of calls on a driver on its scripted kernel, and checks after each poll() what must
// hold whatever happens inside the calls: each operation completes once, bytes go to the socket
// that they were sent to, and a driver that sleeps has nothing to do.

import assert from 'node:assert/strict';
import { ERRNO } from '../../../src/base/errno.ts';
import { Completions, Op } from '../../../src/driver/driver.ts';
import {
  type DriverName,
  FILE_BYTES,
  FILE_FD,
  Hooks,
  type LinuxFixture,
  makeLinuxFixture,
  type PeerEnd,
} from './linux-fixture.ts';

/** A step of a script; on a slot where it is not allowed it does nothing. */
export type Act =
  | 'adopt'
  | 'connect'
  | 'receive'
  | 'send'
  | 'sendFile'
  | 'watch'
  | 'shutdown'
  | 'abort'
  | 'reset'
  | 'close'
  | 'listen'
  | 'pause'
  | 'resume'
  | 'unlisten'
  | 'hold'
  | 'free'
  | 'write'
  | 'end'
  | 'turn'
  | 'sleep';

export interface Step {
  readonly act: Act;
  readonly slot: number;
}

/** What can happen inside a call: what the peers do. */
export const EVENTS = ['write', 'end', 'reset', 'take', 'connected', 'client'] as const;
export type Event = (typeof EVENTS)[number];

export const SLOTS = 3;
const BLOCKS = 4;
const REGION = 1;
const FILE = -1;
/** More than the room of a socket: a send that blocks. */
const SEND_BYTES: number = FILE_BYTES;
const TURNS_MAX = 200;

interface Socket {
  readonly peer: PeerEnd;
  readonly number: number;
  written: string;
  received: string;
  hasEnded: boolean;
  aborted: boolean;
  closing: boolean;
  shut: boolean;
}

export class Walk {
  readonly hooks: Hooks = new Hooks();
  readonly fixture: LinuxFixture;
  /** A call was failed on purpose: errors are expected, and waits without an end. */
  failed = false;
  readonly #out = new Completions(4);
  readonly #sockets: (Socket | null)[] = new Array<Socket | null>(SLOTS).fill(null);
  readonly #inFlight = new Set<string>();
  readonly #held: number[] = [];
  #holding = false;
  #socketCount = 0;
  #asleep = false;
  #listening = false;
  #accepting = true;

  constructor(name: DriverName, prepare: (hooks: Hooks) => void = () => {}) {
    prepare(this.hooks);
    this.fixture = makeLinuxFixture(name, this.hooks, { slots: SLOTS, blockCount: BLOCKS });
    const { driver } = this.fixture;
    driver.map(REGION, new Uint8Array(SEND_BYTES));
    driver.mapFile(FILE, FILE_FD, 1);
    driver.wake = () => {
      assert.ok(this.#asleep, 'wake() comes once after a sleep()');
      this.#asleep = false;
    };
  }

  run(script: readonly Step[]): void {
    for (const { act, slot } of script) {
      // Node's loop may run between two calls.
      this.fixture.round();
      this.#act(act, slot);
    }
  }

  #act(act: Act, slot: number): void {
    const { driver } = this.fixture;
    const socket = this.#sockets[slot];
    if (act === 'turn') this.#turn();
    else if (act === 'sleep') this.#sleep();
    else if (act === 'hold') this.#hold();
    else if (act === 'free') this.#free();
    else if (act === 'write' || act === 'end') this.happen(act, slot);
    else if (act === 'listen' || act === 'unlisten') this.#listen(act);
    else if (act === 'pause' || act === 'resume') this.#setAccepting(act === 'resume');
    else if (socket === null) this.#open(act, slot);
    else if (act === 'close') this.#close(slot, socket);
    else if (act === 'abort' || act === 'reset') {
      if (socket.closing) return;
      socket.aborted = true;
      driver.abort(slot, act === 'reset');
    } else if (!socket.closing && !socket.aborted && !this.#flies(Op.Connect, slot)) {
      this.#use(act, slot, socket);
    }
  }

  /** Takes all blocks, also those that are received from now on, until 'free'. */
  #hold(): void {
    const { slab } = this.fixture;
    this.#holding = true;
    while (slab.freeCount > 0) this.#held.push(slab.acquire());
  }

  #free(): void {
    this.#holding = false;
    for (const block of this.#held.splice(0)) this.fixture.slab.release(block);
  }

  #listen(act: 'listen' | 'unlisten'): void {
    const { driver } = this.fixture;
    const isBusy = this.#flies(Op.Listen, -1) || this.#flies(Op.Unlisten, -1);
    if (isBusy || this.#listening === (act === 'listen')) return;
    this.#start(act === 'listen' ? Op.Listen : Op.Unlisten, -1);
    if (act === 'listen') driver.listen({ host: '127.0.0.1', port: 0 });
    else driver.unlisten();
    this.#accepting = act === 'listen';
  }

  #setAccepting(on: boolean): void {
    if (!this.#listening || this.#flies(Op.Unlisten, -1)) return;
    this.#accepting = on;
    this.fixture.driver.setAccepting(on);
  }

  #open(act: Act, slot: number): void {
    const { driver } = this.fixture;
    if (act === 'connect') {
      this.#start(Op.Connect, slot);
      const before = this.hooks.calls.length;
      driver.connect({ host: '127.0.0.1', port: 1, from: '127.0.0.2' }, slot);
      const made = !this.failed || this.hooks.calls.indexOf('connect', before) >= 0;
      this.#setSocket(slot, made ? this.fixture.connecting() : null);
    } else if (act === 'adopt') {
      const { handle, peer } = this.fixture.accepted();
      driver.adopt(handle, slot);
      this.#setSocket(slot, peer);
    }
  }

  #setSocket(slot: number, peer: PeerEnd | null): void {
    this.#socketCount += 1;
    this.#sockets[slot] = {
      peer: peer ?? NO_PEER,
      number: this.#socketCount,
      written: '',
      received: '',
      hasEnded: false,
      aborted: false,
      closing: false,
      shut: false,
    };
  }

  #use(act: Act, slot: number, socket: Socket): void {
    const { driver } = this.fixture;
    if (act === 'receive' && !this.#flies(Op.Receive, slot)) {
      this.#start(Op.Receive, slot);
      driver.receive(slot);
    } else if (act === 'watch' && !this.#flies(Op.Watch, slot)) {
      this.#start(Op.Watch, slot);
      driver.watch(slot);
    } else if (this.#flies(Op.Send, slot) || socket.shut) return;
    else if (act === 'send' || act === 'sendFile') {
      this.#start(Op.Send, slot);
      driver.send(slot, act === 'send' ? REGION : FILE, 0, SEND_BYTES, false);
    } else if (act === 'shutdown') {
      socket.shut = true;
      driver.shutdownSend(slot);
    }
  }

  #close(slot: number, socket: Socket): void {
    const ops = [Op.Receive, Op.Send, Op.Watch, Op.Connect];
    if (socket.closing || ops.some((op) => this.#flies(op, slot))) return;
    socket.closing = true;
    this.#start(Op.Close, slot);
    this.fixture.driver.close(slot);
  }

  #start(op: number, slot: number): void {
    this.#inFlight.add(`${op}:${slot}`);
  }

  #flies(op: number, slot: number): boolean {
    return this.#inFlight.has(`${op}:${slot}`);
  }

  /** Something happens to the socket of a slot now; the script does not notice. */
  happen(event: Event, slot: number): void {
    if (event === 'client') {
      this.fixture.client();
      return;
    }
    const socket = this.#sockets[slot];
    if (socket === null || socket.peer.isClosed) return;
    const { peer } = socket;
    if (peer.isConnecting) {
      if (event === 'connected') peer.connected();
      else if (event === 'reset') peer.reset();
    } else if (event === 'take') peer.take();
    else if (peer.isReset) return;
    else if (event === 'reset') peer.reset();
    else if (peer.hasEnd) return;
    else if (event === 'end') peer.end();
    else if (event === 'write') {
      const text = `<${socket.number}.${socket.written.length}>`;
      socket.written += text;
      peer.write(text);
    }
  }

  /** As the pump: a driver that sleeps gets no turn before it wakes. */
  #turn(): void {
    if (this.#asleep) return;
    const count = this.fixture.driver.poll(this.#out);
    const { op, slot, result, block } = this.#out;
    const completions = Array.from({ length: count }, (_, at) => [
      op[at],
      slot[at],
      result[at],
      block[at],
    ]);
    for (const [a, b, c, d] of completions) this.#completed(a, b, c, d);
  }

  #sleep(): void {
    if (this.#asleep) return;
    this.#asleep = true;
    this.#asleep = this.fixture.driver.sleep();
  }

  #completed(op: number, slot: number, result: number, block: number): void {
    const what = `operation ${op} of slot ${slot}: ${result}`;
    if (op === Op.Accept) {
      this.#accepted(result);
      return;
    }
    assert.ok(this.#inFlight.delete(`${op}:${slot}`), `in flight: ${what}`);
    if (op === Op.Listen) this.#listening = result >= 0;
    if (op === Op.Unlisten) this.#listening = false;
    if (slot < 0) return;
    const socket = this.#sockets[slot];
    assert.ok(socket !== null, what);
    if (result === -ERRNO.ECANCELED) assert.ok(socket.aborted, `only abort() cancels: ${what}`);
    // A socket that did not connect is only closed.
    if (op === Op.Connect && result < 0) socket.aborted = true;
    if (op === Op.Receive) this.#received(socket, result, block);
    else if (op === Op.Watch && result !== -ERRNO.ECANCELED) {
      const { peer, shut } = socket;
      assert.ok(peer.isReset || (peer.hasEnd && shut), `broken: ${what}`);
    } else if (op === Op.Close) {
      assert.ok(socket.closing && (socket.peer === NO_PEER || socket.peer.isClosed), what);
      this.#sockets[slot] = null;
    } else if (op === Op.Send) assert.notEqual(result, 0, what);
  }

  #accepted(result: number): void {
    if (result < 0) {
      assert.ok(this.failed, `accept(): ${result}`);
      return;
    }
    const slot = this.#sockets.indexOf(null);
    if (slot < 0) {
      this.fixture.driver.refuse(result);
      return;
    }
    const peer = this.fixture.peerOf(result);
    this.fixture.driver.adopt(result, slot);
    this.#setSocket(slot, peer);
  }

  #received(socket: Socket, result: number, block: number): void {
    const { slab } = this.fixture;
    assert.equal(block >= 0, result > 0, 'a block comes with bytes alone');
    if (result > 0) {
      const start = slab.start(block);
      socket.received += Buffer.from(slab.bytes.subarray(start, start + result)).toString();
      if (this.#holding) this.#held.push(block);
      else slab.release(block);
      const expected = socket.written.slice(0, socket.received.length);
      assert.equal(socket.received, expected, 'the bytes of its own peer, in order');
      return;
    }
    if (result === -ERRNO.ECANCELED || this.failed) return;
    assert.ok(socket.peer.hasEnd, 'the stream ended or was reset');
    assert.equal(socket.received, socket.written, 'the end comes after all bytes');
  }

  /** Turns as the pump makes them, until the driver sleeps and nothing wakes it. */
  settle(): void {
    for (let turns = 0; turns < TURNS_MAX; turns++) {
      if (this.#asleep) this.fixture.round();
      if (this.#asleep) {
        if (!this.failed) this.#mustBeStuck();
        return;
      }
      const before = this.#inFlight.size;
      this.#turn();
      if (this.#inFlight.size === before) this.#sleep();
    }
    assert.fail('the driver does not sleep');
  }

  /** What is in flight while the driver sleeps cannot complete. */
  #mustBeStuck(): void {
    for (const [slot, socket] of this.#sockets.entries()) {
      if (socket === null) continue;
      const { peer, aborted } = socket;
      const flight = (op: number): boolean => this.#flies(op, slot);
      assert.ok(!flight(Op.Close), `slot ${slot} closes`);
      if (flight(Op.Receive)) {
        const mayReceive = peer.hasInput && this.fixture.slab.freeCount > 0;
        assert.ok(!aborted && !mayReceive, `slot ${slot} receives`);
        assert.ok(peer.hasInput || !peer.hasEnd, `the end of slot ${slot} is received`);
      }
      if (flight(Op.Send)) assert.ok(!aborted && !peer.hasRoom, `slot ${slot} sends`);
      if (flight(Op.Watch)) assert.ok(!aborted && !peer.isReset, `slot ${slot} is watched`);
      if (flight(Op.Connect)) assert.ok(!aborted && peer.isConnecting, `slot ${slot} connects`);
    }
    for (const op of [Op.Listen, Op.Unlisten]) assert.ok(!this.#flies(op, -1), `${op} completes`);
    if (this.#listening && this.#accepting) assert.equal(this.fixture.waitingCount, 0, 'accepted');
  }

  /** Closes every socket. */
  empty(): void {
    this.#act('free', 0);
    this.settle();
    for (let slot = 0; slot < SLOTS; slot++) {
      if (this.#sockets[slot] === null) continue;
      this.#act('reset', slot);
      this.settle();
      this.#act('close', slot);
      this.settle();
    }
  }

  /** Closes everything: nothing is left over. */
  finish(): void {
    this.empty();
    this.#listen('unlisten');
    this.settle();
    // Clients that the listener accepted at its end.
    for (let slot = 0; slot < SLOTS; slot++) this.#act('close', slot);
    this.settle();
    assert.deepEqual([...this.#inFlight], [], 'every operation has completed');
    this.fixture.driver.unmap(REGION);
    this.fixture.driver.unmap(FILE);
    this.fixture.driver.destroy();
    assert.deepEqual(this.fixture.leftOver, [], 'everything is closed and unmapped');
    assert.equal(this.fixture.slab.freeCount, BLOCKS, 'every block was released');
  }
}

/** Of a connection for which no descriptor was made. */
const NO_PEER: PeerEnd = {
  write: () => {},
  end: () => {},
  reset: () => {},
  take: () => {},
  connected: () => {},
  isClosed: true,
  isConnecting: false,
  hasEnd: true,
  isReset: true,
  hasInput: false,
  hasRoom: false,
};

/** A script as text: 'adopt 0, receive 0, turn'. */
export function stepsOf(script: string): readonly Step[] {
  return script.split(', ').map((text) => {
    const [act, slot = '0'] = text.split(' ');
    return { act: act as Act, slot: Number(slot) };
  });
}
