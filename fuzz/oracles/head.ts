// Properties of a head, for any bytes: its meaning depends neither on its position nor on splits,
// its parts follow the grammar, and encoded again it parses to the same.

import { BodyKind, Framing, frame } from '../../src/http/framing.ts';
import { TOKEN } from '../../src/http/grammar.ts';
import { Head, OFFSETS_PER_FIELD } from '../../src/http/head.ts';
import { type HeadLimits, parseHead } from '../../src/http/parse-head.ts';
import { check, hashOf, same } from './check.ts';

/** Small, so that small inputs reach them. */
export const HEAD_LIMITS: HeadLimits = { headBytesMax: 480, targetBytesMax: 120, fieldsMax: 12 };

export const HEAD_BYTES_MAX = 600;

const CR = 0x0d;
const LF = 0x0a;
const SP = 0x20;
const TAB = 0x09;

/** Two buffers with other bytes around the head, and one for the head encoded again. */
const first = new Uint8Array(HEAD_BYTES_MAX + 32).fill(0x61);
const second = new Uint8Array(HEAD_BYTES_MAX + 32);
const reEncoded = new Uint8Array(HEAD_BYTES_MAX + 32);
const complete = new Head(HEAD_LIMITS.fieldsMax);
const split = new Head(HEAD_LIMITS.fieldsMax);
const framing = new Framing();
const otherFraming = new Framing();

/** Returns the result of parseHead(); throws when a property does not hold. */
export function checkHead(input: Uint8Array, thorough: boolean): number {
  const { length } = input;
  const hash = hashOf(input);
  const start = hash & 7;
  complete.reset();
  first.set(input, start);
  const result = parseHead(first, start, start + length, complete, HEAD_LIMITS);
  first.fill(0x61, start, start + length);
  check(result <= length, 'no more bytes are consumed than given');
  check(result <= HEAD_LIMITS.headBytesMax, 'no head is longer than its limit');
  checkSplit(input, result, hash);
  if (thorough) checkByteByByte(input, result);
  if (result <= 0) return result;
  checkParts(input, result);
  const fault = frame(input, 0, complete, framing);
  if (fault === 0) checkFraming();
  checkReEncoded(input, fault);
  return fault < 0 ? fault : result;
}

/** Parses in two parts, the first at another position than both together, among CR or LF bytes. */
function checkSplit(input: Uint8Array, expected: number, hash: number): void {
  const { length } = input;
  const cut = length === 0 ? 0 : (hash >>> 8) % length;
  const start = (hash >>> 4) & 7;
  second.fill(hash & 8 ? LF : CR);
  second.set(cut === length ? input : input.subarray(0, cut), start + 1);
  split.reset();
  let result = parseHead(second, start + 1, start + 1 + cut, split, HEAD_LIMITS);
  if (result === 0) {
    second.set(input, start);
    result = parseHead(second, start, start + length, split, HEAD_LIMITS);
  }
  same(result, expected, 'the result for a head split in two');
  if (expected > 0) sameParts();
}

function checkByteByByte(input: Uint8Array, expected: number): void {
  split.reset();
  let result = 0;
  for (let end = 0; end <= input.length && result === 0; end++) {
    result = parseHead(input, 0, end, split, HEAD_LIMITS);
  }
  same(result, expected, 'the result for a head byte by byte');
  if (expected > 0) sameParts();
}

function sameParts(): void {
  same(split.method, complete.method, 'method');
  same(split.methodStart, complete.methodStart, 'start of the method');
  same(split.methodEnd, complete.methodEnd, 'end of the method');
  same(split.targetStart, complete.targetStart, 'start of the target');
  same(split.targetEnd, complete.targetEnd, 'end of the target');
  same(split.form, complete.form, 'form');
  same(split.pathStart, complete.pathStart, 'start of the path');
  same(split.pathEnd, complete.pathEnd, 'end of the path');
  same(split.queryStart, complete.queryStart, 'start of the query');
  same(split.queryEnd, complete.queryEnd, 'end of the query');
  same(split.plainPath, complete.plainPath, 'whether the path is plain');
  same(split.minor, complete.minor, 'version');
  same(split.fieldCount, complete.fieldCount, 'fields');
  for (let index = 0; index < complete.fieldCount; index++) {
    same(split.names[index], complete.names[index], 'number of a field');
  }
  for (let at = 0; at < complete.fieldCount * OFFSETS_PER_FIELD; at++) {
    same(split.offsets[at], complete.offsets[at], 'offset of a field');
  }
}

