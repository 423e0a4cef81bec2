// Writes log lines to a standard stream of the process without blocking the event loop on a slow
// reader.
//
// A pipe or a terminal is opened again, as an open file description of our own with O_NONBLOCK: the
// inherited descriptor shares its description, and with it the flag, with other processes, any of
// which may change it. Our own description needs no thread, and the exit of the process does not
// wait for it. Where it cannot be opened (sockets; pipes of another user; systems other than Linux)
// a thread of Node's pool writes to the inherited descriptor. The streams of `process` are not
// used: they buffer without bound what a reader does not read, and their errors belong to the
// program.

import * as fs from 'node:fs';
import { constants } from 'node:fs';
import { isatty } from 'node:tty';
import { ERRNO, faultOf } from '../base/errno.ts';

const { EIO } = ERRNO;

/**
 * Linux writes up to this many bytes to a pipe atomically: lines of several processes that share it
 * do not interleave.
 */
export const PIPE_BUF = 4_096;

export interface LineSink {
  /** The most bytes of one write(), unless a single line is longer. */
  readonly writeBytesMax: number;
  /** The bytes of a write() wait for something else first: no thread writes them at exit. */
  readonly isOpening?: boolean;
  /** Returns how many bytes were written, or -errno; null when `done` is called later with it. */
  write(bytes: Uint8Array, from: number, to: number, done: (result: number) => void): number | null;
  /** As write(), but synchronous, for a process that is about to exit. */
  writeNow(bytes: Uint8Array, from: number, to: number): number;
}

/** The sink of descriptor 1 or 2. */
export function standardSink(fd: 1 | 2): LineSink {
  const own = reopen(fd);
  if (own !== null) return new OwnDescription(own);
  makeNonBlocking(fd);
  return new SharedDescription(fd);
}

/** Writes to a non-blocking open file description. */
class OwnDescription implements LineSink {
  readonly writeBytesMax = PIPE_BUF;
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  write(bytes: Uint8Array, from: number, to: number): number {
    return writeSync(this.#fd, bytes, from, to);
  }

  writeNow(bytes: Uint8Array, from: number, to: number): number {
    return writeSync(this.#fd, bytes, from, to);
  }
}

/** Writes to a descriptor of any kind, in the thread pool. */
class SharedDescription implements LineSink {
  /** Unlimited: all buffered lines need one task of the pool, however busy it is. */
  readonly writeBytesMax = Number.POSITIVE_INFINITY;
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  write(bytes: Uint8Array, from: number, to: number, done: (result: number) => void): null {
    fs.write(this.#fd, bytes, from, to - from, null, (error, count) => {
      done(error === null ? count : faultOf(error, EIO));
    });
    return null;
  }

  writeNow(bytes: Uint8Array, from: number, to: number): number {
    return writeSync(this.#fd, bytes, from, to);
  }
}

function writeSync(fd: number, bytes: Uint8Array, from: number, to: number): number {
  try {
    return fs.writeSync(fd, bytes, from, to - from);
  } catch (error) {
    return faultOf(error, EIO);
  }
}

/** A new open file description of the same pipe or terminal; null when it cannot be opened. */
function reopen(fd: number): number | null {
  if (process.platform !== 'linux') return null;
  try {
    if (!fs.fstatSync(fd).isFIFO() && !isTerminal(fd)) return null;
    const { O_NOCTTY, O_NONBLOCK, O_WRONLY } = constants;
    return fs.openSync(`/proc/self/fd/${fd}`, O_WRONLY | O_NONBLOCK | O_NOCTTY);
  } catch {
    return null;
  }
}

/** False for the controlling side (ptmx): opened again, it would be that of another terminal. */
function isTerminal(fd: number): boolean {
  return isatty(fd) && !fs.readlinkSync(`/proc/self/fd/${fd}`).endsWith('ptmx');
}

/**
 * Makes a shared pipe or socket non-blocking: the exit of a process waits for its threads, so no
 * thread may block in a write. Node sets the flag when it creates the stream, and restores it at
 * exit. Files and terminals are not changed.
 */
function makeNonBlocking(fd: 1 | 2): void {
  try {
    const stat = fs.fstatSync(fd);
    if (!stat.isFIFO() && !stat.isSocket()) return;
    void (fd === 1 ? process.stdout : process.stderr);
  } catch {
    // The first write reports the error.
  }
}
