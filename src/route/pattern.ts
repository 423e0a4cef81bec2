// Parses a route pattern: literal segments, ':name' for one segment or for a part of one,
// ':name(constraint)', '*' at the end for the rest. Literals become bytes of decoded paths, because
// the router compares those.

import { internalized } from '../base/internalized.ts';
import { nearMiss } from '../base/near-miss.ts';
import { shown } from '../base/shown.ts';
import { CONSTRAINT_NAMES, type Constraint, constraintNamed } from './constraints.ts';
import type { Shape } from './shape.ts';

/** Maximum parameters of a pattern, its wildcard included. 32 is a guess far above common use. */
export const PARAMS_MAX = 32;

/** Maximum segments of a pattern: bounds the depth of a search. A guess far above common use. */
export const SEGMENTS_MAX = 128;

/** Maximum parameters of one segment: bounds the cost of matching it. A guess, as above. */
export const SEGMENT_PARAMS_MAX = 8;

export const SegmentKind = { Literal: 0, Param: 1, Rest: 2, Shaped: 3 } as const;
export type SegmentKind = (typeof SegmentKind)[keyof typeof SegmentKind];

export type Segment =
  | { readonly kind: typeof SegmentKind.Literal; readonly bytes: Uint8Array }
  /** One plain parameter. */
  | { readonly kind: typeof SegmentKind.Param }
  | { readonly kind: typeof SegmentKind.Rest }
  /** Parameters with literals beside them, or with constraints. */
  | { readonly kind: typeof SegmentKind.Shaped; readonly shape: Shape };

export interface Pattern {
  readonly segments: readonly Segment[];
  /** Parameter names from left to right; the wildcard's is '*'. */
  readonly names: readonly string[];
}

const PARAM = /:(?<name>[A-Za-z_][A-Za-z0-9_]*)(?:\((?<constraint>[^()]*)\))?/y;
const OPTIONAL = 'register two routes for an optional part';
const LONE_SURROGATE = /\p{Surrogate}/u;

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
      segments.push({ kind: SegmentKind.Rest });
    } else {
      segments.push(segmentOf(text, part, names));
    }
  }
  if (names.length > PARAMS_MAX) reject(text, `it has more than ${PARAMS_MAX} parameters`);
  return { segments, names };
}

/** The prefix of a group: a pattern without a wildcard, and without a slash at its end. */
export function parseGroupPrefix(prefix: string): Pattern {
  const text = `prefix ${shown(prefix)} of group()`;
  const parts = partsOf(text, prefix);
  if (parts[parts.length - 1] === '') parts.pop();
  const names: string[] = [];
  if (parts.includes('*')) reject(text, "it must not contain '*': a group covers all below it");
  const segments = parts.map((part) => segmentOf(text, part, names));
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
      const instead = `${covers}, and a group() may have parameters`;
      reject(text, `it must not contain parameters: ${instead} (a literal ':' is %3A)`);
    }
    const literal = decodeLiteral(text, part);
    rejectDots(text, literal);
    return `/${literal}`;
  });
  return new TextEncoder().encode(literals.join(''));
}

/** The segments of a pattern or prefix, not decoded. */
function partsOf(text: string, pattern: string): string[] {
  if (typeof pattern !== 'string') reject(text, "it must be a string that begins with '/'");
  if (!pattern.startsWith('/')) reject(text, "it must begin with '/'");
  for (const [character, name] of [
    ['?', `'?': ${OPTIONAL}`],
    ['#', "'#'"],
    // Constraints and optional parts of other routers, which would be literals here.
    ['{', `'{': a constraint is as ':id(int)'; ${OPTIONAL} (a literal '{' is %7B)`],
    ['}', "'}' (a literal '}' is %7D)"],
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

/** The segment of a part that is no wildcard. Adds the names of its parameters. */
function segmentOf(text: string, part: string, names: string[]): Segment {
  const literals: string[] = [];
  const constraints: (Constraint | null)[] = [];
  let at = 0;
  let colon = part.indexOf(':');
  while (colon >= 0) {
    PARAM.lastIndex = colon;
    const groups = PARAM.exec(part)?.groups;
    if (groups === undefined) return rejectParam(text, part.slice(colon + 1));
    const { name, constraint } = groups;
    if (names.includes(name)) reject(text, `parameter ':${name}' occurs twice`);
    if (colon === at && constraints.length > 0) {
      reject(text, `a literal must be between ':${names[names.length - 1]}' and ':${name}'`);
    }
    names.push(internalized(name));
    literals.push(part.slice(at, colon));
    constraints.push(constraint === undefined ? null : checkedConstraint(text, name, constraint));
    at = PARAM.lastIndex;
    if (part[at] === '(') {
      reject(
        text,
        `the constraint of ':${name}' must be a name in parentheses, as ':${name}(int)'`,
      );
    }
    if (part.slice(at) === '+') {
      reject(text, `':${name}' is one segment; '*' at the end is several (a literal '+' is %2B)`);
    }
    colon = part.indexOf(':', at);
  }
  literals.push(part.slice(at));
  if (constraints.length > SEGMENT_PARAMS_MAX) {
    reject(text, `a segment has more than ${SEGMENT_PARAMS_MAX} parameters`);
  }
  const bytes = literals.map((literal) => new TextEncoder().encode(decodeLiteral(text, literal)));
  if (constraints.length === 0) {
    rejectDots(text, new TextDecoder().decode(bytes[0]));
    return { kind: SegmentKind.Literal, bytes: bytes[0] };
  }
  const isPlain = part.startsWith(':') && at === part.length && constraints.length === 1;
  if (isPlain && constraints[0] === null) return { kind: SegmentKind.Param };
  const key = constraints.map((each, index) => `${bytes[index].join()}:${each?.name ?? ''}`);
  const shape = { literals: bytes, constraints, key: `${key.join()};${bytes.at(-1)?.join()}` };
  return { kind: SegmentKind.Shaped, shape };
}

function rejectParam(text: string, name: string): never {
  if (name === '') reject(text, "':' must be followed by a name");
  const wanted = "must begin with a letter or '_'";
  return reject(text, `parameter name ${JSON.stringify(name)} ${wanted} (a literal ':' is %3A)`);
}

function checkedConstraint(text: string, name: string, constraint: string): Constraint {
  const known = constraintNamed(constraint);
  if (known !== undefined) return known;
  const names = CONSTRAINT_NAMES.join(', ');
  const meant = nearMiss(constraint, CONSTRAINT_NAMES);
  const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
  const given = `':${name}' has the unknown constraint ${JSON.stringify(constraint)}`;
  return reject(text, `${given}; there are ${names}${hint} (a literal '(' is %28)`);
}

/** Rejects what is ambiguous (a slash, NUL). */
function decodeLiteral(text: string, part: string): string {
  if (part.includes('*')) reject(text, "'*' must be a segment of its own (a literal '*' is %2A)");
  const literal = decodePercent(text, part);
  if (literal.includes('/')) reject(text, 'it must not contain an encoded slash (%2F)');
  if (literal.includes('\0')) reject(text, 'it must not contain an encoded NUL (%00)');
  if (LONE_SURROGATE.test(literal)) reject(text, 'it must not contain a lone surrogate');
  return literal;
}

function rejectDots(text: string, literal: string): void {
  if (literal === '.' || literal === '..') {
    reject(text, "'.' and '..' never match, because dot segments of a path are removed first");
  }
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
