// Parts of a listing by themselves: what a directory may claim to hold, the preferred README, the
// totals, the policy and the form of the page, and the icons.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type AsyncIo,
  type DirectoryName,
  FileKind,
  type FileStat,
} from '../../../src/async-io/async-io.ts';
import { ERRNO } from '../../../src/base/errno.ts';
import { LISTING_README_BYTES_MAX } from '../../../src/base/fixed-limits.ts';
import { iconFor } from '../../../src/static/listing/icons.ts';
import { ListingParts } from '../../../src/static/listing/listing-parts.ts';
import { contentPolicy, PageView } from '../../../src/static/listing/page-view.ts';
import { DirectoryReader, type ListedEntry } from '../../../src/static/listing/reader.ts';
import { readReadme } from '../../../src/static/listing/readme.ts';
import { type ListingView, listingQuery, type Totals } from '../../../src/static/listing/view.ts';

type Kind = DirectoryName['kind'];

/** Entries with the kind that the directory says, that of their stat, and their size. */
type Claimed = readonly (readonly [name: string, kind: Kind, stat: Kind, bytes: number])[];

const LISTED = { directory: '/d', dotfiles: false, resolve: async () => null };

function statOf(kind: Kind, bytes: number): FileStat {
  return { kind, bytes, modifiedMs: 0, changedMs: 0, inode: 1, device: 1 };
}

/** A directory with these entries, a part of them at a time. */
function directory(claimed: Claimed): AsyncIo {
  let at = 0;
  const calls: Partial<AsyncIo> = {
    openDirectory: async () => 5,
    readNames: async (_directory, count) => {
      const names = claimed.slice(at, at + count).map(([name, kind]) => {
        return { name, kind, isLink: false };
      });
      at += count;
      return names;
    },
    closeDirectory: async () => {},
    stat: async (path) => {
      const found = claimed.find(([name]) => path === `/d/${name}`);
      return found === undefined ? -ERRNO.ENOENT : statOf(found[2], found[3]);
    },
  };
  return calls as AsyncIo;
}

async function readerOf(asyncIo: AsyncIo, filter = ''): Promise<DirectoryReader> {
  const reader = await DirectoryReader.open(asyncIo, LISTED, filter);
  assert.ok(typeof reader !== 'number');
  return reader;
}

const { Directory, File, Other } = FileKind;

describe('a directory that is read', () => {
  const CLAIMED: Claimed = [
    ['file', File, File, 7],
    ['folder', Directory, Directory, 4_096],
    ['became-folder', File, Directory, 4_096],
    ['became-file', Directory, File, 9],
    ['became-pipe', File, Other, 0],
    ['pipe', Other, Other, 0],
    ['a/b', File, File, 1],
    ['.', Directory, Directory, 1],
    ['..', Directory, Directory, 1],
    ['.hidden', File, File, 1],
    ['not\ud800text', File, File, 1],
  ];

  it('has no names that no request could have, and no special files', async () => {
    const reader = await readerOf(directory(CLAIMED));
    const entries = await reader.next();
    assert.ok(typeof entries !== 'number');
    assert.deepEqual(
      entries.map(({ name }) => name),
      ['file', 'folder', 'became-folder', 'became-file', 'became-pipe'],
    );
    assert.equal(reader.isAtEnd, true);
  });

  it('has no entries that have become something else', async () => {
    const reader = await readerOf(directory(CLAIMED));
    const shown = await reader.described((await reader.next()) as readonly ListedEntry[]);
    assert.deepEqual(
      shown.map(({ name, isFolder, bytes }) => [name, isFolder, bytes]),
      [
        ['file', false, 7],
        ['folder', true, 4_096],
      ],
    );
  });

  it('once closed has nothing more', async () => {
    const reader = await readerOf(directory(CLAIMED));
    const entries = (await reader.next()) as readonly ListedEntry[];
    await reader.close();
    await reader.close();
    assert.equal(reader.isClosed, true);
    assert.deepEqual(await reader.next(), []);
    assert.deepEqual(await reader.described(entries), []);
  });
});

