// Responses that the server encodes, parsed in sequence by the model of a client.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { writeHex } from '../../src/base/bytes.ts';
import { DateField } from '../../src/http/date.ts';
import {
  ConnectionField,
  encodeHead,
  headBytesBound,
  LENGTH_CHUNKED,
  LENGTH_NONE,
  writeLineEnd,
} from '../../src/http/encode.ts';
import { checkedName, ResponseFields } from '../../src/http/response-fields.ts';
import { reasonPhrase } from '../../src/http/status.ts';
import { bytesOf, seeded } from '../../testing/splits.ts';
import { modelResponses } from './model-response.ts';
import { DEFAULT_LIMITS, runs } from './streams.ts';

const date = new DateField();
date.update(Date.UTC(2024, 1, 29, 12));
const DATE = ['date', 'Thu, 29 Feb 2024 12:00:00 GMT'] as const;

interface Input {
  readonly status: number;
  readonly fields: readonly (readonly [string, string])[];
  readonly segments: readonly string[];
  readonly chunked: boolean;
  readonly connection: number;
}

const character = fc.oneof(
  fc.integer({ min: 0x21, max: 0x7e }),
  fc.constantFrom(0x80, 0xff, 9, 32),
);
const text = fc.string({ unit: character.map((code) => String.fromCharCode(code)), maxLength: 20 });
const token = fc.string({ unit: fc.constantFrom(...'aZ-!0~|'), minLength: 1, maxLength: 8 });
const octet = fc.nat({ max: 255 }).map((code) => String.fromCharCode(code));
const input: fc.Arbitrary<Input> = fc.record({
  status: fc.oneof(fc.constantFrom(100, 200, 204, 304, 404), fc.integer({ min: 100, max: 599 })),
  fields: fc.array(fc.tuple(token, text), { maxLength: 6 }),
  segments: fc.array(fc.string({ unit: octet, minLength: 1, maxLength: 40 }), { maxLength: 4 }),
  chunked: fc.boolean(),
  connection: fc.constantFrom(...Object.values(ConnectionField)),
});

function hasBody({ status }: Input): boolean {
  return status >= 200 && status !== 204 && status !== 304;
}

/** As the server writes it: the head, then the content with its length or in chunks. */
function encoded(one: Input): string {
  const fields = new ResponseFields();
  for (const [name, value] of one.fields) fields.append(name, checkedName(name), value);
  const head = new Uint8Array(headBytesBound(fields));
  const content = one.segments.join('');
  const length = one.chunked ? LENGTH_CHUNKED : hasBody(one) ? content.length : LENGTH_NONE;
  const end = encodeHead(head, 0, one.status, fields, date.bytes, length, one.connection);
  const start = Buffer.from(head.subarray(0, end)).toString('latin1');
  if (!hasBody(one)) return start;
  if (!one.chunked) return start + content;
  return `${start}${one.segments.map(chunk).join('')}0\r\n\r\n`;
}

function chunk(segment: string): string {
  const line = new Uint8Array(20);
  const end = writeLineEnd(line, writeHex(line, 0, segment.length));
  return `${Buffer.from(line.subarray(0, end)).toString('latin1')}${segment}\r\n`;
}

/** Framing fields are last. */
function framing(one: Input): (readonly [string, string])[] {
  const fields: (readonly [string, string])[] = [];
  if (one.chunked) fields.push(['transfer-encoding', 'chunked']);
  else if (hasBody(one)) fields.push(['content-length', String(one.segments.join('').length)]);
  if (one.connection === ConnectionField.Close) fields.push(['connection', 'close']);
  if (one.connection === ConnectionField.Keep) fields.push(['connection', 'keep-alive']);
  return fields;
}

it('responses are parsed one by one', (context) => {
  const property = fc.property(fc.array(input, { maxLength: 4 }), (all) => {
    const responses = modelResponses(bytesOf(all.map(encoded).join('')), DEFAULT_LIMITS);
    const expected = all.map((one) => ({
      status: one.status,
      reason: reasonPhrase(one.status),
      fields: [
        DATE,
        ...one.fields.map(([name, value]) => [
          name.toLowerCase(),
          value.replace(/^[ \t]+|[ \t]+$/g, ''),
        ]),
        ...framing(one),
      ],
      body: hasBody(one) ? one.segments.join('') : '',
      trailers: [],
    }));
    assert.deepEqual(responses, expected);
  });
  fc.assert(property, seeded(context, runs(300)));
});
