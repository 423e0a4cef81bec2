// The files of the sample site: small, complete, without external references, with its large file.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { inflateSync } from 'node:zlib';
import { encodePng } from '../../examples/png.ts';
import { ROOT } from '../../testing/child-program.ts';
import { example, run } from '../../testing/program.ts';

const site = join(ROOT, 'examples', 'site');
const GENERATED = 'large.bin';
const COMMITTED_BYTES_MAX = 600_000;

function committedFiles(): string[] {
  const names = readdirSync(site, { recursive: true, encoding: 'utf8' });
  const files = names.filter((name) => statSync(join(site, name)).isFile());
  return files.filter((name) => !name.startsWith(GENERATED));
}

test('is small', () => {
  let bytes = 0;
  for (const name of committedFiles()) bytes += statSync(join(site, name)).size;
  assert.ok(bytes < COMMITTED_BYTES_MAX, `${bytes} bytes`);
});

test('refers only to its own files', () => {
  const pages = committedFiles().filter((name) => /\.(html|css|svg|js)$/.test(name));
  assert.ok(pages.length >= 10);
  let references = 0;
  for (const name of pages) {
    const text = readFileSync(join(site, name), 'utf8');
    assert.doesNotMatch(text.replaceAll('http://www.w3.org/2000/svg', ''), /(src|href)="https?:/);
    const found = text.matchAll(
      /(?:\b(?:src|href)=|\burl\(|\bfrom (?=.\.)|<option value=)["']([^"']+)["']/g,
    );
    for (const [, reference = ''] of found) {
      // An option of a form names a file too, so it is checked like a link.
      const target = new URL(reference, pathToFileURL(join(site, name)));
      if (target.pathname.endsWith(GENERATED)) continue;
      const stat = statSync(target, { throwIfNoEntry: false });
      assert.ok(stat !== undefined, `${name} refers to ${reference}`);
      if (stat.isDirectory()) assert.ok(statSync(new URL('index.html', target)).isFile());
      references += 1;
    }
  }
  assert.ok(references > 60, `only ${references} references found`);
});

test('makes its large file with the bytes that the page expects, if it is missing', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'vibing-site-'));
  const path = join(directory, GENERATED);
  const expected = /data-sha256="([0-9a-f]{64})"/.exec(
    readFileSync(join(site, 'index.html'), 'utf8'),
  );
  try {
    const first = await run(example('make-site'), [directory]);
    assert.equal(first.code, 0, first.problems);
    const sum = createHash('sha256').update(readFileSync(path)).digest('hex');
    assert.equal(sum, expected?.[1]);
    const { ino } = statSync(path);
    assert.equal((await run(example('make-site'), [directory])).out, '');
    assert.equal(statSync(path).ino, ino, 'not written again');
    writeFileSync(path, 'short');
    assert.equal((await run(example('make-site'), [directory])).code, 0);
    assert.equal(createHash('sha256').update(readFileSync(path)).digest('hex'), sum);
    assert.deepEqual(readdirSync(directory), [GENERATED], 'nothing else is left');
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('pictures are the same after encoding and decoding', () => {
  const width = 7;
  const height = 5;
  const pixels = Uint8Array.from({ length: width * height * 3 }, (_, at) => (at * at * 37) % 256);
  const png = encodePng({ width, height, pixels });
  assert.equal(png.toString('latin1', 1, 4), 'PNG');
  const start = png.indexOf('IDAT') + 4;
  const rows = inflateSync(png.subarray(start, start + png.readUInt32BE(start - 8)));
  const back = unfilter(rows, width * 3);
  assert.deepEqual(back, pixels);
  assert.equal(png.toString('hex', png.length - 12), '0000000049454e44ae426082');
});

/** The Paeth filter of a decoder, straight from the specification. */
function unfilter(rows: Uint8Array, rowBytes: number): Uint8Array {
  const out = new Uint8Array((rows.length / (rowBytes + 1)) * rowBytes);
  const at = (x: number, y: number): number => (x < 0 || y < 0 ? 0 : (out[y * rowBytes + x] ?? 0));
  for (let y = 0; y * rowBytes < out.length; y++) {
    assert.equal(rows[y * (rowBytes + 1)], 4);
    for (let x = 0; x < rowBytes; x++) {
      const [a, b, c] = [at(x - 3, y), at(x, y - 1), at(x - 3, y - 1)];
      const order = [a, b, c].map((value) => ({ value, off: Math.abs(a + b - c - value) }));
      order.sort((one, other) => one.off - other.off);
      out[y * rowBytes + x] = (rows[y * (rowBytes + 1) + 1 + x] ?? 0) + (order[0]?.value ?? 0);
    }
  }
  return out;
}
