// Properties of any stream, tested with nearly valid streams. VIBING_SEED repeats a run,
// VIBING_RUNS multiplies the number of runs.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { seeded } from '../../testing/splits.ts';
import { modelStream } from './model.ts';
import { DEFAULT_LIMITS, limits, places, runs, type Sample, splitsOf, streams } from './streams.ts';
import { readStream, type Segment } from './subject.ts';

/**
 * Bytes around a segment: for any position of a message, at least one of them changes its result.
 */
const GUARDS = [0x00, 0x61, 0x0d, 0x0a, 0x20, 0x30, 0x3a];

/** Copies each segment into its own memory: at its end, or surrounded by bytes of one kind. */
class Placement {
  #turn: number;

  constructor(turn: number) {
    this.#turn = turn;
  }

  place(stream: Uint8Array, from: number, to: number): Segment {
    this.#turn += 1;
    const start = (this.#turn * 7) % 13;
    const behind = this.#turn % 3 === 0 ? 0 : 9;
    const end = start + to - from;
    const bytes = new Uint8Array(end + behind).fill(GUARDS[this.#turn % GUARDS.length]);
    bytes.set(stream.subarray(from, to), start);
    return { bytes, start, end };
  }
}

it('agrees with the model on parts, framing and errors', (context) => {
  const property = fc.property(streams, limits, ({ bytes }, input) => {
    const { messages, end } = modelStream(bytes, input);
    assert.deepEqual(readStream(bytes, input), { messages, end });
  });
  fc.assert(property, seeded(context, runs(2_500)));
});

it('has the same result for any splits, and reads only its input', (context) => {
  const property = fc.property(streams, limits, places, fc.nat({ max: 99 }), (...input) => {
    const [{ bytes }, some, splits, turn] = input;
    const placement = new Placement(turn);
    const place = placement.place.bind(placement);
    const segments = readStream(bytes, some, splitsOf(splits, bytes.length), place, { count: 0 });
    assert.deepEqual(segments, readStream(bytes, some));
  });
  fc.assert(property, seeded(context, runs(600)));
});

it('has the same result byte by byte', (context) => {
  const property = fc.property(streams, limits, ({ bytes }, some) => {
    const everywhere = Array.from(bytes.keys());
    assert.deepEqual(readStream(bytes, some, everywhere), readStream(bytes, some));
  });
  fc.assert(property, seeded(context, runs(600)));
});

it('has the results of each stream for two in sequence', (context) => {
  const property = fc.property(streams, streams, (first, second) => {
    const alone = readStream(first.bytes, DEFAULT_LIMITS);
    fc.pre(alone.end.kind === 'complete');
    const both = readStream(joined(first, second), DEFAULT_LIMITS);
    const other = readStream(second.bytes, DEFAULT_LIMITS);
    assert.deepEqual(both, { messages: [...alone.messages, ...other.messages], end: other.end });
  });
  fc.assert(property, { ...seeded(context, runs(300)), maxSkipsPerRun: 1_000 });
});

it('needs every byte that it consumes', (context) => {
  const property = fc.property(streams, ({ bytes }) => {
    const [message] = readStream(bytes, DEFAULT_LIMITS).messages;
    fc.pre(message !== undefined);
    const short = readStream(bytes.subarray(0, message.bytes - 1), DEFAULT_LIMITS);
    assert.deepEqual(short, { messages: [], end: { kind: 'incomplete' } });
    const single = readStream(bytes.subarray(0, message.bytes), DEFAULT_LIMITS);
    assert.deepEqual(single.messages, [message]);
  });
  fc.assert(property, { ...seeded(context, runs(300)), maxSkipsPerRun: 1_000 });
});

function joined(first: Sample, second: Sample): Uint8Array {
  return Uint8Array.from([...first.bytes, ...second.bytes]);
}
