// A head that stays with its request: it reads as before, and no other head writes into it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limitsFrom } from '../../src/base/limits.ts';
import { Head } from '../../src/http/head.ts';
import { parseHead } from '../../src/http/parse-head.ts';

const LIMITS = limitsFrom();

function bytesOf(count: number, mark: string): Uint8Array {
  const fields = Array.from(
    { length: count },
    (_, index) => `X-${mark}${index}: ${mark}${index}\r\n`,
  );
  return Buffer.from(`GET /${mark} HTTP/1.1\r\nHost: ${mark}\r\n${fields.join('')}\r\n`);
}

function fieldsOf(head: Head, bytes: Uint8Array): string[] {
  return Array.from({ length: head.fieldCount }, (_, index) => {
    return `${head.name(bytes, 0, index)}: ${head.value(bytes, 0, index)}`;
  });
}

function parsed(bytes: Uint8Array): Head {
  const head = new Head(LIMITS.fieldsMax);
  assert.equal(parseHead(bytes, 0, bytes.length, head, LIMITS), bytes.length);
  return head;
}

test('compact heads keep their fields, however many heads follow', () => {
  const kept: { readonly head: Head; readonly bytes: Uint8Array; readonly fields: string[] }[] = [];
  for (let round = 0; round < 600; round++) {
    const bytes = bytesOf(round % 90, `r${round}-`);
    const head = parsed(bytes);
    const fields = fieldsOf(head, bytes);
    assert.equal(fields.length, (round % 90) + 1);
    head.compact();
    // A second call changes nothing.
    head.compact();
    kept.push({ head, bytes, fields });
  }
  for (const { head, bytes, fields } of kept) assert.deepEqual(fieldsOf(head, bytes), fields);
});

test('a head with all of its fields, or with none, can be compact', () => {
  for (const count of [LIMITS.fieldsMax - 1, 0]) {
    const bytes = bytesOf(count, 'a');
    const head = parsed(bytes);
    head.compact();
    const other = parsed(bytesOf(50, 'b'));
    assert.equal(fieldsOf(head, bytes).length, count + 1);
    assert.equal(other.fieldCount, 51);
    assert.equal(
      fieldsOf(head, bytes).at(-1),
      count === 0 ? 'host: a' : `x-a${count - 1}: a${count - 1}`,
    );
  }
});

test('a head of another size neither takes nor drops the arrays of a compact one', () => {
  const head = parsed(bytesOf(3, 'a'));
  const { names, offsets } = head;
  head.compact();
  head.compact();
  for (const fieldsMax of [0, 10]) assert.equal(new Head(fieldsMax).names.length, fieldsMax);
  const next = new Head(LIMITS.fieldsMax);
  assert.ok(next.names === names && next.offsets === offsets);
});

test('arrays of a size that is no longer used make room for those of another one', () => {
  const size = LIMITS.fieldsMax;
  const heads = Array.from({ length: 300 }, () => new Head(size));
  const arrays = new Set(heads.map(({ names }) => names));
  for (const head of heads) head.compact();
  const spare = heads.filter(({ names }) => names.length === 0).length;
  assert.ok(spare > 0 && spare < heads.length, `${spare} spare arrays`);
  const other = new Head(size + 1);
  const { names } = other;
  other.compact();
  assert.equal(other.names.length, 0);
  assert.ok(new Head(size + 1).names === names);
  const again = Array.from({ length: spare }, () => new Head(size).names);
  assert.equal(again.filter((one) => arrays.has(one)).length, spare - 1, 'one made room');
});

test('the arrays of a compact head serve another one of the same size only', () => {
  const head = parsed(bytesOf(3, 'a'));
  head.compact();
  assert.ok(head.names.length === 4 && head.offsets.length === 16);
  const small = new Head(10);
  assert.equal(small.names.length, 10);
  const next = parsed(bytesOf(3, 'b'));
  const { names, offsets } = next;
  next.compact();
  const last = new Head(LIMITS.fieldsMax);
  assert.ok(last.names === names && last.offsets === offsets);
});
