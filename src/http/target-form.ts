// The four forms of a request target (RFC 9112 3.2): which form it has, whether it is valid, and
// where its path is.

import { ASTERISK, COLON, DOT, SLASH } from '../base/ascii.ts';
import { isAuthority, isAuthorityWithPort } from './authority.ts';
import { Fault } from './fault.ts';
import { type Head, TargetForm } from './head.ts';
import { Method } from './method.ts';
import { asciiBytes, equalsWord } from './text.ts';

const PERCENT = 0x25;
const QUESTION = 0x3f;
const UPPER_H = 0x48;
const LOWER_H = 0x68;

const HTTP = asciiBytes('http');
const HTTPS = asciiBytes('https');

/** The form of a target by the method and the target's first byte, or a Fault. */
export function formOf(method: number, firstByte: number): number {
  if (method === Method.CONNECT) return TargetForm.Authority;
  if (firstByte === SLASH) return TargetForm.Origin;
  if (firstByte === LOWER_H || firstByte === UPPER_H) return TargetForm.Absolute;
  if (firstByte === ASTERISK && method === Method.OPTIONS) return TargetForm.Asterisk;
  return Fault.BadTarget;
}

/**
 * Sets the path and query of a head whose target is complete; false when the target is not valid in
 * its form. The parser has set queryStart, and plainPath to 0 when the path needs another check.
 */
export function finishTarget(bytes: Uint8Array, start: number, head: Head): boolean {
  const from = start + head.targetStart;
  const to = start + head.targetEnd;
  switch (head.form) {
    case TargetForm.Origin:
      head.pathStart = head.targetStart;
      finishPath(bytes, start, head);
      return true;
    case TargetForm.Absolute:
      return finishAbsolute(bytes, start, head);
    case TargetForm.Authority:
      finishWithoutPath(head);
      return isAuthorityWithPort(bytes, from, to);
    default:
      finishWithoutPath(head);
      return to - from === 1;
  }
}

function finishPath(bytes: Uint8Array, start: number, head: Head): void {
  if (head.queryStart < 0) {
    head.pathEnd = head.targetEnd;
  } else {
    head.pathEnd = head.queryStart - 1;
    head.queryEnd = head.targetEnd;
  }
  if (head.plainPath === 0) {
    head.plainPath = isPlainPath(bytes, start + head.pathStart, start + head.pathEnd) ? 1 : 0;
  }
}

/** scheme "://" authority path-abempty [ "?" query ]; the scheme is http or https in any case. */
function finishAbsolute(bytes: Uint8Array, start: number, head: Head): boolean {
  const from = start + head.targetStart;
  const to = start + head.targetEnd;
  let p = from;
  while (p < to && bytes[p] !== COLON) p += 1;
  if (!equalsWord(bytes, from, p, HTTP) && !equalsWord(bytes, from, p, HTTPS)) return false;
  if (to - p < 3 || bytes[p + 1] !== SLASH || bytes[p + 2] !== SLASH) return false;
  const authorityStart = p + 3;
  p = authorityStart;
  while (p < to && bytes[p] !== SLASH && bytes[p] !== QUESTION) p += 1;
  head.pathStart = p - start;
  finishPath(bytes, start, head);
  return isAuthority(bytes, authorityStart, p);
}

/** Authority-form and asterisk-form have neither a path nor a query. */
function finishWithoutPath(head: Head): void {
  head.pathStart = head.targetEnd;
  head.pathEnd = head.targetEnd;
  head.queryStart = -1;
  head.plainPath = 1;
}

/** Whether the path has no '%', no '//' and no segment that is '.' or '..'. */
function isPlainPath(bytes: Uint8Array, from: number, to: number): boolean {
  let segmentStart = from;
  for (let p = from; p <= to; p++) {
    if (p < to && bytes[p] === PERCENT) return false;
    if (p === to || bytes[p] === SLASH) {
      const length = p - segmentStart;
      if (length === 0 && segmentStart > from && p < to) return false;
      const dots = length >= 1 && length <= 2 && bytes[segmentStart] === DOT;
      if (dots && bytes[p - 1] === DOT) return false;
      segmentStart = p + 1;
    }
  }
  return true;
}
