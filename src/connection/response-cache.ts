// Hot: runs for every response. Measured by perf/micro/connection.ts.
// A cache of encoded heads: a server sends few, and of most only Date and Content-Length differ. To
// copy one of 2 fields takes 47 ns instead of 284, of 7 fields 76 instead of 593. A short text that
// is sent repeatedly is cached behind its head, which saves another 50 ns.

import { copyBytes, writeDecimal } from '../base/bytes.ts';
import { internalized } from '../base/internalized.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { DateField } from '../http/date.ts';
import {
  ConnectionField,
  encodeHead,
  headBytesBound,
  LENGTH_NONE,
  writeLineEnd,
} from '../http/encode.ts';
import type { ResponseFields } from '../http/response-fields.ts';
import { asciiBytes } from '../http/text.ts';

/** A guess: a site sends a handful of heads. The oldest entry is replaced. */
const ENTRIES_MAX = 8;

/** Heads with more fields, or longer ones, are not cached: comparing them takes time. */
const FIELDS_MAX = 16;
const CHARACTERS_MAX = 1024;

/**
 * A head gets an entry when it was looked for this often, with so many others meanwhile: heads that
 * differ each time must not cost an entry each. Text that is not ASCII is looked for twice.
 */
const FOUND_MIN = 3;
const OTHERS_MAX = 16;

/** A text is cached when it was sent this many times in a row: changing texts never are. */
const REPEATS_MIN = 8;

const CONTENT_LENGTH = asciiBytes('Content-Length: ');
const NO_BYTES = new Uint8Array(0);

/**
 * So often cached heads are encoded again at the beginning, whatever the second. Otherwise V8
 * optimizes all that calls this in the first second, without a refresh, and again after it, for a
 * third of a second of a core.
 */
const REFRESHES_MIN = 32;

/** The second of a head that was not encoded. */
const NEVER = -1;

interface Candidate {
  readonly status: number;
  readonly names: readonly string[];
  readonly values: readonly string[];
}

/** A head up to the value of its Content-Length. */
export interface CachedHead extends Candidate {
  /** The second of its Date field. */
  second: number;
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
  /** A head without an entry, how often it was looked for, and how often others were meanwhile. */
  #candidate: Candidate = { status: 0, names: [], values: [] };
  #found = 0;
  #others = OTHERS_MAX;
  #refreshes = 0;

  /** The head of a response; null when it is not cached. */
  find(exchange: Exchange, wallMs: number): CachedHead | null {
    const { fields, status } = exchange;
    const { characters, count } = fields;
    if (count > FIELDS_MAX || characters > CHARACTERS_MAX) return null;
    if (connectionFieldOf(exchange) !== ConnectionField.None) return null;
    const entry = this.#entryOf(status, fields);
    if (entry === null) return null;
    const second = Math.floor(wallMs / 1000);
    if (entry.second !== second || this.#refreshes < REFRESHES_MIN) {
      this.#refresh(entry, fields, second);
    }
    return entry;
  }

  #entryOf(status: number, fields: ResponseFields): CachedHead | null {
    const entries = this.#entries;
    for (let index = 0; index < entries.length; index++) {
      const entry = entries[index];
      if (entry.status === status && hasFields(entry.names, entry.values, fields)) return entry;
    }
    return this.#missed(status, fields);
  }

  #refresh(entry: CachedHead, fields: ResponseFields, second: number): void {
    entry.bytes = this.#encode(entry.status, fields, second);
    entry.second = second;
    this.#refreshes += 1;
    entry.full = null;
  }

  /** Of heads that were not sent for a second: a text may be a part of a much longer one. */
  #forgetTexts(second: number): void {
    for (const entry of this.#entries) {
      if (second - entry.second > 1) noteOther(entry, '');
    }
  }

  #missed(status: number, fields: ResponseFields): CachedHead | null {
    const { names, values, status: candidate } = this.#candidate;
    if (candidate !== status || !hasFields(names, values, fields)) {
      this.#others += 1;
      if (this.#others > OTHERS_MAX) this.#watch(status, fields);
      return null;
    }
    this.#found += 1;
    if (this.#found < FOUND_MIN) return null;
    this.#others = OTHERS_MAX;
    const entry = {
      status,
      names: names.map(internalized),
      values: values.map(internalized),
      second: NEVER,
      bytes: NO_BYTES,
      text: '',
      repeats: 0,
      full: null,
    };
    this.#entries[this.#next] = entry;
    this.#next = (this.#next + 1) % ENTRIES_MAX;
    return entry;
  }

  #watch(status: number, { names, values, count }: ResponseFields): void {
    this.#candidate = { status, names: names.slice(0, count), values: values.slice(0, count) };
    this.#found = 1;
    this.#others = 0;
  }

  #encode(status: number, fields: ResponseFields, second: number): Uint8Array {
    this.#forgetTexts(second);
    this.#date.update(second * 1000);
    const own = new Uint8Array(headBytesBound(fields));
    const none = ConnectionField.None;
    const end = encodeHead(own, 0, status, fields, this.#date.bytes, LENGTH_NONE, none);
    // The beginning of Content-Length replaces the empty line at the end of the head.
    own.set(CONTENT_LENGTH, end - 2);
    return own.slice(0, end - 2 + CONTENT_LENGTH.length);
  }
}

/** Names and values are strings of programs: most comparisons are of equal pointers. */
function hasFields(
  names: readonly string[],
  values: readonly string[],
  fields: ResponseFields,
): boolean {
  const { count } = fields;
  if (names.length !== count) return false;
  for (let index = 0; index < count; index++) {
    if (names[index] !== fields.names[index] || values[index] !== fields.values[index]) {
      return false;
    }
  }
  return true;
}

/** Writes a cached head with its Content-Length; returns its end. */
export function writeCached(
  target: Uint8Array,
  at: number,
  { bytes }: CachedHead,
  length: number,
): number {
  const end = writeDecimal(target, copyBytes(target, at, bytes), length);
  return writeLineEnd(target, writeLineEnd(target, end));
}

/** The response with this head ended with this text, and lies from `at` to `end`. */
export function noteText(
  entry: CachedHead,
  text: string,
  target: Uint8Array,
  at: number,
  end: number,
): void {
  if (entry.text !== text) noteOther(entry, text);
  entry.repeats += 1;
  if (entry.repeats < REPEATS_MIN) return;
  entry.text = internalized(text);
  entry.full = new Uint8Array(target.subarray(at, end));
}

function noteOther(entry: CachedHead, text: string): void {
  entry.text = text;
  entry.repeats = 0;
  entry.full = null;
}

/** Which Connection field a response has (RFC 9112 9.3). */
export function connectionFieldOf(exchange: Exchange): ConnectionField {
  if (!exchange.keepAlive) return ConnectionField.Close;
  return exchange.head.minor === 0 ? ConnectionField.Keep : ConnectionField.None;
}
