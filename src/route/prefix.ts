// The prefixes of middleware: which paths lie at or below one, and for a route, whether that is
// known before any request: then no request compares the prefix.

import { SLASH } from '../base/ascii.ts';
import {
  PARAMS_MAX,
  type Pattern,
  parseGroupPrefix,
  type Segment,
  SegmentKind,
} from './pattern.ts';
import { matchShape } from './shape.ts';

/** Whether a prefix covers the paths that a pattern matches. */
export const Coverage = { None: 0, Some: 1, All: 2 } as const;
export type Coverage = (typeof Coverage)[keyof typeof Coverage];

export interface Prefix {
  readonly segments: readonly Segment[];
  /** Decoded bytes without a slash at the end, empty for everything; null with parameters. */
  readonly bytes: Uint8Array | null;
}

/** Shapes write the offsets of parameters, which nothing reads here. */
const unused = new Int32Array(2 * PARAMS_MAX);

/** A prefix of literals and parameters. Throws a TypeError when it is not valid. */
export function prefixFrom(text: string): Prefix {
  const { segments } = parseGroupPrefix(text);
  const bytes: number[] = [];
  for (const segment of segments) {
    if (segment.kind !== SegmentKind.Literal) return { segments, bytes: null };
    bytes.push(SLASH, ...segment.bytes);
  }
  return { segments, bytes: Uint8Array.from(bytes) };
}

/** The length of the prefix in path bytes [from, to), or -1 when the path is not at or below it. */
export function prefixLength(
  { bytes, segments }: Prefix,
  path: Uint8Array,
  from: number,
  to: number,
): number {
  if (bytes !== null) return isBelow(bytes, path, from, to) ? bytes.length : -1;
  let at = from;
  for (const segment of segments) {
    if (at === to) return -1;
    let end = at + 1;
    while (end < to && path[end] !== SLASH) end += 1;
    if (!matchesSegment(segment, path, at + 1, end)) return -1;
    at = end;
  }
  return at - from;
}

/** True when path bytes [from, to) are the prefix or lie below it. */
export function isBelow(bytes: Uint8Array, path: Uint8Array, from: number, to: number): boolean {
  const { length } = bytes;
  if (length === 0) return true;
  if (to - from < length) return false;
  for (let index = 0; index < length; index++) {
    if (path[from + index] !== bytes[index]) return false;
  }
  return from + length === to || path[from + length] === SLASH;
}

/** Which of the paths that a pattern matches are at or below the prefix. */
export function coverageOf(prefix: Prefix, pattern: Pattern): Coverage {
  let coverage: Coverage = Coverage.All;
  for (const [index, segment] of prefix.segments.entries()) {
    if (index >= pattern.segments.length) return Coverage.None;
    const other = pattern.segments[index];
    if (other.kind === SegmentKind.Rest) return Coverage.Some;
    const covered = segmentCoverage(segment, other);
    if (covered === Coverage.None) return Coverage.None;
    if (covered === Coverage.Some) coverage = Coverage.Some;
  }
  return coverage;
}

/** Which of the segments that `other` matches are matched by a segment of a prefix. */
function segmentCoverage(segment: Segment, other: Segment): Coverage {
  if (other.kind === SegmentKind.Literal) {
    const { bytes } = other;
    return matchesSegment(segment, bytes, 0, bytes.length) ? Coverage.All : Coverage.None;
  }
  if (segment.kind === SegmentKind.Param) return Coverage.All;
  if (segment.kind !== SegmentKind.Shaped || other.kind !== SegmentKind.Shaped) {
    return Coverage.Some;
  }
  return segment.shape.key === other.shape.key ? Coverage.All : Coverage.Some;
}

/** True when a segment of a prefix matches bytes [from, to). */
function matchesSegment(segment: Segment, path: Uint8Array, from: number, to: number): boolean {
  if (segment.kind === SegmentKind.Param) return from < to;
  if (segment.kind === SegmentKind.Shaped) {
    return matchShape(segment.shape, path, from, to, unused, 0);
  }
  if (segment.kind === SegmentKind.Rest || segment.bytes.length !== to - from) return false;
  return isBelow(segment.bytes, path, from, to);
}
