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
import { constants, promises } from 'node:fs';
import { isatty } from 'node:tty';
import { LF } from '../base/ascii.ts';
import { ERRNO, faultOf } from '../base/errno.ts';

const { EAGAIN, EINTR, EIO } = ERRNO;

const LINE_END = '\n';

/**
 * Linux writes up to this many bytes to a pipe atomically: lines of several processes that share it
 * do not interleave.
 */
export const PIPE_BUF = 4_096;

/** Where a write failed, the next one begins a line: also behind half a line. */
export interface LineSink {
  /** The most bytes of one write(), unless a single line is longer. */
  readonly writeBytesMax: number;
  /** The bytes of a write() wait for something else first: no thread writes them at exit. */
  readonly isOpening?: boolean;
  /** The next write opens the stream again where that helps: no error is final. */
  readonly opensAgain?: boolean;
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
  readonly #appender: Appender;

  constructor(fd: number) {
    this.#appender = new Appender(fd);
  }

  write(bytes: Uint8Array, from: number, to: number, done: (result: number) => void): null {
    this.#appender.append(bytes, from, to, done);
    return null;
  }

  writeNow(bytes: Uint8Array, from: number, to: number): number {
    return this.#appender.appendNow(bytes, from, to);
  }
}

/**
 * Appends to a descriptor. A disk that gets full cuts a line, of this or another process that
 * writes the same file: after a failure it first ends such a line.
 */
export class Appender {
  fd: number;
  #hasFailed = false;

  constructor(fd: number) {
    this.fd = fd;
  }

  /** Calls `done` with the count of written bytes, or -errno. */
  append(bytes: Uint8Array, from: number, to: number, done: (result: number) => void): void {
    const end = (error: unknown, count: number): void => {
      done(this.#checked(error === null ? count : faultOf(error, EIO)));
    };
    const write = (error: unknown): void => {
      if (error === null) fs.write(this.fd, bytes, from, to - from, null, end);
      else end(error, 0);
    };
    if (this.#hasFailed) endLine(this.fd, write);
    else write(null);
  }

  appendNow(bytes: Uint8Array, from: number, to: number): number {
    // An empty line is better than two that are joined.
    if (this.#hasFailed && isFile(this.fd)) writeSync(this.fd, Buffer.from(LINE_END), 0, 1);
    return this.#checked(writeSync(this.fd, bytes, from, to));
  }

  #checked(result: number): number {
    if (result > 0) this.#hasFailed = false;
    else if (result !== -EAGAIN && result !== -EINTR) this.#hasFailed = true;
    return result;
  }
}

function isFile(fd: number): boolean {
  try {
    return fs.fstatSync(fd).isFile();
  } catch {
    return false;
  }
}

/** Writes a line end when a file does not end with one, and calls `then`. */
function endLine(fd: number, then: (error: unknown) => void): void {
  fs.fstat(fd, async (error, stat) => {
    const isFile = error === null && stat.isFile();
    if (!isFile || (await lastByte(fd, stat.size)) === LF) then(error);
    else fs.write(fd, LINE_END, null, 'utf8', then);
  });
}

/** LF for an empty file; undefined for one that cannot be read. */
async function lastByte(fd: number, size: number): Promise<number | undefined> {
  if (size === 0) return LF;
  try {
    const file = await promises.open(`/dev/fd/${fd}`);
    const read = file.read(Buffer.alloc(1), 0, 1, size - 1).finally(() => file.close());
    return (await read).buffer[0];
  } catch {
    return undefined;
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
