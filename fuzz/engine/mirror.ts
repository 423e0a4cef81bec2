// Writes a mirror of a target: a folder with the target and all modules that it imports, those of
// src/ instrumented. The target itself is an ordinary module that imports src/.

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
/** Older mirrors are removed: their processes have loaded them long ago. */
const KEPT_MS = 24 * 60 * 60 * 1000;

/** A mistake to inject into one module: `find` occurs there once. */
export interface Injection {
  /** As in 'src/http/parse-head.js'. */
  readonly module: string;
  readonly find: string;
  readonly replacement: string;
}

/** The instrumentation of a mirror. */
export type Kind = 'counters' | 'comparisons';

/** The exports of the module of counters. */
export interface Counters {
  readonly counters: Uint8ClampedArray;
  /** The steps left, in its only element. */
  readonly steps: Int32Array;
  readonly words: readonly string[];
}

/** The exports of that module in a mirror of comparisons. */
export interface Comparisons {
  /** Pairs of operands, since this was emptied. */
  readonly compared: unknown[];
}

/** The folder of the mirror; made on first use. */
export function mirror(entry: string, kind: Kind, injection: Injection | null = null): string {
  const sources = sourcesOf(entry);
  if (injection !== null)
    sources.set(injection.module, withInjection(sources.get(injection.module), injection));
  const hash = createHash('sha256').update(readFileSync(join(BUILD, 'fuzz/engine/instrument.js')));
  for (const [path, source] of sources) hash.update(`${path}\0${source}\0`);
  const name = `${posix.basename(entry, '.js')}-${kind}`;
  const folder = join(MIRRORS, `${name}-${hash.digest('hex').slice(0, 16)}`);
  if (statSync(folder, { throwIfNoEntry: false }) !== undefined) return folder;
  removeOld();
  // Other processes may write the same mirror: the first rename wins.
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

/** A module and all project modules that it imports, by path. */
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

function withInjection(source: string | undefined, injection: Injection): string {
  const parts = source?.split(injection.find) ?? [];
  if (parts.length !== 2) {
    throw new Error(
      `${injection.module} has ${parts.length - 1} places for an injected mistake, not 1`,
    );
  }
  return parts.join(injection.replacement);
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

/** The most pairs that one run records: most pairs repeat. */
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

/** Clamped, so that 256 hits do not count as 0. */
function countersModule(count: number, words: readonly string[]): string {
  const length = Math.ceil(count / 8) * 8;
  return [
    `export const counters = new Uint8ClampedArray(${length});`,
    'export const steps = new Int32Array(1).fill(0x7fffffff);',
    'export function exhausted() {',
    "  throw new RangeError('more steps than the target allows: an endless loop?');",
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
