// Memory that counts reads and fails on reads outside of a span. It replaces the memory that the
// parser reads byte by byte and, through a view, word by word.

import assert from 'node:assert/strict';
import type { ChunkedDecoder } from '../../src/http/chunked.ts';
import { Head } from '../../src/http/head.ts';
import { beginFields } from '../../src/http/parse-head.ts';
import { Trailers } from '../../src/http/trailers.ts';

/** Total of bytes read; a byte that is read twice counts twice. */
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

  /** Allows reads of [from, to) only. */
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

/** The same memory, watched. A subarray() counts as read. */
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

/** A watched view of memory; only the methods that the parser uses. */
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

/** Makes a head create watched views. */
export function watchHead(head: Head, watch: Watch): void {
  head.viewOf = (bytes) => new WatchedView(bytes, watch);
}

/**
 * Watches the memory for the trailers of a decoder; bytes not yet copied there must not be read.
 */
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
  // Node's decoders need real memory, and reads by a test are not reads of the parser.
  trailers.name = (index) => trailers.head.name(raw, 0, index);
  trailers.value = (index) => trailers.head.value(raw, 0, index);
  decoder.trailers = trailers;
}
