// Hot: runs for every byte. Measured by perf/micro/parse-head.ts.
// The parser of the request line and the field lines. It is strict and resumable at every byte: no
// byte is parsed twice.

import { COLON, CR, DOT, LF, SLASH, SP, TAB } from '../base/ascii.ts';
import { assert } from '../base/assert.ts';
import { Fault } from './fault.ts';
import { recognizeField } from './fields.ts';
import * as grammar from './grammar.ts';
import type { Head } from './head.ts';
import { METHOD_BYTES_MAX, recognizeMethod } from './method.ts';
import { finishTarget, formOf } from './target-form.ts';

/**
 * States of the parser, named by what it is reading, in the order of the bytes. The parts of a line
 * are consecutive steps, each entered unless `state` is past it: comparisons and not a switch, so
 * that a head that arrives complete runs through them in one pass.
 */
const State = {
  Start: 0,
  EmptyLineFeed: 1,
  Method: 2,
  TargetStart: 3,
  Target: 4,
  Version: 5,
  LineStart: 6,
  Name: 7,
  BeforeValue: 8,
  Value: 9,
  ValueLineFeed: 10,
  LastLineFeed: 11,
  Done: 12,
} as const;

/** A part of the request line is complete: neither a fault nor 0 for "needs more". */
const READ = 1;

// Local copies: an imported binding costs a load for each use.
const TOKEN = grammar.TOKEN;
const FIELD_VALUE = grammar.FIELD_VALUE;
const TARGET_PLAIN = grammar.TARGET.slice();
const QUESTION = 0x3f;
const PERCENT = 0x25;

/**
 * Target bytes that decide where the query begins or whether the path is plain end the fast loop.
 */
TARGET_PLAIN[QUESTION] = 0;
TARGET_PLAIN[PERCENT] = 0;
TARGET_PLAIN[DOT] = 0;
TARGET_PLAIN[SLASH] = 0;

/** 'HTTP', '/1.1' and '/1.0' as little-endian words. */
const WORD_HTTP = 0x50545448;
const WORD_1_1 = 0x312e312f;
const WORD_1_0 = 0x302e312f;
const WORD_CRLF = 0x0a0d;
const VERSION_BYTES = 10;
/** One byte repeated four times, to test four bytes at once. */
const ONES = 0x01010101;
const SPACES = 0x20202020;
const COLONS = 0x3a3a3a3a;
const HIGH_BITS = -0x7f7f7f80;
/** Longer names are read byte by byte; all known names are shorter. */
const COLON_SEARCH_BYTES = 32;
/** The bytes of the version; 0 stands for a digit. */
const VERSION_PATTERN = [0x48, 0x54, 0x54, 0x50, SLASH, 0, DOT, 0, CR, LF];

export interface HeadLimits {
  readonly headBytesMax: number;
  readonly targetBytesMax: number;
  readonly fieldsMax: number;
}

/**
 * Parses a head that begins at bytes[start] and of which [start, end) has been received. Returns
 * its length with the blank line, 0 when it needs more (call again with the same head), or a Fault.
 */
export function parseHead(
  bytes: Uint8Array,
  start: number,
  end: number,
  head: Head,
  limits: HeadLimits,
): number {
  assert(limits.fieldsMax <= head.fieldsMax, 'the head has room for fieldsMax fields');
  // Bytes past the limit are never read, so the result does not depend on how the bytes are split.
  const stop = end - start > limits.headBytesMax ? start + limits.headBytesMax : end;
  let result = READ;
  if (head.state <= State.Method) result = parseMethod(bytes, start, stop, head);
  if (result > 0 && head.state <= State.Target) {
    result = parseTarget(bytes, start, stop, head, limits.targetBytesMax);
  }
  if (result > 0 && head.state === State.Version) result = parseVersion(bytes, start, stop, head);
  if (result > 0) result = parseFields(bytes, start, stop, head, limits.fieldsMax);
  return result === 0 && stop < end ? Fault.HeadTooLarge : result;
}

/** Whether no byte of a request has been received except an empty line before it. */
export function isBlank(head: Head): boolean {
  return head.state === State.Method && head.cursor === head.methodStart;
}

/** Whether a valid request line has been read: the spans of method and target mean something. */
export function hasRequestLine(head: Head): boolean {
  return head.state >= State.LineStart;
}

/** Makes the parser begin with field lines: a trailer section has no request line. */
export function beginFields(head: Head): void {
  head.state = State.LineStart;
}

