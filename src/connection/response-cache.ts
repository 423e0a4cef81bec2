// Hot: runs for every response. Measured by perf/micro/connection.ts.
// A cache of encoded heads for the most common responses: a status, a Content-Type and no other
// field. To copy one costs a quarter of encoding it (48 against 200 ns). A short text that is sent
// repeatedly is cached behind its head, which saves another 50 ns.

import { copyBytes, writeDecimal } from '../base/bytes.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { DateField } from '../http/date.ts';
import {
  ConnectionField,
  encodeHead,
  headBytesBound,
  LENGTH_NONE,
  writeLineEnd,
} from '../http/encode.ts';
import { ResponseFields } from '../http/response-fields.ts';
import { asciiBytes } from '../http/text.ts';

/** A guess: a site sends a handful of types. The oldest entry is replaced. */
const ENTRIES_MAX = 8;

/** A text is cached when it was sent this many times in a row: changing texts never are. */
const REPEATS_MIN = 8;

const CONTENT_LENGTH = asciiBytes('Content-Length: ');

interface CachedHead {
  readonly status: number;
  readonly type: string;
  /** The second of its Date field. */
  second: number;
  /** The head up to the value of Content-Length. */
  bytes: Uint8Array;
  /** The text sent last, how often in a row, and the full response once that was often. */
  text: string;
  repeats: number;
  full: Uint8Array | null;
}

export class ResponseCache {
  readonly #date: DateField = new DateField();
  readonly #entries: CachedHead[] = [];
  #next = 0;
  /** The entry that write() used last; null when the head was not a common one. */
  #used: CachedHead | null = null;

  /** Writes the head of a full response if it is a common one. Returns its end, else -1. */
  write(
    target: Uint8Array,
    at: number,
    exchange: Exchange,
    length: number,
    wallMs: number,
  ): number {
    this.#used = null;
    if (length < 0 || !isCommon(exchange)) return -1;
    const entry = this.#find(exchange.status, exchange.fields.values[0], wallMs);
    const { bytes } = entry;
    this.#used = entry;
    const end = writeDecimal(target, copyBytes(target, at, bytes), length);
    return writeLineEnd(target, writeLineEnd(target, end));
  }

  /** Writes the full response if it is cached. Returns its end, else -1. */
  writeAgain(
    target: Uint8Array,
    at: number,
    exchange: Exchange,
    text: string,
    wallMs: number,
  ): number {
    if (!isCommon(exchange)) return -1;
    const { text: cached, full } = this.#find(exchange.status, exchange.fields.values[0], wallMs);
    if (full === null || text !== cached) return -1;
    return copyBytes(target, at, full);
  }

  /** The response that write() began ended with this text, and lies from `at` to `end`. */
  ended(text: string, target: Uint8Array, at: number, end: number): void {
    const entry = this.#used;
    if (entry === null) return;
    if (entry.text !== text) {
      entry.text = text;
      entry.repeats = 0;
      entry.full = null;
    }
    entry.repeats += 1;
    if (entry.repeats < REPEATS_MIN) return;
    entry.full = new Uint8Array(target.subarray(at, end));
  }

  #find(status: number, type: string, wallMs: number): CachedHead {
    const second = Math.floor(wallMs / 1000);
    const entries = this.#entries;
    for (let index = 0; index < entries.length; index++) {
      const entry = entries[index];
      if (entry.status !== status || entry.type !== type) continue;
      if (entry.second !== second) {
        entry.bytes = this.#make(status, type, second);
        entry.second = second;
        entry.full = null;
      }
      return entry;
    }
    const bytes = this.#make(status, type, second);
    const made = { status, type, second, bytes, text: '', repeats: 0, full: null };
    entries[this.#next] = made;
    this.#next = (this.#next + 1) % ENTRIES_MAX;
    return made;
  }

  #make(status: number, type: string, second: number): Uint8Array {
    this.#date.update(second * 1000);
    const fields = new ResponseFields();
    fields.set('Content-Type', 'content-type', type);
    const own = new Uint8Array(headBytesBound(fields));
    const none = ConnectionField.None;
    const end = encodeHead(own, 0, status, fields, this.#date.bytes, LENGTH_NONE, none);
    // The beginning of Content-Length replaces the empty line at the end of the head.
    own.set(CONTENT_LENGTH, end - 2);
    return own.slice(0, end - 2 + CONTENT_LENGTH.length);
  }
}

/** Only a Content-Type, and no Connection field. */
function isCommon(exchange: Exchange): boolean {
  const { fields } = exchange;
  if (fields.count !== 1 || fields.lowerNames[0] !== 'content-type') return false;
  return connectionFieldOf(exchange) === ConnectionField.None;
}

/** Which Connection field a response has (RFC 9112 9.3). */
export function connectionFieldOf(exchange: Exchange): ConnectionField {
  if (!exchange.keepAlive) return ConnectionField.Close;
  return exchange.head.minor === 0 ? ConnectionField.Keep : ConnectionField.None;
}
