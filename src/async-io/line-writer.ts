// Buffers lines for a standard stream. The lines of one turn become one write. A slow or stopped
// reader does not block the server: a bounded amount is buffered, further lines are dropped and
// counted, and the listener receives their number as soon as there is room again.

import { LF } from '../base/ascii.ts';
import { ERRNO, errnoName } from '../base/errno.ts';
import { LOG_FLUSH_MS, LOG_WAITING_CHARACTERS_MAX } from '../base/fixed-limits.ts';
import type { LineSink } from './line-sink.ts';

/** A batch of more characters is written before the turn ends. */
const BATCH_CHARACTERS = 16 * 1024;

/**
 * Lines are accepted again when half of the buffer is free: a slow reader gets long runs of lines.
 */
const RESUME_CHARACTERS = LOG_WAITING_CHARACTERS_MAX / 2;

/** When a full stream is tried again: first after the minimum, then doubled up to the maximum. */
const FULL_RETRY_MS_MIN = 1;
const FULL_RETRY_MS_MAX = 64;

/** When a stream is tried again after another error, such as a full disk. */
const ERROR_RETRY_MS = 1_000;

const { EAGAIN, EBADF, ECONNRESET, EINTR, ENXIO, EPIPE } = ERRNO;

/** Errors after which a stream can never be written again. */
const FINAL: readonly number[] = [-ENXIO, -EBADF, -EPIPE, -ECONNRESET];

const LINE_END = '\n';
const NO_BYTES = new Uint8Array(0);

/** The states of a writer. */
const State = {
  /** Nothing is buffered. */
  Idle: 0,
  /** Collects lines until the turn ends. */
  Batching: 1,
  /** A write is in progress. */
  Writing: 2,
  /** The stream was full; it is tried again soon. */
  Full: 3,
  /** The stream failed; it is tried again later. */
  Failed: 4,
  /** The stream can never be written again. */
  Closed: 5,
} as const;
type State = (typeof State)[keyof typeof State];

/**
 * Called with the number of lines dropped since the last report, and the code of the error that
 * closed the stream, null when later lines are written. No lines and a code: a write failed, and is
 * tried again; once until a write succeeds.
 */
export type DropListener = (lines: number, code: string | null) => void;

/** What a DropListener reports of a stream or a file, as text. */
export function dropText(stream: string, lines: number, code: string | null): string {
  if (lines === 0) return `${stream} cannot be written (${code}): it is tried again every second`;
  const what = lines === 1 ? '1 line was dropped' : `${lines} lines were dropped`;
  if (code === null) return `${stream} could not be written for a while: ${what}`;
  return `${stream} can no longer be written (${code}): ${what}, all later lines are dropped, too`;
}

export class LineWriter {
  /** Total of lines that were never written. */
  dropped = 0;
  readonly #sink: LineSink;
  #state: State = State.Idle;
  /** Buffered lines not yet encoded; they follow #bytes. */
  #text = '';
  /** Encoded lines: those from #from on are unwritten; a write in progress has those up to #to. */
  #bytes: Uint8Array = NO_BYTES;
  #from = 0;
  #to = 0;
  /** Lines are dropped until half of the buffer is free. */
  #isFull = false;
  /** Lines dropped since the last report. */
  #droppedNow = 0;
  /** A failure was reported since the last write that succeeded. */
  #isNoted = false;
  #fullRetryMs = FULL_RETRY_MS_MIN;
  #timer: NodeJS.Timeout | null = null;
  #listener: DropListener | null = null;
  #flushWaiters: (() => void)[] = [];
  readonly #turnEnded = (): void => {
    if (this.#state === State.Batching) this.#write();
  };
  readonly #retry = (): void => {
    this.#timer = null;
    if (this.#state === State.Full || this.#state === State.Failed) this.#write();
  };
  readonly #written = (result: number): void => {
    if (this.#writeDone(result)) this.#write();
  };

  constructor(sink: LineSink) {
    this.#sink = sink;
  }

