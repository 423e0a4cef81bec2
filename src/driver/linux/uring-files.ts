// Sends from files on io_uring, which has no sendfile(): the next poll() tries each, and again when
// the ring reports that its socket has room.

import { assert } from '../../base/assert.ts';
import { ERRNO } from '../../base/errno.ts';
import { Ring } from '../../base/ring.ts';
import { type Completions, Op } from '../driver.ts';
import type { FileSends } from './file-sends.ts';
import { Kind, type UringEntries } from './uring-entries.ts';
import { POLLOUT } from './uring-layout.ts';

/** The state of a slot's send; bits of #state. */
const UNSENT = 1; // the next poll() tries it
const WAITING = 2; // the ring waits for room
const QUEUED = 4; // is in #unsent; outlives the socket, so that no slot is there twice

export class UringFiles {
  readonly #files: FileSends;
  readonly #entries: UringEntries;
  readonly #fds: Int32Array;
  readonly #generation: Int32Array;
  readonly #state: Uint8Array;
  readonly #unsent: Ring;
  readonly #region: Int32Array;
  readonly #start: Float64Array;
  readonly #bytes: Float64Array;

  constructor(files: FileSends, entries: UringEntries, fds: Int32Array, generation: Int32Array) {
    const slots = fds.length;
    this.#files = files;
    this.#entries = entries;
    this.#fds = fds;
    this.#generation = generation;
    this.#state = new Uint8Array(slots);
    this.#unsent = new Ring(slots);
    this.#region = new Int32Array(slots);
    this.#start = new Float64Array(slots);
    this.#bytes = new Float64Array(slots);
  }

  /** True when poll() has sends to try. */
  get isDue(): boolean {
    return this.#unsent.length > 0;
  }

  send(slot: number, region: number, start: number, end: number): void {
    const state = this.#state[slot];
    assert((state & ~QUEUED) === 0, 'one send in flight per socket');
    this.#state[slot] = UNSENT | QUEUED;
    this.#region[slot] = region;
    this.#start[slot] = start;
    this.#bytes[slot] = end - start;
    if (state === 0) this.#unsent.push(slot);
  }

  /** Tries the sends since the last poll(); returns the number of completions in `out`. */
  sendAll(out: Completions, from: number): number {
    let count = from;
    for (let left = this.#unsent.length; left > 0 && count < out.capacity; left--) {
      const slot = this.#unsent.shift();
      const isUnsent = (this.#state[slot] & UNSENT) !== 0;
      this.#state[slot] &= ~(UNSENT | QUEUED);
      if (isUnsent) count = this.#try(out, count, slot);
    }
    return count;
  }

  #try(out: Completions, count: number, slot: number): number {
    const fd = this.#fds[slot];
    const start = this.#start[slot];
    const bytes = this.#bytes[slot];
    const region = this.#region[slot];
    const result = this.#files.try(fd, region, start, bytes, performance.now());
    if (result === -ERRNO.EINTR) {
      this.send(slot, region, start, start + bytes);
    } else if (result === -ERRNO.EAGAIN) {
      this.#state[slot] |= WAITING;
      this.#entries.poll(Kind.Room, slot, this.#generation[slot], fd, POLLOUT);
    } else {
      return out.set(count, Op.Send, slot, result, -1);
    }
    return count;
  }

  /** The socket has room or is broken, or the wait was cancelled. */
  hasRoom(out: Completions, count: number, slot: number, isAborted: boolean): number {
    assert((this.#state[slot] & WAITING) !== 0, 'a send waited for room');
    this.#state[slot] &= ~WAITING;
    if (isAborted) return out.set(count, Op.Send, slot, -ERRNO.ECANCELED, -1);
    return this.#try(out, count, slot);
  }

  /** Ends a send that was not tried; false when there is none. */
  abort(slot: number): boolean {
    const isUnsent = (this.#state[slot] & UNSENT) !== 0;
    this.#state[slot] &= ~UNSENT;
    return isUnsent;
  }

  isWaiting(slot: number): boolean {
    return (this.#state[slot] & WAITING) !== 0;
  }
}
