// The head parser on mutated heads: splits have no effect, and a regular expression agrees.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { mutated, seeded, splitsWithin } from '../../testing/splits.ts';
import { LIMITS, parse } from './fixtures/split-head.ts';

describe('parseHead: properties', () => {
  const request = fc.constantFrom(
    'GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n',
    '\r\nPOST /a/../b.c?d=%20 HTTP/1.0\r\nContent-Length: 5\r\nX-A:\t b \r\n\r\nhello',
    'OPTIONS * HTTP/1.1\r\nUser-Agent: curl/8\r\nAccept: */*;q=0.8\r\nTE: trailers\r\n\r\n',
    'CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\n\r\n',
    'GET HTTP://a.b:1/c?d HTTP/1.1\r\nConnection: close\r\nCookie: \xe9\xff\r\n\r\n0\r\n\r\n',
  );
  const anything = fc.oneof(
    { weight: 5, arbitrary: mutated(request) },
    { weight: 1, arbitrary: mutated(fc.string({ unit: 'binary-ascii', maxLength: 60 })) },
  );
  const limited = fc.record({
    headBytesMax: fc.oneof(fc.constant(16_384), fc.integer({ min: 1, max: 120 })),
    targetBytesMax: fc.oneof(fc.constant(8_192), fc.integer({ min: 1, max: 20 })),
    fieldsMax: fc.integer({ min: 1, max: 4 }),
  });

  it('has the same result for any splits', (context) => {
    const splitText = anything.chain((text) =>
      fc.tuple(fc.constant(text), splitsWithin(text.length)),
    );
    const property = fc.property(splitText, limited, ([text, splits], limits) => {
      const unsplit = parse(text, [], limits);
      const segments = parse(text, splits, limits);
      assert.equal(segments.result, unsplit.result);
      assert.deepEqual(segments.parts, unsplit.parts);
      assert.ok(unsplit.result <= Math.min(text.length, limits.headBytesMax));
    });
    fc.assert(property, seeded(context, 3_000));
  });

  it('agrees with the grammar as a regular expression', (context) => {
    const property = fc.property(anything, (text) => {
      const { result, parts } = parse(text);
      const expected = model(text);
      assert.equal(result > 0, expected !== null);
      if (expected === null || parts === null) return;
      assert.equal(result, expected.length);
      assert.equal(parts.method, expected.method);
      assert.equal(parts.target, expected.target);
      assert.deepEqual(parts.fields, expected.fields);
    });
    fc.assert(property, seeded(context, 5_000));
  });
});

interface Model {
  readonly length: number;
  readonly method: string;
  readonly target: string;
  readonly fields: [string, string][];
}

/** A slow, simple parser; it checks authorities only as far as mutations require. */
function model(text: string): Model | null {
  const token = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]";
  const value = '[\\t\\x20-\\x7e\\x80-\\xff]*';
  const line = `${token}+:${value}\\r\\n`;
  const match = new RegExp(
    `^(?:\\r\\n)?(${token}{1,32}) ([!-~]+) HTTP/1\\.[01]\\r\\n((?:${line})*)\\r\\n`,
  ).exec(text);
  if (match === null) return null;
  const [all, method, target, lines] = match;
  if (/["<>#]/.test(target)) return null;
  const host = "(?:\\[[0-9a-fA-F:.]+\\]|(?:[-._~!$&'()*+,;=0-9A-Za-z]|%[0-9a-fA-F]{2})+)";
  const port = (digits: string | undefined): boolean => Number(digits ?? 0) <= 65_535;
  if (method === 'CONNECT') {
    const parts = new RegExp(`^${host}:([0-9]+)$`).exec(target);
    if (parts === null || !port(parts[1]) || brackets(target)) return null;
  } else if (target === '*') {
    if (method !== 'OPTIONS') return null;
  } else if (!target.startsWith('/')) {
    const parts = new RegExp(`^https?://${host}(?::([0-9]*))?(?:[/?].*)?$`, 'i').exec(target);
    if (parts === null || !port(parts[1]) || brackets(target)) return null;
  }
  const fields = lines
    .split('\r\n')
    .slice(0, -1)
    .map((field): [string, string] => {
      const colon = field.indexOf(':');
      const trimmed = field.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '');
      return [field.slice(0, colon).toLowerCase(), trimmed];
    });
  return fields.length > LIMITS.fieldsMax ? null : { length: all.length, method, target, fields };
}

/** Whether a target has an address in brackets that URL rejects. */
function brackets(target: string): boolean {
  const address = /^(?:https?:\/\/)?(\[[^\]]*\])/i.exec(target);
  return address !== null && !URL.canParse(`http://${address[1]}/`);
}
