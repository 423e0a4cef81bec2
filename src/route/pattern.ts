// Parses a route pattern: literal segments, ':name' for one segment, '*' at the end for the rest.
// Literals become bytes of decoded paths, because the router compares those.

import { shown } from '../base/shown.ts';

/** Maximum parameters of a pattern, its wildcard included. 32 is a guess far above common use. */
export const PARAMS_MAX = 32;

/** Maximum segments of a pattern: bounds the depth of a search. A guess far above common use. */
export const SEGMENTS_MAX = 128;

export const SegmentKind = { Literal: 0, Param: 1, Rest: 2 } as const;
export type SegmentKind = (typeof SegmentKind)[keyof typeof SegmentKind];

export interface Segment {
  readonly kind: SegmentKind;
  /** The decoded bytes of a literal; empty for the other kinds. */
  readonly bytes: Uint8Array;
}

export interface Pattern {
  readonly segments: readonly Segment[];
  /** Parameter names from left to right; the wildcard's is '*'. */
  readonly names: readonly string[];
}

const PARAM_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const LONE_SURROGATE = /\p{Surrogate}/u;
const NO_BYTES = new Uint8Array(0);

/** Throws a TypeError with the pattern and the reason when it is not valid. */
export function parsePattern(pattern: string): Pattern {
  const text = `route pattern ${shown(pattern)}`;
  const parts = partsOf(text, pattern);
  const segments: Segment[] = [];
  const names: string[] = [];
  for (const [index, part] of parts.entries()) {
    if (part === '*') {
      if (index < parts.length - 1) reject(text, "'*' must be the last segment");
      names.push('*');
      segments.push({ kind: SegmentKind.Rest, bytes: NO_BYTES });
    } else if (part.startsWith(':')) {
      names.push(paramName(text, part, names));
      segments.push({ kind: SegmentKind.Param, bytes: NO_BYTES });
    } else {
      const literal = decodeLiteral(text, part);
      segments.push({ kind: SegmentKind.Literal, bytes: new TextEncoder().encode(literal) });
    }
  }
  if (names.length > PARAMS_MAX) reject(text, `it has more than ${PARAMS_MAX} parameters`);
  return { segments, names };
}

/**
 * The bytes with which the paths below a prefix of use() begin: '/files/' and '/files' cover the
 * same paths, '/' covers all. Throws a TypeError for a prefix with which no path begins.
 */
export function parsePrefix(prefix: string): Uint8Array {
  const text = `prefix ${shown(prefix)} of use()`;
  const parts = partsOf(text, prefix);
  if (parts[parts.length - 1] === '') parts.pop();
  const literals = parts.map((part, index) => {
    const above = `/${parts.slice(0, index).join('/')}`;
    const covers = `use('${above}', ...) covers every path below '${above}'`;
    if (part.includes('*')) {
      reject(text, `it must not contain '*': ${covers} (a literal '*' is %2A)`);
    }
    if (part.includes(':')) {
      reject(text, `it must not contain parameters: ${covers} (a literal ':' is %3A)`);
    }
    return `/${decodeLiteral(text, part)}`;
  });
  return new TextEncoder().encode(literals.join(''));
}

/** The segments of a pattern or prefix, not decoded. */
function partsOf(text: string, pattern: string): string[] {
  if (typeof pattern !== 'string') reject(text, "it must be a string that begins with '/'");
  if (!pattern.startsWith('/')) reject(text, "it must begin with '/'");
  for (const [character, name] of [
    ['?', "'?'"],
    ['#', "'#'"],
    ['\0', 'NUL'],
  ]) {
    if (pattern.includes(character)) reject(text, `it must not contain ${name}`);
  }
  if (pattern.includes('//')) {
    reject(text, "it must not contain '//', because consecutive slashes of a path are merged");
  }
  const parts = pattern.slice(1).split('/');
  if (parts.length > SEGMENTS_MAX) reject(text, `it has more than ${SEGMENTS_MAX} segments`);
  return parts;
}

function paramName(text: string, part: string, names: readonly string[]): string {
  const name = part.slice(1);
  if (name === '') reject(text, "':' must be followed by a name");
  if (!PARAM_NAME.test(name)) {
    reject(text, `parameter name ${JSON.stringify(name)} must be only letters, digits and '_'`);
  }
  if (names.includes(name)) reject(text, `parameter ':${name}' occurs twice`);
  return name;
}

/** Rejects what no path contains (dot segments) and what is ambiguous (a slash, NUL). */
function decodeLiteral(text: string, part: string): string {
  if (part.includes('*')) reject(text, "'*' must be a segment of its own (a literal '*' is %2A)");
  if (part.includes(':')) {
    reject(text, "a parameter ':name' must be a segment of its own (a literal ':' is %3A)");
  }
  const literal = decodePercent(text, part);
  if (literal.includes('/')) reject(text, 'it must not contain an encoded slash (%2F)');
  if (literal.includes('\0')) reject(text, 'it must not contain an encoded NUL (%00)');
  if (LONE_SURROGATE.test(literal)) reject(text, 'it must not contain a lone surrogate');
  if (literal === '.' || literal === '..') {
    reject(text, "'.' and '..' never match, because dot segments of a path are removed first");
  }
  return literal;
}

function decodePercent(text: string, part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return reject(text, "'%' must begin a percent-encoding of valid UTF-8 (a literal '%' is %25)");
  }
}

function reject(text: string, reason: string): never {
  throw new TypeError(`${text}: ${reason}`);
}
