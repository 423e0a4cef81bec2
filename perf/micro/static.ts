// Measures what a static file in memory costs above any other answer: finding it by its path,
// copying it ready made, bringing its Date up to date. Run: node .ci/start.mjs perf/micro/static.ts

import { copyBytes } from '../../src/base/bytes.ts';
import { prepare } from '../../src/exchange/prepared.ts';
import { DateField } from '../../src/http/date.ts';
import { type CachedFile, FileCache } from '../../src/static/file-cache.ts';
import { FileKind } from '../../src/work/work.ts';
import { best } from './timing.ts';

const ROUNDS = 60;
const CALLS = 20_000;
const FILES = 1_000;
const CACHE_BYTES_MAX = 32 * 1024 * 1024;
const WALL_MS = 1_700_000_000_000;

const target = new Uint8Array(65_536);
const at = 4_099;
const date = new DateField();
let sink = 0;

const cache = new FileCache(CACHE_BYTES_MAX);
for (let number = 0; number < FILES; number++) {
  cache.add(cachedFile(`/assets/file-${number}.css`, number % 3 === 0 ? 8_192 : 1_024));
}

const small = pathIn('GET /assets/file-500.css HTTP/1.1');
const large = pathIn('GET /assets/file-501.css HTTP/1.1');
const missing = pathIn('GET /assets/file-x00.css HTTP/1.1');

show('look-up, found', () => (find(small) === null ? 0 : 1));
show('look-up, not found', () => (find(missing) === null ? 1 : 0));
show('found and copied, 1 KiB', () => answer(small));
show('found and copied, 8 KiB', () => answer(large));
if (sink === 0) throw new Error('nothing was found');

interface Path {
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly to: number;
}

function pathIn(line: string): Path {
  return { bytes: Buffer.from(line), from: line.indexOf('/'), to: line.lastIndexOf(' ') };
}

function find({ bytes, from, to }: Path): CachedFile | null {
  return cache.get(bytes, from, to);
}

function answer(path: Path): number {
  const file = find(path);
  if (file === null) throw new Error('a file is missing');
  date.update(WALL_MS);
  const end = copyBytes(target, at, file.answer.bytes);
  copyBytes(target, at + file.answer.dateAt, date.bytes);
  return end;
}

function cachedFile(path: string, bytes: number): CachedFile {
  const etag = '"400-65a1b2c3d4e5-1a2b3c"';
  const fields = {
    'Content-Type': 'text/css; charset=utf-8',
    'Last-Modified': 'Tue, 14 Nov 2023 22:13:20 GMT',
    ETag: etag,
  };
  return {
    key: Buffer.from(path),
    file: path,
    stat: { kind: FileKind.File, bytes, modifiedMs: WALL_MS, inode: 1 },
    etag,
    answer: prepare(200, fields, new Uint8Array(bytes)),
    checkedMs: 0,
    checking: null,
  };
}

function show(what: string, run: () => number): void {
  const ns = best(ROUNDS, () => {
    for (let call = 0; call < CALLS; call++) sink += run();
    return CALLS;
  });
  console.log(`${what.padEnd(26)} ${ns.toFixed(0).padStart(5)} ns`);
}
