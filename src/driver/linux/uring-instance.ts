// Hot: runs for every operation. Measured by perf/micro/driver.ts.
// One io_uring: entries are written into memory that the kernel reads, completions are read from
// memory that it writes. The kernel writes completions only while it is entered, which a turn
// without work does not do, so none appear while they are reaped.

import { assert } from '../../base/assert.ts';
import { callFault } from './call-fault.ts';
import type { Mapping, UringCalls } from './uring-calls.ts';
import {
  CQ_ENTRIES_AT,
  CQ_EVENTFD_DISABLED,
  CQ_FLAGS,
  CQ_HEAD,
  CQ_MASK,
  CQ_TAIL,
  CQE_BYTES,
  CQE_WORDS,
  ENTER_GETEVENTS,
  FEATURE_NODROP,
  HIGH,
  OFFSET_ENTRIES,
  OFFSET_RINGS,
  PARAM_CQ_ENTRIES,
  PARAM_CQ_OFFSETS,
  PARAM_FEATURES,
  PARAM_FLAGS,
  PARAM_SQ_ENTRIES,
  PARAM_SQ_OFFSETS,
  PARAMS_WORDS,
  REGISTER_EVENTFD,
  SETUP_CQSIZE,
  SETUP_DEFER_TASKRUN,
  SETUP_SINGLE_ISSUER,
  SETUP_SUBMIT_ALL,
  SETUP_TASKRUN_FLAG,
  SQ_ARRAY,
  SQ_CQ_OVERFLOW,
  SQ_FLAGS,
  SQ_MASK,
  SQ_TAIL,
  SQ_TASKRUN,
  SQE_BYTES,
  SQE_WORDS,
} from './uring-layout.ts';

const SETUP_FLAGS =
  SETUP_CQSIZE | SETUP_SUBMIT_ALL | SETUP_TASKRUN_FLAG | SETUP_SINGLE_ISSUER | SETUP_DEFER_TASKRUN;

/** The sizes of a ring's two queues: powers of two, `completions` not below `entries`. */
export interface RingSizes {
  readonly entries: number;
  readonly completions: number;
}

const ENTRIES = 1024;

/**
 * Room for all operations in flight; completions beyond it wait in the kernel, which costs more.
 */
export function ringSizesFor(slots: number): RingSizes {
  let completions = 2 * ENTRIES;
  while (completions < 2 * slots && completions < 65_536) completions *= 2;
  return { entries: ENTRIES, completions };
}

export class IoUring {
  readonly fd: number;
  /** Entries not yet submitted. */
  pending = 0;
  /** Completions lie from `head` to `tail`, four words each, at wordOf(). */
  head = 0;
  tail = 0;
  readonly words: Int32Array;
  readonly #calls: UringCalls;
  readonly #rings: Mapping;
  readonly #entries: Mapping;
  readonly #entryWords: Int32Array;
  readonly #entryCount: number;
  readonly #sqMask: number;
  readonly #sqTailAt: number;
  readonly #sqFlagsAt: number;
  readonly #cqMask: number;
  readonly #cqHeadAt: number;
  readonly #cqTailAt: number;
  readonly #cqFlagsAt: number;
  readonly #cqEntriesAt: number;
  readonly #eventfd: number;
  #sqTail: number;

