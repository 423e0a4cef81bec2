// The trailer section of a chunked body. It is rare and short, so its bytes are copied to memory of
// their own: they stay readable after the blocks they were received in are released.

import { Fault } from './fault.ts';
import { Field } from './fields.ts';
import { Head } from './head.ts';
import { beginFields, parseFields } from './parse-head.ts';

/** Initial memory of a trailer section; it doubles up to the limit. 256 is a guess. */
const FIRST_BYTES = 256;

/**
 * Fields that trailers must not contain (RFC 9110 6.5.1): they concern framing, routing,
 * authentication or the format of the content.
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
  /** True when the blank line has been read. */
  complete: boolean;
  bytes: Uint8Array;
  byteCount: number;
  head: Head;

  constructor() {
    this.complete = false;
    this.bytes = new Uint8Array(FIRST_BYTES);
    this.byteCount = 0;
    this.head = new Head(0);
    beginFields(this.head);
  }

  reset(): void {
    this.complete = false;
    this.byteCount = 0;
    this.head.reset();
    beginFields(this.head);
  }

  /** Consumes the bytes of [start, end) that belong to the section: how many, or a Fault. */
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
    // Copied bytes behind the blank line belong to the next request.
    this.byteCount = result;
    this.complete = true;
    return this.anyForbidden() ? Fault.ForbiddenTrailer : result - before;
  }

  get count(): number {
    return this.complete ? this.head.fieldCount : 0;
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
