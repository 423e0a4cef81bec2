// Text for a standard stream. Lines of a turn are gathered, so that a busy server makes one write
// of many. A reader that is slow, stopped or gone holds nobody up: a bounded amount waits for it,
// lines beyond are dropped and counted, and how many is told as soon as there is room again.

import { LF } from '../base/ascii.ts';
import { ERRNO } from '../base/errno.ts';
import { LOG_FLUSH_MS, LOG_WAITING_CHARACTERS_MAX } from '../base/fixed-limits.ts';
import type { LineSink } from './line-sink.ts';

/** Gathered text is written at once beyond this many characters. */
const GATHER_CHARACTERS = 16 * 1024;

/** Lines are taken again when half of the room is free: a slow reader gets long stretches. */
const TAKEN_AGAIN_CHARACTERS = LOG_WAITING_CHARACTERS_MAX / 2;

/** How long a full stream is left alone: at first, and at most when it stays full. */
const FULL_MS_MIN = 1;
const FULL_MS_MAX = 64;

/** How long a stream rests after another error, such as that of a full disk. */
const ERROR_REST_MS = 1_000;

const { EAGAIN, EBADF, ECONNRESET, EINTR, ENXIO, EPIPE } = ERRNO;

/** Errors after which a stream can never be written again. */
const FINAL: ReadonlyMap<number, string> = new Map([
  [-ENXIO, 'ENXIO'],
  [-EBADF, 'EBADF'],
  [-EPIPE, 'EPIPE'],
  [-ECONNRESET, 'ECONNRESET'],
]);

const LINE_END = '\n';
const NO_BYTES = new Uint8Array(0);

/** Where a writer stands. */
const State = {
  /** Nothing waits. */
  Idle: 0,
  /** Gathers until the turn is over. */
  Gathering: 1,
  /** A write is under way. */
  Writing: 2,
  /** The stream was full, and is tried again soon. */
  Full: 3,
  /** The stream failed, and is tried again later. */
  Resting: 4,
  /** The stream will never be written again. */
  Over: 5,
} as const;
type State = (typeof State)[keyof typeof State];

/**
 * Hears of lines that were dropped: how many since the last time, and the code of the error that
 * keeps all later ones from being written, null where they are.
 */
export type DropListener = (lines: number, code: string | null) => void;

export class LineWriter {
  /** Lines that were never written, in all. */
  dropped = 0;
  readonly #sink: LineSink;
  #state: State = State.Idle;
  /** What waits: first the bytes from `from` on (a write under way has those up to `to`). */
  #text = '';
  #bytes: Uint8Array = NO_BYTES;
  #from = 0;
  #to = 0;
  /** No line is taken until much of what waits is written; how many lines that has cost. */
  #isFull = false;
  #gap = 0;
  #fullMs = FULL_MS_MIN;
  #timer: NodeJS.Timeout | null = null;
  #listener: DropListener | null = null;
  #flushed: (() => void)[] = [];
  readonly #turnOver = (): void => {
    if (this.#state === State.Gathering) this.#write();
  };
  readonly #rested = (): void => {
    this.#timer = null;
    if (this.#state === State.Full || this.#state === State.Resting) this.#write();
  };
  readonly #written = (result: number): void => {
    if (this.#goesOn(result)) this.#write();
  };

  constructor(sink: LineSink) {
    this.#sink = sink;
  }

