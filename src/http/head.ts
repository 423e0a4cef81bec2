// Head, the reused record of the offsets of a request head. Offsets count from the first byte of
// the request, so the bytes may be moved while a head is still incomplete.

import { assert } from '../base/assert.ts';
import { carveBytes, carveInt32 } from '../base/carve.ts';
import { fieldName } from './fields.ts';
import { Method } from './method.ts';
import { latin1 } from './text.ts';

/** The four forms of a request target (RFC 9112 3.2). */
export const TargetForm = { Origin: 0, Absolute: 1, Authority: 2, Asterisk: 3 } as const;
export type TargetForm = (typeof TargetForm)[keyof typeof TargetForm];

/** Offsets of each field: name start, name end, value start, value end. */
export const OFFSETS_PER_FIELD = 4;

/** Arrays of heads that were compacted: as many as requests that begin before the others end. */
const SPARES_MAX = 256;
const spares: { readonly offsets: Int32Array; readonly names: Uint8Array }[] = [];

const NO_BYTES = new Uint8Array(0);
const NO_VIEW = new DataView(NO_BYTES.buffer);

export class Head {
  readonly fieldsMax: number;
  /** Four offsets for each field; values exclude the white space around them. */
  offsets: Int32Array;
  /** A Field number for each field. */
  names: Uint8Array;

  /**
   * The parser's state (of parse-head.ts; 0 is the initial one) and the offset of its next byte.
   */
  state: number;
  cursor: number;

  /** A Method number, and the span of the method: Method.Other has no other name. */
  method: number;
  methodStart: number;
  methodEnd: number;

  targetStart: number;
  targetEnd: number;
  form: number;
  /** The path of origin-form and absolute-form without the query; may be empty in absolute-form. */
  pathStart: number;
  pathEnd: number;
  /** The query, after the '?'; queryStart is -1 without one. */
  queryStart: number;
  queryEnd: number;
  /** 1 when the path needs no normalization: it has no '%', no '//' and no segment '.' or '..'. */
  plainPath: number;

  /** The minor version of HTTP/1.x: 0 or 1. */
  minor: number;
  fieldCount: number;

  /** The memory last parsed and its view: creating one costs as much as parsing a small head. */
  viewedBytes: Uint8Array;
  view: DataView;

  constructor(fieldsMax: number) {
    this.fieldsMax = fieldsMax;
    const spare = spares.at(-1);
    // One of another size stays: trailers have heads without fields, servers limits of their own.
    if (spare !== undefined && spare.names.length === fieldsMax) {
      spares.pop();
      this.offsets = spare.offsets;
      this.names = spare.names;
    } else {
      this.offsets = carveInt32(OFFSETS_PER_FIELD * fieldsMax);
      this.names = carveBytes(fieldsMax);
    }
    this.state = 0;
    this.cursor = 0;
    this.method = Method.Other;
    this.methodStart = 0;
    this.methodEnd = 0;
    this.targetStart = 0;
    this.targetEnd = 0;
    this.form = TargetForm.Origin;
    this.pathStart = 0;
    this.pathEnd = 0;
    this.queryStart = -1;
    this.queryEnd = -1;
    this.plainPath = 1;
    this.minor = 0;
    this.fieldCount = 0;
    this.viewedBytes = NO_BYTES;
    this.view = NO_VIEW;
  }

  /** Prepares for another request. The view stays: the next request is in the same memory. */
  reset(): void {
    this.state = 0;
    this.cursor = 0;
    this.method = Method.Other;
    this.methodStart = 0;
    this.methodEnd = 0;
    this.targetStart = 0;
    this.targetEnd = 0;
    this.form = TargetForm.Origin;
    this.pathStart = 0;
    this.pathEnd = 0;
    this.queryStart = -1;
    this.queryEnd = -1;
    this.plainPath = 1;
    this.minor = 0;
    this.fieldCount = 0;
  }

