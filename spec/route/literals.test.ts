// The table of literal segments: it finds each of them, however many there are.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Literals } from '../../src/route/literals.ts';

test('a node may have more literals than a call takes arguments', () => {
  for (const count of [32_769, 200_000]) {
    const literals = new Literals<number>();
    const encoder = new TextEncoder();
    for (let number = 0; number < count; number++) {
      literals.behind(encoder.encode(`product-${number}`), () => number);
    }
    for (const [text, expected] of [
      ['product-0', 0],
      [`product-${count - 1}`, count - 1],
      [`product-${count}`, undefined],
    ] as const) {
      const view = new DataView(encoder.encode(`${text}/and-more`).buffer);
      assert.equal(literals.find(view, 0, text.length)?.behind, expected, text);
    }
  }
});
