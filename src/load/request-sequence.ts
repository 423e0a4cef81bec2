// The requests of a load, encoded, in the order in which every connection sends them: cyclic, mixed
// by weight. Requests that follow each other are adjacent in memory, so one send takes several.

import { assert } from '../base/assert.ts';
import { HeadMemory } from './head-memory.ts';
import type { RequestKind } from './response-reader.ts';

/** One kind of request, as bytes. */
export interface SequencedRequest {
  readonly bytes: Uint8Array;
  readonly isHead: boolean;
  /** The body that a response must have, or null. */
  readonly expected: Uint8Array | null;
  /** How often it is sent, relative to the others. */
  readonly weight: number;
}

/** Smaller memory may lie on V8's heap, where the garbage collector moves it. */
const LEAST_BYTES = 256;

export class RequestSequence {
  /** One cycle, and enough of the next that a batch that begins anywhere is contiguous. */
  readonly bytes: Uint8Array;
  readonly length: number;
  readonly kinds: readonly RequestKind[];
  /** Offset of the request at each position, then the end of the last one. */
  readonly #starts: Float64Array;
  /** Index into `kinds` of the request at each position. */
  readonly #order: Int32Array;

  /** `depth` is the most requests in one send. */
  constructor(requests: readonly SequencedRequest[], depth: number) {
    const order = mixed(requests.map(({ weight }) => weight));
    this.length = order.length;
    this.#order = Int32Array.from(order);
    this.#starts = new Float64Array(order.length + depth);
    let end = 0;
    for (let at = 0; at < this.#starts.length; at++) {
      this.#starts[at] = end;
      if (at < this.#starts.length - 1) end += requests[order[at % order.length]].bytes.length;
    }
    this.bytes = new Uint8Array(Math.max(LEAST_BYTES, end));
    for (let at = 0; at < this.#starts.length - 1; at++) {
      this.bytes.set(requests[order[at % order.length]].bytes, this.#starts[at]);
    }
    this.kinds = requests.map(({ isHead, expected }) => {
      return { isHead, expected, memory: new HeadMemory() };
    });
  }

  kindAt(position: number): number {
    return this.#order[position];
  }

  start(position: number): number {
    return this.#starts[position];
  }

  /** The end of a batch of `count` requests from `position` on. */
  end(position: number, count: number): number {
    return this.#starts[position + count];
  }

  /** The position `count` after `position`. */
  after(position: number, count: number): number {
    const next = position + count;
    return next < this.length ? next : next % this.length;
  }
}

/** An upper bound of the bytes that a sequence takes. */
export function sequenceBytes(requests: readonly SequencedRequest[], depth: number): number {
  const most = requests.reduce((bytes, request) => Math.max(bytes, request.bytes.length), 0);
  const round = weightsOf(requests.map(({ weight }) => weight));
  return requests.reduce(
    (sum, { bytes }, index) => sum + bytes.length * round[index],
    most * depth,
  );
}

/**
 * Indexes in the most even order: weights 2 and 1 make 0, 1, 0 rather than 0, 0, 1 (the smooth
 * weighted round-robin of nginx). Each step adds every weight to its credit; the index with the
 * most credit is next and pays the total.
 */
export function mixed(weights: readonly number[]): readonly number[] {
  const least = weightsOf(weights);
  const total = least.reduce((sum, weight) => sum + weight, 0);
  assert(total > 0, 'some weight is above 0');
  const credit = least.map(() => 0);
  const order: number[] = [];
  while (order.length < total) {
    let best = 0;
    for (let index = 0; index < credit.length; index++) {
      credit[index] += least[index];
      if (credit[index] > credit[best]) best = index;
    }
    credit[best] -= total;
    order.push(best);
  }
  return order;
}

/** The same weights, divided by their greatest common divisor. */
export function weightsOf(weights: readonly number[]): readonly number[] {
  const divisor = weights.reduce(greatestCommonDivisor, 0);
  return weights.map((weight) => weight / divisor);
}

function greatestCommonDivisor(left: number, right: number): number {
  return right === 0 ? left : greatestCommonDivisor(right, left % right);
}
