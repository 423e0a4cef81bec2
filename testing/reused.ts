// Checks that an object which was used and cleared equals a new one, private fields included, and
// that the use would show a field that clear() forgets: each compared field differs before.

import assert from 'node:assert/strict';
import { Random } from './random.ts';
import { privateFields, stateDifferences } from './same-state.ts';

export interface Reused<T extends object> {
  /** The class, and the call that clears it. */
  readonly name: string;
  readonly make: (random: Random) => T;
  readonly use: (thing: T, random: Random) => void;
  readonly clear: (thing: T, random: Random) => void;
  /** Clears a new object too, where clear() sets it for its next use. */
  readonly prepare?: (thing: T, random: Random) => void;
  /** Fields that keep what they had, each because nothing reads it before it is set again. */
  readonly kept?: readonly string[];
  /** Fields that a use does not change: other objects of the server, limits. */
  readonly constant?: readonly string[];
}

/** Rounds of the fixed seed, which must change every field, and of the given one. */
const FIXED_ROUNDS = 20;
const ROUNDS = 30;
const FIXED_SEED = 1;

/** The same seed makes the object, and clears it and the new one. */
export function checkReused<T extends object>(row: Reused<T>, chosen: number): void {
  const { make, use, clear, prepare, kept = [], constant = [] } = row;
  const changed = new Set<string>();
  let fields: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const seed = round < FIXED_ROUNDS ? FIXED_SEED : chosen;
    const where = `${row.name}, seed ${seed}, round ${round}`;
    const shape = () => new Random(seed, `${row.name} ${round}`);
    const thing = make(shape());
    const fresh = make(shape());
    prepare?.(fresh, shape());
    use(thing, new Random(seed, `${row.name} use ${round}`));
    const before = fieldsOf(thing);
    const beforeFresh = fieldsOf(fresh);
    fields = [...before.keys()];
    for (const name of round < FIXED_ROUNDS ? fields : []) {
      if (stateDifferences(before.get(name), beforeFresh.get(name)).length > 0) changed.add(name);
    }
    clear(thing, shape());
    const ignored = [...kept, ...constant];
    assert.deepEqual(stateDifferences(thing, fresh, { ignored }), [], where);
  }
  const unchanged = fields.filter((name) => ![...changed, ...kept, ...constant].includes(name));
  assert.deepEqual(unchanged, [], `${row.name}: each field differs after a use`);
  const wrong = constant.filter((name) => changed.has(name));
  assert.deepEqual(wrong, [], `${row.name}: a constant field does not change`);
}

function fieldsOf(thing: object): Map<string, unknown> {
  const fields = privateFields(thing);
  for (const [name, value] of Object.entries(thing)) fields.set(name, value);
  return fields;
}

/** Sizes of memory, which belong to the object. */
const SIZES = ['fieldsMax'];

/** Sets every public field to another value of its type; objects in `nested` are scrambled too. */
export function scramble(thing: object, random: Random, nested: readonly string[] = []): void {
  for (const [name, value] of Object.entries(thing)) {
    if (SIZES.includes(name)) continue;
    if (nested.includes(name)) scramble(value, random, nested);
    else if (typeof value === 'number') set(thing, name, value + random.between(1, 1000));
    else if (typeof value === 'boolean') set(thing, name, !value);
    else if (typeof value === 'string') set(thing, name, `${value}x`);
    else if (value === null) set(thing, name, { scrambled: true });
    else if (value instanceof Uint8Array) set(thing, name, new Uint8Array(3));
  }
}

function set(thing: object, name: string, value: unknown): void {
  assert.ok(Reflect.set(thing, name, value), name);
}

export const REUSED_SEED: number = Number(process.env['VIBING_SEED'] ?? Date.now() % 2 ** 31);
