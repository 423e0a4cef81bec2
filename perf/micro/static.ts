// Measures what a cached file costs above other responses: finding it by its path, copying its
// prepared response, updating its Date.

import { do_not_optimize as keep } from 'mitata';
import { FileKind } from '../../src/async-io/async-io.ts';
import { copyBytes } from '../../src/base/bytes.ts';
import { partsOf } from '../../src/exchange/prepared.ts';
import {
  prepareNotModified,
  prepareRepresentation,
  representationOf,
} from '../../src/exchange/representation.ts';
import { DateField } from '../../src/http/date.ts';
import { CachedFile } from '../../src/static/cached-file.ts';
import { FileCache } from '../../src/static/file-cache.ts';
import type { BenchCase } from '../bench/case.ts';

const FILES = 1_000;
const CACHE_BYTES_MAX = 32 * 1024 * 1024;
const WALL_MS = 1_700_000_000_000;
/** Somewhere in a slab, not at the start of memory. */
const AT = 4_099;

export function staticCases(): readonly BenchCase[] {
  const cache = new FileCache(CACHE_BYTES_MAX);
  for (let number = 0; number < FILES; number++) {
    cache.add(cachedFile(`/assets/file-${number}.css`, number % 3 === 0 ? 8_192 : 1_024));
  }
  const small = pathIn('GET /assets/file-500.css HTTP/1.1');
  const large = pathIn('GET /assets/file-501.css HTTP/1.1');
  const missing = pathIn('GET /assets/file-x00.css HTTP/1.1');
  const find = ({ bytes, from, to }: Path): CachedFile | null => cache.get(bytes, from, to);
  if (find(small) === null || find(missing) !== null)
    throw new Error('the cache finds the wrong files');

  const target = new Uint8Array(65_536);
  const date = new DateField();
  const respond = (path: Path): number => {
    const file = find(path);
    if (file === null) throw new Error('a file is missing');
    date.update(WALL_MS);
    const { response } = file.original;
    if (response === null) throw new Error('a file is not in memory');
    const { bytes, dateAt } = partsOf(response);
    const end = copyBytes(target, AT, bytes);
    copyBytes(target, AT + dateAt, date.bytes);
    return end;
  };
  return [
    { name: 'look-up, found', run: () => keep(find(small)) },
    { name: 'look-up, not found', run: () => keep(find(missing)) },
    { name: 'found and copied, 1 KiB', run: () => keep(respond(small)) },
    { name: 'found and copied, 8 KiB', run: () => keep(respond(large)) },
  ];
}

interface Path {
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly to: number;
}

function pathIn(line: string): Path {
  return { bytes: Buffer.from(line), from: line.indexOf('/'), to: line.lastIndexOf(' ') };
}

function cachedFile(path: string, bytes: number): CachedFile {
  const times = { modifiedMs: WALL_MS - 60_000, changedMs: WALL_MS - 60_000 };
  const stat = { kind: FileKind.File, bytes, ...times, inode: 1, device: 1 };
  const content = new Uint8Array(bytes);
  const representation = representationOf(stat, 'text/css; charset=utf-8', WALL_MS);
  const response = prepareRepresentation(representation, content, WALL_MS);
  const notModified = prepareNotModified(representation, WALL_MS);
  const variant = { real: path, stat, representation, content, response, notModified };
  return new CachedFile(Buffer.from(path), [{ path, stat }], variant, new Map(), 0);
}
