// Log files: lines are appended in the thread pool, each whole, also where several processes write
// one file. Files are opened by their first line, and again after SIGUSR1, so that a log rotation
// can rename them.

import * as fs from 'node:fs';
import { constants } from 'node:fs';
import { ERRNO, faultOf } from '../base/errno.ts';
import { Appender, type LineSink, PIPE_BUF } from './line-sink.ts';
import { type DropListener, dropText, LineWriter } from './line-writer.ts';

const { EBADF, EIO, EPIPE, ENXIO } = ERRNO;

/**
 * The kernel appends each write() as a whole (O_APPEND). A FIFO without a reader must not block a
 * thread. Windows has neither of the last two flags. Node adds close-on-exec.
 */
const FLAGS =
  constants.O_WRONLY |
  constants.O_CREAT |
  constants.O_APPEND |
  (constants.O_NONBLOCK ?? 0) |
  (constants.O_NOCTTY ?? 0);

/** Lines have addresses of clients: other users do not read them. */
const MODE = 0o640;

/** Errors after which the descriptor is of no use, but another one may be. */
const DESCRIPTOR_FAULTS: readonly number[] = [-EBADF, -EPIPE, -ENXIO];

const CLOSED = -1;

class LogFile implements LineSink {
  /** Lines stay whole in a FIFO; unlimited in a file. */
  writeBytesMax: number = PIPE_BUF;
  readonly #path: string;
  readonly opensAgain = true;
  /** A write waits for the file to be opened: no thread has its bytes. */
  isOpening = false;
  readonly #appender: Appender = new Appender(CLOSED);
  #isBusy = false;
  #isStale = false;

  constructor(path: string) {
    this.#path = path;
  }

  write(bytes: Uint8Array, from: number, to: number, done: (result: number) => void): null {
    this.#isBusy = true;
    const finish = (result: number): void => {
      this.#isBusy = false;
      done(this.#checked(result));
    };
    if (this.#appender.fd !== CLOSED) this.#appender.append(bytes, from, to, finish);
    else {
      this.isOpening = true;
      fs.open(this.#path, FLAGS, MODE, (error, fd) => {
        this.isOpening = false;
        if (error === null) {
          this.#opened(fd);
          this.#appender.append(bytes, from, to, finish);
        } else finish(faultOf(error, EIO));
      });
    }
    return null;
  }

  writeNow(bytes: Uint8Array, from: number, to: number): number {
    try {
      if (this.#appender.fd === CLOSED) this.#opened(fs.openSync(this.#path, FLAGS, MODE));
      return this.#checked(this.#appender.appendNow(bytes, from, to));
    } catch (error) {
      return faultOf(error, EIO);
    }
  }

  #opened(fd: number): void {
    this.#appender.fd = fd;
    this.writeBytesMax = isFifo(fd) ? PIPE_BUF : Number.POSITIVE_INFINITY;
  }

  #checked(result: number): number {
    if (this.#isStale || DESCRIPTOR_FAULTS.includes(result)) this.#close();
    return result;
  }

  /** The next line opens the file again. */
  reopen(): void {
    if (this.#isBusy) this.#isStale = true;
    else this.#close();
  }

  #close(): void {
    this.#isStale = false;
    const { fd } = this.#appender;
    if (fd === CLOSED) return;
    // What was written is in the kernel: nothing is lost when the close fails.
    fs.close(fd, () => {});
    this.#appender.fd = CLOSED;
  }
}

function isFifo(fd: number): boolean {
  try {
    return fs.fstatSync(fd).isFIFO();
  } catch {
    return false;
  }
}

interface OpenLog {
  readonly file: LogFile;
  readonly writer: LineWriter;
  readonly dropped: DropListener;
}

/** By absolute path: all servers of a process share a file's buffer. */
const logs = new Map<string, OpenLog>();
const reopenListeners: (() => void)[] = [];
let isPrepared = false;

/**
 * Appends complete lines to the file at an absolute path. Never throws and never blocks: a bounded
 * amount is buffered, further lines are dropped and counted. `notice` is called with a text about
 * failures and drops.
 */
export function appendToLog(path: string, text: string, notice: (text: string) => void): void {
  let log = logs.get(path);
  if (log === undefined) {
    log = makeLog(path, notice);
    logs.set(path, log);
  }
  log.writer.write(text, log.dropped);
}

function makeLog(path: string, notice: (text: string) => void): OpenLog {
  const file = new LogFile(path);
  const dropped: DropListener = (lines, code) => notice(dropText(`log file ${path}`, lines, code));
  const log: OpenLog = { file, writer: new LineWriter(file), dropped };
  // Before the standard streams are flushed: a notice gets there.
  if (logs.size === 0) process.prependListener('exit', flushNow);
  return log;
}

function flushNow(): void {
  for (const { writer } of logs.values()) writer.flushNow();
}

/** Resolves when all lines are written, a file fails, or after a timeout; then closes the files. */
export async function flushLogs(): Promise<void> {
  const all = [...logs.values()].map(async ({ file, writer }) => {
    await writer.flush();
    file.reopen();
  });
  await Promise.all(all);
}

export function logLinesDropped(): number {
  let dropped = 0;
  for (const { writer } of logs.values()) dropped += writer.dropped;
  return dropped;
}

/** From now on SIGUSR1 reopens the log files of this process, and no longer opens the inspector. */
export function reopenLogsOnSignal(): void {
  if (isPrepared) return;
  isPrepared = true;
  process.on('SIGUSR1', reopenLogs);
}

export function reopenLogs(): void {
  for (const { file } of logs.values()) file.reopen();
  for (const listener of reopenListeners) listener();
}

/** `listener` is called when SIGUSR1 reopens the log files of this process. */
export function onReopen(listener: () => void): () => void {
  reopenListeners.push(listener);
  return () => {
    const at = reopenListeners.indexOf(listener);
    if (at >= 0) reopenListeners.splice(at, 1);
  };
}
