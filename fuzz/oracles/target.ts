// Properties of a path, for any bytes: no segment is '..' or empty; a slower decoder returns the
// same; decoding the encoded path returns it again; a simple search finds the same route.

import { HEX_VALUE } from '../../src/http/grammar.ts';
import { pathString, routePath } from '../../src/http/target.ts';
import { Found, Match } from '../../src/route/match.ts';
import { Router } from '../../src/route/router.ts';
import { check, same } from './check.ts';

export const TARGET_BYTES_MAX = 300;

const SLASH = 0x2f;
const PERCENT = 0x25;
const HEX = '0123456789abcdef';

/** The oracle matches these by comparing segments one by one. */
const PATTERNS = [
  '/',
  '/a',
  '/a/b',
  '/ab',
  '/:x',
  '/:x/b',
  '/a/:y',
  '/:x/:y/c',
  '/a/*',
  '/b/c/*',
  '/a/:y/d/*',
];

const router = new Router<string>();
for (const pattern of PATTERNS) router.add('GET', pattern, pattern);

const out = new Uint8Array(TARGET_BYTES_MAX + 1);
const again = new Uint8Array(3 * TARGET_BYTES_MAX + 1);
const encoded = new Uint8Array(3 * TARGET_BYTES_MAX + 1);
const match = new Match<string>();
const GET = 1;

export function checkTarget(input: Uint8Array, thorough: boolean): void {
  const before = thorough ? input.slice() : input;
  const length = routePath(input, 0, input.length, out);
  check(length <= Math.max(input.length, 1), 'a path is no longer than its target');
  if (thorough) {
    same(Buffer.compare(before, input), 0, 'the target is not written to');
    same(length < 0 ? null : text(length), slowPath(input), 'the path');
  }
  if (length < 0) return;
  check(length > 0 && out[0] === SLASH, 'a path begins with a slash');
  checkSegments(length);
  onceMore(length);
  const path = pathString(out, length);
  check(!/(^|\/)\.\.?(\/|$)/.test(path), 'no segment of a path is . or ..');
  check(!path.includes('//'), 'a path has no two slashes in a row');
  check(path.startsWith('/') && !path.includes('\0'), 'a path begins with a slash and has no NUL');
  same(path, text(length).replaceAll('\0', '%2F'), 'handlers and routes see one path');
  if (thorough) findRoute(length);
}

function text(length: number): string {
  return Buffer.from(out.subarray(0, length)).toString('utf8');
}

function checkSegments(length: number): void {
  let from = 1;
  for (let p = 1; p <= length; p++) {
    if (p < length && out[p] !== SLASH) continue;
    const dots = p - from <= 2 && p > from && out[from] === 0x2e && out[p - 1] === 0x2e;
    check(!dots, 'no segment is . or ..');
    check(p > from || p === length, 'no segment is empty but the last');
    from = p + 1;
  }
}

/** With every byte percent-encoded, the path must decode to itself. */
function onceMore(length: number): void {
  let at = 0;
  for (let p = 0; p < length; p++) {
    if (out[p] === SLASH) {
      encoded[at++] = SLASH;
      continue;
    }
    const byte = out[p] === 0 ? SLASH : out[p];
    encoded[at++] = PERCENT;
    encoded[at++] = HEX.charCodeAt(byte >> 4);
    encoded[at++] = HEX.charCodeAt(byte & 15);
  }
  same(routePath(encoded, 0, at, again), length, 'the length of a path decoded again');
  for (let p = 0; p < length; p++) {
    if (again[p] !== out[p]) check(false, 'a path decoded again stays the same');
  }
}

/** The same with strings and lists; null for an invalid path. */
function slowPath(input: Uint8Array): string | null {
  if (input.length === 0) return '/';
  if (input[0] !== SLASH) return null;
  const kept: string[] = [];
  const segments = Buffer.from(input).toString('latin1').split('/').slice(1);
  for (const [index, segment] of segments.entries()) {
    const decoded = slowSegment(segment);
    if (decoded === null) return null;
    if (decoded === '..') kept.pop();
    if (decoded !== '' && decoded !== '.' && decoded !== '..') kept.push(decoded);
    else if (index === segments.length - 1) kept.push('');
  }
  return `/${kept.join('/')}`;
}

function slowSegment(segment: string): string | null {
  const bytes: number[] = [];
  for (let p = 0; p < segment.length; p++) {
    let byte = segment.charCodeAt(p);
    if (byte === PERCENT) {
      if (!/^[0-9a-f]{2}$/i.test(segment.slice(p + 1, p + 3))) return null;
      byte = HEX_VALUE[segment.charCodeAt(p + 1)] * 16 + HEX_VALUE[segment.charCodeAt(p + 2)];
      p += 2;
      if (byte === 0) return null;
      if (byte === SLASH) byte = 0;
    } else if (byte === 0) return null;
    bytes.push(byte);
  }
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    return decoder.decode(Uint8Array.from(bytes));
  } catch {
    return null;
  }
}

function findRoute(length: number): void {
  const found = router.find(GET, '', out, 0, length, match);
  const segments = text(length).slice(1).split('/');
  const expected = PATTERNS.filter((pattern) => fits(pattern, segments)).sort(moreExact)[0];
  same(found === Found.Yes ? match.value : undefined, expected, 'the route');
}

function fits(pattern: string, segments: readonly string[]): boolean {
  const parts = pattern.slice(1).split('/');
  const isOpen = parts[parts.length - 1] === '*';
  if (isOpen ? segments.length < parts.length : segments.length !== parts.length) return false;
  return parts.every((part, index) => {
    if (part === '*') return true;
    return part.startsWith(':') ? segments[index] !== '' : part === segments[index];
  });
}

/** In the first differing segment a literal precedes a parameter, and that precedes a wildcard. */
function moreExact(one: string, other: string): number {
  const ranks = (pattern: string) =>
    pattern
      .slice(1)
      .split('/')
      .map((part) => (part === '*' ? '2' : part.startsWith(':') ? '1' : '0'))
      .join('');
  return ranks(one) < ranks(other) ? -1 : 1;
}
