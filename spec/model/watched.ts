// Memory that notices being read: how often, and whether outside of a span. It stands in for what
// the parser reads byte by byte and, through a view, word by word.

import assert from 'node:assert/strict';
import type { ChunkedDecoder } from '../../src/http/chunked.ts';
import { Head } from '../../src/http/head.ts';
import { beginFields } from '../../src/http/parse-head.ts';
import { Trailers } from '../../src/http/trailers.ts';

/** How many bytes were read in all; one that is read twice counts twice. */
export interface Reads {
  count: number;
}

/** The span of some memory that may be read. */
export class Watch {
  readonly #reads: Reads;
  #from: number;
  #to: number;

  constructor(reads: Reads) {
    this.#reads = reads;
    this.#from = 0;
    this.#to = 0;
  }

  /** From now on [from, to) may be read, and nothing else. */
  allow(from: number, to: number): void {
    this.#from = from;
    this.#to = to;
  }

  note(at: number, count: number): void {
    assert.ok(
      at >= this.#from && at + count <= this.#to,
      `read [${at}, ${at + count}) outside of [${this.#from}, ${this.#to})`,
    );
    this.#reads.count += count;
  }
}

/** The same memory, watched. What it gives out as a span counts as read. */
export function watchedBytes(bytes: Uint8Array, watch: Watch): Uint8Array {
  return new Proxy(bytes, {
    get(target, name): unknown {
      if (typeof name === 'string' && /^-?\d+$/.test(name)) {
        watch.note(Number(name), 1);
        return target[Number(name)];
      }
      if (name === 'subarray') {
        return (from: number, to: number): Uint8Array => {
          watch.note(from, to - from);
          return target.subarray(from, to);
        };
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** A view of memory, watched; only what the parser asks of views. */
export class WatchedView extends DataView<ArrayBufferLike> {
  readonly #watch: Watch;

  constructor(bytes: Uint8Array, watch: Watch) {
    super(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#watch = watch;
  }

  override getInt32(at: number, littleEndian?: boolean): number {
    this.#watch.note(at, 4);
    return super.getInt32(at, littleEndian);
  }

  override getInt16(at: number, littleEndian?: boolean): number {
    this.#watch.note(at, 2);
    return super.getInt16(at, littleEndian);
  }
}

/** Makes the views of a head watched ones. */
export function watchHead(head: Head, watch: Watch): void {
  head.viewOf = (bytes) => new WatchedView(bytes, watch);
}

/** Watches the memory in which a decoder gathers trailers; what it has not gathered is outside. */
export function watchTrailers(decoder: ChunkedDecoder, fieldsMax: number, watch: Watch): void {
  const trailers = new Trailers();
  trailers.head = new Head(fieldsMax);
  beginFields(trailers.head);
  watchHead(trailers.head, watch);
  let raw = trailers.bytes;
  let watched = watchedBytes(raw, watch);
  Object.defineProperty(trailers, 'bytes', {
    get(): Uint8Array {
      watch.allow(0, trailers.byteCount);
      return watched;
    },
    set(larger: Uint8Array) {
      raw = larger;
      watched = watchedBytes(raw, watch);
    },
  });
  // Node's slicers take real memory only; what a test asks for is no read of the parser.
  trailers.name = (index) => trailers.head.name(raw, 0, index);
  trailers.value = (index) => trailers.head.value(raw, 0, index);
  decoder.trailers = trailers;
}
