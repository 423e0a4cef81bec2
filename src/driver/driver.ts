// The interface between the reactor and the kernel, a port: calls and completions in numbers. Every
// driver (epoll, uring, net, and the simulator's) keeps this contract. A name in capitals is the
// completion of an operation: RECEIVE is Op.Receive.
//
// - A call returns at once. Its completion comes from a later poll(), which also submits what was
//   not submitted yet. poll() never blocks and calls nothing in the layers above. The one callback
//   is wake(), which says that poll() is worth calling, nothing more.
// - A result is the kernel's: a count of bytes, a handle, or minus errno (negative, see ERRNO).
// - At most one receive, one send and one watch are in flight per socket, asserted by the drivers
//   and by the reactor.
// - close(slot) is called only when nothing is in flight; abort(slot) completes what is.
// - A RECEIVE with result > 0 hands over one block of the slab; its new owner releases it.
//   Result 0 is the peer's end of stream, and has no block. A receive without a free block is
//   starved: it waits until one is released.
// - A driver may hold some free blocks for later receives, until destroy().
// - What is sent from is a region: numbered memory that stays in place while it is mapped, or an
//   open file, whose regions have negative numbers.

import { ERRNO } from '../base/errno.ts';
import type { Slab } from '../base/slab.ts';

/** The operation that completed. `slot` is -1 for operations on the listener. */
export const Op = {
  /** The listener is open: result is the port (0 for a unix socket), or -errno. */
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
  /** The socket is closed and its slot free. */
  Close: 7,
  /** The connection broke: -errno. */
  Watch: 8,
} as const;
export type Op = (typeof Op)[keyof typeof Op];

/**
 * The result of a SEND from a file whose next bytes the system does not have in memory, or cannot
 * send, or that has ended: to wait for a disk would block the server. The caller reads the file and
 * sends from memory. No error of a socket has this number.
 */
export const NOT_CACHED: number = -ERRNO.ENODATA;

/** poll() fills these parallel arrays: entries 0 to its return value - 1. */
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

  /** Writes entry `index`; returns the index of the next. */
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
 * `fd` an inherited socket that listens already. `from` is the local address to connect from, of
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

/** The other end of a socket; address is '' for a unix socket or a broken connection. */
export interface Peer {
  readonly address: string;
  readonly port: number;
}

/** Slots run from 0 to slots - 1. */
export interface DriverOptions {
  readonly slab: Slab;
  readonly slots: number;
  readonly backlog: number;
}

/** Of mapFile(): the bytes never have to be read from a disk. */
export const IN_MEMORY = -1;

/** Unnamed files in memory. */
export interface MemoryFiles {
  /** A descriptor of a new file with this content; negative when the system has no room for it. */
  create(content: Uint8Array): number;
  close(fd: number): void;
}

export interface Driver {
  readonly name: string;
  /** Where such files are sent faster than memory. */
  readonly memoryFiles?: MemoryFiles;
  /**
   * Set by the pump. After sleep() the driver calls it once when poll() is worth calling: with true
   * from Node's loop itself, where a turn may run at once; with false from within another call.
   */
  wake: (fromLoop: boolean) => void;

  /** Milliseconds with fractions, never going back; wall() is milliseconds since 1970. */
  now(): number;
  wall(): number;

  /** Makes `bytes` sendable as `region` (> 0; region 0 is the slab, always mapped). */
  map(region: number, bytes: Uint8Array): void;
  /**
   * Makes an open file sendable as `region` (< 0), without a copy; positions are those of the file.
   * False where the driver cannot do that. The descriptor stays open until unmap(). `identity` is
   * a number of this open file that no other file ever has, 0 for one that is mapped only once,
   * IN_MEMORY for one of `memoryFiles`.
   */
  mapFile(region: number, fd: number, identity: number): boolean;
  /** Ends a region; no send from it is in flight. */
  unmap(region: number): void;

  /**
   * listen() completes with one LISTEN, followed by ACCEPTs. After a failed LISTEN the driver does
   * not listen. unlisten() completes with one UNLISTEN, after the last ACCEPT: before it closes the
   * listener it accepts up to `backlog` clients from the kernel's queue, even after
   * setAccepting(false), all to be adopted or refused. The queue of an inherited listener is left
   * to the other processes that have it, unless this is the `last` one that serves it.
   */
  listen(address: Address): void;
  unlisten(last?: boolean): void;
  /** False stops accepting (clients wait in the kernel's queue), true resumes. */
  setAccepting(on: boolean): void;
  /**
   * With `on`, accepts clients from another listening socket as well: an inherited, non-blocking
   * descriptor that the caller owns. The driver neither closes it nor sets options on it, and other
   * processes may accept from it at the same time. Called only while listening (from LISTEN until
   * unlisten()); a call that changes nothing has no effect. Its clients come as ACCEPTs like all
   * others, and setAccepting() holds for them too, also when it was called before. Without `on` no
   * further client is accepted: the caller may close the descriptor as soon as this returns, though
   * a client accepted before may still come as an ACCEPT. unlisten() ends this for every such
   * descriptor: after UNLISTEN the driver does not use them.
   */
  acceptAlso(fd: number, on: boolean): void;
  /** Makes an accepted handle the socket `slot`; refuse() closes it instead. */
  adopt(handle: number, slot: number): void;
  refuse(handle: number): void;
  /** Completes with one CONNECT. After a failed one the slot still needs close(). */
  connect(address: Address, slot: number): void;

  /** Completes with one RECEIVE. */
  receive(slot: number): void;
  /**
   * Completes with one SEND for bytes [start, end) of a region, end > start. `more` says that
   * another send follows at once, so the kernel may hold back a packet that is not full.
   */
  send(slot: number, region: number, start: number, end: number, more: boolean): void;
  /**
   * Completes with one WATCH, -errno, when the connection breaks: by a reset, by a timeout of the
   * kernel, on a unix socket also when the peer closes. It is meant for a socket on which nothing
   * is received, as a receive reports the same; it may stay in flight next to receives and sends. A
   * peer that only ends its own stream does not complete it.
   */
  watch(slot: number): void;
  /**
   * How many bytes the kernel has taken that the peer has not acknowledged; the end of our stream
   * counts as one. -1 where the system does not report it. While one send is in flight, a number
   * that differs from the one before is progress of the peer: less is left, or the kernel took more
   * because there was room. On a unix socket it is the memory that unread bytes take.
   */
  unacknowledged(slot: number): number;
  /**
   * Half close: the peer sees the end of the stream after what was sent. There is no completion. No
   * send is in flight, and none follows.
   */
  shutdownSend(slot: number): void;
  /**
   * Completes what is in flight, with -ECANCELED unless it has completed already. With `reset` the
   * close that follows resets the connection; without it the kernel still delivers the bytes that
   * it took.
   */
  abort(slot: number, reset: boolean): void;
  /** Completes with one CLOSE. Nothing is in flight. */
  close(slot: number): void;
  peer(slot: number): Peer;

  /**
   * Submits the operations of the calls since the last poll(), fills `out`, which has room for four
   * at least, with completions, and returns how many.
   */
  poll(out: Completions): number;
  /** Enables wake() for the next completion. False, and not enabled, when poll() has some now. */
  sleep(): boolean;
  /** Releases all resources. Only after UNLISTEN and when every socket is closed. */
  destroy(): void;
}
