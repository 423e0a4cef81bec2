// The completions of the portable driver's listener: LISTEN, then an ACCEPT for each client, then
// UNLISTEN. Clients stay here, unread, until they are adopted or refused.

import type { Socket } from 'node:net';
import { assert } from '../../base/assert.ts';
import { ACCEPT_REST_MS_MAX, ACCEPTS_PER_TURN } from '../../base/fixed-limits.ts';
import { FreeStack } from '../../base/free-stack.ts';
import { Ring } from '../../base/ring.ts';
import { type Address, type Completions, Op } from '../driver.ts';
import { NetListener } from './listener.ts';
import { type NetShared, NetSocket } from './socket.ts';

/** Rounds of Node's loop without a client: the first may have begun before the last one came. */
const QUIET_ROUNDS = 2;

export class NetClients {
  readonly shared: NetShared;
  readonly backlog: number;
  listener: NetListener | null = null;
  accepting = true;
  /** False while poll() has yet to report LISTEN with this result. */
  listenReported = true;
  listenResult = 0;
  /** unlisten() was called, and Node still accepts the clients in the kernel's queue. */
  isAcceptingRest = false;
  /** How many clients Node has accepted, and had when unlisten() was called. */
  acceptedCount = 0;
  acceptedAtUnlisten = 0;
  /** When it stops, even if clients still wait. */
  restUntilMs = 0;
  /** The listener is closed, and poll() has yet to report UNLISTEN, after the last ACCEPT. */
  unlistenPending = false;
  /** The last fault of an accept that poll() has yet to report; 0 if there is none. */
  acceptFault = 0;
  /** Clients that are neither adopted nor refused, by handle. */
  readonly handles: (NetSocket | null)[];
  readonly handlesFree: FreeStack;
  /** Handles without an ACCEPT yet, the oldest first. */
  readonly waiting: Ring;
  /** Calls `step` in the next round of Node's loop, after it has accepted clients. */
  readonly nextRound: (step: () => void) => void;
  readonly now: () => number;

  constructor(
    shared: NetShared,
    backlog: number,
    nextRound: (step: () => void) => void = setImmediate,
    now: () => number = () => performance.now(),
  ) {
    this.shared = shared;
    this.backlog = backlog;
    this.nextRound = nextRound;
    this.now = now;
    this.handles = new Array<NetSocket | null>(backlog).fill(null);
    this.handlesFree = new FreeStack(backlog);
    this.waiting = new Ring(backlog);
  }

  listen(address: Address): void {
    assert(this.listener === null, 'one listener at a time');
    this.accepting = true;
    this.listener = new NetListener(address, this.backlog, {
      listenDone: (result) => this.onListenDone(result),
      accepted: (socket, isUnix) => this.onAccepted(socket, isUnix),
      acceptFault: (fault) => this.onAcceptFault(fault),
    });
    this.listener.listen();
  }

  unlisten(last: boolean): void {
    const isListening = this.listener?.isListening === true && this.listenReported;
    assert(
      isListening && !this.isAcceptingRest && !this.unlistenPending,
      'unlisten() follows listen(), once',
    );
    this.acceptFault = 0;
    if (!last && this.listener !== null && 'fd' in this.listener.address) {
      this.closeListener();
      return;
    }
    this.isAcceptingRest = true;
    this.acceptedAtUnlisten = this.acceptedCount;
    this.restUntilMs = this.now() + ACCEPT_REST_MS_MAX;
    this.restRound(0, this.acceptedCount);
  }

  /**
   * Node accepts at least one waiting client in each round of its loop, and often no more. After
   * two rounds without a client the kernel's queue is empty. Until then no ACCEPT is reported:
   * clients that were served would connect again, as fast as Node accepts them, and those in the
   * queue at the end would be reset. So are those that wait when the time for it has passed.
   */
  restRound(quietRounds: number, acceptedCount: number): void {
    const isLast =
      this.handlesFree.count === 0 || this.acceptedCount - this.acceptedAtUnlisten >= this.backlog;
    if (quietRounds === QUIET_ROUNDS || isLast || this.now() >= this.restUntilMs) {
      this.closeListener();
      return;
    }
    this.nextRound(() => {
      const isQuiet = this.acceptedCount === acceptedCount;
      this.restRound(isQuiet ? quietRounds + 1 : 0, this.acceptedCount);
    });
  }

  /** Clients accepted before are still reported, before UNLISTEN. */
  closeListener(): void {
    this.isAcceptingRest = false;
    this.listener?.close();
    this.unlistenPending = true;
    this.shared.queue.notify();
  }

  setAccepting(on: boolean): void {
    this.accepting = on;
    if (this.isReady()) this.shared.queue.notify();
  }

  /** The client of a handle, whose number is free from now on. */
  release(handle: number): NetSocket {
    const entry = this.handles[handle];
    assert(entry !== null && entry !== undefined, 'a handle is used once');
    this.handles[handle] = null;
    this.handlesFree.release(handle);
    return entry;
  }

  isReady(): boolean {
    if (!this.listenReported || this.unlistenPending) return true;
    if (!this.accepting || this.isAcceptingRest) return false;
    return this.waiting.length > 0 || this.acceptFault !== 0;
  }

  /** Fills `out` from its beginning, at most half of it: the rest is for sockets. */
  poll(out: Completions): number {
    const end = Math.min(Math.ceil(out.capacity / 2), ACCEPTS_PER_TURN);
    let count = 0;
    if (!this.listenReported) {
      this.listenReported = true;
      count = out.set(count, Op.Listen, -1, this.listenResult, -1);
    }
    if (!this.accepting && !this.unlistenPending) return count;
    while (count < end && this.waiting.length > 0) {
      count = out.set(count, Op.Accept, -1, this.waiting.shift(), -1);
    }
    if (count < end && this.acceptFault !== 0) {
      count = out.set(count, Op.Accept, -1, this.acceptFault, -1);
      this.acceptFault = 0;
    }
    if (count < end && this.unlistenPending) {
      count = out.set(count, Op.Unlisten, -1, 0, -1);
      this.unlistenPending = false;
      this.listener = null;
    }
    return count;
  }

  destroy(): void {
    assert(this.listener === null, 'a driver is destroyed after UNLISTEN');
    for (const entry of this.handles) entry?.socket.destroy();
    this.handles.fill(null);
  }

  onListenDone(result: number): void {
    if (result < 0) this.listener = null;
    this.listenReported = false;
    this.listenResult = result;
    this.shared.queue.notify();
  }

  onAccepted(socket: Socket, isUnix: boolean): void {
    this.acceptedCount += 1;
    const handle = this.handlesFree.acquire();
    if (handle < 0) {
      socket.destroy();
      return;
    }
    this.handles[handle] = new NetSocket(this.shared, socket, isUnix);
    this.waiting.push(handle);
    if (this.isReady()) this.shared.queue.notify();
  }

  onAcceptFault(fault: number): void {
    this.acceptFault = fault;
    if (this.isReady()) this.shared.queue.notify();
  }
}
