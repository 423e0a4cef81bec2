// Writes a target and all that it imports to a folder of its own, the modules of src/ with counters
// in them. There it runs as it is: a target imports src/ like any other code.

import { createHash } from 'node:crypto';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { importsOf, instrument, instrumentComparisons } from './instrument.ts';

/** The folder of compiled code that this file is part of. */
export const BUILD: string = fileURLToPath(new URL('../..', import.meta.url));

const MIRRORS = join(BUILD, 'mirrors');
const COUNTERS_MODULE = 'counters.js';
/** Whoever runs a mirror of yesterday has long loaded it. */
const KEPT_MS = 24 * 60 * 60 * 1000;

/** A mistake put into one module: `find` stands there once. */
export interface Plant {
  /** As in 'src/http/parse-head.js'. */
  readonly module: string;
  readonly find: string;
  readonly replacement: string;
}

/** What is put into the modules of a mirror; comparisons tell what they compare. */
export type Kind = 'counters' | 'comparisons';

/** What the module of counters exports. */
export interface Counters {
  readonly counters: Uint8ClampedArray;
  /** How many steps are left, in its one element. */
  readonly steps: Int32Array;
  readonly words: readonly string[];
}

/** What the same module exports where comparisons tell. */
export interface Comparisons {
  /** What was compared since this was emptied, two values each. */
  readonly compared: unknown[];
}

/** The folder of the mirror; made when it is not there yet. */
export function mirror(entry: string, kind: Kind, plant: Plant | null = null): string {
  const sources = sourcesOf(entry);
  if (plant !== null) sources.set(plant.module, planted(sources.get(plant.module), plant));
  const hash = createHash('sha256').update(readFileSync(join(BUILD, 'fuzz/engine/instrument.js')));
  for (const [path, source] of sources) hash.update(`${path}\0${source}\0`);
  const name = `${posix.basename(entry, '.js')}-${kind}`;
  const folder = join(MIRRORS, `${name}-${hash.digest('hex').slice(0, 16)}`);
  if (statSync(folder, { throwIfNoEntry: false }) !== undefined) return folder;
  removeOld();
  // Others may be writing the same: whoever is first to rename has made it.
  const draft = `${folder}.${process.pid}.${process.hrtime.bigint()}`;
  write(draft, sources, kind);
  try {
    renameSync(draft, folder);
  } catch (error) {
    rmSync(draft, { recursive: true });
    if (statSync(folder, { throwIfNoEntry: false }) === undefined) throw error;
  }
  return folder;
}

/** A module and all that it imports from here, by its path, in the order they are met. */
function sourcesOf(entry: string): Map<string, string> {
  const sources = new Map<string, string>();
  const waiting = [entry];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (sources.has(path)) continue;
    const source = readFileSync(join(BUILD, path), 'utf8').replace(
      /\n\/\/# sourceMapping.*\n?$/,
      '',
    );
    sources.set(path, source);
    for (const name of importsOf(source)) {
      if (name.startsWith('.')) waiting.push(posix.join(posix.dirname(path), name));
    }
  }
  return sources;
}

function planted(source: string | undefined, plant: Plant): string {
  const parts = source?.split(plant.find) ?? [];
  if (parts.length !== 2) {
    throw new Error(`${plant.module} has ${parts.length - 1} places for a planted mistake, not 1`);
  }
  return parts.join(plant.replacement);
}

function write(folder: string, sources: ReadonlyMap<string, string>, kind: Kind): void {
  const words = new Set<string>();
  let next = 0;
  for (const [path, source] of sources) {
    const file = join(folder, path);
    let code = source;
    if (path.startsWith('src/')) {
      const counters = relative(dirname(file), join(folder, COUNTERS_MODULE)).replaceAll(sep, '/');
      if (kind === 'comparisons') code = instrumentComparisons(source, counters);
      else {
        const made = instrument(source, next, counters);
        code = made.code;
        next = made.next;
        for (const word of made.words) words.add(word);
      }
    }
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, code);
  }
  const module = kind === 'comparisons' ? comparisonsModule() : countersModule(next, [...words]);
  writeFileSync(join(folder, COUNTERS_MODULE), module);
}

/** Most pairs that one run may leave behind: most of them say the same again and again. */
const COMPARED_MAX = 40_000;

function comparisonsModule(): string {
  const one = (name: string, operator: string) =>
    `export function ${name}(a, b) { note(a, b); return a ${operator} b; }`;
  return [
    'export const compared = [];',
    'function note(a, b) {',
    '  if (a === b || typeof a !== typeof b) return;',
    "  if (typeof a !== 'number' && typeof a !== 'string') return;",
    `  if (compared.length < ${COMPARED_MAX}) compared.push(a, b);`,
    '}',
    one('equal', '==='),
    one('unequal', '!=='),
    one('less', '<'),
    one('atMost', '<='),
    one('more', '>'),
    one('atLeast', '>='),
    '',
  ].join('\n');
}

/** Clamped, so that a loop of 256 rounds does not look like none. */
function countersModule(count: number, words: readonly string[]): string {
  const length = Math.ceil(count / 8) * 8;
  return [
    `export const counters = new Uint8ClampedArray(${length});`,
    'export const steps = new Int32Array(1).fill(0x7fffffff);',
    'export function exhausted() {',
    "  throw new RangeError('it goes on and on: more steps than an input can be worth');",
    '}',
    `export const words = ${JSON.stringify(words)};`,
    '',
  ].join('\n');
}

function removeOld(): void {
  mkdirSync(MIRRORS, { recursive: true });
  for (const name of readdirSync(MIRRORS)) {
    const path = join(MIRRORS, name);
    const found = statSync(path, { throwIfNoEntry: false });
    if (found !== undefined && Date.now() - found.mtimeMs > KEPT_MS) {
      rmSync(path, { recursive: true, force: true });
    }
  }
}
