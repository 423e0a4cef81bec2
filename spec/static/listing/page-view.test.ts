// The page and the JSON of a listing: their contents, and that no name can break them.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { iconFor, SPRITE } from '../../../src/static/listing/icons.ts';
import { JsonView } from '../../../src/static/listing/json-view.ts';
import { INLINE, PageView } from '../../../src/static/listing/page-view.ts';
import { listingQuery, type Readme, type ShownEntry } from '../../../src/static/listing/view.ts';
import { seeded } from '../../../testing/splits.ts';

const CHANGED_MS = Date.UTC(2024, 1, 29, 23, 59, 59);

function file(name: string, bytes = 1, modifiedMs = CHANGED_MS): ShownEntry {
  return { name, isFolder: false, bytes, modifiedMs };
}

function folder(name: string): ShownEntry {
  return { name, isFolder: true, bytes: 4096, modifiedMs: CHANGED_MS };
}

interface PageOptions {
  readonly query?: string;
  readonly isSorted?: boolean;
  readonly readme?: Readme;
}

function page(
  path: string,
  entries: readonly ShownEntry[],
  { query = '', isSorted = true, readme }: PageOptions = {},
): string {
  const view = new PageView(path, listingQuery(query), 'policy', 200_000);
  const files = entries.filter(({ isFolder }) => !isFolder);
  const bytes = files.reduce((sum, one) => sum + one.bytes, 0);
  const totals = { folders: entries.length - files.length, files: files.length, bytes };
  const start = view.top() + view.begin(isSorted);
  return start + view.rows(entries) + view.end(totals, readme ?? null);
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
function rows(html: string): string[][] {
  const body = /<tbody>(.*)<\/tbody>/s.exec(html)?.[1] ?? '';
  return [...body.matchAll(/<tr[ >].*?<\/tr>/gs)].map(([row]) => {
    const [, link = ''] = /<a href="([^"]*)">/.exec(row) ?? [];
    const [, name = ''] = /<bdi>([^<]*)<\/bdi>/.exec(row) ?? [];
    const [, size = ''] = /<data[^>]*>([^<]*)</.exec(row) ?? [];
    const [, day = '', time = ''] = /<time[^>]*>([^<]*)<span>([^<]*)</.exec(row) ?? [];
    return [link, name, size, day + time].map(unescaped);
  });
}

