// The named constraints of parameters, as in ':id(int)'. The set is closed: each is checked on the
// bytes of a path in one pass, which a regular expression of a user would not guarantee.

import { DASH } from '../base/ascii.ts';

export interface Constraint {
  readonly name: string;
  /** The order in which constraints of one segment are tried: the narrowest has 0. */
  readonly rank: number;
  /** 1 for each byte that may occur. */
  readonly allowed: Uint8Array;
  /** The only length that fits, 0 for any length from 1. */
  readonly length: number;
}

const DIGITS = '0123456789';
const LOWER = 'abcdefghijklmnopqrstuvwxyz';
const UPPER = LOWER.toUpperCase();
const HEX = `${DIGITS}abcdefABCDEF`;

/** The narrowest first: what each accepts is no superset of those behind it. */
const CONSTRAINTS: readonly Constraint[] = [
  { name: 'uuid', characters: `${HEX}-`, length: 36 },
  { name: 'int', characters: DIGITS, length: 0 },
  { name: 'hex', characters: HEX, length: 0 },
  { name: 'slug', characters: `${LOWER}${DIGITS}-`, length: 0 },
  { name: 'alpha', characters: `${LOWER}${UPPER}`, length: 0 },
  { name: 'alnum', characters: `${LOWER}${UPPER}${DIGITS}`, length: 0 },
].map(({ name, characters, length }, rank) => ({
  name,
  rank,
  length,
  allowed: tableOf(characters),
}));

/** The dashes of a UUID (RFC 9562 4), by their place in its text. */
const UUID_DASHES: ReadonlySet<number> = new Set([8, 13, 18, 23]);

export const CONSTRAINT_NAMES: readonly string[] = CONSTRAINTS.map(({ name }) => name);

export function constraintNamed(name: string): Constraint | undefined {
  return CONSTRAINTS.find((constraint) => constraint.name === name);
}

/** True when bytes [from, to) are a value that the constraint accepts. */
export function fits(
  { allowed, length }: Constraint,
  path: Uint8Array,
  from: number,
  to: number,
): boolean {
  if (from === to) return false;
  if (length > 0 && to - from !== length) return false;
  for (let at = from; at < to; at++) {
    if (allowed[path[at]] === 0) return false;
    if (length > 0 && (path[at] === DASH) !== UUID_DASHES.has(at - from)) return false;
  }
  return true;
}

function tableOf(characters: string): Uint8Array {
  const table = new Uint8Array(256);
  for (const character of characters) table[character.charCodeAt(0)] = 1;
  return table;
}
