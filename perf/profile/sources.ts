// Maps a place in the bundle of the package to the module of src/ it came from.

import { existsSync, readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Compiled, this file lies in build/perf/profile/. */
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

const maps = new Map<string, SourceMap | null>();

/** A place in a source, such as src/http/parse-head.ts and its line. */
export interface Place {
  readonly path: string;
  readonly line: number;
}

/** Line and column count from 1, as V8 reports them; null for scripts without a source map. */
export function placeIn(script: string, line: number, column: number): Place | null {
  if (!script.startsWith('file:')) return null;
  const file = fileURLToPath(script);
  const map = mapOf(file);
  const entry = map?.findEntry(line - 1, column - 1);
  if (entry === undefined || !('originalSource' in entry)) return null;
  const source = resolve(dirname(file), entry.originalSource);
  return { path: relative(ROOT, source), line: entry.originalLine + 1 };
}

function mapOf(file: string): SourceMap | null {
  let map = maps.get(file);
  if (map === undefined) {
    const path = `${file}.map`;
    map = existsSync(path) ? new SourceMap(JSON.parse(readFileSync(path, 'utf8'))) : null;
    maps.set(file, map);
  }
  return map;
}
