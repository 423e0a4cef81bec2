// The page that lists a directory: its contents, its order, and that no name can break it.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { type DirectoryEntry, FileKind } from '../../src/async-io/async-io.ts';
import { listingPage } from '../../src/static/listing.ts';
import { seeded } from '../../testing/splits.ts';

const CHANGED_MS = Date.UTC(2024, 1, 29, 23, 59, 59);
const REST = { changedMs: CHANGED_MS, inode: 1, device: 1 };

function file(name: string, bytes = 1, modifiedMs = CHANGED_MS): DirectoryEntry {
  return { name, stat: { kind: FileKind.File, bytes, modifiedMs, ...REST } };
}

function folder(name: string): DirectoryEntry {
  const stat = { kind: FileKind.Directory, bytes: 4096, modifiedMs: CHANGED_MS, ...REST };
  return { name, stat };
}

function unescaped(html: string): string {
  return html
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');
}

/** The rows as [link, name, size, time], as a browser parses them. */
function rows(page: string): string[][] {
  const row = /<tr><td><a href="([^"]*)">([^<]*)<\/a><\/td><td>(.*?)<\/td><td>(.*?)<\/td><\/tr>/g;
  return [...page.matchAll(row)].map((match) => match.slice(1).map(unescaped));
}

function names(page: string): string[] {
  return rows(page).map(([, name]) => name);
}

it('shows names, sizes and times, directories first', () => {
  const page = listingPage('/some/', [
    file('b.txt', 1536),
    folder('z'),
    file('a.txt'),
    folder('y'),
  ]);
  assert.deepEqual(rows(page), [
    ['../', '../', '', ''],
    ['./y/', 'y/', '', '2024-02-29 23:59'],
    ['./z/', 'z/', '', '2024-02-29 23:59'],
    ['./a.txt', 'a.txt', '1 B', '2024-02-29 23:59'],
    ['./b.txt', 'b.txt', '1.5 KiB', '2024-02-29 23:59'],
  ]);
  assert.match(page, /^<!doctype html>\n/);
  assert.ok(page.includes('<title>Index of /some/</title>'));
});

it('the root has no link to a parent', () => {
  assert.deepEqual(rows(listingPage('/', [])), []);
  assert.deepEqual(names(listingPage('/a/', [])), ['../']);
});

it('omits hidden names and special files, and does not change the entries', () => {
  const stat = { kind: FileKind.Other, bytes: 0, modifiedMs: 0, ...REST };
  const entries = [file('z'), { name: 'fifo', stat }, file('.hidden'), folder('.git'), file('a')];
  assert.deepEqual(names(listingPage('/', entries)), ['a', 'z']);
  assert.equal(entries[0].name, 'z');
  assert.equal(entries.length, 5);
});

it('formats sizes with units', () => {
  const size = (bytes: number) => rows(listingPage('/', [file('a', bytes)]))[0][2];
  assert.equal(size(0), '0 B');
  assert.equal(size(1023), '1023 B');
  assert.equal(size(1024), '1.0 KiB');
  assert.equal(size(1024 ** 2), '1.0 MiB');
  assert.equal(size(5.25 * 1024 ** 3), '5.3 GiB');
  assert.equal(size(2 * 1024 ** 4), '2.0 TiB');
  assert.equal(size(Number.MAX_SAFE_INTEGER), '8192.0 TiB');
});

it('accepts any time that a file system can store', () => {
  const time = (ms: number) => rows(listingPage('/', [file('a', 1, ms)]))[0][3];
  assert.equal(time(0), '1970-01-01 00:00');
  assert.equal(time(-1), '1969-12-31 23:59');
  assert.equal(time(Date.UTC(12_345, 0)), '+012345-01-01 00:00');
  assert.equal(time(9e15), '');
  assert.equal(time(-1e20), '');
});

const ODD_NAMES = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=y>',
  "' onmouseover='x",
  '&lt;',
  '&amp;amp;',
  'a b',
  'a?b#c',
  '100%',
  '%2e%2e',
  'javascript:x',
  'c:',
  '\\\\host',
  'é€😀',
  'new\nline',
  '~',
  'a/../b',
];

it('no name breaks the page, and every link leads to its name', (context) => {
  const checkName = (name: string) => {
    const page = listingPage('/', [file(name), folder(name)]);
    const [inFolder, inFile] = rows(page);
    assert.equal(rows(page).length, 2);
    assert.equal(inFolder[1], `${name}/`);
    assert.equal(inFile[1], name);
    const url = new URL(inFile[0], 'http://site/base/');
    assert.equal(url.host, 'site');
    assert.ok(url.pathname.startsWith('/base/'));
    assert.equal(decodeURIComponent(url.pathname.slice('/base/'.length)), name);
    assert.equal(new URL(inFolder[0], 'http://site/base/').pathname, `${url.pathname}/`);
  };
  for (const name of ODD_NAMES) checkName(name);
  // No hidden names, and no line breaks, which the pattern of the rows does not match.
  const name = fc
    .string({ unit: 'grapheme', minLength: 1 })
    .filter((text) => !/^\.|[\r\n]/.test(text));
  fc.assert(fc.property(name, checkName), seeded(context, 300));
});

it('no path breaks the page', () => {
  for (const name of ODD_NAMES) {
    const page = listingPage(`/${name}/`, []);
    const [, title] = /<title>([^<]*)<\/title>/.exec(page) ?? [];
    assert.equal(unescaped(title ?? ''), `Index of /${name}/`);
    assert.ok(!page.includes('<script') && !page.includes('<img'));
  }
});
