// Hot: runs for every request. Measured by perf/micro/parse-head.ts.
// Where the body of a request ends and whether its connection persists: RFC 9112 section 6, applied
// strictly. Anything that two recipients could read in two ways is a fault (request smuggling).

import { COMMA, SP, TAB, ZERO } from '../base/ascii.ts';
import { isCachedAuthority } from './authority.ts';
import { Fault } from './fault.ts';
import { Field } from './fields.ts';
import { TOKEN } from './grammar.ts';
import { type Head, OFFSETS_PER_FIELD } from './head.ts';
import { asciiBytes, equalsWord } from './text.ts';

/** A Content-Length of 0 is no body. */
export const BodyKind = { None: 0, Length: 1, Chunked: 2 } as const;
export type BodyKind = (typeof BodyKind)[keyof typeof BodyKind];

/** What the Transfer-Encoding fields have listed so far. */
const Coding = {
  None: 0,
  Chunked: 1,
  Unknown: 2,
  UnknownThenChunked: 3,
  Bad: 4,
} as const;

const ABSENT = -1_000;

const CHUNKED = asciiBytes('chunked');
const CLOSE = asciiBytes('close');
const KEEP_ALIVE = asciiBytes('keep-alive');
const UPGRADE = asciiBytes('upgrade');
const TRAILERS = asciiBytes('trailers');
const CONTINUE = asciiBytes('100-continue');

/** The result of frame(); reused. */
export class Framing {
  kind: number;
  /** Bytes of the body when kind is Length, else 0. */
  length: number;
  keepAlive: boolean;
  /** The client expects 100 (Continue) before it sends its body. */
  expectContinue: boolean;
  /** TE lists `trailers`: the response may have trailers. */
  trailersAccepted: boolean;
  /** The client requests a switch to another protocol with valid fields. */
  upgrade: boolean;

  constructor() {
    this.kind = BodyKind.None;
    this.length = 0;
    this.keepAlive = false;
    this.expectContinue = false;
    this.trailersAccepted = false;
    this.upgrade = false;
  }

  reset(): void {
    this.kind = BodyKind.None;
    this.length = 0;
    this.keepAlive = false;
    this.expectContinue = false;
    this.trailersAccepted = false;
    this.upgrade = false;
  }
}

/** Fills `framing` from a complete head; returns 0 or a Fault. */
export function frame(bytes: Uint8Array, start: number, head: Head, framing: Framing): number {
  framing.reset();
  const offsets = head.offsets;
  const names = head.names;
  const view = head.viewOf(bytes);
  const isHttp11 = head.minor === 1;
  let hosts = 0;
  let length = ABSENT;
  let coding: number = Coding.None;
  let close = false;
  let keepAlive = isHttp11;
  let upgradeOption = false;
  let upgradeField = false;
  let expectation: number = ABSENT;
  for (let index = 0; index < head.fieldCount; index++) {
    const from = start + offsets[index * OFFSETS_PER_FIELD + 2];
    const to = start + offsets[index * OFFSETS_PER_FIELD + 3];
    switch (names[index]) {
      case Field.Host:
        hosts += 1;
        if (hosts > 1) return Fault.BadHost;
        if (from < to && !isCachedAuthority(bytes, view, from, to)) return Fault.BadHost;
        break;
      case Field.ContentLength:
        if (length !== ABSENT) return Fault.BadContentLength;
        length = contentLength(bytes, from, to);
        if (length === Fault.BadContentLength) return length;
        break;
      case Field.TransferEncoding:
        coding = codingAfter(coding, bytes, from, to);
        break;
      case Field.Connection:
        close ||= listHas(bytes, from, to, CLOSE);
        keepAlive ||= listHas(bytes, from, to, KEEP_ALIVE);
        upgradeOption ||= listHas(bytes, from, to, UPGRADE);
        break;
      case Field.Expect:
        if (expectation < 0) expectation = 0;
        if (!equalsWord(bytes, from, to, CONTINUE)) expectation = 1;
        break;
      case Field.TE:
        framing.trailersAccepted ||= isHttp11 && listHas(bytes, from, to, TRAILERS);
        break;
      case Field.Upgrade:
        upgradeField = true;
        break;
      default:
        break;
    }
  }
  if (isHttp11 && hosts === 0) return Fault.MissingHost;
  const fault = bodyOf(framing, length, coding, isHttp11);
  if (fault < 0) return fault;
  // Expectations and upgrades of HTTP/1.0 requests are ignored (RFC 9110 10.1.1 and 7.8).
  if (isHttp11 && expectation > 0) return Fault.BadExpectation;
  framing.expectContinue = isHttp11 && expectation === 0 && framing.kind !== BodyKind.None;
  framing.upgrade = isHttp11 && upgradeOption && upgradeField;
  framing.keepAlive = keepAlive && !close;
  return 0;
}

