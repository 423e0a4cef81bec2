// Heads of responses: the encoded head parses to the same status and fields, and never exceeds its
// bound.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { RESPONSE_FIELDS_MAX } from '../../src/base/fixed-limits.ts';
import { DateField } from '../../src/http/date.ts';
import {
  ConnectionField,
  encodeHead,
  headBytesBound,
  LENGTH_CHUNKED,
  LENGTH_NONE,
  writeField,
} from '../../src/http/encode.ts';
import { checkedName, ResponseFields } from '../../src/http/response-fields.ts';
import { reasonPhrase } from '../../src/http/status.ts';
import { seeded } from '../../testing/splits.ts';

const MARK = 0xee;
const CONNECTIONS = Object.values(ConnectionField);

const date = new DateField();
date.update(Date.UTC(2024, 1, 29, 12));
const DATE: Pair = ['Date', 'Thu, 29 Feb 2024 12:00:00 GMT'];

type Pair = readonly [name: string, value: string];

function fieldsOf(pairs: readonly Pair[]): ResponseFields {
  const fields = new ResponseFields();
  for (const [name, value] of pairs) fields.append(name, checkedName(name), value);
  return fields;
}

/** The head as text; fails when it exceeds its bound, or bytes around it were written. */
function encoded(status: number, pairs: readonly Pair[], length: number, connection: number) {
  const fields = fieldsOf(pairs);
  const bound = headBytesBound(fields);
  const target = Buffer.alloc(bound + 10, MARK);
  const end = encodeHead(target, 5, status, fields, date.bytes, length, connection);
  assert.ok(end - 5 <= bound, `${end - 5} bytes of ${bound}`);
  assert.ok(target.subarray(0, 5).every((byte) => byte === MARK));
  assert.ok(target.subarray(end).every((byte) => byte === MARK));
  return target.toString('latin1', 5, end);
}

/** A simple parser of heads. */
function parsed(head: string): { line: string; pairs: Pair[] } {
  assert.ok(head.endsWith('\r\n\r\n'));
  const [line, ...lines] = head.slice(0, -4).split('\r\n');
  const pairs = lines.map((text): Pair => {
    const colon = text.indexOf(': ');
    assert.ok(colon > 0, text);
    return [text.slice(0, colon), text.slice(colon + 2)];
  });
  return { line, pairs };
}

function framingOf(length: number, connection: number): Pair[] {
  const pairs: Pair[] = [];
  if (length >= 0) pairs.push(['Content-Length', String(length)]);
  if (length === LENGTH_CHUNKED) pairs.push(['Transfer-Encoding', 'chunked']);
  if (connection === ConnectionField.Close) pairs.push(['Connection', 'close']);
  if (connection === ConnectionField.Keep) pairs.push(['Connection', 'keep-alive']);
  return pairs;
}

it('a complete head, byte by byte', () => {
  const head = encoded(200, [['Content-Type', 'text/plain']], 12, ConnectionField.Close);
  assert.equal(
    head,
    'HTTP/1.1 200 OK\r\nDate: Thu, 29 Feb 2024 12:00:00 GMT\r\nContent-Type: text/plain\r\n' +
      'Content-Length: 12\r\nConnection: close\r\n\r\n',
  );
});

it('without fields, and with the longest parts, it is within its bound', () => {
  for (let status = 100; status <= 599; status++) {
    for (const length of [LENGTH_NONE, LENGTH_CHUNKED, Number.MAX_SAFE_INTEGER]) {
      for (const connection of CONNECTIONS) {
        const { line, pairs } = parsed(encoded(status, [], length, connection));
        assert.equal(line, `HTTP/1.1 ${status} ${reasonPhrase(status)}`);
        assert.deepEqual(pairs, [DATE, ...framingOf(length, connection)]);
      }
    }
  }
});

it('with as many fields as a response may have, the shortest ones, it is within its bound', () => {
  const pairs = Array.from({ length: RESPONSE_FIELDS_MAX }, (): Pair => ['a', '']);
  for (const length of [LENGTH_NONE, LENGTH_CHUNKED, Number.MAX_SAFE_INTEGER]) {
    const found = parsed(encoded(511, pairs, length, ConnectionField.Keep)).pairs;
    assert.deepEqual(found, [DATE, ...pairs, ...framingOf(length, ConnectionField.Keep)]);
  }
});

it('a Date that a handler sets replaces that of the server', () => {
  const head = encoded(200, [['DATE', 'today']], LENGTH_NONE, ConnectionField.None);
  assert.deepEqual(parsed(head).pairs, [['DATE', 'today']]);
});

it('an encoded head parses to the same fields, for any fields', (context) => {
  const name = fc.string({ unit: fc.constantFrom('a', 'Z', '-', '!', '0'), minLength: 1 });
  const character = fc.oneof(
    fc.integer({ min: 0x20, max: 0x7e }),
    fc.integer({ min: 0x80, max: 0xff }),
    fc.constant(9),
  );
  const value = fc.string({ unit: character.map((code) => String.fromCharCode(code)) });
  const length = fc.oneof(fc.constantFrom(LENGTH_NONE, LENGTH_CHUNKED), fc.maxSafeNat());
  const property = fc.property(
    fc.integer({ min: 100, max: 599 }),
    fc.array(fc.tuple(name, value), { maxLength: 30 }),
    length,
    fc.constantFrom(...CONNECTIONS),
    (status, given, bytes, connection) => {
      const { line, pairs } = parsed(encoded(status, given, bytes, connection));
      assert.equal(line, `HTTP/1.1 ${status} ${reasonPhrase(status)}`);
      assert.deepEqual(pairs, [DATE, ...given, ...framingOf(bytes, connection)]);
    },
  );
  fc.assert(property, seeded(context, 500));
});

it('a field line alone', () => {
  const target = Buffer.alloc(20, MARK);
  const end = writeField(target, 2, 'A', 'b \xff');
  assert.equal(target.toString('latin1', 2, end), 'A: b \xff\r\n');
  assert.equal(target[end], MARK);
});
