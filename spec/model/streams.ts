// Arbitrary streams of requests for the properties, and the limits they are parsed with.

import fc from 'fast-check';
import { LIMITS } from '../../src/base/limits.ts';
import type { Draw } from '../../testing/random.ts';
import { drawn } from './drawn.ts';
import { generate, generateInto } from './generate.ts';
import type { ModelLimits } from './model-head.ts';
import { mutate } from './mutate.ts';

/** Memory for a stream and for what mutations add to it. */
const STREAM_BYTES = 4_096;

/** A stream that is printed as text, one character for each byte. */
export class Sample {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  toString(): string {
    return JSON.stringify(Buffer.from(this.bytes).toString('latin1'));
  }
}

/** One of three streams is as generated, the others are mutated, with parts of another stream. */
export function drawStream(random: Draw): Sample {
  const bytes = new Uint8Array(STREAM_BYTES);
  let length = generateInto(random, bytes);
  if (random(3) > 0) length = mutate(random, bytes, length, generate(random));
  return new Sample(bytes.slice(0, length));
}

export const streams: fc.Arbitrary<Sample> = drawn(drawStream);

/** The default limits. */
export const DEFAULT_LIMITS: ModelLimits = {
  headBytesMax: LIMITS.headBytesMax.default,
  targetBytesMax: LIMITS.targetBytesMax.default,
  fieldsMax: LIMITS.fieldsMax.default,
  trailerBytesMax: LIMITS.trailerBytesMax.default,
  chunkExtensionBytesMax: LIMITS.chunkExtensionBytesMax.default,
};

/** The default limits, or small ones that streams often exceed. */
export const limits: fc.Arbitrary<ModelLimits> = fc.oneof(
  fc.constant(DEFAULT_LIMITS),
  fc.record({
    headBytesMax: fc.integer({ min: 1, max: 300 }),
    targetBytesMax: fc.integer({ min: 1, max: 40 }),
    fieldsMax: fc.integer({ min: 1, max: 8 }),
    trailerBytesMax: fc.integer({ min: 1, max: 40 }),
    chunkExtensionBytesMax: fc.integer({ min: 0, max: 20 }),
  }),
);

/** Sorted split positions in a stream of this length, from places of any size. */
export function splitsOf(places: readonly number[], length: number): readonly number[] {
  const splits = places.map((place) => place % (length + 1));
  return [...new Set(splits)].sort((one, other) => one - other);
}

/** Places to split a stream of any length. */
export const places: fc.Arbitrary<number[]> = fc.array(fc.nat({ max: 65_535 }), { maxLength: 6 });

/** VIBING_RUNS multiplies how often each property is tried. */
export function runs(count: number): number {
  return Math.ceil(count * Number(process.env['VIBING_RUNS'] ?? 1));
}