  /** Buffers complete lines. `listener` is called after lines were dropped. */
  write(text: string, listener: DropListener | null = null): void {
    if (listener !== null) this.#listener = listener;
    if (this.#state === State.Closed) {
      this.dropped += linesOf(text);
      return;
    }
    const waiting = this.#text.length + this.#bytes.length - this.#from;
    // A line longer than the buffer is accepted while nothing is buffered.
    this.#isFull ||= waiting > 0 && waiting + text.length > LOG_WAITING_CHARACTERS_MAX;
    if (this.#isFull) {
      const lines = linesOf(text);
      this.#droppedNow += lines;
      this.dropped += lines;
      return;
    }
    this.#text += text;
    if (this.#state === State.Idle) {
      this.#state = State.Batching;
      setImmediate(this.#turnEnded);
    }
    const isLarge = this.#text.length >= BATCH_CHARACTERS;
    if (isLarge && this.#state === State.Batching) this.#write();
  }

  /** Writes until nothing is buffered, a write is in progress, or the stream is full or fails. */
  #write(): void {
    while (this.#take()) {
      this.#state = State.Writing;
      this.#to = this.#writeEnd();
      const result = this.#sink.write(this.#bytes, this.#from, this.#to, this.#written);
      if (result === null || !this.#writeDone(result)) return;
    }
    this.#state = State.Idle;
    this.#notifyFlushed();
  }

  /**
   * Encodes the collected text when all bytes before it are written. False: nothing is buffered.
   */
  #take(): boolean {
    if (this.#from < this.#bytes.length) return true;
    this.#bytes = this.#text === '' ? NO_BYTES : Buffer.from(this.#text, 'utf8');
    this.#from = 0;
    this.#text = '';
    return this.#bytes.length > 0;
  }

  /** The end of the next write: that of the last line that fits, else of the first line. */
  #writeEnd(): number {
    const { writeBytesMax } = this.#sink;
    const bytes = this.#bytes;
    if (bytes.length - this.#from <= writeBytesMax) return bytes.length;
    const last = bytes.lastIndexOf(LF, this.#from + writeBytesMax - 1);
    if (last >= this.#from) return last + 1;
    const end = bytes.indexOf(LF, this.#from);
    return end < 0 ? bytes.length : end + 1;
  }

  /** Handles the result of a write. True: the next write may follow now. */
  #writeDone(result: number): boolean {
    if (result > 0) {
      this.#from += result;
      this.#isNoted = false;
      this.#fullRetryMs = FULL_RETRY_MS_MIN;
      const waiting = this.#text.length + this.#bytes.length - this.#from;
      if (this.#isFull && waiting <= RESUME_CHARACTERS) this.#reportDropped();
      return true;
    }
    if (result === -EINTR) return true;
    if (FINAL.includes(result) && this.#sink.opensAgain !== true) {
      this.#end(result);
      return false;
    }
    // A write of 0 bytes means a full stream, too.
    const isFull = result === 0 || result === -EAGAIN;
    this.#state = isFull ? State.Full : State.Failed;
    // Buffered lines do not keep the process alive.
    this.#timer = setTimeout(this.#retry, isFull ? this.#fullRetryMs : ERROR_RETRY_MS).unref();
    if (isFull) this.#fullRetryMs = Math.min(2 * this.#fullRetryMs, FULL_RETRY_MS_MAX);
    else this.#failed(result);
    return false;
  }

  /** The next write has the whole of a line of which a part is written: the sink ends that part. */
  #failed(result: number): void {
    if (this.#from > 0) this.#from = this.#bytes.lastIndexOf(LF, this.#from - 1) + 1;
    this.#notifyFlushed();
    if (this.#isNoted || this.#listener === null) return;
    this.#isNoted = true;
    this.#listener(0, errnoName(-result));
  }

  /** A line that the listener writes to this stream is at the place of the missing lines. */
  #reportDropped(): void {
    const lines = this.#droppedNow;
    this.#isFull = false;
    this.#droppedNow = 0;
    this.#listener?.(lines, null);
  }

  #end(result: number): void {
    const unwritten = linesIn(this.#bytes, this.#from) + linesOf(this.#text);
    const lines = this.#droppedNow + unwritten;
    this.dropped += unwritten;
    this.#state = State.Closed;
    this.#text = '';
    this.#bytes = NO_BYTES;
    this.#from = 0;
    this.#notifyFlushed();
    this.#listener?.(lines, errnoName(-result));
  }

  #notifyFlushed(): void {
    const waiting = this.#flushWaiters;
    if (waiting.length === 0) return;
    this.#flushWaiters = [];
    for (const resolve of waiting) resolve();
  }

  /** Resolves when nothing is buffered, when the stream fails, or after LOG_FLUSH_MS. */
  flush(): Promise<void> {
    const state = this.#state;
    if (state === State.Idle || state === State.Failed || state === State.Closed) {
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, LOG_FLUSH_MS);
      this.#flushWaiters.push(() => {
        clearTimeout(timer);
        resolve();
      });
      if (state === State.Batching) this.#write();
    });
  }

  /** Writes as much as possible within LOG_FLUSH_MS: the process is about to exit. */
  flushNow(): void {
    if (this.#state === State.Closed) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const untilMs = performance.now() + LOG_FLUSH_MS;
    // Where the file is only being opened, no thread gets to its bytes any more.
    if (this.#state === State.Writing && this.#sink.isOpening !== true) {
      // A thread of the pool writes these bytes; the process does not exit before it is done.
      this.#from = this.#to;
      pause();
    }
    while (this.#take()) {
      const result = this.#sink.writeNow(this.#bytes, this.#from, this.#writeEnd());
      if (result > 0) this.#from += result;
      else if (result < 0 && result !== -EAGAIN && result !== -EINTR) this.#end(result);
      else if (performance.now() > untilMs) return;
      else pause();
    }
  }
}

const NEVER_NOTIFIED = new Int32Array(new SharedArrayBuffer(4));

/** Blocks for a millisecond. */
function pause(): void {
  Atomics.wait(NEVER_NOTIFIED, 0, 0, 1);
}

function linesOf(text: string): number {
  let count = 0;
  for (let at = text.indexOf(LINE_END); at >= 0; at = text.indexOf(LINE_END, at + 1)) count += 1;
  return count;
}

function linesIn(bytes: Uint8Array, from: number): number {
  let count = 0;
  for (let at = from; at < bytes.length; at++) if (bytes[at] === LF) count += 1;
  return count;
}