  /** Writes whole lines, by and by. `listener` is told when lines had to be dropped. */
  write(text: string, listener: DropListener | null = null): void {
    if (listener !== null) this.#listener = listener;
    if (this.#state === State.Over) {
      this.dropped += linesOf(text);
      return;
    }
    const waiting = this.#text.length + this.#bytes.length - this.#from;
    // A line that is longer than all the room is taken where nothing waits.
    this.#isFull ||= waiting > 0 && waiting + text.length > LOG_WAITING_CHARACTERS_MAX;
    if (this.#isFull) {
      const lines = linesOf(text);
      this.#gap += lines;
      this.dropped += lines;
      return;
    }
    this.#text += text;
    if (this.#state === State.Idle) {
      this.#state = State.Gathering;
      setImmediate(this.#turnOver);
    }
    const isMuch = this.#text.length >= GATHER_CHARACTERS;
    if (isMuch && this.#state === State.Gathering) this.#write();
  }

  /** Writes until nothing waits, a write is under way, or the stream takes no more. */
  #write(): void {
    while (this.#take()) {
      this.#state = State.Writing;
      this.#to = this.#pieceEnd();
      const result = this.#sink.write(this.#bytes, this.#from, this.#to, this.#written);
      if (result === null || !this.#goesOn(result)) return;
    }
    this.#state = State.Idle;
    this.#tellFlushed();
  }

  /** Takes what has been gathered when everything before it is written. False: nothing waits. */
  #take(): boolean {
    if (this.#from < this.#bytes.length) return true;
    this.#bytes = this.#text === '' ? NO_BYTES : Buffer.from(this.#text, 'utf8');
    this.#from = 0;
    this.#text = '';
    return this.#bytes.length > 0;
  }

  /** The end of a piece that the sink takes at once: that of a line where one fits. */
  #pieceEnd(): number {
    const { pieceBytes } = this.#sink;
    const bytes = this.#bytes;
    if (bytes.length - this.#from <= pieceBytes) return bytes.length;
    const last = bytes.lastIndexOf(LF, this.#from + pieceBytes - 1);
    if (last >= this.#from) return last + 1;
    const end = bytes.indexOf(LF, this.#from);
    return end < 0 ? bytes.length : end + 1;
  }

  /** What a write gave. True: there may be another one now. */
  #goesOn(result: number): boolean {
    if (result > 0) {
      this.#from += result;
      this.#fullMs = FULL_MS_MIN;
      const waiting = this.#text.length + this.#bytes.length - this.#from;
      if (this.#isFull && waiting <= TAKEN_AGAIN_CHARACTERS) this.#tellGap();
      return true;
    }
    if (result === -EINTR) return true;
    const code = FINAL.get(result);
    if (code !== undefined) {
      this.#end(code);
      return false;
    }
    // A stream that took nothing is full as well.
    const isFull = result === 0 || result === -EAGAIN;
    this.#state = isFull ? State.Full : State.Resting;
    // What waits for a reader is no reason for a process to stay.
    this.#timer = setTimeout(this.#rested, isFull ? this.#fullMs : ERROR_REST_MS).unref();
    if (isFull) this.#fullMs = Math.min(2 * this.#fullMs, FULL_MS_MAX);
    else this.#tellFlushed();
    return false;
  }

  /** What a listener writes to this stream stands where the lines are missing. */
  #tellGap(): void {
    const lines = this.#gap;
    this.#isFull = false;
    this.#gap = 0;
    this.#listener?.(lines, null);
  }

  #end(code: string): void {
    const lost = linesIn(this.#bytes, this.#from) + linesOf(this.#text);
    const lines = this.#gap + lost;
    this.dropped += lost;
    this.#state = State.Over;
    this.#text = '';
    this.#bytes = NO_BYTES;
    this.#from = 0;
    this.#tellFlushed();
    this.#listener?.(lines, code);
  }

  #tellFlushed(): void {
    const waiting = this.#flushed;
    if (waiting.length === 0) return;
    this.#flushed = [];
    for (const resolve of waiting) resolve();
  }

  /** Resolves when nothing waits, when the stream fails, or after LOG_FLUSH_MS. */
  flush(): Promise<void> {
    const state = this.#state;
    if (state === State.Idle || state === State.Resting || state === State.Over) {
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, LOG_FLUSH_MS);
      this.#flushed.push(() => {
        clearTimeout(timer);
        resolve();
      });
      if (state === State.Gathering) this.#write();
    });
  }

  /** Writes what waits as far as it can within LOG_FLUSH_MS: the process is about to end. */
  flushNow(): void {
    if (this.#state === State.Over) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const untilMs = performance.now() + LOG_FLUSH_MS;
    if (this.#state === State.Writing) {
      // A thread has these bytes; the process does not end before it is done with them.
      this.#from = this.#to;
      pause();
    }
    while (this.#take()) {
      const result = this.#sink.writeNow(this.#bytes, this.#from, this.#pieceEnd());
      if (result > 0) this.#from += result;
      else if (result < 0 && result !== -EAGAIN && result !== -EINTR) return;
      else if (performance.now() > untilMs) return;
      else pause();
    }
  }
}

const NEVER = new Int32Array(new SharedArrayBuffer(4));

/** Waits for a millisecond without the loop. */
function pause(): void {
  Atomics.wait(NEVER, 0, 0, 1);
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