  /** Throws an Error with the reason when the kernel does not set up a ring. */
  constructor(calls: UringCalls, entries: number, completions: number) {
    this.#calls = calls;
    const params = new Uint32Array(PARAMS_WORDS);
    params[PARAM_FLAGS] = SETUP_FLAGS;
    params[PARAM_CQ_ENTRIES] = completions;
    this.fd = orThrow(calls.setup(entries, params), 'io_uring_setup');
    const undo: (() => void)[] = [() => calls.close(this.fd)];
    try {
      if ((params[PARAM_FEATURES] & FEATURE_NODROP) === 0) throw new Error('no NODROP feature');
      const sq = params.subarray(PARAM_SQ_OFFSETS, PARAM_CQ_OFFSETS);
      const cq = params.subarray(PARAM_CQ_OFFSETS, PARAMS_WORDS);
      this.#entryCount = params[PARAM_SQ_ENTRIES];
      const bytes = Math.max(
        sq[SQ_ARRAY] + 4 * this.#entryCount,
        cq[CQ_ENTRIES_AT] + CQE_BYTES * params[PARAM_CQ_ENTRIES],
      );
      const rings = mapped(calls.mapMemory(this.fd, bytes, OFFSET_RINGS));
      undo.push(() => calls.unmapMemory(rings));
      const entryBytes = this.#entryCount * SQE_BYTES;
      const entryMemory = mapped(calls.mapMemory(this.fd, entryBytes, OFFSET_ENTRIES));
      undo.push(() => calls.unmapMemory(entryMemory));
      this.#rings = rings;
      this.#entries = entryMemory;
      this.words = new Int32Array(this.#rings.memory);
      this.#entryWords = new Int32Array(this.#entries.memory);
      this.#sqMask = this.words[sq[SQ_MASK] >> 2];
      this.#sqTailAt = sq[SQ_TAIL] >> 2;
      this.#sqFlagsAt = sq[SQ_FLAGS] >> 2;
      this.#cqMask = this.words[cq[CQ_MASK] >> 2];
      this.#cqHeadAt = cq[CQ_HEAD] >> 2;
      this.#cqTailAt = cq[CQ_TAIL] >> 2;
      this.#cqFlagsAt = cq[CQ_FLAGS] >> 2;
      this.#cqEntriesAt = cq[CQ_ENTRIES_AT] >> 2;
      // Entries are used in order, so the array of indices never changes.
      for (let index = 0; index < this.#entryCount; index++) {
        this.words[(sq[SQ_ARRAY] >> 2) + index] = index;
      }
      this.#sqTail = this.words[this.#sqTailAt];
      this.head = this.words[this.#cqHeadAt];
      this.tail = this.head;
      const eventfd = orThrow(calls.eventfd(), 'eventfd');
      undo.push(() => calls.close(eventfd));
      this.#eventfd = eventfd;
      this.disableNotification();
      const argument = new Uint8Array(64);
      new Int32Array(argument.buffer)[0] = this.#eventfd;
      orThrow(calls.register(this.fd, REGISTER_EVENTFD, argument, 1), 'io_uring_register');
    } catch (error) {
      for (const step of undo) step();
      throw error;
    }
  }

  /** Becomes readable when a completion comes while notification is enabled. */
  get eventfd(): number {
    return this.#eventfd;
  }

  /**
   * Writes one entry. `control` is the operation with its flags and priority (see control());
   * the completion has the same `tagLow` and `tagHigh`. Words 11 to 15 always stay zero.
   */
  push(
    control: number,
    fd: number,
    offset: number,
    address: number,
    bytes: number,
    flags: number,
    tagLow: number,
    tagHigh: number,
    group: number,
  ): void {
    if (this.pending === this.#entryCount) this.#makeRoom();
    const words = this.#entryWords;
    const at = (this.#sqTail & this.#sqMask) * SQE_WORDS;
    words[at] = control;
    words[at + 1] = fd;
    words[at + 2] = offset;
    words[at + 3] = 0;
    words[at + 4] = address | 0;
    words[at + 5] = (address / HIGH) | 0;
    words[at + 6] = bytes;
    words[at + 7] = flags;
    words[at + 8] = tagLow;
    words[at + 9] = tagHigh;
    words[at + 10] = group;
    this.#sqTail = (this.#sqTail + 1) | 0;
    this.pending += 1;
  }

  /** The queue of entries is full: submits them now. Their completions wait for enter(). */
  #makeRoom(): void {
    this.#submit(0);
    // The kernel may be out of memory for a moment; without room no operation can start.
    for (let tries = 0; this.pending === this.#entryCount && tries < 1000; tries++) {
      this.#submit(ENTER_GETEVENTS);
    }
    assert(this.pending < this.#entryCount, 'the kernel takes entries');
  }

  #submit(flags: number): void {
    Atomics.store(this.words, this.#sqTailAt, this.#sqTail);
    const taken = this.#calls.enter(this.fd, this.pending, flags);
    // After an error (EINTR, EAGAIN, EBUSY) the entries stay where they are, for the next call.
    if (taken > 0) this.pending -= taken;
  }

  /**
   * Submits pending entries and has the kernel write completions if some are due, until there are
   * `most`: it writes about 20 a call, and without the loop the same busy sockets would always come
   * first.
   */
  enter(most: number): void {
    if (this.pending > 0 || this.isDue()) this.#submit(ENTER_GETEVENTS);
    this.tail = Atomics.load(this.words, this.#cqTailAt);
    while (this.isDue() && ((this.tail - this.head) | 0) < most) {
      const before = this.tail;
      this.#submit(ENTER_GETEVENTS);
      this.tail = Atomics.load(this.words, this.#cqTailAt);
      if (this.tail === before) return;
    }
  }

  /** True when entering the kernel would bring completions. */
  isDue(): boolean {
    const flags = Atomics.load(this.words, this.#sqFlagsAt);
    return (flags & (SQ_TASKRUN | SQ_CQ_OVERFLOW)) !== 0;
  }

  /** The index in `words` of the completion at `head`: tag low, tag high, result, flags. */
  wordOf(head: number): number {
    return this.#cqEntriesAt + (head & this.#cqMask) * CQE_WORDS;
  }

  /** Completions up to `head` were read. */
  seen(head: number): void {
    this.head = head;
    Atomics.store(this.words, this.#cqHeadAt, head);
  }

  /** The next completion makes the eventfd readable. */
  enableNotification(): void {
    Atomics.store(this.words, this.#cqFlagsAt, 0);
  }

  disableNotification(): void {
    Atomics.store(this.words, this.#cqFlagsAt, CQ_EVENTFD_DISABLED);
  }

  /** After a notification: until this call the eventfd stays readable. */
  clearNotification(): void {
    this.#calls.resetEventfd(this.#eventfd);
  }

  /** The ring's memory must not be accessed after this. */
  destroy(): void {
    this.#calls.close(this.#eventfd);
    this.#calls.close(this.fd);
    this.#calls.unmapMemory(this.#entries);
    this.#calls.unmapMemory(this.#rings);
  }
}

/** The first word of an entry. */
export function control(operation: number, flags: number, priority: number): number {
  return operation | (flags << 8) | (priority << 16);
}

function mapped(mapping: Mapping | number): Mapping {
  if (typeof mapping === 'number') orThrow(mapping, 'mmap');
  return mapping as Mapping;
}

function orThrow(result: number, call: string): number {
  if (result >= 0) return result;
  throw callFault(call, -result);
}
