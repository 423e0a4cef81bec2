// The page of a listing in a real browser: order, filter and keyboard, with and without its script,
// accessibility by axe, no movement of the layout, on a desktop and on a phone, light and dark.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { ROOT } from '../../testing/child-program.ts';
import { leaveOutOfCoverage } from '../../testing/coverage.ts';
import { type Running, start } from '../../testing/program.ts';
import { launchBrowser, skip, watchProblems } from './fixtures/browser.ts';

leaveOutOfCoverage();

const timeout = 120_000;
const AXE = createRequire(import.meta.url).resolve('axe-core');

/** Sizes and days are in other orders than the names. */
const FILES: readonly (readonly [name: string, bytes: number, day: number])[] = [
  ['A.txt', 300, 5],
  ['b10.js', 100, 9],
  ['b9.js', 200, 7],
  ['c <b>&"quoted".png', 5_000, 1],
  ['café 😀 100%#?.md', 50, 3],
  ['README.md', 40, 2],
];
const NAMES = ['deep', 'Other', 'A.txt', 'b9.js', 'b10.js', 'c <b>&"quoted".png'].concat(
  'café 😀 100%#?.md',
  'README.md',
);
const BY_SIZE = ['README.md', 'café 😀 100%#?.md', 'b10.js', 'b9.js', 'A.txt'];

/** Expressions as text, because they run in the page with its globals. */
const SHOWN = `[...document.querySelectorAll('tbody tr:not(.up):not([hidden]) bdi')]
  .map((name) => name.textContent)`;
const FOCUSED = 'document.activeElement.textContent.trim() || document.activeElement.id';
const OVERFLOW = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
const SORTED = `[...document.querySelectorAll('th[aria-sort]')]
  .map((header) => header.dataset.sort + ' ' + header.ariaSort).join()`;
const WATCH_SHIFTS = `globalThis.shifts = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) globalThis.shifts.push(entry.value);
  }).observe({ type: 'layout-shift', buffered: true });`;
const VIOLATIONS = `axe.run().then(({ violations }) => violations.map(({ id, nodes }) =>
  id + ': ' + nodes.map((node) => node.html.slice(0, 120)).join(' | ')))`;

/** The names of a page of the server, which have no other escapes. */
function namesIn(html: string): string[] {
  const names = [...html.matchAll(/<bdi>(.*?)<\/bdi><\/a><\/td>/g)].map(([, name]) => name);
  return names.map((name) =>
    name
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&quot;', '"')
      .replaceAll('&amp;', '&'),
  );
}

