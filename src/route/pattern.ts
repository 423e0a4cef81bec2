// Reads a route pattern: literal segments, ':name' for one segment, '*' at the end for the rest.
// Literals become the bytes of decoded paths, because that is what a router compares.

import { shown } from '../base/shown.ts';

/** Most parameters of a pattern, its wildcard included. 32 is a guess far above what is used. */
export const PARAMS_MAX = 32;

/** Most segments of a pattern; bounds how deep a search goes. As generous a guess. */
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
const NOTHING = new Uint8Array(0);

/** Throws a TypeError that names the pattern and the reason when it cannot be a route. */
export function parsePattern(pattern: string): Pattern {
  const text = `route pattern ${shown(pattern)}`;
  const parts = partsOf(text, pattern);
  const segments: Segment[] = [];
  const names: string[] = [];
  for (const [index, part] of parts.entries()) {
    if (part === '*') {
      if (index < parts.length - 1) fault(text, "'*' must be the last segment");
      names.push('*');
      segments.push({ kind: SegmentKind.Rest, bytes: NOTHING });
    } else if (part.startsWith(':')) {
      names.push(paramName(text, part, names));
      segments.push({ kind: SegmentKind.Param, bytes: NOTHING });
    } else {
      const literal = decodeLiteral(text, part);
      segments.push({ kind: SegmentKind.Literal, bytes: new TextEncoder().encode(literal) });
    }
  }
  if (names.length > PARAMS_MAX) fault(text, `it has more than ${PARAMS_MAX} parameters`);
  return { segments, names };
}

/**
 * The bytes that the paths below a prefix of use() begin with: '/files/' and '/files' cover the
 * same, '/' covers everything. Throws a TypeError for what no path begins with.
 */
export function parsePrefix(prefix: string): Uint8Array {
  const text = `prefix ${shown(prefix)} of use()`;
  const parts = partsOf(text, prefix);
  if (parts[parts.length - 1] === '') parts.pop();
  const literals = parts.map((part, index) => {
    const above = `/${parts.slice(0, index).join('/')}`;
    const covers = `use('${above}', ...) covers every path below '${above}'`;
    if (part.includes('*')) {
      fault(text, `a prefix takes no '*': ${covers} (a literal '*' is %2A)`);
    }
    if (part.includes(':')) {
      fault(text, `a prefix takes no parameters: ${covers} (a literal ':' is %3A)`);
    }
    return `/${decodeLiteral(text, part)}`;
  });
  return new TextEncoder().encode(literals.join(''));
}

/** The segments of a pattern or prefix as they are written. */
function partsOf(text: string, pattern: string): string[] {
  if (typeof pattern !== 'string') fault(text, "it must be a string that begins with '/'");
  if (!pattern.startsWith('/')) fault(text, "it must begin with '/'");
  for (const [character, name] of [
    ['?', "'?'"],
    ['#', "'#'"],
    ['\0', 'NUL'],
  ]) {
    if (pattern.includes(character)) fault(text, `it must not contain ${name}`);
  }
  if (pattern.includes('//')) {
    fault(text, "it must not contain '//', because slashes in a row are one in every path");
  }
  const parts = pattern.slice(1).split('/');
  if (parts.length > SEGMENTS_MAX) fault(text, `it has more than ${SEGMENTS_MAX} segments`);
  return parts;
}

function paramName(text: string, part: string, taken: readonly string[]): string {
  const name = part.slice(1);
  if (name === '') fault(text, "':' needs a name behind it");
  if (!PARAM_NAME.test(name)) {
    fault(text, `parameter name ${JSON.stringify(name)} must be letters, digits and '_' only`);
  }
  if (taken.includes(name)) fault(text, `parameter ':${name}' occurs twice`);
  return name;
}

/** What never reaches a router (dot segments) or would be misread (a slash, NUL) is refused. */
function decodeLiteral(text: string, part: string): string {
  if (part.includes('*')) fault(text, "'*' must be a segment of its own (a literal one is %2A)");
  if (part.includes(':')) {
    fault(text, "a parameter ':name' must be a segment of its own (a literal ':' is %3A)");
  }
  const literal = decodePercent(text, part);
  if (literal.includes('/')) fault(text, 'it must not contain an encoded slash (%2F)');
  if (literal.includes('\0')) fault(text, 'it must not contain an encoded NUL (%00)');
  if (LONE_SURROGATE.test(literal)) fault(text, 'it must not contain half of a surrogate pair');
  if (literal === '.' || literal === '..') {
    fault(text, "'.' and '..' never match, because paths are resolved first");
  }
  return literal;
}

function decodePercent(text: string, part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return fault(text, "a '%' must begin an escape of valid UTF-8 (a literal one is %25)");
  }
}

function fault(text: string, reason: string): never {
  throw new TypeError(`${text}: ${reason}`);
}
