// What must hold for any stream, tried with streams that are nearly requests. VIBING_SEED repeats a
// run, VIBING_RUNS makes all of them longer.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { seeded } from '../../testing/splits.ts';
import { modelStream } from './model.ts';
import { cutsOf, limits, places, runs, type Sample, streams, USUAL_LIMITS } from './streams.ts';
import { type Piece, readStream } from './subject.ts';

/** Bytes before and behind a piece: each would go unnoticed somewhere, all of them nowhere. */
const GUARDS = [0x00, 0x61, 0x0d, 0x0a, 0x20, 0x30, 0x3a];

/** Puts each piece into memory of its own: at its very end, or among bytes of one kind. */
class Placement {
  #turn: number;

  constructor(turn: number) {
    this.#turn = turn;
  }

  place(stream: Uint8Array, from: number, to: number): Piece {
    this.#turn += 1;
    const start = (this.#turn * 7) % 13;
    const behind = this.#turn % 3 === 0 ? 0 : 9;
    const end = start + to - from;
    const bytes = new Uint8Array(end + behind).fill(GUARDS[this.#turn % GUARDS.length]);
    bytes.set(stream.subarray(from, to), start);
    return { bytes, start, end };
  }
}

it('agrees with the model on parts, framing and refusals', (context) => {
  const property = fc.property(streams, limits, ({ bytes }, given) => {
    const { messages, end } = modelStream(bytes, given);
    assert.deepEqual(readStream(bytes, given), { messages, end });
  });
  fc.assert(property, seeded(context, runs(2_500)));
});

it('gives the same wherever the cuts are, and reads nothing but what it was given', (context) => {
  const property = fc.property(streams, limits, places, fc.nat({ max: 99 }), (...given) => {
    const [{ bytes }, some, cuts, turn] = given;
    const placement = new Placement(turn);
    const place = placement.place.bind(placement);
    const pieces = readStream(bytes, some, cutsOf(cuts, bytes.length), place, { count: 0 });
    assert.deepEqual(pieces, readStream(bytes, some));
  });
  fc.assert(property, seeded(context, runs(600)));
});

it('gives the same byte by byte', (context) => {
  const property = fc.property(streams, limits, ({ bytes }, some) => {
    const everywhere = Array.from(bytes.keys());
    assert.deepEqual(readStream(bytes, some, everywhere), readStream(bytes, some));
  });
  fc.assert(property, seeded(context, runs(600)));
});

it('gives for one stream behind another what it gives for each', (context) => {
  const property = fc.property(streams, streams, (first, second) => {
    const alone = readStream(first.bytes, USUAL_LIMITS);
    fc.pre(alone.end.kind === 'whole');
    const both = readStream(joined(first, second), USUAL_LIMITS);
    const other = readStream(second.bytes, USUAL_LIMITS);
    assert.deepEqual(both, { messages: [...alone.messages, ...other.messages], end: other.end });
  });
  fc.assert(property, { ...seeded(context, runs(300)), maxSkipsPerRun: 1_000 });
});

it('needs every byte that it takes', (context) => {
  const property = fc.property(streams, ({ bytes }) => {
    const [message] = readStream(bytes, USUAL_LIMITS).messages;
    fc.pre(message !== undefined);
    const short = readStream(bytes.subarray(0, message.bytes - 1), USUAL_LIMITS);
    assert.deepEqual(short, { messages: [], end: { kind: 'incomplete' } });
    const whole = readStream(bytes.subarray(0, message.bytes), USUAL_LIMITS);
    assert.deepEqual(whole.messages, [message]);
  });
  fc.assert(property, { ...seeded(context, runs(300)), maxSkipsPerRun: 1_000 });
});

function joined(first: Sample, second: Sample): Uint8Array {
  return Uint8Array.from([...first.bytes, ...second.bytes]);
}