/** An optional empty line (RFC 9112 2.2), the method and the space behind it. */
function parseMethod(bytes: Uint8Array, start: number, stop: number, head: Head): number {
  let p = start + head.cursor;
  if (p === stop) return 0;
  if (head.state === State.Start) {
    head.state = State.Method;
    if (bytes[p] === CR) {
      head.state = State.EmptyLineFeed;
      p += 1;
    }
  }
  if (head.state === State.EmptyLineFeed) {
    if (p === stop) return pause(head, State.EmptyLineFeed, p - start);
    if (bytes[p] !== LF) return Fault.BareCarriageReturn;
    p += 1;
    head.state = State.Method;
    head.methodStart = p - start;
  }
  const methodStart = start + head.methodStart;
  while (p < stop && TOKEN[bytes[p]] !== 0) p += 1;
  if (p - methodStart > METHOD_BYTES_MAX) return Fault.MethodTooLong;
  if (p === stop) return pause(head, State.Method, p - start);
  if (bytes[p] !== SP || p === methodStart) return requestLineFault(bytes[p]);
  head.method = recognizeMethod(bytes, methodStart, p);
  head.methodEnd = p - start;
  head.targetStart = p + 1 - start;
  head.state = State.TargetStart;
  head.cursor = p + 1 - start;
  return READ;
}

/** The target and the space behind it; records where the query begins and if the path is plain. */
function parseTarget(
  bytes: Uint8Array,
  start: number,
  stop: number,
  head: Head,
  targetBytesMax: number,
): number {
  let p = start + head.cursor;
  if (p === stop) return 0;
  if (head.state === State.TargetStart) {
    const form = formOf(head.method, bytes[p]);
    if (form < 0) return targetFault(bytes[p]);
    head.form = form;
    head.state = State.Target;
  }
  const targetStart = start + head.targetStart;
  const limit = stop - targetStart > targetBytesMax ? targetStart + targetBytesMax : stop;
  for (;;) {
    while (p < limit && TARGET_PLAIN[bytes[p]] !== 0) p += 1;
    if (p === limit) break;
    const byte = bytes[p];
    if (byte === SLASH || byte === DOT) {
      // Behind a slash, another slash is an empty segment, and a dot may begin a dot segment:
      // finishTarget() checks the path again.
      if (bytes[p - 1] === SLASH && head.queryStart < 0) head.plainPath = 0;
    } else if (byte === QUESTION) {
      if (head.queryStart < 0) head.queryStart = p + 1 - start;
    } else if (byte === PERCENT) {
      if (head.queryStart < 0) head.plainPath = 0;
    } else {
      break;
    }
    p += 1;
  }
  if (p === stop) return pause(head, State.Target, p - start);
  const byte = bytes[p];
  if (byte !== SP) {
    return p - targetStart === targetBytesMax ? Fault.TargetTooLong : targetFault(byte);
  }
  head.targetEnd = p - start;
  head.state = State.Version;
  head.cursor = p + 1 - start;
  return finishTarget(bytes, start, head) ? READ : Fault.BadTarget;
}

/** 'HTTP/1.1' or 'HTTP/1.0' and CRLF; three loads when all bytes have been received. */
function parseVersion(bytes: Uint8Array, start: number, stop: number, head: Head): number {
  let p = start + head.cursor;
  const versionStart = start + head.targetEnd + 1;
  if (p === versionStart && stop - p >= VERSION_BYTES) {
    const view = head.viewOf(bytes);
    const version = view.getInt32(p + 4, true);
    if (
      view.getInt32(p, true) === WORD_HTTP &&
      (version === WORD_1_1 || version === WORD_1_0) &&
      view.getInt16(p + 8, true) === WORD_CRLF
    ) {
      head.minor = version === WORD_1_1 ? 1 : 0;
      head.state = State.LineStart;
      head.cursor = p + VERSION_BYTES - start;
      return READ;
    }
  }
  while (p < stop && p - versionStart < VERSION_BYTES) {
    const expected = VERSION_PATTERN[p - versionStart];
    const byte = bytes[p];
    if (expected === 0 ? byte < 0x30 || byte > 0x39 : byte !== expected) {
      return expected === LF ? Fault.BareCarriageReturn : versionFault(byte);
    }
    p += 1;
  }
  if (p - versionStart < VERSION_BYTES) return pause(head, State.Version, p - start);
  const minor = bytes[versionStart + 7] - 0x30;
  if (bytes[versionStart + 5] !== 0x31 || minor > 1) return Fault.UnsupportedVersion;
  head.minor = minor;
  head.state = State.LineStart;
  head.cursor = p - start;
  return READ;
}

/**
 * Parses field lines including the blank line. Returns its end, counted from `start`, 0 when it
 * needs more, or a Fault. Also parses trailer sections. `head` keeps all state between two calls.
 */