function checkParts(bytes: Uint8Array, length: number): void {
  const { methodStart, methodEnd, targetStart, targetEnd, offsets, fieldCount } = complete;
  check(methodStart < methodEnd && methodEnd + 1 === targetStart, 'a method, then the target');
  checkToken(bytes, methodStart, methodEnd);
  check(targetStart < targetEnd, 'a target has bytes');
  check(targetEnd - targetStart <= HEAD_LIMITS.targetBytesMax, 'a target is within its limit');
  for (let p = targetStart; p < targetEnd; p++) {
    check(bytes[p] > SP && bytes[p] < 0x7f, 'a target has visible characters');
  }
  check(
    complete.pathStart >= targetStart && complete.pathEnd <= targetEnd,
    'a path is in its target',
  );
  check(fieldCount <= HEAD_LIMITS.fieldsMax, 'the fields are within their limit');
  let from = targetEnd + ' HTTP/1.1\r\n'.length;
  for (let index = 0; index < fieldCount; index++) {
    const at = index * OFFSETS_PER_FIELD;
    same(offsets[at], from, 'a field begins where the line before it ended');
    checkToken(bytes, offsets[at], offsets[at + 1]);
    checkValue(bytes, offsets[at + 2], offsets[at + 3]);
    check(offsets[at + 1] < offsets[at + 2], 'a value is behind its name');
    from = offsets[at + 3];
    while (bytes[from] === SP || bytes[from] === TAB) from += 1;
    check(bytes[from] === CR && bytes[from + 1] === LF, 'a line ends in CRLF');
    from += 2;
  }
  check(bytes[from] === CR && bytes[from + 1] === LF, 'a head ends in an empty line');
  same(length, from + 2, 'length of the head');
}

function checkToken(bytes: Uint8Array, from: number, to: number): void {
  check(from < to, 'a name has bytes');
  for (let p = from; p < to; p++) check(TOKEN[bytes[p]] !== 0, 'a name is a token');
}

function checkValue(bytes: Uint8Array, from: number, to: number): void {
  check(from <= to, 'a value ends behind its beginning');
  for (let p = from; p < to; p++) {
    const byte = bytes[p];
    check((byte >= SP && byte !== 0x7f) || byte === TAB, 'a value has no control characters');
  }
  if (from === to) return;
  const edges = [bytes[from], bytes[to - 1]];
  check(!edges.includes(SP) && !edges.includes(TAB), 'a value has no white space around it');
}

function checkFraming(): void {
  const { kind, length } = framing;
  same(kind === BodyKind.Length, length > 0, 'whether a body has a length');
  check(Number.isSafeInteger(length), 'a length is exact');
  if (kind !== BodyKind.Chunked) return;
  same(complete.minor, 1, 'the version of a chunked body');
}

/** Encodes the head again without optional white space: it must parse to the same. */
function checkReEncoded(bytes: Uint8Array, fault: number): void {
  const { methodStart, targetEnd, offsets, fieldCount } = complete;
  let length = append(bytes, methodStart, targetEnd + ' HTTP/1.1\r\n'.length, 0);
  for (let index = 0; index < fieldCount; index++) {
    const at = index * OFFSETS_PER_FIELD;
    length = append(bytes, offsets[at], offsets[at + 1] + 1, length);
    length = append(bytes, offsets[at + 2], offsets[at + 3], length);
    reEncoded[length++] = CR;
    reEncoded[length++] = LF;
  }
  reEncoded[length++] = CR;
  reEncoded[length++] = LF;
  split.reset();
  same(
    parseHead(reEncoded, 0, length, split, HEAD_LIMITS),
    length,
    'the length of the head encoded again',
  );
  same(split.fieldCount, fieldCount, 'its fields');
  same(split.method, complete.method, 'its method');
  same(split.form, complete.form, 'its form');
  same(split.plainPath, complete.plainPath, 'whether its path is plain');
  same(frame(reEncoded, 0, split, otherFraming), fault, 'its framing');
  same(otherFraming.kind, framing.kind, 'its kind of body');
  same(otherFraming.length, framing.length, 'the length of its body');
  same(otherFraming.keepAlive, framing.keepAlive, 'whether its connection is kept alive');
}

function append(bytes: Uint8Array, from: number, to: number, length: number): number {
  for (let p = from; p < to; p++) reEncoded[length + p - from] = bytes[p];
  return length + to - from;
}
