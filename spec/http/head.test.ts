// Head: reset, copies, and strings from bytes that were moved.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { AssertionFault } from '../../src/base/assert.ts';
import { Head } from '../../src/http/head.ts';
import { parseHead } from '../../src/http/parse-head.ts';
import { bytesOf } from '../../testing/splits.ts';

const LIMITS = { headBytesMax: 1_000, targetBytesMax: 100, fieldsMax: 4 };
const TEXT = 'POST /a/../b?c HTTP/1.1\r\nHost: a\r\nX-Name: caf\xe9\r\n\r\n';

/** All of a head but the memory it was parsed from. */
function contentOf(head: Head): unknown {
  const { viewedBytes: _bytes, view: _view, offsets, names, fieldsMax: _max, ...numbers } = head;
  return {
    ...numbers,
    offsets: [...offsets.subarray(0, head.fieldCount * 4)],
    names: [...names.subarray(0, head.fieldCount)],
  };
}

function parsed(): Head {
  const head = new Head(4);
  const bytes = bytesOf(TEXT);
  assert.equal(parseHead(bytes, 0, bytes.length, head, LIMITS), TEXT.length);
  return head;
}

it('reset() restores the state after the constructor', () => {
  const head = parsed();
  assert.notDeepEqual(contentOf(head), contentOf(new Head(4)));
  head.reset();
  assert.deepEqual(contentOf(head), contentOf(new Head(4)));
});

it('strings are read from the bytes, wherever the request begins in them', () => {
  const head = parsed();
  const moved = bytesOf(`12345${TEXT}`);
  assert.equal(head.name(moved, 5, 0), 'host');
  assert.equal(head.value(moved, 5, 0), 'a');
  assert.equal(head.name(moved, 5, 1), 'x-name');
  assert.equal(head.value(moved, 5, 1), 'caf\xe9');
});

it('a copy is equal and continues at the same byte', () => {
  const copy = new Head(8);
  copy.copyFrom(parsed());
  assert.deepEqual(contentOf(copy), contentOf(parsed()));
  const bytes = bytesOf(TEXT);
  for (let cut = 0; cut < bytes.length; cut++) {
    const first = new Head(4);
    const second = new Head(4);
    assert.equal(parseHead(bytes, 0, cut, first, LIMITS), 0);
    second.copyFrom(first);
    assert.equal(parseHead(bytes, 0, bytes.length, second, LIMITS), bytes.length);
    assert.deepEqual(contentOf(second), contentOf(parsed()));
  }
});

it('a copy needs room, and so does a parser', () => {
  assert.throws(() => new Head(1).copyFrom(parsed()), AssertionFault);
  assert.throws(() => parseHead(bytesOf(TEXT), 0, 1, new Head(3), LIMITS), AssertionFault);
});