describe('a listing in parts', () => {
  /** The totals, the rows of each part, and whether the rows were sorted. */
  async function listed(
    claimed: Claimed,
    sortedMax: number,
  ): Promise<{ totals: Totals | null; rows: number[]; isSorted: boolean | null }> {
    const seen: { totals: Totals | null; rows: number[]; isSorted: boolean | null } = {
      ...{ totals: null, rows: [], isSorted: null },
    };
    const view: ListingView = {
      ...{ type: '', fields: [], showsReadme: false, top: () => '' },
      begin: (isSorted) => {
        seen.isSorted = isSorted;
        return '';
      },
      rows: (entries) => {
        seen.rows.push(entries.length);
        return '';
      },
      end: (totals) => {
        seen.totals = totals;
        return '';
      },
    };
    const asyncIo = directory(claimed);
    const reader = await readerOf(asyncIo);
    const limits = { kept: { count: 0 }, keptMax: 10_000, sortedMax };
    const query = listingQuery('');
    const parts = new ListingParts({ asyncIo, listed: LISTED, limits, query, reader, view });
    const first = (await reader.next()) as readonly ListedEntry[];
    for await (const _ of parts.all(first));
    return seen;
  }

  it('counts folders and files, and the bytes of files alone', async () => {
    const { totals } = await listed(
      [
        ['a', File, File, 7],
        ['b', Directory, Directory, 4_096],
        ['c', File, File, 5],
      ],
      100,
    );
    assert.deepEqual(totals, { folders: 1, files: 2, bytes: 12 });
  });

  it('has 64 rows in a part, and no empty part, sorted or not', async () => {
    const many = (count: number): Claimed =>
      Array.from({ length: count }, (_, index) => [`f${index}`, File, File, 1] as const);
    for (const [count, sortedMax, isSorted, rows] of [
      [128, 128, true, [64, 64]],
      [128, 127, false, [64, 64]],
      [129, 127, false, [64, 64, 1]],
      [129, 129, true, [64, 64, 1]],
    ] as const) {
      const seen = await listed(many(count), sortedMax);
      assert.deepEqual([seen.isSorted, seen.rows], [isSorted, rows], `${count} of ${sortedMax}`);
      assert.deepEqual(seen.totals, { folders: 0, files: count, bytes: count });
    }
  });
});

describe('the README of a directory', () => {
  /** Files by their real path; a number is the fault of open(). */
  function readIn(
    files: Readonly<Record<string, string | number>>,
    names: readonly string[],
    reads = Number.POSITIVE_INFINITY,
  ): ReturnType<typeof readReadme> {
    const open = new Map<number, string>();
    const calls: Partial<AsyncIo> = {
      open: async (path) => {
        const found = files[path] ?? -ERRNO.ENOENT;
        if (typeof found === 'number') return found;
        open.set(open.size, found);
        return { file: open.size - 1, stat: statOf(File, Buffer.byteLength(found)) };
      },
      read: async (file, into, position) => {
        const bytes = Buffer.from(open.get(file) ?? '').subarray(position, position + reads);
        into.set(bytes.subarray(0, into.length));
        return Math.min(bytes.length, into.length);
      },
      close: async (file) => Number(open.delete(file)),
    };
    const resolve = async (name: string): Promise<string | null> =>
      name === 'README' ? null : `/d/${name}`;
    const readme = readReadme(calls as AsyncIo, { ...LISTED, resolve }, names);
    return readme.finally(() => assert.equal(open.size, 0, 'every file is closed'));
  }

  it('is the first that can be read: .md, .txt, then none; capitals first', async () => {
    const names = ['readme.txt', 'readme', 'readme.md', 'README.md', 'README.txt', 'README'];
    const files: Record<string, string | number> = {};
    for (const name of names) files[`/d/${name}`] = name;
    const order: string[] = [];
    for (;;) {
      const readme = await readIn(files, names);
      if (readme === null) break;
      order.push(readme.text);
      files[`/d/${readme.name}`] = -ERRNO.EACCES;
    }
    // README itself is a link out of the root.
    assert.deepEqual(order, ['README.md', 'readme.md', 'README.txt', 'readme.txt', 'readme']);
  });

  it('is read to its end, in as many reads as the system needs', async () => {
    const text = 'some text, é';
    const readme = await readIn({ '/d/readme.md': text }, ['readme.md'], 5);
    assert.deepEqual(readme, { name: 'readme.md', text, isTruncated: false });
  });

  it('is cut at the limit, not within a character', async () => {
    for (const [before, kept] of [
      [LISTING_README_BYTES_MAX - 1, ''],
      [LISTING_README_BYTES_MAX - 2, 'é'],
    ] as const) {
      const start = 'x'.repeat(before);
      const readme = await readIn({ '/d/readme.md': `${start}éé` }, ['readme.md']);
      assert.ok(readme !== null);
      assert.deepEqual([readme.text === start + kept, readme.isTruncated], [true, true]);
    }
    const whole = 'x'.repeat(LISTING_README_BYTES_MAX);
    assert.equal((await readIn({ '/d/readme.md': whole }, ['readme.md']))?.isTruncated, false);
  });
});

