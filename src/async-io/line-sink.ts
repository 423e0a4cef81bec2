// Where lines of a log go: a standard stream of the process, written so that the loop never waits
// for whoever reads it.
//
// A pipe or a terminal is opened once more, as a description of our own that does not block: the
// descriptor that the process was given shares its description, and with it the flag, with other
// processes, any of which may change it. Our own costs no thread, and an end of the process does
// not wait for it. Where the system does not let us (sockets; pipes of another user; systems other
// than Linux) a thread of Node's pool writes to the descriptor itself. The streams of `process` are
// not used: they keep without bound what a reader does not take, and their errors are the user's.

import * as fs from 'node:fs';
import { constants } from 'node:fs';
import { isatty } from 'node:tty';
import { ERRNO, faultOf } from '../base/errno.ts';

const { EIO } = ERRNO;

/**
 * What a pipe takes whole or not at all, on Linux: lines of several processes that share it do not
 * run into each other.
 */
const PIPE_PIECE_BYTES = 4_096;

export interface LineSink {
  /** Most bytes that write() is asked for at once, unless a line alone is longer. */
  readonly pieceBytes: number;
  /** Gives how many bytes were written, or -errno; null where `done` is told later. */
  write(bytes: Uint8Array, from: number, to: number, done: (result: number) => void): number | null;
  /** As write(), at once, for a process that is about to end. */
  writeNow(bytes: Uint8Array, from: number, to: number): number;
}

/** The sink of descriptor 1 or 2. */
export function standardSink(fd: 1 | 2): LineSink {
  const own = openAgain(fd);
  if (own !== null) return new OwnDescription(own);
  stopBlocking(fd);
  return new SharedDescription(fd);
}

/** Writes to a description that does not block. */
class OwnDescription implements LineSink {
  readonly pieceBytes = PIPE_PIECE_BYTES;
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

/** Writes to whatever a descriptor leads to, by the thread pool. */
class SharedDescription implements LineSink {
  /** Everything: however busy the pool is, what waits needs one trip to it. */
  readonly pieceBytes = Number.POSITIVE_INFINITY;
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

/** A description of our own of the same pipe or terminal; null where there is none to be had. */
function openAgain(fd: number): number | null {
  if (process.platform !== 'linux') return null;
  try {
    if (!fs.fstatSync(fd).isFIFO() && !isTerminal(fd)) return null;
    const { O_NOCTTY, O_NONBLOCK, O_WRONLY } = constants;
    return fs.openSync(`/proc/self/fd/${fd}`, O_WRONLY | O_NONBLOCK | O_NOCTTY);
  } catch {
    return null;
  }
}

/** The controlling side of a terminal is none: opened again it would be that of another one. */
function isTerminal(fd: number): boolean {
  return isatty(fd) && !fs.readlinkSync(`/proc/self/fd/${fd}`).endsWith('ptmx');
}

/**
 * A pipe or socket that we share: a thread that writes to it should not wait, for an end of the
 * process waits for its threads. Node makes it so when it makes a stream of it, and undoes it at
 * its end. Files and terminals stay as they are.
 */
function stopBlocking(fd: 1 | 2): void {
  try {
    const stat = fs.fstatSync(fd);
    if (!stat.isFIFO() && !stat.isSocket()) return;
    void (fd === 1 ? process.stdout : process.stderr);
  } catch {
    // What the descriptor is shows when it is written.
  }
}
