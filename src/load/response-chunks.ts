// Reads a chunked body that may be split anywhere (RFC 9112 7.1): finds its content and its end.

import { COLON, CR, LF, SEMICOLON, SP, TAB } from '../base/ascii.ts';
import { FIELD_VALUE, HEX_VALUE, TOKEN } from '../http/grammar.ts';
import { ResponseFault } from './response-fault.ts';

/** What is expected next. */
const SIZE_BEGIN = 0;
const SIZE = 1;
const EXTENSION = 2;
const SIZE_END = 3;
const CONTENT = 4;
const CONTENT_CR = 5;
const CONTENT_LF = 6;
const TRAILER = 7;
const TRAILER_NAME = 8;
const TRAILER_VALUE = 9;
const TRAILER_LINE_END = 10;
const BODY_END = 11;
const DONE = 12;

const SIZE_MAX = Number.MAX_SAFE_INTEGER / 32;

export class ResponseChunks {
  /** The content that the last read() found: `from` to `to`, none when they are equal. */
  from = 0;
  to = 0;
  #state: number = SIZE_BEGIN;
  #left = 0;

  get isDone(): boolean {
    return this.#state === DONE;
  }

  clear(): void {
    this.#state = SIZE_BEGIN;
    this.#left = 0;
  }

  /**
   * Reads through the next run of content, or to the end of the body. Returns where it stopped, or
   * a fault.
   */
  read(bytes: Uint8Array, at: number, end: number): number {
    this.from = at;
    this.to = at;
    for (let index = at; index < end; index++) {
      if (this.#state === CONTENT) return this.#content(index, end);
      const fault = this.#step(bytes[index]);
      if (fault < 0) return fault;
      if (this.#state === DONE) return index + 1;
    }
    return end;
  }

  #content(at: number, end: number): number {
    const bytes = Math.min(this.#left, end - at);
    this.from = at;
    this.to = at + bytes;
    this.#left -= bytes;
    if (this.#left === 0) this.#state = CONTENT_CR;
    return at + bytes;
  }

  #step(byte: number): number {
    switch (this.#state) {
      case SIZE_BEGIN:
      case SIZE:
      case EXTENSION:
      case SIZE_END:
        return this.#size(byte);
      case CONTENT_CR:
        if (byte !== CR) return ResponseFault.Chunk;
        this.#state = CONTENT_LF;
        return 0;
      case CONTENT_LF:
        if (byte !== LF) return ResponseFault.Chunk;
        this.#state = SIZE_BEGIN;
        return 0;
      default:
        return this.#trailer(byte);
    }
  }

  #size(byte: number): number {
    if (this.#state === SIZE_END) {
      if (byte !== LF) return ResponseFault.Chunk;
      this.#state = this.#left === 0 ? TRAILER : CONTENT;
      return 0;
    }
    if (byte === CR && this.#state !== SIZE_BEGIN) {
      this.#state = SIZE_END;
      return 0;
    }
    if (this.#state === EXTENSION) return FIELD_VALUE[byte] === 0 ? ResponseFault.Chunk : 0;
    const digit = HEX_VALUE[byte];
    if (digit >= 0) {
      this.#left = this.#left * 16 + digit;
      this.#state = SIZE;
      return this.#left > SIZE_MAX ? ResponseFault.Chunk : 0;
    }
    const begins = byte === SEMICOLON || byte === SP || byte === TAB;
    if (!begins || this.#state === SIZE_BEGIN) return ResponseFault.Chunk;
    this.#state = EXTENSION;
    return 0;
  }

  #trailer(byte: number): number {
    switch (this.#state) {
      case TRAILER:
        if (byte !== CR && TOKEN[byte] === 0) return ResponseFault.Trailer;
        this.#state = byte === CR ? BODY_END : TRAILER_NAME;
        return 0;
      case TRAILER_NAME:
        if (byte === COLON) this.#state = TRAILER_VALUE;
        else if (TOKEN[byte] === 0) return ResponseFault.Trailer;
        return 0;
      case TRAILER_VALUE:
        if (byte === CR) this.#state = TRAILER_LINE_END;
        else if (FIELD_VALUE[byte] === 0) return ResponseFault.Trailer;
        return 0;
      case TRAILER_LINE_END:
        if (byte !== LF) return ResponseFault.Trailer;
        this.#state = TRAILER;
        return 0;
      default:
        if (byte !== LF) return ResponseFault.Trailer;
        this.#state = DONE;
        return 0;
    }
  }
}
