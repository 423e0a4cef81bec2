// JSON from clients: bounded in depth, and without keys that could change prototypes when a program
// copies the value. Errors are HttpError 400.

import { JSON_DEPTH_MAX } from '../base/fixed-limits.ts';
import { utf8 } from '../http/text.ts';
import { HttpError } from './http-error.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

const BYTE_ORDER_MARK = 0xfeff;
const REPLACEMENT = '\ufffd';
const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

/** Bytes as text, without a byte order mark. Throws HttpError 400 when they are not UTF-8. */
export function textOf(bytes: Uint8Array, from: number, to: number): string {
  const text = utf8(bytes, from, to);
  // Five times as fast as the strict decoder, which decides only where the other one replaced.
  if (!text.includes(REPLACEMENT)) {
    return text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text;
  }
  try {
    return strictUtf8.decode(bytes.subarray(from, to));
  } catch (cause) {
    throw new HttpError(400, 'the body is not valid UTF-8', { cause });
  }
}

/** The value of a body of JSON. Throws HttpError 400. */
export function jsonOf(bytes: Uint8Array, from: number, to: number): unknown {
  return parseJson(textOf(bytes, from, to));
}

export function parseJson(text: string): unknown {
  checkDepth(text);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new HttpError(400, 'the body is not valid JSON', { cause });
  }
  if (mayHaveUnsafeKey(text)) checkKeys(value);
  return value;
}

/**
 * Deep values are refused: what reads them, such as a schema or JSON.stringify(), calls itself for
 * each level. Text that is not JSON may pass, and is refused by the parser.
 */
function checkDepth(text: string): void {
  // Every level has two brackets.
  if (text.length <= 2 * JSON_DEPTH_MAX) return;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = stringEnd(text, at + 1);
      if (at < 0) return;
    } else if (code === OPEN_BRACKET || code === OPEN_BRACE) {
      depth += 1;
      if (depth > JSON_DEPTH_MAX) {
        throw new HttpError(400, `the body has more than ${JSON_DEPTH_MAX} levels of JSON`);
      }
    } else if (code === CLOSE_BRACKET || code === CLOSE_BRACE) depth -= 1;
  }
}

/** Where the string whose content begins at `from` has its closing quote, or -1. */
function stringEnd(text: string, from: number): number {
  let end = text.indexOf('"', from);
  while (end >= 0) {
    let before = end - 1;
    while (before >= from && text.charCodeAt(before) === BACKSLASH) before -= 1;
    // After an even number of backslashes the quote is not escaped.
    if ((end - before) % 2 === 1) return end;
    end = text.indexOf('"', end + 1);
  }
  return -1;
}

/**
 * False for nearly all texts. A key can be written with escapes, as `\u005f`. V8 looks for the
 * first character of a word: the search for `constructor` begins at a rarer one than a quote.
 */
function mayHaveUnsafeKey(text: string): boolean {
  return text.includes('__proto__') || text.includes('uctor"') || text.includes('\\u00');
}

/**
 * `__proto__` is an ordinary key of what JSON.parse() returns, but changes the prototype of an
 * object to which it is assigned; `constructor.prototype` leads to one that all objects share.
 */
function checkKeys(root: unknown): void {
  const waiting: unknown[] = [root];
  while (waiting.length > 0) {
    const value = waiting.pop();
    if (typeof value !== 'object' || value === null) continue;
    if (!Array.isArray(value)) checkKeysOf(value);
    for (const member of Object.values(value)) waiting.push(member);
  }
}

function checkKeysOf(value: object): void {
  if (Object.hasOwn(value, '__proto__')) throw unsafeKey('__proto__');
  if (!Object.hasOwn(value, 'constructor')) return;
  const member: unknown = value.constructor;
  if (typeof member !== 'object' || member === null) return;
  if (Object.hasOwn(member, 'prototype')) throw unsafeKey('constructor.prototype');
}

export function unsafeKey(key: string, what = 'the body'): HttpError {
  return new HttpError(400, `${what} has the key ${key}, which could change other objects`);
}
