// The folder that both servers serve: sizes, types, names, links, variants and special files, with
// fixed modification times.

import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';

/** Of all files; variants are a minute younger. */
export const MODIFIED_MS: number = Date.UTC(2024, 1, 29, 12, 30, 15);
const VARIANT_MODIFIED_MS = MODIFIED_MS + 60_000;
export const DIGITS_BYTES = 1000;
export const LARGE_BYTES = 300_000;

/** What the file digits.txt holds: every position differs from its neighbours. */
export const DIGITS: string = Array.from({ length: DIGITS_BYTES / 5 }, (_, index) =>
  String(index * 5)
    .padStart(4, '0')
    .concat('\n'),
).join('');
const SCRIPT = 'console.log("a script that compresses well");\n'.repeat(100);

const FILES: Readonly<Record<string, string | Buffer>> = {
  'digits.txt': DIGITS,
  'empty.txt': '',
  'one.txt': '1',
  'large.bin': Buffer.alloc(LARGE_BYTES, 'large content '),
  'page.html': '<!doctype html><title>page</title>',
  'index.html': '<!doctype html><title>home</title>',
  'style.css': 'body { color: black }',
  'data.json': '{"a":1}',
  'picture.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>',
  'feed.xml': '<?xml version="1.0" encoding="iso-8859-1"?><feed/>',
  'font.woff2': Buffer.from('wOF2'),
  'module.wasm': Buffer.from('\0asm'),
  'film.mp4': Buffer.alloc(5000, 'film'),
  'list.m3u8': '#EXTM3U\n',
  'archive.zip': Buffer.from('PK'),
  'unknown.qqq': 'unknown',
  noextension: 'plain',
  'UPPER.TXT': 'upper',
  'with space.txt': 'space',
  'per%cent.txt': 'percent',
  'plus+sign.txt': 'plus',
  "quote'.txt": 'quote',
  'semi;colon.txt': 'semicolon',
  'question?.txt': 'question',
  'hash#.txt': 'hash',
  'ümlaut.txt': 'umlaut',
  '日本.txt': 'nihon',
  'dir/index.html': '<title>dir</title>',
  'dir/inner.txt': 'inner',
  'no-index/file.txt': 'no index here',
  'deep/er/est/file.txt': 'deep',
  'dots/..hidden.txt': 'two dots',
  'dots/a..b.txt': 'dots inside',
  'script.js': SCRIPT,
  'only.js': SCRIPT,
};

/** Makes the folder below the temporary directory; returns its path. */
export function makeFolder(): string {
  const base = mkdtempSync(join(tmpdir(), 'vibing-static-'));
  const root = join(base, 'root');
  for (const [name, content] of Object.entries(FILES)) write(root, name, content, MODIFIED_MS);
  write(root, 'script.js.gz', gzipSync(SCRIPT), VARIANT_MODIFIED_MS);
  write(root, 'script.js.br', brotliCompressSync(SCRIPT), VARIANT_MODIFIED_MS);
  write(base, 'outside.txt', 'outside', MODIFIED_MS);
  symlinkSync('digits.txt', join(root, 'link.txt'));
  symlinkSync('nowhere.txt', join(root, 'broken.txt'));
  symlinkSync('dir', join(root, 'dir-link'));
  execFileSync('mkfifo', [join(root, 'fifo')]);
  // nginx gives up root's rights for its workers.
  for (const folder of [base, root]) chmodSync(folder, 0o755);
  return base;
}

function write(root: string, name: string, content: string | Buffer, modifiedMs: number): void {
  const path = join(root, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  utimesSync(path, modifiedMs / 1000, modifiedMs / 1000);
}
