// The generator and the mutations: repeatable, within their memory, and a mix of valid and invalid
// streams.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Random } from '../../testing/random.ts';
import { bytesOf } from '../../testing/splits.ts';
import { randomFromChoices } from './choices.ts';
import { generate, generateInto } from './generate.ts';
import { mutate, mutateOnce } from './mutate.ts';
import { duplicate, remove, replaceText } from './span.ts';
import { DEFAULT_LIMITS } from './streams.ts';
import { readStream } from './subject.ts';

const SEED = Number(process.env['VIBING_SEED'] ?? 1);
const OTHER = generate(new Random(SEED + 1).draw);

function ends(make: (seed: number) => Uint8Array): Map<string, number> {
  const counts = new Map<string, number>();
  for (let seed = SEED; seed < SEED + 1_000; seed++) {
    const { kind } = readStream(make(seed), DEFAULT_LIMITS).end;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

describe('generate', () => {
  it('returns the same stream for the same seed', (context) => {
    context.diagnostic(`seed ${SEED}`);
    assert.deepEqual(generate(new Random(SEED).draw), generate(new Random(SEED).draw));
    assert.notDeepEqual(generate(new Random(SEED).draw), OTHER);
  });

  it('returns the simplest request for no choices', () => {
    const simplest = 'GET /a HTTP/1.1\r\nHost: a\r\n\r\n';
    assert.equal(Buffer.from(generate(randomFromChoices([]))).toString(), simplest);
  });

  it('writes only within its memory', () => {
    for (let size = 0; size < 60; size++) {
      const memory = new Uint8Array(size + 8).fill(0xee);
      const length = generateInto(new Random(SEED + size).draw, memory.subarray(0, size));
      assert.ok(length <= size);
      assert.ok(memory.subarray(size).every((byte) => byte === 0xee));
    }
  });

  it('returns mostly valid requests, and some that are rejected', () => {
    const counts = ends((seed) => generate(new Random(seed).draw));
    const consumed = (counts.get('complete') ?? 0) + (counts.get('closed') ?? 0);
    assert.ok(consumed > 400 && consumed < 900, `${consumed} of 1000 streams are accepted`);
    assert.ok((counts.get('rejected') ?? 0) > 100);
  });
});

describe('mutate', () => {
  it('writes only within its memory and not to the other message', () => {
    const before = OTHER.slice();
    const random = new Random(SEED).draw;
    const memory = new Uint8Array(408).fill(0xee);
    const bytes = memory.subarray(0, 400);
    for (let turn = 0; turn < 20_000; turn++) {
      let length = turn % 4 === 0 ? generateInto(random, bytes) : random(401);
      length = mutate(random, bytes, length, OTHER);
      assert.ok(length >= 0 && length <= 400, `length ${length}`);
    }
    assert.ok(memory.subarray(400).every((byte) => byte === 0xee));
    assert.deepEqual(OTHER, before);
  });

  it('changes most messages slightly', () => {
    let changed = 0;
    for (let seed = SEED; seed < SEED + 500; seed++) {
      const random = new Random(seed).draw;
      const bytes = new Uint8Array(4_096);
      const length = generateInto(random, bytes);
      const before = Buffer.from(bytes.subarray(0, length));
      const after = mutateOnce(random, bytes, length, OTHER);
      if (!before.equals(bytes.subarray(0, after))) changed += 1;
    }
    assert.ok(changed > 400, `${changed} of 500 changed`);
  });

  it('leaves some messages valid', () => {
    const counts = ends((seed) => {
      const bytes = new Uint8Array(4_096);
      const random = new Random(seed).draw;
      return bytes.slice(0, mutate(random, bytes, generateInto(random, bytes), OTHER));
    });
    assert.ok((counts.get('rejected') ?? 0) > 300);
    assert.ok((counts.get('complete') ?? 0) > 20);
  });
});

describe('spans', () => {
  const memory = (text: string): Uint8Array => bytesOf(`${text}......`);
  const shown = (bytes: Uint8Array, length: number): string =>
    Buffer.from(bytes.subarray(0, length)).toString('latin1');

  it('are removed, replaced and duplicated', () => {
    const bytes = memory('abcdef');
    assert.equal(shown(bytes, remove(bytes, 6, 1, 3)), 'adef');
    assert.equal(shown(bytes, replaceText(bytes, 4, 1, 2, 'xyz')), 'axyzef');
    assert.equal(shown(bytes, replaceText(bytes, 6, 1, 4, '')), 'aef');
    for (const [at, doubled] of [
      [0, 'bcabcd'],
      [1, 'abcbcd'],
      [2, 'abbccd'],
      [3, 'abcbcd'],
      [4, 'abcdbc'],
    ] as const) {
      const four = memory('abcd');
      assert.equal(shown(four, duplicate(four, 4, 1, 3, at)), doubled);
    }
  });

  it('are not changed when there is no room', () => {
    const bytes = bytesOf('abc');
    assert.equal(replaceText(bytes, 3, 0, 1, 'xy'), 3);
    assert.equal(duplicate(bytes, 3, 0, 1, 2), 3);
    assert.equal(shown(bytes, 3), 'abc');
  });
});
