// Reads the head of a response byte by byte, split anywhere (RFC 9112 4 and 5): the status, the
// framing of the body, and whether the connection persists. Everything else is only checked.

import { COLON, COMMA, CR, LF, SP, TAB, ZERO } from '../base/ascii.ts';
import { TOKEN as IMPORTED_TOKEN, FIELD_VALUE as IMPORTED_VALUE } from '../http/grammar.ts';
import { asciiBytes } from '../http/text.ts';
import { ResponseFault } from './response-fault.ts';

// Local names: an imported binding costs a load per use.
const TOKEN = IMPORTED_TOKEN;
const FIELD_VALUE = IMPORTED_VALUE;

const HEAD_BYTES_MAX = 256 * 1024;
const NINE = 57;
const LOWER_CASE = 0x20;

/** What is expected next. */
const VERSION = 0;
const MINOR = 1;
const VERSION_END = 2;
const STATUS = 3;
const STATUS_END = 4;
const REASON = 5;
const LINE_END = 6;
const FIELD = 7;
const NAME = 8;
const VALUE_BEGIN = 9;
const VALUE = 10;
const HEAD_END = 11;
const DONE = 12;

const VERSION_BYTES = asciiBytes('HTTP/1.');
const STATUS_DIGITS = 3;

/** The fields that are read; a kind is the index in this list plus one. */
const NAMES = ['content-length', 'transfer-encoding', 'connection'].map(asciiBytes);
const OTHER = 0;
const LENGTH = 1;
const CODING = 2;
const CONNECTION = 3;

/** The list members that are read, numbered in the same way. */
const WORDS = ['chunked', 'close', 'keep-alive'].map(asciiBytes);
const CHUNKED = 1;
const CLOSE = 2;
const KEEP_ALIVE = 3;
const ALL = 7;

export class ResponseHead {
  status = 0;
  /** -1 without a Content-Length. */
  contentLength = -1;
  hasCoding = false;
  /** The last coding is chunked. */
  isChunked = false;
  saysClose = false;
  saysKeepAlive = false;
  minor = 1;
  #state: number = VERSION;
  /** Index of the next byte within the version, the status or a name. */
  #index = 0;
  #bytes = 0;
  #kind: number = OTHER;
  /** Candidates for the name or word that is read, a bit each. */
  #mask = 0;
  #wordIndex = 0;
  /** Content-Length: digits were read; then blanks were read. In lists: blanks after a word. */
  #hasDigits = false;
  #hasBlank = false;

  get isDone(): boolean {
    return this.#state === DONE;
  }

  /** No byte of it has been read. */
  get isUntouched(): boolean {
    return this.#bytes === 0;
  }

  clear(): void {
    this.status = 0;
    this.contentLength = -1;
    this.hasCoding = false;
    this.isChunked = false;
    this.saysClose = false;
    this.saysKeepAlive = false;
    this.#state = VERSION;
    this.#index = 0;
    this.#bytes = 0;
  }

  /** Returns where it stopped (after the head when it is done, else `end`), or a fault. */
  read(bytes: Uint8Array, at: number, end: number): number {
    for (let index = at; index < end; index++) {
      // Most bytes of a head are in values that are only checked.
      if (this.#state === VALUE && this.#kind === OTHER) {
        while (index < end && FIELD_VALUE[bytes[index]] === 1) index += 1;
        if (index === end) break;
      }
      const fault = this.#step(bytes[index]);
      if (fault < 0) return fault;
      if (this.#state === DONE) {
        this.#bytes += index + 1 - at;
        return index + 1;
      }
    }
    this.#bytes += end - at;
    return this.#bytes > HEAD_BYTES_MAX ? ResponseFault.HeadTooLong : end;
  }

