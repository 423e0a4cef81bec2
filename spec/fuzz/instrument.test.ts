// Instrumented code behaves as before, and its counters differ between branches.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { importsOf, instrument, instrumentComparisons } from '../../fuzz/engine/instrument.ts';

const SOURCE = `export function f(a, b) {
  let c = a && b;
  if (a) c = 1; else if (b) c = 2;
  for (const one of [1, 2, 3]) if (one > 1) c += one;
  while (c > 100) { c -= 1; }
  switch (a) {
    case 1:
    case 2: c += 10; break;
    case 'GET': { c = 5; }
  }
  const g = (x) => ({ x: x ? 'yes' : 'no' });
  try { if (b === 9) throw new Error('text of an error'); } catch { c = -1; }
  do c += 0x54534554 > 0 ? 0 : 1; while (false);
  return [c, g(b).x, a ?? b, typeof a === 'number' || (a, b)];
}
export class K { #p = 1; static { K.q = 2; } get p() { return this.#p !== 2 ? K.q : 0; } }
`;

const CASES: readonly [unknown, unknown][] = [
  [0, 0],
  [1, 0],
  [2, 9],
  [0, 5],
  ['GET', 3],
  [null, 'x'],
  [120, 1],
];

/** Runs a module with its import replaced by `given`. */
function run(code: string, given: Record<string, unknown>): (a: unknown, b: unknown) => unknown {
  const body = code
    .replace(
      /^import \{([^}]*)\} from "[^"]*";/,
      (_all, names: string) => `const {${names.replaceAll(' as ', ': ')}} = given;`,
    )
    .replaceAll('export ', '');
  return new Function('given', `${body}\nreturn (a, b) => [f(a, b), new K().p];`)(given);
}

describe('instrumented code', () => {
  const plain = run(SOURCE, {});

  it('behaves the same, with the same line numbers', () => {
    const { code, next } = instrument(SOURCE, 3, './counters.js');
    const counters = new Uint8ClampedArray(next);
    const counted = run(code, { counters, steps: new Int32Array([1e6]), exhausted: () => {} });
    for (const [a, b] of CASES) assert.deepEqual(counted(a, b), plain(a, b));
    assert.equal(code.split('\n').length, SOURCE.split('\n').length);
    assert.deepEqual(
      [...counters.subarray(0, 3)],
      [0, 0, 0],
      'counting starts at the given counter',
    );
  });

  it('has other counts for other branches', () => {
    const { code, next } = instrument(SOURCE, 0, './counters.js');
    const counters = new Uint8ClampedArray(next);
    const counted = run(code, { counters, steps: new Int32Array([1e6]), exhausted: () => {} });
    const ways = CASES.map(([a, b]) => {
      counters.fill(0);
      counted(a, b);
      return counters.join();
    });
    assert.equal(new Set(ways).size, CASES.length);
    for (let left = 300; left > 0; left--) counted(1, 1);
    assert.ok(counters.includes(255), 'a counter is clamped');
  });

  it('ends when its steps are used up', () => {
    const source = 'export function f() { for (;;); }\nexport class K {}\n';
    const { code, next } = instrument(source, 0, './counters.js');
    const counters = new Uint8ClampedArray(next);
    const exhausted = () => {
      throw new RangeError('enough');
    };
    const counted = run(code, { counters, steps: new Int32Array([1000]), exhausted });
    assert.throws(() => counted(0, 0), /enough/);
  });

  it('returns the words of the code without messages of errors', () => {
    const { words } = instrument(SOURCE, 0, './counters.js');
    assert.deepEqual([...words].sort(), ['GET', 'TEST', 'no', 'number', 'yes']);
  });

  it('records its comparisons', () => {
    const recorded: string[] = [];
    const note =
      (decide: (a: number, b: number) => boolean) =>
      (a: number, b: number): boolean => {
        recorded.push(`${a},${b}`);
        return decide(a, b);
      };
    const recording = run(instrumentComparisons(SOURCE, './counters.js'), {
      equal: note((a, b) => a === b),
      unequal: note((a, b) => a !== b),
      less: note((a, b) => a < b),
      atMost: note((a, b) => a <= b),
      more: note((a, b) => a > b),
      atLeast: note((a, b) => a >= b),
    });
    for (const [a, b] of CASES) assert.deepEqual(recording(a, b), plain(a, b));
    for (const pair of ['3,1', '5,9', 'number,number', '1,2'])
      assert.ok(recorded.includes(pair), pair);
  });

  it('returns its imports', () => {
    const source = "import { a } from './a.js';\nexport * from './b.js';\nimport 'c';\na();\n";
    assert.deepEqual(importsOf(source), ['./a.js', './b.js', 'c']);
  });
});