export function parseFields(
  bytes: Uint8Array,
  start: number,
  stop: number,
  head: Head,
  fieldsMax: number,
): number {
  const view = head.viewOf(bytes);
  const offsets = head.offsets;
  let p = start + head.cursor;
  let at = head.fieldCount * 4;
  let state = head.state;
  if (state === State.LastLineFeed) return finishFields(bytes, start, p, stop, head);
  for (;;) {
    let field = 0;
    if (state === State.LineStart) {
      if (p >= stop) return pause(head, State.LineStart, p - start);
      const byte = bytes[p];
      if (byte === CR) return finishFields(bytes, start, p + 1, stop, head);
      if (TOKEN[byte] === 0) return lineStartFault(byte);
      if (head.fieldCount === fieldsMax) return Fault.TooManyFields;
      offsets[at] = p - start;
      const colon = findColon(view, p, stop);
      if (colon > 0) field = recognizeField(bytes, view, p, colon);
      if (field !== 0) p = colon;
    }
    if (state <= State.Name) {
      while (p < stop && TOKEN[bytes[p]] !== 0) p += 1;
      if (p >= stop) return pause(head, State.Name, p - start);
      if (bytes[p] !== COLON) return nameFault(bytes[p]);
      if (field === 0) field = recognizeField(bytes, view, start + offsets[at], p);
      head.names[head.fieldCount] = field;
      offsets[at + 1] = p - start;
      p += 1;
    }
    if (state <= State.BeforeValue) {
      while (p < stop && (bytes[p] === SP || bytes[p] === TAB)) p += 1;
      if (p >= stop) return pause(head, State.BeforeValue, p - start);
      offsets[at + 2] = p - start;
    }
    if (state <= State.Value) {
      p = endOfValue(bytes, view, p, stop);
      if (p >= stop) return pause(head, State.Value, p - start);
      if (bytes[p] !== CR) return valueFault(bytes[p]);
      offsets[at + 3] = trimmedEnd(bytes, start + offsets[at + 2], p) - start;
      p += 1;
    }
    if (p >= stop) return pause(head, State.ValueLineFeed, p - start);
    if (bytes[p] !== LF) return Fault.BareCarriageReturn;
    p += 1;
    head.fieldCount += 1;
    at += 4;
    state = State.LineStart;
  }
}

/** The LF of the blank line; `p` is the position after its CR. */
function finishFields(
  bytes: Uint8Array,
  start: number,
  p: number,
  stop: number,
  head: Head,
): number {
  if (p >= stop) return pause(head, State.LastLineFeed, p - start);
  if (bytes[p] !== LF) return Fault.BareCarriageReturn;
  head.state = State.Done;
  head.cursor = p + 1 - start;
  return head.cursor;
}

/**
 * The position of the first ':' among the next bytes; 0 for a name that is long or incomplete. The
 * bytes of a known name need no separate check: 650 versus 850 ns for a browser's head.
 */
function findColon(view: DataView, from: number, stop: number): number {
  const lastWord = Math.min(from + COLON_SEARCH_BYTES, stop) - 4;
  for (let p = from; p <= lastWord; p += 4) {
    const word = view.getInt32(p, true) ^ COLONS;
    const zero = (word - ONES) & ~word & HIGH_BITS;
    if (zero !== 0) return p + lowestByte(zero);
  }
  return 0;
}

/**
 * The position of the first byte that a value cannot contain, or `stop`. Eight bytes at a time
 * while none is below 0x20 or equals 0x7f: 0.25 ns a byte versus 0.9 ns one by one. Carries only
 * run upwards, so the lowest marked byte is such a byte or precedes the first one; the table
 * decides.
 */
function endOfValue(bytes: Uint8Array, view: DataView, from: number, stop: number): number {
  const lastPair = stop - 8;
  let p = from;
  while (p <= lastPair) {
    const low = view.getInt32(p, true);
    const high = view.getInt32(p + 4, true);
    let odd = ((low - SPACES) | (low + ONES)) & ~low & HIGH_BITS;
    const highOdd = ((high - SPACES) | (high + ONES)) & ~high & HIGH_BITS;
    if ((odd | highOdd) === 0) {
      p += 8;
      continue;
    }
    if (odd === 0) {
      odd = highOdd;
      p += 4;
    }
    p += lowestByte(odd);
    if (FIELD_VALUE[bytes[p]] === 0) return p;
    p += 1;
  }
  while (p < stop && FIELD_VALUE[bytes[p]] !== 0) p += 1;
  return p;
}

/** The index of the byte of a little-endian word that contains the lowest set bit. */
function lowestByte(word: number): number {
  return (31 - Math.clz32(word & -word)) >> 3;
}

/** The end of a value without trailing white space. */
function trimmedEnd(bytes: Uint8Array, from: number, to: number): number {
  let end = to;
  while (end > from && (bytes[end - 1] === SP || bytes[end - 1] === TAB)) end -= 1;
  return end;
}

/** Stores where to continue; returns 0 for "needs more". */
function pause(head: Head, state: number, cursor: number): number {
  head.state = state;
  head.cursor = cursor;
  return 0;
}

function requestLineFault(byte: number): number {
  return byte === LF ? Fault.BareLineFeed : Fault.BadRequestLine;
}

function targetFault(byte: number): number {
  if (byte === SP || byte === CR) return Fault.BadRequestLine;
  return byte === LF ? Fault.BareLineFeed : Fault.BadTarget;
}

function versionFault(byte: number): number {
  return byte === LF ? Fault.BareLineFeed : Fault.BadVersion;
}

function lineStartFault(byte: number): number {
  if (byte === SP || byte === TAB) return Fault.ObsoleteFold;
  return byte === LF ? Fault.BareLineFeed : Fault.BadFieldName;
}

function nameFault(byte: number): number {
  return byte === LF ? Fault.BareLineFeed : Fault.BadFieldName;
}

function valueFault(byte: number): number {
  return byte === LF ? Fault.BareLineFeed : Fault.BadFieldValue;
}
