// The requests of a load, ready as bytes, in the order in which every connection sends them: round
// and round, mixed by weight. They lie one behind the other, so that several go out in one send.

import { assert } from '../base/assert.ts';
import { type Asked, HeadMemory } from './response-reader.ts';

/** One kind of request, as bytes. */
export interface SequencedRequest {
  readonly bytes: Uint8Array;
  readonly isHead: boolean;
  /** What the body of the answer has to be, or null. */
  readonly expected: Uint8Array | null;
  /** How often it comes, beside the others. */
  readonly weight: number;
}

/** Memory below this size may lie on V8's heap, where the kernel cannot follow it. */
const LEAST_BYTES = 256;

export class RequestSequence {
  /** What is sent; a batch that begins anywhere lies in one piece. */
  readonly bytes: Uint8Array;
  readonly length: number;
  /** What is known of each kind of request. */
  readonly asked: readonly Asked[];
  /** Where the request of a position begins, and in the end where the last one ends. */
  readonly #starts: Float64Array;
  /** The kind of request at a position. */
  readonly #kinds: Int32Array;

  /** `depth` is the most that goes out at once. */
  constructor(requests: readonly SequencedRequest[], depth: number) {
    const order = mixed(requests.map(({ weight }) => weight));
    this.length = order.length;
    this.#kinds = Int32Array.from(order);
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
    this.asked = requests.map(({ isHead, expected }) => {
      return { isHead, expected, memory: new HeadMemory() };
    });
  }

  kindAt(position: number): number {
    return this.#kinds[position];
  }

  start(position: number): number {
    return this.#starts[position];
  }

  /** Where a batch of `count` requests from `position` on ends. */
  end(position: number, count: number): number {
    return this.#starts[position + count];
  }

  /** `count` positions further on. */
  after(position: number, count: number): number {
    const next = position + count;
    return next < this.length ? next : next % this.length;
  }
}

/** Bytes that a wheel takes. */
export function wheelBytes(requests: readonly SequencedRequest[], depth: number): number {
  const most = requests.reduce((bytes, request) => Math.max(bytes, request.bytes.length), 0);
  const round = weightsOf(requests.map(({ weight }) => weight));
  return requests.reduce(
    (sum, { bytes }, index) => sum + bytes.length * round[index],
    most * depth,
  );
}

/**
 * Indexes in an order that is as even as can be: 2 and 1 give 0, 1, 0 rather than 0, 0, 1. In each
 * step all gain their weight, and the one that has most gives up what all gained.
 */
export function mixed(weights: readonly number[]): readonly number[] {
  const least = weightsOf(weights);
  const total = least.reduce((sum, weight) => sum + weight, 0);
  assert(total > 0, 'some request comes');
  const have = least.map(() => 0);
  const order: number[] = [];
  while (order.length < total) {
    let best = 0;
    for (let index = 0; index < have.length; index++) {
      have[index] += least[index];
      if (have[index] > have[best]) best = index;
    }
    have[best] -= total;
    order.push(best);
  }
  return order;
}

/** The same weights in the least whole numbers. */
export function weightsOf(weights: readonly number[]): readonly number[] {
  const divisor = weights.reduce(greatestCommonDivisor, 0);
  return weights.map((weight) => weight / divisor);
}

function greatestCommonDivisor(left: number, right: number): number {
  return right === 0 ? left : greatestCommonDivisor(right, left % right);
}
