// The seam between the reactor and the kernel. Completions and numbers only: nothing else crosses
// it per operation. Every driver (epoll, uring, net, and the simulator's) keeps this contract:
//
// - A call returns at once; its result arrives later from poll(), which also submits what was not
//   submitted by then. poll() never blocks and never calls up. The one call upwards is wake(),
//   which says "a turn is worth having", nothing more.
// - A result is the kernel's: a count of bytes, a handle, or minus errno (negative, see ERRNO).
// - At most one receive, one send and one watch are in flight per socket, asserted here and in the
//   reactor.
// - close(slot) is asked for only when nothing is in flight; abort(slot) brings that about.
// - A RECEIVE with result > 0 hands over one block of the slab; its new owner releases it.
//   Result 0 is the peer's end of stream, and brings no block.
// - A driver may hold some free blocks for receives to come, until destroy().
// - Memory to send from is a region: numbered memory that stays in place while it is mapped.

import type { Slab } from '../base/slab.ts';

/** What finished. `slot` is -1 for operations on the listener. */
export const Op = {
  /** The listener is up: result is the port (0 for a unix socket), or -errno. */
  Listen: 1,
  /** The listener is closed and no ACCEPT follows. */
  Unlisten: 2,
  /** A client connected: result is a handle for adopt() or refuse(), or -errno. */
  Accept: 3,
  /** connect() finished: 0 or -errno. */
  Connect: 4,
  /** Bytes in `block`, 0 at the end of the stream, or -errno. */
  Receive: 5,
  /** Bytes sent, at least one and maybe fewer than asked, or -errno. */
  Send: 6,
  /** The socket is gone and its slot free. */
  Close: 7,
  /** The connection broke: -errno. */
  Watch: 8,
} as const;
export type Op = (typeof Op)[keyof typeof Op];

/** What poll() fills: parallel arrays, entries 0 to its return value - 1. */
export class Completions {
  readonly capacity: number;
  readonly op: Uint8Array;
  readonly slot: Int32Array;
  readonly result: Int32Array;
  /** The slab block of a RECEIVE with result > 0, else -1. */
  readonly block: Int32Array;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.op = new Uint8Array(capacity);
    this.slot = new Int32Array(capacity);
    this.result = new Int32Array(capacity);
    this.block = new Int32Array(capacity);
  }

  /** Writes entry `index`; gives the index of the next. */
  set(index: number, op: number, slot: number, result: number, block: number): number {
    this.op[index] = op;
    this.slot[index] = slot;
    this.result[index] = result;
    this.block[index] = block;
    return index + 1;
  }
}

/**
 * Where to listen or connect. `host` is a literal IPv4 or IPv6 address, `path` a unix socket,
 * `fd` a socket that listens already (inherited). `from` is the local address to connect from, of
 * the same family; without it the system chooses.
 */
export type Address =
  | {
      readonly host: string;
      readonly port: number;
      readonly reusePort?: boolean;
      readonly from?: string;
    }
  | { readonly path: string; readonly mode?: number }
  | { readonly fd: number };

/** The other end of a socket; address is '' for a unix socket or one that is gone. */
export interface Peer {
  readonly address: string;
  readonly port: number;
}

/** What a driver is made from. Slots run from 0 to slots - 1. */
export interface DriverOptions {
  readonly slab: Slab;
  readonly slots: number;
  readonly backlog: number;
}

export interface Driver {
  readonly name: string;
  /**
   * Set by the pump. The driver calls it when poll() became worth calling after sleep(): with true
   * from Node's loop itself, where a turn may run at once; with false from within another call.
   */
  wake: (fromLoop: boolean) => void;

  /** Milliseconds with fractions, never going back; wall() is milliseconds since 1970. */
  now(): number;
  wall(): number;

  /** Makes `bytes` sendable as `region` (> 0; region 0 is the slab, always mapped). */
  map(region: number, bytes: Uint8Array): void;
  /** Forgets a region; no send from it is in flight. */
  unmap(region: number): void;

  /**
   * One LISTEN, then ACCEPTs until unlisten(); that gives UNLISTEN when it is all over. A failed
   * LISTEN owes no UNLISTEN. Clients taken before UNLISTEN are still to be adopted or refused, also
   * those who stood in the kernel's queue: unlisten() takes up to `backlog` of them even while
   * accepting(false) holds. Only an inherited listener's queue is left to whoever else has it,
   * unless this is the `last` process that serves it.
   */
  listen(address: Address): void;
  unlisten(last?: boolean): void;
  /** False stops taking clients (they wait in the kernel's queue), true goes on. */
  accepting(on: boolean): void;
  /**
   * With `on`, takes clients from another listening socket as well: an inherited, non-blocking
   * descriptor that stays somebody else's. It is not closed here, nor is anything set on it, and
   * other processes may take clients from it at the same time. Asked for only while listening (from
   * LISTEN until unlisten()); asking again for what is so already does nothing. Its clients come as
   * ACCEPTs that nobody can tell from the others, and accepting() holds for them too, also when it
   * was said before. Without `on` no further client is taken; the caller may close the descriptor
   * as soon as this returns, and a client taken before may still come as an ACCEPT. unlisten()
   * ends this for every such descriptor: after UNLISTEN the driver has nothing to do with them.
   */
  acceptAlso(fd: number, on: boolean): void;
  /** Makes an accepted handle the socket `slot`; refuse() closes it instead. */
  adopt(handle: number, slot: number): void;
  refuse(handle: number): void;
  /** Gives one CONNECT; after a failed one the slot still wants close(). */
  connect(address: Address, slot: number): void;

  /** Gives one RECEIVE. When the slab is empty it waits until a block is free. */
  receive(slot: number): void;
  /**
   * Gives one SEND for bytes [start, end) of a region, end > start. `more` says that another send
   * follows at once, so the kernel may hold back a packet that is not full.
   */
  send(slot: number, region: number, start: number, end: number, more: boolean): void;
  /**
   * Gives one WATCH with -errno when the connection breaks: by a reset, by a timeout of the kernel,
   * on a unix socket also when the peer closes. It is meant for a socket on which nothing is
   * received, as a receive tells the same; it may stay in flight beside receives and sends. A peer
   * that only ends its own stream does not complete it.
   */
  watch(slot: number): void;
  /**
   * How many of the bytes that the kernel has taken the peer has not acknowledged; the end of our
   * stream counts as one. -1 where the system does not tell. While one send is in flight, a number
   * that differs from the one before is progress of the peer: less is left, or the kernel took more
   * because there was room. On a unix socket it is the memory that unread bytes take.
   */
  unacknowledged(slot: number): number;
  /**
   * Half close: the peer sees the end of the stream after what was sent. Nothing completes. No send
   * is in flight, and none follows.
   */
  shutdownSend(slot: number): void;
  /**
   * Finishes what is in flight, with -ECANCELED unless it had finished before. With `reset` the
   * close that follows resets the connection; without it the kernel still delivers what it was
   * given.
   */
  abort(slot: number, reset: boolean): void;
  /** Gives one CLOSE. Nothing may be in flight. */
  close(slot: number): void;
  peer(slot: number): Peer;

  /**
   * Fills `out`, which has room for four at least, with what has finished and returns how many;
   * submits what was asked meanwhile.
   */
  poll(out: Completions): number;
  /** Arms wake() for the next completion. False, and not armed, when poll() would find some now. */
  sleep(): boolean;
  /** Lets everything go. Only after UNLISTEN and when every socket is closed. */
  destroy(): void;
}