describe('the page', () => {
  it('shows names, sizes and times', () => {
    const html = page('/some/', [folder('y'), file('a.txt'), file('b.txt', 1536)]);
    assert.deepEqual(rows(html), [
      ['../', 'Parent folder', '', ''],
      ['./y/', 'y', '', '2024-02-29 23:59'],
      ['./a.txt', 'a.txt', '1 B', '2024-02-29 23:59'],
      ['./b.txt', 'b.txt', '1.5 KiB', '2024-02-29 23:59'],
    ]);
    assert.match(html, /^<!doctype html>\n/);
    assert.ok(html.includes('<title>Index of /some/</title>'));
    assert.ok(html.includes('<data value="1536" title="1,536 bytes">'));
    assert.ok(html.includes('<time datetime="2024-02-29T23:59:59.000Z"'));
    assert.ok(html.includes('1 folder, 2 files, <span title="1,537 bytes">1.5 KiB</span>'));
  });

  it('counts what there is', () => {
    assert.ok(page('/', []).includes('<p>Nothing here</p>'));
    assert.ok(page('/', [folder('a'), folder('b')]).includes('<p>2 folders</p>'));
    assert.ok(page('/', [file('a', 1)]).includes('<p>1 file, <span title="1 byte">1 B</span></p>'));
  });

  it('the root has no link to a parent', () => {
    assert.deepEqual(rows(page('/', [])), []);
    assert.deepEqual(rows(page('/a/', [])), [['../', 'Parent folder', '', '']]);
  });

  it('has a link to every folder above', () => {
    const crumbs = (path: string) => {
      const [nav = ''] = /<nav.*<\/nav>/s.exec(page(path, [])) ?? [];
      const links = [...nav.matchAll(/<a href="([^"]*)"[^>]*>/g)].map(([, link]) => link);
      const names = [...nav.matchAll(/<bdi>([^<]*)</g)].map(([, name]) => unescaped(name));
      return { links, names };
    };
    assert.deepEqual(crumbs('/'), { links: ['./'], names: [] });
    assert.deepEqual(crumbs('/a/'), { links: ['../'], names: ['a'] });
    assert.deepEqual(crumbs('/a/<b>/c d/'), {
      links: ['../../../', '../../', '../'],
      names: ['a', '<b>', 'c d'],
    });
  });

  it('formats sizes with units', () => {
    const size = (bytes: number) => rows(page('/', [file('a', bytes)]))[0][2];
    assert.equal(size(0), '0 B');
    assert.equal(size(1023), '1023 B');
    assert.equal(size(1024), '1.0 KiB');
    assert.equal(size(1024 ** 2 - 1), '1.0 MiB');
    assert.equal(size(1024 ** 2), '1.0 MiB');
    assert.equal(size(5.25 * 1024 ** 3), '5.3 GiB');
    assert.equal(size(2 * 1024 ** 4), '2.0 TiB');
    assert.equal(size(Number.MAX_SAFE_INTEGER), '8.0 PiB');
  });

  it('accepts any time that a file system can store', () => {
    const time = (ms: number) => rows(page('/', [file('a', 1, ms)]))[0][3];
    assert.equal(time(0), '1970-01-01 00:00');
    assert.equal(time(-1), '1969-12-31 23:59');
    assert.equal(time(Date.UTC(12_345, 0)), '+012345-01-01 00:00');
    assert.equal(time(9e15), '');
    assert.equal(time(-1e20), '');
  });

  it('links to other orders, and marks this one', () => {
    const headers = (query: string) => {
      const html = page('/', [], { query });
      const state = /<th [^>]*data-sort="(\w+)"[^>]*aria-sort="(\w+)"/.exec(html)?.slice(1);
      return [state, [...html.matchAll(/<a href="(\?[^"]*)"/g)].map(([, link]) => unescaped(link))];
    };
    assert.deepEqual(headers(''), [
      ['name', 'ascending'],
      ['?sort=name&order=desc', '?sort=size&order=desc', '?sort=date&order=desc'],
    ]);
    assert.deepEqual(headers('sort=size&order=desc&filter=a%26"b'), [
      ['size', 'descending'],
      [
        '?sort=name&order=asc&filter=a%26%22b',
        '?sort=size&order=asc&filter=a%26%22b',
        '?sort=date&order=desc&filter=a%26%22b',
      ],
    ]);
  });

  it('says when entries are too many to sort them', () => {
    const html = page('/', [file('b'), file('a')], { isSorted: false });
    assert.ok(html.includes('More than 200,000 entries: they are in no order.'));
    assert.ok(!html.includes('aria-sort="'));
    assert.ok(!page('/', []).includes('in no order'));
  });

  it('shows a README as plain text', () => {
    const readme = { name: 'README.md', text: '\n# <b>A</b>\n</pre><script>', isTruncated: false };
    const html = page('/', [], { readme });
    assert.ok(html.includes('<pre>\n\n# &lt;b&gt;A&lt;/b&gt;\n&lt;/pre&gt;&lt;script&gt;</pre>'));
    assert.ok(!html.includes('is not shown'));
    const long = page('/', [], { readme: { ...readme, isTruncated: true } });
    assert.ok(long.includes('The rest of this file is not shown.'));
    assert.ok(page('/', [], { readme: { ...readme, text: 'a\0b' } }).includes('a\ufffdb'));
  });

  it('every icon is in the sprite', () => {
    const names = [
      'a.ts',
      'a.zip',
      'a.pdf',
      'a.md',
      'a.png',
      'a.mp3',
      'a.mp4',
      'a.woff2',
      'a',
      'LICENSE',
    ];
    const icons = names.map(iconFor);
    assert.deepEqual(icons, ['c', 'z', 'p', 't', 'i', 'a', 'v', 'w', 'f', 't']);
    for (const icon of [...icons, 'd', 'u', 'h']) assert.ok(SPRITE.includes(`id="${icon}"`), icon);
    assert.equal(iconFor('constructor'), 'f');
    assert.equal(iconFor('a.constructor'), 'f');
  });
});

const ODD_NAMES = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=y>',
  "' onmouseover='x",
  '</td></tr></table>',
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
  'מסמך.txt',
  '~',
  '{{x}}',
  '$&',
];

