// What the portable driver has to say of its listener: LISTEN, then an ACCEPT for each client, then
// UNLISTEN. Clients stay here, unread, until they are adopted or refused.

import type { Socket } from 'node:net';
import { assert } from '../../base/assert.ts';
import { ACCEPTS_PER_TURN } from '../../base/fixed-limits.ts';
import { Ring } from '../../base/ring.ts';
import { type Address, type Completions, Op } from '../driver.ts';
import { NetListener } from './listener.ts';
import { type NetShared, NetSocket } from './socket.ts';

/** Rounds of Node's loop without a client: the first may have begun before the last came. */
const QUIET_ROUNDS = 2;
const LEAVE_ROUNDS_MAX = 256;

export class NetClients {
  readonly shared: NetShared;
  readonly backlog: number;
  listener: NetListener | null = null;
  accepting = true;
  /** LISTEN has yet to be told, with this result. */
  listenTold = true;
  listenResult = 0;
  /** unlisten() was asked for, and Node still takes those who wait in the kernel's queue. */
  leaving = false;
  /** How many clients Node has taken, and had when unlisten() was asked for. */
  takenCount = 0;
  takenAtLeave = 0;
  leaveRounds = 0;
  /** The listener is closed and UNLISTEN has yet to be told, after the last ACCEPT. */
  unlistening = false;
  /** The last fault of an accept that has yet to be told; 0 if there is none. */
  acceptFault = 0;
  /** Clients that are neither adopted nor refused, by handle. */
  readonly handles: (NetSocket | null)[];
  readonly handlesFree: Int32Array;
  handlesFreeCount: number;
  /** The handles that no ACCEPT has told of, the oldest first. */
  readonly waiting: Ring;

  constructor(shared: NetShared, backlog: number) {
    this.shared = shared;
    this.backlog = backlog;
    this.handles = new Array<NetSocket | null>(backlog).fill(null);
    this.handlesFree = Int32Array.from({ length: backlog }, (_, index) => backlog - 1 - index);
    this.handlesFreeCount = backlog;
    this.waiting = new Ring(backlog);
  }

  listen(address: Address): void {
    assert(this.listener === null, 'one listener at a time');
    this.accepting = true;
    this.listener = new NetListener(address, this.backlog, {
      listening: (result) => this.onListening(result),
      accepted: (socket, isUnix) => this.onAccepted(socket, isUnix),
      acceptFault: (fault) => this.onAcceptFault(fault),
    });
    this.listener.listen();
  }

  unlisten(last: boolean): void {
    const isListening = this.listener?.isListening === true && this.listenTold;
    assert(isListening && !this.leaving && !this.unlistening, 'who listens can unlisten, once');
    this.acceptFault = 0;
    if (!last && this.listener !== null && 'fd' in this.listener.address) {
      this.left();
      return;
    }
    this.leaving = true;
    this.takenAtLeave = this.takenCount;
    this.leaveRounds = 0;
    this.leaveLater(0, this.takenCount);
  }

  /**
   * Node takes a client or more in each round of its loop. When two rounds have brought nobody, the
   * kernel's queue is empty. Where clients never cease to come, enough is enough.
   */
  leaveLater(quietRounds: number, takenCount: number): void {
    this.leaveRounds += 1;
    const isOver =
      this.leaveRounds > LEAVE_ROUNDS_MAX || this.takenCount - this.takenAtLeave >= this.backlog;
    if (quietRounds === QUIET_ROUNDS || isOver) {
      this.left();
      return;
    }
    setImmediate(() => {
      const isQuiet = this.takenCount === takenCount;
      this.leaveLater(isQuiet ? quietRounds + 1 : 0, this.takenCount);
    });
  }

  /** Those who were taken are delivered still, before UNLISTEN. */
  left(): void {
    this.leaving = false;
    this.listener?.close();
    this.unlistening = true;
    this.shared.queue.ring();
  }

  accept(on: boolean): void {
    this.accepting = on;
    if (this.isReady()) this.shared.queue.ring();
  }

  /** The client of a handle, whose number is free from now on. */
  release(handle: number): NetSocket {
    const entry = this.handles[handle];
    assert(entry !== null && entry !== undefined, 'a handle is used once');
    this.handles[handle] = null;
    this.handlesFree[this.handlesFreeCount] = handle;
    this.handlesFreeCount += 1;
    return entry;
  }

  isReady(): boolean {
    if (!this.listenTold || this.unlistening) return true;
    return this.accepting && (this.waiting.length > 0 || this.acceptFault !== 0);
  }

  /** Fills `out` from its beginning, and at most half of it: sockets must not wait for clients. */
  poll(out: Completions): number {
    const end = Math.min(Math.ceil(out.capacity / 2), ACCEPTS_PER_TURN);
    let count = 0;
    if (!this.listenTold) {
      this.listenTold = true;
      count = out.set(count, Op.Listen, -1, this.listenResult, -1);
    }
    if (!this.accepting && !this.unlistening) return count;
    while (count < end && this.waiting.length > 0) {
      count = out.set(count, Op.Accept, -1, this.waiting.shift(), -1);
    }
    if (count < end && this.acceptFault !== 0) {
      count = out.set(count, Op.Accept, -1, this.acceptFault, -1);
      this.acceptFault = 0;
    }
    if (count < end && this.unlistening) {
      count = out.set(count, Op.Unlisten, -1, 0, -1);
      this.unlistening = false;
      this.listener = null;
    }
    return count;
  }

  destroy(): void {
    assert(this.listener === null, 'a driver is destroyed after UNLISTEN');
    for (const entry of this.handles) entry?.socket.destroy();
    this.handles.fill(null);
  }

  onListening(result: number): void {
    if (result < 0) this.listener = null;
    this.listenTold = false;
    this.listenResult = result;
    this.shared.queue.ring();
  }

  onAccepted(socket: Socket, isUnix: boolean): void {
    this.takenCount += 1;
    if (this.handlesFreeCount === 0) {
      socket.destroy();
      return;
    }
    this.handlesFreeCount -= 1;
    const handle = this.handlesFree[this.handlesFreeCount];
    this.handles[handle] = new NetSocket(this.shared, socket, isUnix);
    this.waiting.push(handle);
    if (this.accepting) this.shared.queue.ring();
  }

  onAcceptFault(fault: number): void {
    this.acceptFault = fault;
    if (this.accepting) this.shared.queue.ring();
  }
}
