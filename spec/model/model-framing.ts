// The model of where a body ends and whether the connection persists: RFC 9112 6.1 to 6.3 and 9.3,
// RFC 9110 10.1.1, 10.1.4 and 7.8.

import { DIGIT, exactly, exactlyInAnyCase, token } from './abnf.ts';
import type { ModelField, ModelHead } from './model-head.ts';
import { modelAuthority } from './model-target.ts';
import { reject, rejectStrictly } from './reader.ts';

export interface ModelFraming {
  readonly kind: 'none' | 'length' | 'chunked';
  /** Bytes of the body, when kind is length, else 0. */
  readonly length: number;
  readonly keepAlive: boolean;
  readonly expectContinue: boolean;
  readonly trailersAccepted: boolean;
  readonly upgrade: boolean;
}

const LENGTH = exactly(`${DIGIT}+`);
const TOKEN = exactly(token);
const CODING_WITH_PARAMETERS = new RegExp(`^${token}[ \\t]*;`);
const CHUNKED = exactlyInAnyCase('chunked');
const CONTINUE = exactlyInAnyCase('100-continue');

export function modelFraming({ fields, minor }: ModelHead): ModelFraming {
  checkHost(values(fields, 'host'), minor);
  const length = contentLength(values(fields, 'content-length'));
  const coding = values(fields, 'transfer-encoding');
  const chunked = coding.length > 0;
  if (chunked) {
    if (length !== null) rejectStrictly('length-or-coding');
    // RFC 9112 6.1: a Transfer-Encoding in HTTP/1.0 must be treated as faulty framing.
    if (minor === 0) reject('RFC 9112 6.1');
    checkCodings(coding.join(','));
  }
  if (length !== null && length > Number.MAX_SAFE_INTEGER) rejectStrictly('exact-length');
  const hasBody = chunked || (length !== null && length > 0n);
  const expectations = minor === 0 ? [] : values(fields, 'expect');
  if (!expectations.every((value) => CONTINUE.test(value))) rejectStrictly('known-expectation');
  const options = list(values(fields, 'connection'));
  const upgrades = values(fields, 'upgrade').length > 0 && options.includes('upgrade');
  return {
    kind: chunked ? 'chunked' : hasBody ? 'length' : 'none',
    length: Number(length ?? 0n),
    // RFC 9112 9.3, its first three items.
    keepAlive: !options.includes('close') && (minor === 1 || options.includes('keep-alive')),
    expectContinue: hasBody && expectations.length > 0,
    trailersAccepted: minor === 1 && list(values(fields, 'te')).includes('trailers'),
    upgrade: minor === 1 && upgrades,
  };
}

/** RFC 9112 3.2: 400 without Host, with several, or with one that is not valid. */
function checkHost(hosts: readonly string[], minor: number): void {
  if (hosts.length === 0 && minor === 1) reject('RFC 9112 3.2');
  if (hosts.length > 1) reject('RFC 9112 3.2');
  for (const host of hosts) if (host !== '') modelAuthority(host);
}

/** Content-Length = 1*DIGIT */
function contentLength(lengths: readonly string[]): bigint | null {
  if (lengths.length === 0) return null;
  for (const length of lengths) {
    const isList =
      length.includes(',') && length.split(',').every((part) => LENGTH.test(withoutSpace(part)));
    if (isList) rejectStrictly('one-content-length');
    if (!LENGTH.test(length)) reject('Content-Length');
  }
  if (lengths.length > 1) rejectStrictly('one-content-length');
  return BigInt(lengths[0]);
}

/** Transfer-Encoding = #transfer-coding; chunked is the last one, and the only known one. */
function checkCodings(value: string): void {
  const codings = value.split(',').map(withoutSpace);
  for (const coding of codings) {
    if (coding === '') rejectStrictly('no-empty-codings');
    if (CODING_WITH_PARAMETERS.test(coding)) rejectStrictly('no-coding-parameters');
    if (!TOKEN.test(coding)) reject('transfer-coding');
  }
  const before = codings.slice(0, -1);
  // RFC 9112 6.3, item 4, and 7.1: chunked is last, and never applied twice.
  if (!CHUNKED.test(codings[before.length])) reject('RFC 9112 6.3');
  if (before.some((coding) => CHUNKED.test(coding))) reject('RFC 9112 6.1');
  if (before.length > 0) rejectStrictly('chunked-alone');
}

function values(fields: readonly ModelField[], wanted: string): readonly string[] {
  return fields.filter(([name]) => name === wanted).map(([, value]) => value);
}

/** The elements of a list that may be in several fields, in lower case. */
function list(all: readonly string[]): readonly string[] {
  return all.flatMap((value) => value.split(',')).map((one) => withoutSpace(one).toLowerCase());
}

/** OWS is SP and HTAB; trim() removes more. */
function withoutSpace(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, '');
}