/** Sets where the body ends: by length or by chunked coding. Both at once are a fault. */
function bodyOf(framing: Framing, length: number, coding: number, isHttp11: boolean): number {
  if (coding !== Coding.None) {
    if (length !== ABSENT) return Fault.ConflictingFraming;
    if (!isHttp11) return Fault.BadTransferEncoding;
    switch (coding) {
      case Coding.Chunked:
        framing.kind = BodyKind.Chunked;
        return 0;
      case Coding.UnknownThenChunked:
        return Fault.UnknownTransferCoding;
      default:
        // Also a list of codings, known or not, whose final one is not chunked: the end of such a
        // body cannot be determined, so the status is 400 and not 501 (RFC 9112 6.3).
        return Fault.BadTransferEncoding;
    }
  }
  if (length === ABSENT || length === 0) return 0;
  if (length < 0) return length;
  framing.kind = BodyKind.Length;
  framing.length = length;
  return 0;
}

/** 1*DIGIT: the number, BadContentLength, or BodyTooLarge above Number.MAX_SAFE_INTEGER. */
function contentLength(bytes: Uint8Array, from: number, to: number): number {
  if (from === to) return Fault.BadContentLength;
  let length = 0;
  for (let p = from; p < to; p++) {
    const digit = bytes[p] - ZERO;
    if (digit < 0 || digit > 9) return Fault.BadContentLength;
    length = length * 10 + digit;
    // Clamped, so that more digits cannot make it infinite or exact again.
    if (length > Number.MAX_SAFE_INTEGER) length = Number.MAX_SAFE_INTEGER + 1;
  }
  return length > Number.MAX_SAFE_INTEGER ? Fault.BodyTooLarge : length;
}

/** The state after the codings of one Transfer-Encoding field; an empty element is Bad, too. */
function codingAfter(before: number, bytes: Uint8Array, from: number, to: number): number {
  let coding = before;
  let elementStart = from;
  for (;;) {
    const elementEnd = endOfElement(bytes, elementStart, to);
    const first = afterSpace(bytes, elementStart, elementEnd);
    const end = beforeSpace(bytes, first, elementEnd);
    coding = codingWith(coding, bytes, first, end);
    if (elementEnd === to) return coding;
    elementStart = elementEnd + 1;
  }
}

function codingWith(before: number, bytes: Uint8Array, from: number, to: number): number {
  if (!isToken(bytes, from, to)) return Coding.Bad;
  const chunked = equalsWord(bytes, from, to, CHUNKED);
  switch (before) {
    case Coding.None:
      return chunked ? Coding.Chunked : Coding.Unknown;
    case Coding.Unknown:
      return chunked ? Coding.UnknownThenChunked : Coding.Unknown;
    default:
      // Nothing may follow chunked, not even chunked.
      return Coding.Bad;
  }
}

/** Whether a comma-separated list has an element that is `word`, in any case. */
function listHas(bytes: Uint8Array, from: number, to: number, word: Uint8Array): boolean {
  let elementStart = from;
  for (;;) {
    const elementEnd = endOfElement(bytes, elementStart, to);
    const first = afterSpace(bytes, elementStart, elementEnd);
    if (equalsWord(bytes, first, beforeSpace(bytes, first, elementEnd), word)) return true;
    if (elementEnd === to) return false;
    elementStart = elementEnd + 1;
  }
}

function isToken(bytes: Uint8Array, from: number, to: number): boolean {
  for (let p = from; p < to; p++) {
    if (TOKEN[bytes[p]] === 0) return false;
  }
  return from < to;
}

function endOfElement(bytes: Uint8Array, from: number, to: number): number {
  let p = from;
  while (p < to && bytes[p] !== COMMA) p += 1;
  return p;
}

function afterSpace(bytes: Uint8Array, from: number, to: number): number {
  let p = from;
  while (p < to && (bytes[p] === SP || bytes[p] === TAB)) p += 1;
  return p;
}

function beforeSpace(bytes: Uint8Array, from: number, to: number): number {
  let p = to;
  while (p > from && (bytes[p - 1] === SP || bytes[p - 1] === TAB)) p -= 1;
  return p;
}
