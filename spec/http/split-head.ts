// Parses a head in segments, and returns its parts as strings.

import assert from 'node:assert/strict';
import { Head } from '../../src/http/head.ts';
import { type HeadLimits, parseHead } from '../../src/http/parse-head.ts';
import { bytesOf, place } from '../../testing/splits.ts';

export const LIMITS: HeadLimits = { headBytesMax: 16_384, targetBytesMax: 8_192, fieldsMax: 20 };

export interface Outcome {
  readonly result: number;
  /** How many bytes were received when the result was known. */
  readonly at: number;
  readonly parts: Parts | null;
}

export interface Parts {
  readonly method: string;
  readonly methodNumber: number;
  readonly target: string;
  readonly form: number;
  readonly path: string;
  readonly query: string | null;
  readonly plainPath: number;
  readonly minor: number;
  readonly fields: readonly (readonly [string, string])[];
}

function partsOf(head: Head, bytes: Uint8Array, start: number): Parts {
  const text = (from: number, to: number): string =>
    Buffer.from(bytes.subarray(start + from, start + to)).toString('latin1');
  assert.equal(head.queryStart < 0, head.queryEnd < 0);
  const fields: [string, string][] = [];
  for (let index = 0; index < head.fieldCount; index++) {
    fields.push([head.name(bytes, start, index), head.value(bytes, start, index)]);
  }
  return {
    method: text(head.methodStart, head.methodEnd),
    methodNumber: head.method,
    target: text(head.targetStart, head.targetEnd),
    form: head.form,
    path: text(head.pathStart, head.pathEnd),
    query: head.queryStart < 0 ? null : text(head.queryStart, head.queryEnd),
    plainPath: head.plainPath,
    minor: head.minor,
    fields,
  };
}

/**
 * Parses in segments that end at `splits` and at the end; the request is moved between any two.
 */
export function parse(
  text: string,
  splits: readonly number[] = [],
  limits: HeadLimits = LIMITS,
): Outcome {
  const source = bytesOf(text);
  const head = new Head(limits.fieldsMax);
  let turn = splits.length + text.length;
  for (const split of [...splits, text.length]) {
    turn += 1;
    const { bytes, start, end } = place(source, 0, split, turn);
    const before = bytes.slice();
    const result = parseHead(bytes, start, end, head, limits);
    assert.deepEqual(bytes, before, 'nothing is written');
    if (result < 0) return { result, at: split, parts: null };
    if (result > 0) return { result, at: split, parts: partsOf(head, bytes, start) };
  }
  return { result: 0, at: text.length, parts: null };
}
