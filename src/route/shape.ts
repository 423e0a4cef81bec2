// Segments of a pattern that are more than a literal or one plain parameter: ':name.json',
// ':year-:month', ':id(int)'. A shape is a row of literals with a parameter between each two.

import type { Constraint } from './constraints.ts';
import { fits } from './constraints.ts';

export interface Shape {
  /** The literals around the parameters, one more than those; the outer ones may be empty. */
  readonly literals: readonly Uint8Array[];
  /** Of each parameter; null accepts every byte. */
  readonly constraints: readonly (Constraint | null)[];
  /** Equal for the shapes that match the same segments in the same way. */
  readonly key: string;
}

/** Where parameters end, by their number and beginning; grown to the longest segment. */
let scratch = new Int32Array(256);

/**
 * True when the shape matches the segment in bytes [from, to). Writes the offsets of its parameters
 * from pair `first` on. Each takes as few bytes as possible, at least one; the first comes first.
 *
 * Cost: the bytes of the segment, for each byte of the literals and each parameter.
 */
export function matchShape(
  { literals, constraints }: Shape,
  path: Uint8Array,
  from: number,
  to: number,
  offsets: Int32Array,
  first: number,
): boolean {
  const last = constraints.length - 1;
  const suffix = literals[last + 1];
  const end = to - suffix.length;
  const start = from + literals[0].length;
  if (start >= end || !isAt(literals[0], path, from, to) || !isAt(suffix, path, end, to)) {
    return false;
  }
  // Without constraints the first occurrence of each literal is as good as any later one.
  let at = start;
  let isFitting = true;
  for (let index = 0; index <= last; index++) {
    const stop = index === last ? end : find(literals[index + 1], path, at + 1, end);
    if (stop <= at) return false;
    offsets[2 * (first + index)] = at;
    offsets[2 * (first + index) + 1] = stop;
    const constraint = constraints[index];
    if (constraint !== null && !fits(constraint, path, at, stop)) isFitting = false;
    at = stop + literals[index + 1].length;
  }
  if (isFitting || last === 0) return isFitting;
  return matchConstrained(literals, constraints, path, start, end, offsets, first);
}

/**
 * Searches for other occurrences of the literals, with which all constraints fit: '-' in
 * ':slug(slug)-:id(int)'. From right to left, finds for each parameter and each place where it may
 * begin the nearest end behind which the rest fits: no place is visited twice for one parameter.
 */
function matchConstrained(
  literals: readonly Uint8Array[],
  constraints: readonly (Constraint | null)[],
  path: Uint8Array,
  from: number,
  to: number,
  offsets: Int32Array,
  first: number,
): boolean {
  const places = to - from + 1;
  const last = constraints.length - 1;
  if (scratch.length < places * (last + 1)) scratch = new Int32Array(2 * places * (last + 1));
  const ends = scratch;
  for (let index = last; index >= 0; index--) {
    const constraint = constraints[index];
    const literal = literals[index + 1];
    const row = index * places;
    const isEnd = (end: number): boolean => {
      if (index === last) return end === to;
      if (!isAt(literal, path, end, to)) return false;
      return ends[row + places + end + literal.length - from] >= 0;
    };
    let nearest = -1;
    ends[row + places - 1] = -1;
    for (let at = to - 1; at >= from; at--) {
      if (constraint !== null && constraint.length > 0) {
        const end = at + constraint.length;
        nearest = end <= to && fits(constraint, path, at, end) && isEnd(end) ? end : -1;
      } else if (constraint !== null && constraint.allowed[path[at]] === 0) {
        nearest = -1;
      } else if (isEnd(at + 1)) {
        nearest = at + 1;
      }
      ends[row + at - from] = nearest;
    }
  }
  let at = from;
  for (let index = 0; index <= last; index++) {
    const end = ends[index * places + at - from];
    if (end < 0) return false;
    offsets[2 * (first + index)] = at;
    offsets[2 * (first + index) + 1] = end;
    at = end + literals[index + 1].length;
  }
  return true;
}

/** Negative when a shape takes precedence over another one; 0 when neither does. */
export function compareShapes(one: Shape, other: Shape): number {
  const [mine, theirs] = [one, other].map(weightOf);
  for (const [index, weight] of mine.entries()) {
    if (weight !== theirs[index]) return theirs[index] - weight;
  }
  return 0;
}

/** The more of the first, the higher the precedence; of the second, where the first are equal. */
function weightOf({ literals, constraints }: Shape): number[] {
  const constrained = constraints.filter((constraint) => constraint !== null);
  return [
    literals.reduce((sum, literal) => sum + literal.length, 0),
    constrained.length,
    -constrained.reduce((sum, { rank }) => sum + rank, 0),
  ];
}

/** True when the literal is at `from`, and ends within the segment. */
function isAt(literal: Uint8Array, path: Uint8Array, from: number, to: number): boolean {
  if (to - from < literal.length) return false;
  for (let index = 0; index < literal.length; index++) {
    if (path[from + index] !== literal[index]) return false;
  }
  return true;
}

/** The first place of the literal in bytes [from, to), or -1. */
function find(literal: Uint8Array, path: Uint8Array, from: number, to: number): number {
  for (let at = from; at + literal.length <= to; at++) {
    if (isAt(literal, path, at, to)) return at;
  }
  return -1;
}