/** Names that are not shown as they are. */
const ESCAPED_NAMES: readonly (readonly [name: string, shown: string])[] = [
  ['new\nline', 'new\\x0aline'],
  ['tab\there\r', 'tab\\x09here\\x0d'],
  ['photo\u202egnp.exe', 'photo\\u202egnp.exe'],
  ['\u200fmark', '\\u200fmark'],
  ['line\u2028end', 'line\\u2028end'],
  ['esc\x1b[31m', 'esc\\x1b[31m'],
];

function assertLinksTo(html: string, name: string, shown: string): void {
  const [inFolder, inFile] = rows(html);
  assert.equal(rows(html).length, 2);
  assert.equal(inFolder[1], shown);
  assert.equal(inFile[1], shown);
  const url = new URL(inFile[0], 'http://site/base/');
  assert.equal(url.host, 'site');
  assert.ok(url.pathname.startsWith('/base/'));
  assert.equal(url.search + url.hash, '');
  assert.equal(decodeURIComponent(url.pathname.slice('/base/'.length)), name);
  assert.equal(new URL(inFolder[0], 'http://site/base/').pathname, `${url.pathname}/`);
}

describe('names', () => {
  it('never break the page, and every link leads to its name', (context) => {
    const checkName = (name: string, shown = name) => {
      assertLinksTo(page('/', [folder(name), file(name)]), name, shown);
    };
    for (const name of ODD_NAMES) checkName(name);
    for (const [name, shown] of ESCAPED_NAMES) checkName(name, shown);
    const name = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .filter((text) => !/^\.{1,2}$|[\p{C}\p{Zl}\p{Zp}]/u.test(text));
    fc.assert(
      fc.property(name, (text) => checkName(text)),
      seeded(context, 300),
    );
  });

  it('never break the JSON', (context) => {
    const checkName = (name: string) => {
      const view = new JsonView(`/${name}/`);
      const start = view.top() + view.begin();
      const text = start + view.rows([folder(name)]) + view.rows([file(name, 7)]) + view.end();
      const modified = '2024-02-29T23:59:59.000Z';
      assert.deepEqual(JSON.parse(text), {
        path: `/${name}/`,
        entries: [
          { name, kind: 'directory', bytes: null, modified },
          { name, kind: 'file', bytes: 7, modified },
        ],
      });
    };
    for (const name of ODD_NAMES) checkName(name);
    for (const [name] of ESCAPED_NAMES) checkName(name);
    fc.assert(fc.property(fc.string({ unit: 'binary' }), checkName), seeded(context, 300));
    const empty = new JsonView('/');
    assert.deepEqual(JSON.parse(empty.top() + empty.begin() + empty.end()).entries, []);
    const [late] = JSON.parse(`[${empty.rows([file('a', 1, 9e15)])}]`);
    assert.equal(late.modified, null);
  });

  it('of folders and filters never break the page', () => {
    for (const name of ODD_NAMES) {
      const html = page(`/${name}/`, [], { query: `filter=${encodeURIComponent(name)}` });
      const [, title = ''] = /<title>([^<]*)<\/title>/.exec(html) ?? [];
      assert.equal(unescaped(title), `Index of /${name}/`);
      const [, value = ''] = /id="filter"[^>]* value="([^"]*)">/.exec(html) ?? [];
      assert.equal(unescaped(value), name);
      const [, sent = ''] = /<table data-filter="([^"]*)">/.exec(html) ?? [];
      assert.equal(unescaped(sent), name);
      // Nothing but the sizes of names changes the page: its tags are the same.
      const tags = (text: string) => text.match(/<\/?\w+/g)?.join('');
      const plain = page('/name/', [], { query: 'filter=x' });
      const steps = name.split('/').length === 1;
      if (steps) assert.equal(tags(html), tags(plain));
    }
  });

  it('are not in the script or the style', () => {
    for (const text of [INLINE.script, INLINE.style]) assert.ok(!/<\/|<!--/.test(text));
    const html = page('/zyx/', [file('zyx')], { query: 'filter=zyx' });
    assert.ok(html.includes(`<script>${INLINE.script}</script>`));
    assert.ok(html.includes(`<style>${INLINE.style}</style>`));
    assert.equal(html.match(/<script/g)?.length, 1);
    assert.equal(html.match(/<style/g)?.length, 1);
    assert.ok(!/\sstyle=|\son\w+=/.test(html), 'the policy allows neither');
  });
});
