// The table of literal segments: it finds each of them, however many there are.

import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { Literal, Literals } from '../../src/route/literals.ts';

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

/** As the hash of all bytes mixes before it takes a word. */
const FACTOR = 0x9e3779b1;
const mixed = (hash: number): number => hash ^ (hash >>> 15);

/** Names of 12 bytes with one first word, whose hashes of all bytes are equal. */
function collidingNames(count: number): Uint8Array[] {
  const names: Uint8Array[] = [];
  for (let number = 0; names.length < count; number++) {
    const name = new Uint8Array(12);
    const view = new DataView(name.buffer);
    view.setInt32(0, 0x61626364, true);
    view.setInt32(4, 0x61616161 + number, true);
    let hash = Math.imul(mixed(12) + 0x61626364, FACTOR);
    hash = Math.imul(mixed(hash) + view.getInt32(4, true), FACTOR);
    view.setInt32(8, 0x12345678 - mixed(hash), true);
    if (!name.includes(0x2f)) names.push(name);
  }
  return names;
}

test('names with equal hashes are found without a comparison with each', () => {
  const literals = new Literals<number>();
  const names = collidingNames(2_000);
  for (const [index, name] of names.entries()) literals.behind(name, () => index);
  const comparisons = mock.method(Literal.prototype, 'isAt');
  const find = (name: Uint8Array, rest = '/rest'): number | undefined => {
    const path = Buffer.concat([Buffer.from('/'), name, Buffer.from(`${rest}....`)]);
    const view = new DataView(path.buffer, path.byteOffset, path.byteLength);
    return literals.find(view, 1, 1 + name.length + rest.length)?.behind;
  };
  for (const [index, name] of names.entries()) assert.equal(find(name), index);
  assert.equal(find(names[0].subarray(0, 11)), undefined);
  assert.equal(find(names[0], 'a'), undefined);
  assert.equal(find(names[7], ''), 7);
  assert.ok(comparisons.mock.callCount() < 20 * names.length, 'a table has runs of some');
  comparisons.mock.restore();
  const another = Buffer.from('another');
  assert.equal(
    literals.behind(another, () => -1),
    -1,
  );
  assert.equal(find(another), -1);
  assert.equal(find(names[3]), 3);
});
