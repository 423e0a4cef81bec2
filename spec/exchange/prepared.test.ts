// Prepared responses: their bytes are a complete response, and what no response may contain is
// rejected when they are made.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type HeaderSource, partsOf, prepare } from '../../src/exchange/prepared.ts';

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

describe('prepare', () => {
  it('encodes head and content together, with room for the date', () => {
    const prepared = prepare(200, { 'X-A': 'b', 'X-N': 7 }, 'hello');
    const blank = ' '.repeat(29);
    assert.equal(
      textOf(partsOf(prepared).bytes),
      `HTTP/1.1 200 OK\r\nDate: ${blank}\r\nX-A: b\r\nX-N: 7\r\n` +
        'Content-Type: text/plain; charset=utf-8\r\nContent-Length: 5\r\n\r\nhello',
    );
    assert.equal(textOf(partsOf(prepared).bytes.subarray(partsOf(prepared).headBytes)), 'hello');
    const { dateAt, bytes } = partsOf(prepared);
    assert.equal(textOf(bytes.subarray(dateAt, dateAt + 6)), 'Date: ');
    assert.deepEqual(prepared.headers, [
      ['X-A', 'b'],
      ['X-N', '7'],
      ['Content-Type', 'text/plain; charset=utf-8'],
    ]);
    assert.ok(Object.isFrozen(prepared));
  });

  it('accepts pairs, also several of one name', () => {
    const pairs: HeaderSource = new Map([['A', '1']]);
    assert.deepEqual(prepare(200, pairs).headers, [['A', '1']]);
    const twice: [string, string][] = [
      ['Set-Cookie', 'a'],
      ['Set-Cookie', 'b'],
    ];
    assert.deepEqual(prepare(200, twice).headers, twice);
  });

  it('a given type stays, bytes have another default', () => {
    const typed = prepare(200, { 'content-type': 'text/html' }, 'x');
    assert.deepEqual(typed.headers, [['content-type', 'text/html']]);
    const bytes = prepare(200, {}, Uint8Array.of(1));
    assert.deepEqual(bytes.headers, [['Content-Type', 'application/octet-stream']]);
    assert.deepEqual(prepare(200).headers, []);
  });

  it('a given date is the only one', () => {
    const prepared = prepare(200, { date: 'today' });
    assert.equal(partsOf(prepared).dateAt, -1);
    assert.equal(textOf(partsOf(prepared).bytes).match(/date/gi)?.length, 1);
  });

  it('content is copied, text is UTF-8', () => {
    const content = Buffer.from('abc');
    const prepared = prepare(200, {}, content);
    content.fill('x');
    assert.equal(textOf(prepared.body), 'abc');
    prepared.body.fill(0);
    assert.equal(textOf(prepared.body), 'abc', 'each time another copy');
    assert.match(textOf(partsOf(prepared).bytes), /\r\n\r\nabc$/);
    assert.equal(prepare(200, {}, 'é€').body.length, 5);
    assert.ok(textOf(partsOf(prepare(200, {}, 'é€')).bytes).includes('Content-Length: 5\r\n'));
  });

  it('204 and 304 have no length and no content', () => {
    for (const status of [204, 304]) {
      assert.ok(!/content-length/i.test(textOf(partsOf(prepare(status)).bytes)));
      assert.throws(() => prepare(status, {}, 'x'), TypeError);
    }
    assert.ok(textOf(partsOf(prepare(205)).bytes).includes('Content-Length: 0\r\n'));
  });

  it('rejects what no response may contain', () => {
    for (const status of [0, 100, 199, 600, 200.5, Number.NaN]) {
      assert.throws(() => prepare(status), RangeError);
    }
    for (const name of [
      '',
      'a b',
      'a:',
      'é',
      'Content-Length',
      'transfer-encoding',
      'Connection',
    ]) {
      assert.throws(() => prepare(200, { [name]: 'x' }), TypeError, name);
    }
    for (const value of ['a\r\nb', 'a\nb', '\0', '€']) {
      assert.throws(() => prepare(200, { A: value }), TypeError);
    }
  });
});
