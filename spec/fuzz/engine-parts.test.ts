// The parts of the engine: features, the choice of inputs, inputs from comparisons, mutations,
// shrinking.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { candidates } from '../../fuzz/engine/comparisons.ts';
import { Corpus } from '../../fuzz/engine/corpus.ts';
import { Coverage } from '../../fuzz/engine/coverage.ts';
import { Mutator } from '../../fuzz/engine/mutator.ts';
import { shrink } from '../../fuzz/engine/shrink.ts';
import { Random } from '../../testing/random.ts';

const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

describe('coverage', () => {
  it('is new when a counter moves for the first time, or reaches a new bucket', () => {
    const counters = new Uint8ClampedArray(16);
    const coverage = new Coverage(counters);
    const taken = [1, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 127, 128, 255].map((hits) => {
      coverage.clear();
      counters[5] = hits;
      return coverage.take();
    });
    assert.deepEqual(taken, [1, 0, 1, 1, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0]);
    assert.deepEqual([coverage.count, coverage.reached, coverage.hits[5]], [8, 1, 14]);
    counters[9] = 1;
    const features = coverage.features();
    assert.deepEqual([...features], [5 * 8 + 7, 9 * 8]);
    assert.ok(coverage.has(features));
    counters[5] = 1;
    assert.ok(!coverage.has(features));
  });
});

describe('a corpus', () => {
  it('chooses small and rare inputs more often', () => {
    const corpus = new Corpus();
    corpus.add(new Uint8Array(100), Int32Array.of(0));
    corpus.add(new Uint8Array(10), Int32Array.of(0, 8));
    corpus.add(new Uint8Array(10), Int32Array.of(16));
    const hits = Float64Array.of(1e6, 10, 1e6);
    const random = new Random(1);
    for (let left = 3_000; left > 0; left--) corpus.pick(random, hits);
    const [large, rare, common] = corpus.entries.map(({ picks }) => picks);
    assert.ok(rare > 2 * common && common > 2 * large, `${[large, rare, common]}`);
  });

  it('minimizes to inputs that together have all features', () => {
    const corpus = new Corpus();
    corpus.add(new Uint8Array(50), Int32Array.of(1, 2, 3));
    corpus.add(new Uint8Array(5), Int32Array.of(1));
    corpus.add(new Uint8Array(6), Int32Array.of(2));
    corpus.add(new Uint8Array(7), Int32Array.of(1, 2));
    const minimal = corpus.minimal();
    assert.deepEqual(
      minimal.map(({ bytes }) => bytes.length),
      [50],
    );
  });
});

describe('inputs from comparisons', () => {
  const proposed = (input: string, ...compared: unknown[]): string[] =>
    candidates(bytesOf(input), compared, 0, new Random(1)).map(textOf);

  it('have one operand in place of the other, in each form', () => {
    assert.ok(proposed('a:b', 0x62, 0x2f).includes('a:/'), 'a byte');
    assert.ok(proposed('x=12;', 12, 4096).includes('x=4096;'), 'a decimal');
    assert.ok(proposed('x=12;', 12, 4096).includes('x=4097;'), 'one more');
    assert.ok(proposed('1b\r\n', 27, 255).includes('ff\r\n'), 'a hexadecimal');
    assert.ok(proposed('-HTTQ', 0x51545448, 0x50545448).includes('-HTTP'), 'a word');
    assert.ok(proposed('"post"', 'post', 'port').includes('"port"'), 'a text');
    assert.deepEqual(proposed('abc', 200, 201), []);
  });

  it('keep the control bytes', () => {
    const made = candidates(bytesOf('aa'), [0x61, 0x7a], 1, new Random(1));
    assert.deepEqual(made.map(textOf), ['az']);
  });
});

describe('mutations', () => {
  it('stay within the maximum, mostly keep the control bytes, and repeat with their seed', () => {
    const make = (seed: number): string[] => {
      const mutator = new Mutator({
        random: new Random(seed),
        bytesMax: 40,
        controlBytes: 2,
        words: ['word'],
        mutations: [],
      });
      const base = bytesOf('\0\0GET / HTTP/1.1\r\nA: 12\r\n\r\n');
      return Array.from({ length: 2_000 }, () => textOf(mutator.mutate(base, bytesOf('xxother'))));
    };
    const made = make(5);
    assert.deepEqual(made, make(5));
    assert.notDeepEqual(made, make(6));
    assert.ok(made.every((text) => text.length >= 2 && text.length <= 40));
    assert.ok(new Set(made).size > 1_500, 'most differ');
    assert.ok(made.filter((text) => text.startsWith('\0\0')).length > 1_000);
    assert.ok(made.some((text) => text.includes('word')) && made.some((text) => /othe/.test(text)));
  });

  it('accept empty inputs', () => {
    const random = new Random(3);
    const options = { random, bytesMax: 8, controlBytes: 0, words: ['a'], mutations: [] };
    const mutator = new Mutator(options);
    for (let left = 2_000; left > 0; left--) {
      assert.ok(mutator.mutate(new Uint8Array(0), new Uint8Array(0)).length <= 8);
    }
  });
});

describe('shrinking', () => {
  it('keeps the condition and the front, within its tries', async () => {
    let tries = 0;
    const holds = async (candidate: Uint8Array): Promise<boolean> => {
      tries += 1;
      const text = textOf(candidate);
      return text.includes('a') && text.includes('z');
    };
    const input = bytesOf(`12${'-'.repeat(300)}a${'-'.repeat(100)}z--`);
    assert.equal(textOf(await shrink(input, 2, 1_000, holds)), '12az');
    tries = 0;
    await shrink(input, 2, 7, holds);
    assert.equal(tries, 7);
    assert.equal(textOf(await shrink(bytesOf('12'), 2, 10, holds)), '12');
  });
});