describe('the page of a listing', { skip, timeout }, () => {
  let folder: string;
  let server: Running;
  let browser: Browser;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'vibing-listing-'));
    for (const name of ['deep/down', 'Other']) mkdirSync(join(folder, name), { recursive: true });
    for (const [name, bytes, day] of FILES) {
      writeFileSync(join(folder, name), '#'.repeat(bytes));
      utimesSync(join(folder, name), day * 86_400, day * 86_400);
    }
    for (let index = 0; index < 1_500; index++) {
      writeFileSync(join(folder, 'deep', 'down', `file-${index}.txt`), '');
    }
    const script = join(ROOT, 'dist', 'cli', 'main.js');
    server = await start(script, ['serve', folder, '--listing', '--port', '0']);
    browser = await launchBrowser();
  });

  after(async () => {
    await browser?.close();
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Opens a page, runs `steps` on it, and expects no problems. */
  async function visit(
    path: string,
    steps: (page: Page) => Promise<void>,
    options: BrowserContextOptions = {},
  ): Promise<void> {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    const problems = watchProblems(page);
    try {
      await page.addInitScript(WATCH_SHIFTS);
      await page.goto(server.url + path, { waitUntil: 'load' });
      if (options.javaScriptEnabled !== false) {
        assert.deepEqual(await page.evaluate('globalThis.shifts'), [], 'the layout moved');
      }
      await steps(page);
      assert.deepEqual(problems, []);
    } finally {
      await context.close();
    }
  }

  async function press(page: Page, ...keys: readonly string[]): Promise<void> {
    for (const key of keys) await page.keyboard.press(key);
  }

  test('sorts in place, in the order of the server', { timeout }, () =>
    visit('', async (page) => {
      assert.deepEqual(await page.evaluate(SHOWN), NAMES);
      await page.evaluate('globalThis.isSamePage = true');
      for (const [title, column, order] of [
        ['Size', 'size', 'descending'],
        ['Size', 'size', 'ascending'],
        ['Modified', 'date', 'descending'],
        ['Name', 'name', 'ascending'],
        ['Name', 'name', 'descending'],
        ['Modified', 'date', 'descending'],
        ['Modified', 'date', 'ascending'],
      ]) {
        await page.click(`th >> text=${title}`);
        assert.equal(await page.evaluate(SORTED), `${column} ${order}`);
        const here = await page.evaluate(SHOWN);
        assert.equal(await page.evaluate('globalThis.isSamePage'), true);
        // The server's page at the address that the script has set.
        const there = await (await page.request.get(page.url())).text();
        assert.deepEqual(namesIn(there), here, page.url());
        assert.ok(
          there.includes(`data-first="${column === 'name' ? 'asc' : 'desc'}" aria-sort="${order}"`),
        );
      }
    }),
  );

  test('works without its script', { timeout }, () =>
    visit(
      '',
      async (page) => {
        const shown = () => page.locator('tbody bdi').allTextContents();
        assert.deepEqual(await shown(), NAMES);
        await page.click('th >> text=Size');
        await page.click('th >> text=Size');
        assert.deepEqual((await shown()).slice(2, 7), BY_SIZE);
        await page.fill('#filter', 'B');
        await press(page, 'Enter');
        await page.waitForURL(/filter=B/);
        assert.deepEqual(await shown(), ['b10.js', 'b9.js', 'c <b>&"quoted".png']);
        assert.equal(await page.inputValue('#filter'), 'B');
        assert.equal(await page.isVisible('.keys'), false);
        await page.click('th >> text=Name');
        assert.deepEqual((await shown()).slice(0, 2), ['b9.js', 'b10.js']);
      },
      { javaScriptEnabled: false },
    ),
  );

  test('filters while typing', { timeout }, () =>
    visit('', async (page) => {
      await press(page, '/');
      await page.keyboard.type('JS');
      assert.deepEqual(await page.evaluate(SHOWN), ['b9.js', 'b10.js']);
      assert.equal(await page.textContent('output'), '2 of 8');
      await page.click('th >> text=Size');
      assert.deepEqual(await page.evaluate(SHOWN), ['b9.js', 'b10.js']);
      await page.focus('#filter');
      await press(page, 'Escape');
      assert.equal(await page.inputValue('#filter'), '');
      assert.equal(((await page.evaluate(SHOWN)) as string[]).length, 8);
      assert.equal(await page.textContent('output'), '');
    }),
  );

  test('asks the server for what its filter has left out', { timeout }, () =>
    visit('?filter=js&sort=size', async (page) => {
      assert.deepEqual(await page.evaluate(SHOWN), ['b10.js', 'b9.js']);
      await page.fill('#filter', 'js');
      await page.fill('#filter', 'a');
      await page.waitForURL(/filter=a(&|$)/);
      await page.waitForSelector('footer');
      const shown = (await page.evaluate(SHOWN)) as string[];
      assert.deepEqual(shown, ['README.md', 'café 😀 100%#?.md', 'A.txt']);
    }),
  );

  test('is used with the keyboard', { timeout }, () =>
    visit('deep/', async (page) => {
      await press(page, 'Backspace');
      await page.waitForURL(server.url);
      await press(page, 'j');
      assert.equal(await page.evaluate(FOCUSED), 'deep');
      await press(page, 'ArrowDown', 'j', 'k', 'ArrowUp', 'k');
      assert.equal(await page.evaluate(FOCUSED), 'deep');
      await press(page, 'Enter');
      await page.waitForURL(`${server.url}deep/`);
      await press(page, 'ArrowDown');
      assert.equal(await page.evaluate(FOCUSED), 'Parent folder');
      await press(page, 'j', 'j');
      assert.equal(await page.evaluate(FOCUSED), 'down');
      await press(page, 'Backspace');
      await page.waitForURL(server.url);
      await press(page, '/');
      assert.equal(await page.evaluate(FOCUSED), 'filter');
      // In the filter these are text.
      await press(page, 'j', 'k', '/', 'Backspace', 'Backspace', 'Backspace');
      await page.keyboard.type('oT');
      await press(page, 'Enter');
      assert.equal(await page.evaluate(FOCUSED), 'Other');
      await press(page, '/', 'ArrowDown', 'Enter');
      await page.waitForURL(`${server.url}Other/`);
    }),
  );

  test('shows odd names, and leads to them', { timeout }, () =>
    visit('', async (page) => {
      for (const [name, bytes] of FILES.slice(4, 6)) {
        const href = await page.getByRole('link', { name, exact: true }).getAttribute('href');
        const response = await page.request.get(new URL(href ?? '', page.url()).href);
        assert.equal((await response.body()).length, bytes, name);
      }
      assert.equal(await page.locator('bdi b, td b, section b').count(), 0);
      assert.equal(await page.textContent('pre'), '#'.repeat(40));
    }),
  );

  test('shows thousands of entries', { timeout }, () =>
    visit('deep/down/', async (page) => {
      const shown = (await page.evaluate(SHOWN)) as string[];
      assert.equal(shown.length, 1_500);
      assert.equal(shown[10], 'file-10.txt');
      await page.click('th >> text=Name');
      assert.equal(((await page.evaluate(SHOWN)) as string[])[0], 'file-1499.txt');
      await page.fill('#filter', 'file-77');
      assert.equal(await page.textContent('output'), '11 of 1500');
    }),
  );

  for (const [colorScheme, what, width, height] of [
    ['light', 'a desktop', 1200, 800],
    ['dark', 'a phone', 360, 740],
  ] as const) {
    test(`axe finds nothing, ${colorScheme} on ${what}, and it fits`, { timeout }, () =>
      visit(
        '',
        async (page) => {
          for (const path of ['', 'deep/', '?filter=nothing']) {
            await page.goto(server.url + path);
            await press(page, 'j');
            await page.addScriptTag({ path: AXE });
            assert.deepEqual(await page.evaluate(VIOLATIONS), [], path);
            assert.equal(await page.evaluate(OVERFLOW), 0);
          }
        },
        // The page's policy would forbid the script of axe.
        { colorScheme, viewport: { width, height }, bypassCSP: true },
      ),
    );
  }
});
