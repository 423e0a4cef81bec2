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

/** With bytes behind it that are no part of the path. */
function found(literals: Literals<string>, text: string): string | undefined {
  const path = Buffer.from(`/${text}/zzzz`);
  const view = new DataView(path.buffer, path.byteOffset, path.byteLength);
  return literals.find(view, 1, 1 + text.length)?.behind;
}

test('each byte of a name of any length is compared, alone and among others', () => {
  for (let length = 1; length <= 20; length++) {
    const name = 'abcdefghijklmnopqrst'.slice(0, length);
    const literals = new Literals<string>();
    const add = (text: string): string => literals.behind(Buffer.from(text), () => text);
    add(name);
    const others: string[] = [];
    for (let at = 0; at < length; at++) {
      others.push(`${name.slice(0, at)}X${name.slice(at + 1)}`);
    }
    assert.equal(found(literals, name), name);
    for (const other of [...others, `${name}X`]) assert.equal(found(literals, other), undefined);
    // Names that are added after a search are found, too.
    for (const other of others) add(other);
    for (const other of [name, ...others]) assert.equal(found(literals, other), other);
  }
});