  #step(byte: number): number {
    switch (this.#state) {
      case NAME:
        return this.#name(byte);
      case VALUE_BEGIN:
        if (byte === SP || byte === TAB) return 0;
        this.#state = VALUE;
        return this.#value(byte);
      case VALUE:
        return this.#value(byte);
      case LINE_END:
        if (byte !== LF) return ResponseFault.Field;
        this.#state = FIELD;
        return 0;
      case FIELD:
        return this.#field(byte);
      case HEAD_END:
        if (byte !== LF) return ResponseFault.Field;
        this.#state = DONE;
        return 0;
      default:
        return this.#statusLine(byte);
    }
  }

  #statusLine(byte: number): number {
    switch (this.#state) {
      case VERSION:
        if (byte !== VERSION_BYTES[this.#index]) return ResponseFault.StatusLine;
        this.#index += 1;
        if (this.#index === VERSION_BYTES.length) this.#state = MINOR;
        return 0;
      case MINOR:
        if (byte !== ZERO && byte !== ZERO + 1) return ResponseFault.StatusLine;
        this.minor = byte - ZERO;
        this.#state = VERSION_END;
        return 0;
      case VERSION_END:
        if (byte !== SP) return ResponseFault.StatusLine;
        this.#index = 0;
        this.#state = STATUS;
        return 0;
      case STATUS:
        if (byte < ZERO || byte > NINE) return ResponseFault.StatusLine;
        this.status = this.status * 10 + byte - ZERO;
        this.#index += 1;
        if (this.#index === STATUS_DIGITS) this.#state = STATUS_END;
        return 0;
      case STATUS_END:
        if (this.status < 100) return ResponseFault.StatusLine;
        // Servers often omit the space before an absent reason phrase too.
        if (byte === CR) this.#state = LINE_END;
        else if (byte === SP) this.#state = REASON;
        else return ResponseFault.StatusLine;
        return 0;
      default:
        if (byte === CR) this.#state = LINE_END;
        else if (FIELD_VALUE[byte] === 0) return ResponseFault.StatusLine;
        return 0;
    }
  }

  /** The first byte of a line: of a name, or the end of the head. Folded lines are a fault. */
  #field(byte: number): number {
    if (byte === CR) {
      this.#state = HEAD_END;
      return 0;
    }
    this.#state = NAME;
    this.#index = 0;
    this.#mask = ALL;
    return byte === COLON ? ResponseFault.Field : this.#name(byte);
  }

  #name(byte: number): number {
    if (byte === COLON) return this.#nameEnd();
    if (TOKEN[byte] === 0) return ResponseFault.Field;
    if (this.#mask !== 0) this.#mask = narrowed(this.#mask, NAMES, this.#index, byte);
    this.#index += 1;
    return 0;
  }

  #nameEnd(): number {
    this.#kind = matched(this.#mask, NAMES, this.#index);
    this.#state = VALUE_BEGIN;
    this.#wordIndex = 0;
    this.#mask = ALL;
    this.#hasDigits = false;
    this.#hasBlank = false;
    if (this.#kind === CODING) this.hasCoding = true;
    if (this.#kind !== LENGTH) return 0;
    // Two Content-Length fields are a fault even if they agree (RFC 9112 6.3 permits to take them).
    if (this.contentLength >= 0) return ResponseFault.Length;
    this.contentLength = 0;
    return 0;
  }

  #value(byte: number): number {
    if (byte === CR) {
      this.#state = LINE_END;
      return this.#valueEnd();
    }
    if (FIELD_VALUE[byte] === 0) return ResponseFault.Field;
    if (this.#kind === OTHER) return 0;
    return this.#kind === LENGTH ? this.#digit(byte) : this.#member(byte);
  }

  #valueEnd(): number {
    if (this.#kind === LENGTH) return this.#hasDigits ? 0 : ResponseFault.Length;
    return this.#kind === OTHER ? 0 : this.#memberEnd();
  }

  #digit(byte: number): number {
    if (byte === SP || byte === TAB) {
      this.#hasBlank = true;
      return 0;
    }
    if (byte < ZERO || byte > NINE || this.#hasBlank) return ResponseFault.Length;
    this.#hasDigits = true;
    this.contentLength = this.contentLength * 10 + byte - ZERO;
    return this.contentLength > Number.MAX_SAFE_INTEGER ? ResponseFault.Length : 0;
  }

  /** A byte of a list such as `gzip, chunked`. */
  #member(byte: number): number {
    if (byte === COMMA) return this.#memberEnd();
    if (byte === SP || byte === TAB) {
      if (this.#wordIndex > 0) this.#hasBlank = true;
      return 0;
    }
    // Two words without a comma between them match no known word.
    if (this.#hasBlank) this.#mask = 0;
    if (this.#mask !== 0) this.#mask = narrowed(this.#mask, WORDS, this.#wordIndex, byte);
    this.#wordIndex += 1;
    return 0;
  }

  #memberEnd(): number {
    const isEmpty = this.#wordIndex === 0;
    const word = matched(this.#mask, WORDS, this.#wordIndex);
    this.#wordIndex = 0;
    this.#mask = ALL;
    this.#hasBlank = false;
    if (isEmpty) return 0;
    if (this.#kind === CONNECTION) {
      if (word === CLOSE) this.saysClose = true;
      if (word === KEEP_ALIVE) this.saysKeepAlive = true;
      return 0;
    }
    if (this.isChunked) return ResponseFault.Coding;
    this.isChunked = word === CHUNKED;
    return 0;
  }
}

/** The candidates that have `byte` at index `at`. */
function narrowed(mask: number, words: readonly Uint8Array[], at: number, byte: number): number {
  let left = 0;
  for (let index = 0; index < words.length; index++) {
    if ((mask & (1 << index)) !== 0 && words[index][at] === (byte | LOWER_CASE)) left |= 1 << index;
  }
  return left;
}

/** The index of the candidate that has this length, plus one; 0 when there is none. */
function matched(mask: number, words: readonly Uint8Array[], length: number): number {
  for (let index = 0; index < words.length; index++) {
    if ((mask & (1 << index)) !== 0 && words[index].length === length) return index + 1;
  }
  return 0;
}
