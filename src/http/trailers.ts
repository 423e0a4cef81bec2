// The trailer section of a chunked body. It is rare and short, so its bytes are gathered in memory
// of their own, where they can be read after the blocks they came in are gone.

import { Fault } from './fault.ts';
import { Field } from './fields.ts';
import { Head } from './head.ts';
import { beginFields, parseFields } from './parse-head.ts';

/** Memory a first trailer section starts with; it doubles up to the limit. 256 is a guess. */
const FIRST_BYTES = 256;

/**
 * What must not come late (RFC 9110 6.5.1): it frames, routes, authenticates, or names the
 * content.
 */
const FORBIDDEN = new Uint8Array(256);
for (const field of [
  Field.Host,
  Field.ContentLength,
  Field.TransferEncoding,
  Field.Connection,
  Field.KeepAlive,
  Field.ProxyConnection,
  Field.TE,
  Field.Trailer,
  Field.Upgrade,
  Field.Expect,
  Field.MaxForwards,
  Field.Range,
  Field.Authorization,
  Field.ProxyAuthorization,
  Field.Cookie,
  Field.ContentType,
  Field.ContentEncoding,
  Field.ContentRange,
]) {
  FORBIDDEN[field] = 1;
}

export interface TrailerLimits {
  readonly trailerBytesMax: number;
  readonly fieldsMax: number;
}

export class Trailers {
  /** True when the blank line has come. */
  whole: boolean;
  bytes: Uint8Array;
  byteCount: number;
  head: Head;

  constructor() {
    this.whole = false;
    this.bytes = new Uint8Array(FIRST_BYTES);
    this.byteCount = 0;
    this.head = new Head(0);
    beginFields(this.head);
  }

  reset(): void {
    this.whole = false;
    this.byteCount = 0;
    this.head.reset();
    beginFields(this.head);
  }

  /** Takes from [start, end) what belongs to the section: how many bytes that is, or a Fault. */
  read(bytes: Uint8Array, start: number, end: number, limits: TrailerLimits): number {
    if (this.head.fieldsMax < limits.fieldsMax) {
      const roomier = new Head(limits.fieldsMax);
      roomier.copyFrom(this.head);
      this.head = roomier;
    }
    const before = this.byteCount;
    const count = Math.min(end - start, limits.trailerBytesMax - before);
    this.append(bytes, start, start + count);
    const result = parseFields(this.bytes, 0, this.byteCount, this.head, limits.fieldsMax);
    if (result < 0) return result;
    if (result === 0) return count < end - start ? Fault.TrailersTooLarge : count;
    // What was copied behind the blank line belongs to the next request.
    this.byteCount = result;
    this.whole = true;
    return this.anyForbidden() ? Fault.ForbiddenTrailer : result - before;
  }

  get count(): number {
    return this.whole ? this.head.fieldCount : 0;
  }

  name(index: number): string {
    return this.head.name(this.bytes, 0, index);
  }

  value(index: number): string {
    return this.head.value(this.bytes, 0, index);
  }

  append(bytes: Uint8Array, from: number, to: number): void {
    const needed = this.byteCount + to - from;
    if (needed > this.bytes.length) {
      const larger = new Uint8Array(Math.max(needed, this.bytes.length * 2));
      larger.set(this.bytes.subarray(0, this.byteCount));
      this.bytes = larger;
    }
    this.bytes.set(bytes.subarray(from, to), this.byteCount);
    this.byteCount = needed;
  }

  anyForbidden(): boolean {
    for (let index = 0; index < this.head.fieldCount; index++) {
      if (FORBIDDEN[this.head.names[index]] !== 0) return true;
    }
    return false;
  }
}