describe('the page of a listing', () => {
  it('has a policy that allows its own style and script, and nothing else', () => {
    assert.deepEqual(contentPolicy('STYLE', 'SCRIPT').split('; '), [
      "default-src 'none'",
      "style-src 'sha256-STYLE'",
      "script-src 'sha256-SCRIPT'",
      'img-src data:',
      "form-action 'self'",
      "base-uri 'none'",
      "frame-ancestors 'self'",
    ]);
    const view = new PageView('/', listingQuery(''), 'policy', 10);
    assert.deepEqual(view.fields, [['Content-Security-Policy', 'policy']]);
  });

  it('has a form that keeps the order', () => {
    const form = (query: string): string => {
      const text = new PageView('/', listingQuery(query), '', 10).top();
      return /<form.*<\/form>/.exec(text)?.[0] ?? '';
    };
    for (const [query, sort, order, filter] of [
      ['', 'name', 'asc', ''],
      ['sort=size&order=desc&filter=%3Ca%22', 'size', 'desc', '&lt;a&quot;'],
      ['sort=date&order=up', 'date', 'asc', ''],
    ]) {
      assert.equal(
        form(query),
        '<form role="search"><output aria-live="polite"></output>' +
          `<input type="hidden" name="sort" value="${sort}">` +
          `<input type="hidden" name="order" value="${order}">` +
          '<input type="search" id="filter" name="filter" aria-label="Filter by name" ' +
          'placeholder="Filter by name" autocomplete="off" autocapitalize="off" ' +
          `spellcheck="false" maxlength="255" value="${filter}"></form>`,
      );
    }
  });

  it('has columns whose links turn the order around', () => {
    const headers = (query: string, isSorted = true): string[] => {
      const text = new PageView('/', listingQuery(query), '', 1_000).begin(isSorted);
      return text.match(/<th .*?<\/th>/g) ?? [];
    };
    const header = (sort: string, first: string, state: string, order: string): string =>
      `<th scope="col" class="${sort}" data-sort="${sort}" data-first="${first}"${state}>` +
      `<a href="?sort=${sort}&amp;order=${order}">`;
    const check = (found: string[], wanted: string[]): void =>
      assert.deepEqual(
        found.map((text) => text.replace(/(<a [^>]*>).*/, '$1')),
        wanted,
      );
    check(headers(''), [
      header('name', 'asc', ' aria-sort="ascending"', 'desc'),
      header('size', 'desc', '', 'desc'),
      header('date', 'desc', '', 'desc'),
    ]);
    check(headers('sort=size&order=desc'), [
      header('name', 'asc', '', 'asc'),
      header('size', 'desc', ' aria-sort="descending"', 'asc'),
      header('date', 'desc', '', 'desc'),
    ]);
    check(headers('sort=size&order=desc', false), [
      header('name', 'asc', '', 'asc'),
      header('size', 'desc', '', 'desc'),
      header('date', 'desc', '', 'desc'),
    ]);
    const note = new PageView('/', listingQuery(''), '', 1_000).begin(false);
    assert.match(note, /^<p class="note">More than 1,000 entries: they are in no order\.<\/p>\n/);
    assert.doesNotMatch(new PageView('/', listingQuery(''), '', 1_000).begin(true), /note/);
  });

  it('has an icon for each kind of file', () => {
    const icons = Object.entries({
      c: ['a.ts', 'A.JSON', 'x.tar.lock'],
      z: ['a.zip', 'a.tar.gz'],
      p: ['a.pdf', 'a.csv'],
      t: ['a.md', 'LICENSE', 'licence', 'Authors', 'readme', 'a.vtt', 'a.ics'],
      w: ['a.woff2'],
      i: ['a.png', 'a.svg'],
      a: ['a.mp3'],
      v: ['a.mp4'],
      f: ['a', 'a.unknown', '.gitignore', 'my-license', 'readmes'],
    });
    for (const [icon, names] of icons) {
      for (const name of names) assert.equal(iconFor(name), icon, name);
    }
  });
});