  /**
   * Keeps the fields in arrays of their own size, for a head that stays with its request: those in
   * which it was parsed serve the next one. Without this, the arrays of 100 fields were a tenth of
   * the work of a request whose handler is async.
   */
  compact(): void {
    const { offsets, names, fieldCount, fieldsMax } = this;
    if (names.length !== fieldsMax) return;
    if (spares.length >= SPARES_MAX) {
      if (spares.at(-1)?.names.length === fieldsMax) return;
      // Those of a size that is no longer in use must not stay in the way.
      spares.pop();
    }
    const numbers = fieldCount * OFFSETS_PER_FIELD;
    const keptOffsets = carveInt32(numbers);
    const keptNames = carveBytes(fieldCount);
    for (let index = 0; index < numbers; index++) keptOffsets[index] = offsets[index];
    for (let index = 0; index < fieldCount; index++) keptNames[index] = names[index];
    this.offsets = keptOffsets;
    this.names = keptNames;
    spares.push({ offsets, names });
  }

  /** Copies all of `other`; this head must have room for its fields. */
  copyFrom(other: Head): void {
    this.state = other.state;
    this.cursor = other.cursor;
    this.method = other.method;
    this.methodStart = other.methodStart;
    this.methodEnd = other.methodEnd;
    this.targetStart = other.targetStart;
    this.targetEnd = other.targetEnd;
    this.form = other.form;
    this.pathStart = other.pathStart;
    this.pathEnd = other.pathEnd;
    this.queryStart = other.queryStart;
    this.queryEnd = other.queryEnd;
    this.plainPath = other.plainPath;
    this.minor = other.minor;
    this.fieldCount = other.fieldCount;
    // One field more than fieldCount: an incomplete head may have begun the next one.
    const fields = Math.min(other.fieldCount + 1, other.fieldsMax);
    assert(fields <= this.fieldsMax, 'a copy has room for the fields');
    for (let index = 0; index < fields; index++) this.names[index] = other.names[index];
    const numbers = fields * OFFSETS_PER_FIELD;
    for (let index = 0; index < numbers; index++) this.offsets[index] = other.offsets[index];
  }

  /** The index of the first field with this Field number, or -1. */
  find(field: number): number {
    const names = this.names;
    const count = this.fieldCount;
    for (let index = 0; index < count; index++) {
      if (names[index] === field) return index;
    }
    return -1;
  }

  /** How many fields have this Field number. */
  count(field: number): number {
    const names = this.names;
    let found = 0;
    for (let index = 0; index < this.fieldCount; index++) {
      if (names[index] === field) found += 1;
    }
    return found;
  }

  /** The lower-case name of a field; the request begins at `start` in `bytes`. */
  name(bytes: Uint8Array, start: number, index: number): string {
    const number = this.names[index];
    if (number !== 0) return fieldName(number);
    const at = index * OFFSETS_PER_FIELD;
    const offsets = this.offsets;
    return latin1(bytes, start + offsets[at], start + offsets[at + 1]).toLowerCase();
  }

  /** The value of a field, one character for each byte. */
  value(bytes: Uint8Array, start: number, index: number): string {
    const at = index * OFFSETS_PER_FIELD;
    const offsets = this.offsets;
    return latin1(bytes, start + offsets[at + 2], start + offsets[at + 3]);
  }

  /** A view of the memory, created only when `bytes` differs from the last call. */
  viewOf(bytes: Uint8Array): DataView {
    if (bytes !== this.viewedBytes) {
      this.viewedBytes = bytes;
      this.view = sharedView(bytes);
    }
    return this.view;
  }
}

/** The memory that any head was parsed in last: those of one server are all in its slab. */
let sharedBytes: Uint8Array = NO_BYTES;
let shared: DataView = NO_VIEW;

/** A request whose handler is async leaves its head to it, and the next one needs a view, too. */
function sharedView(bytes: Uint8Array): DataView {
  if (bytes !== sharedBytes) {
    sharedBytes = bytes;
    shared = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  return shared;
}
