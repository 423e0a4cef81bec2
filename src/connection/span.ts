// Contiguous bytes that wait to be sent. All connections share a pool of spans, so an idle
// connection holds none.

import { assert } from '../base/assert.ts';
import type { Region } from '../reactor/regions.ts';

export class Span {
  /** The region that the driver knows, and the bytes [start, end) of it. */
  number: number;
  start: number;
  end: number;
  /**
   * The slab block that the bytes lie in, or -1 and the region that is held until they are sent.
   */
  block: number;
  region: Region | null;
  /** The next span in a queue or in the pool. */
  next: Span | null;

  constructor() {
    this.number = 0;
    this.start = 0;
    this.end = 0;
    this.block = -1;
    this.region = null;
    this.next = null;
  }
}

export class SpanPool {
  #freeBuffers: Span | null = null;
  #made = 0;
  #freeCount = 0;

  acquire(): Span {
    const span = this.#freeBuffers;
    if (span === null) {
      this.#made += 1;
      return new Span();
    }
    this.#freeBuffers = span.next;
    this.#freeCount -= 1;
    span.next = null;
    return span;
  }

  release(span: Span): void {
    assert(span.region === null, 'a released span holds nothing');
    span.next = this.#freeBuffers;
    this.#freeBuffers = span;
    this.#freeCount += 1;
  }

  /** Spans in use; for checks. */
  get usedCount(): number {
    return this.#made - this.#freeCount;
  }
}
