// What has to be true of a head, whatever the bytes: it means the same wherever it lies and however
// it is cut, its parts are what their names say, and written anew it is read the same.

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

/** Two memories with other bytes around what is parsed, and one for what is written anew. */
const first = new Uint8Array(HEAD_BYTES_MAX + 32).fill(0x61);
const second = new Uint8Array(HEAD_BYTES_MAX + 32);
const anew = new Uint8Array(HEAD_BYTES_MAX + 32);
const whole = new Head(HEAD_LIMITS.fieldsMax);
const pieces = new Head(HEAD_LIMITS.fieldsMax);
const framing = new Framing();
const otherFraming = new Framing();

/** What parseHead() gives; throws when something is wrong. */
export function checkHead(input: Uint8Array, thorough: boolean): number {
  const { length } = input;
  const hash = hashOf(input);
  const start = hash & 7;
  whole.reset();
  first.set(input, start);
  const result = parseHead(first, start, start + length, whole, HEAD_LIMITS);
  first.fill(0x61, start, start + length);
  check(result <= length, 'no more is taken than given');
  check(result <= HEAD_LIMITS.headBytesMax, 'no head is longer than it may be');
  inPieces(input, result, hash);
  if (thorough) byteByByte(input, result);
  if (result <= 0) return result;
  checkParts(input, result);
  const fault = frame(input, 0, whole, framing);
  if (fault === 0) checkFraming();
  writtenAnew(input, fault);
  return fault < 0 ? fault : result;
}

/** In two pieces, the first at another place than both together, among bytes that mean much. */
function inPieces(input: Uint8Array, expected: number, hash: number): void {
  const { length } = input;
  const cut = length === 0 ? 0 : (hash >>> 8) % length;
  const start = (hash >>> 4) & 7;
  second.fill(hash & 8 ? LF : CR);
  second.set(cut === length ? input : input.subarray(0, cut), start + 1);
  pieces.reset();
  let result = parseHead(second, start + 1, start + 1 + cut, pieces, HEAD_LIMITS);
  if (result === 0) {
    second.set(input, start);
    result = parseHead(second, start, start + length, pieces, HEAD_LIMITS);
  }
  same(result, expected, 'a head in two pieces gives');
  if (expected > 0) sameParts();
}

function byteByByte(input: Uint8Array, expected: number): void {
  pieces.reset();
  let result = 0;
  for (let end = 0; end <= input.length && result === 0; end++) {
    result = parseHead(input, 0, end, pieces, HEAD_LIMITS);
  }
  same(result, expected, 'a head byte by byte gives');
  if (expected > 0) sameParts();
}

function sameParts(): void {
  same(pieces.method, whole.method, 'method');
  same(pieces.methodStart, whole.methodStart, 'start of the method');
  same(pieces.methodEnd, whole.methodEnd, 'end of the method');
  same(pieces.targetStart, whole.targetStart, 'start of the target');
  same(pieces.targetEnd, whole.targetEnd, 'end of the target');
  same(pieces.form, whole.form, 'form');
  same(pieces.pathStart, whole.pathStart, 'start of the path');
  same(pieces.pathEnd, whole.pathEnd, 'end of the path');
  same(pieces.queryStart, whole.queryStart, 'start of the query');
  same(pieces.queryEnd, whole.queryEnd, 'end of the query');
  same(pieces.plainPath, whole.plainPath, 'whether the path is plain');
  same(pieces.minor, whole.minor, 'version');
  same(pieces.fieldCount, whole.fieldCount, 'fields');
  for (let index = 0; index < whole.fieldCount; index++) {
    same(pieces.names[index], whole.names[index], 'number of a field');
  }
  for (let at = 0; at < whole.fieldCount * OFFSETS_PER_FIELD; at++) {
    same(pieces.offsets[at], whole.offsets[at], 'place of a field');
  }
}

function checkParts(bytes: Uint8Array, length: number): void {
  const { methodStart, methodEnd, targetStart, targetEnd, offsets, fieldCount } = whole;
  check(methodStart < methodEnd && methodEnd + 1 === targetStart, 'a method, then the target');
  tokens(bytes, methodStart, methodEnd);
  check(targetStart < targetEnd, 'a target has bytes');
  check(targetEnd - targetStart <= HEAD_LIMITS.targetBytesMax, 'a target is as long as it may be');
  for (let p = targetStart; p < targetEnd; p++) {
    check(bytes[p] > SP && bytes[p] < 0x7f, 'a target has visible characters');
  }
  check(whole.pathStart >= targetStart && whole.pathEnd <= targetEnd, 'a path is in its target');
  check(fieldCount <= HEAD_LIMITS.fieldsMax, 'there are as many fields as there may be');
  let from = targetEnd + ' HTTP/1.1\r\n'.length;
  for (let index = 0; index < fieldCount; index++) {
    const at = index * OFFSETS_PER_FIELD;
    same(offsets[at], from, 'a field begins where the line before it ended');
    tokens(bytes, offsets[at], offsets[at + 1]);
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

function tokens(bytes: Uint8Array, from: number, to: number): void {
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
  same(whole.minor, 1, 'the version of a chunked body');
}

/** Without what may be left out, the same head again. */
function writtenAnew(bytes: Uint8Array, fault: number): void {
  const { methodStart, targetEnd, offsets, fieldCount } = whole;
  let length = append(bytes, methodStart, targetEnd + ' HTTP/1.1\r\n'.length, 0);
  for (let index = 0; index < fieldCount; index++) {
    const at = index * OFFSETS_PER_FIELD;
    length = append(bytes, offsets[at], offsets[at + 1] + 1, length);
    length = append(bytes, offsets[at + 2], offsets[at + 3], length);
    anew[length++] = CR;
    anew[length++] = LF;
  }
  anew[length++] = CR;
  anew[length++] = LF;
  pieces.reset();
  same(parseHead(anew, 0, length, pieces, HEAD_LIMITS), length, 'the same head written anew');
  same(pieces.fieldCount, fieldCount, 'its fields');
  same(pieces.method, whole.method, 'its method');
  same(pieces.form, whole.form, 'its form');
  same(pieces.plainPath, whole.plainPath, 'whether its path is plain');
  same(frame(anew, 0, pieces, otherFraming), fault, 'its framing');
  same(otherFraming.kind, framing.kind, 'its kind of body');
  same(otherFraming.length, framing.length, 'the length of its body');
  same(otherFraming.keepAlive, framing.keepAlive, 'whether its connection lives');
}

function append(bytes: Uint8Array, from: number, to: number, length: number): number {
  for (let p = from; p < to; p++) anew[length + p - from] = bytes[p];
  return length + to - from;
}
