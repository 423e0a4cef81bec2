// The web server example's page in a real browser: with its script and without, on a desktop and on
// a phone, light and dark; what one page changes is seen in another one.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { example, type Running, start } from '../../testing/program.ts';
import {
  launchBrowser,
  shiftsOf,
  skip,
  violationsOf,
  watchProblems,
  watchShifts,
} from './fixtures/browser.ts';

const timeout = 120_000;
const OVERFLOW = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
const BYTES = 3_000_000;

describe('the web server example', { skip, timeout }, () => {
  let server: Running;
  let browser: Browser;
  let folder: string;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'vibing-upload-'));
    writeFileSync(join(folder, 'large.bin'), Buffer.alloc(BYTES, 'x'));
    server = await start(example('web-server'), ['0']);
    browser = await launchBrowser();
  });

  after(async () => {
    await browser?.close();
    assert.equal(await server?.stop(), 0);
    rmSync(folder, { recursive: true });
  });

  /** Opens the page, runs `steps` on it, and expects no problems. */
  async function visit(
    steps: (page: Page) => Promise<void>,
    options: BrowserContextOptions = {},
  ): Promise<void> {
    const context = await browser.newContext(options);
    try {
      const page = await context.newPage();
      const problems = watchProblems(page);
      await watchShifts(page);
      await page.goto(server.url);
      await steps(page);
      assert.deepEqual(problems, []);
    } finally {
      await context.close();
    }
  }

  const items = (page: Page) => page.locator('li > span').allTextContents();

  test('is live: notes and uploads appear without a reload', { timeout }, () =>
    visit(async (page) => {
      const first = (await page.textContent('#clock')) ?? '';
      await page.locator('#clock', { hasNotText: first }).waitFor();
      await page.evaluate('globalThis.isSamePage = true');
      await page.fill('#text', 'buy <b>milk</b>');
      await page.click('#note button');
      await page.waitForSelector('li');
      assert.deepEqual(await items(page), ['buy <b>milk</b>']);
      assert.equal(await page.inputValue('#text'), '');

      await page.evaluate(`globalThis.shares = [];
        new MutationObserver(() => shares.push(progress.hidden))
          .observe(progress, { attributes: true })`);
      await page.setInputFiles('#file', join(folder, 'large.bin'));
      await page.click('#upload button');
      await page.waitForSelector('a[download]');
      await page.locator('#message', { hasText: 'Uploaded.' }).waitFor();
      assert.deepEqual(await items(page), ['buy <b>milk</b>', 'large.bin 2.9 MiB']);
      const shares = await page.evaluate('[...shares]');
      assert.ok((shares as boolean[]).includes(false), 'the progress was shown');
      assert.equal(await page.isHidden('#progress'), true);
      const download = page.waitForEvent('download');
      await page.click('a[download]');
      assert.equal((await download).suggestedFilename(), 'large.bin');

      // Of another client, which has no page.
      const added = { method: 'POST', body: JSON.stringify({ text: 'from elsewhere' }) };
      assert.equal((await fetch(new URL('/api/notes', server.url), added)).status, 201);
      await page.waitForSelector('text=from elsewhere');
      for (const left of [2, 1, 0]) {
        await page.locator('li button').first().click();
        await page.locator('li').nth(left).waitFor({ state: 'detached' });
      }
      assert.equal(await page.evaluate('globalThis.isSamePage'), true);
      assert.equal(await page.textContent('#message'), '');
    }),
  );

  test('works without JavaScript', { timeout }, () =>
    visit(
      async (page) => {
        await page.fill('#text', 'by form');
        await page.click('#note button');
        await page.waitForURL(server.url);
        assert.deepEqual(await items(page), ['by form']);
        await page.setInputFiles('#file', {
          name: 'a.txt',
          mimeType: 'text/plain',
          buffer: Buffer.from('a'),
        });
        await page.click('#upload button');
        await page.waitForSelector('a[download]');
        assert.deepEqual(await items(page), ['by form', 'a.txt 1 B']);
        for (const left of [1, 0]) {
          await page.locator('li button').first().click();
          await page.locator('li').nth(left).waitFor({ state: 'detached' });
        }
      },
      { javaScriptEnabled: false },
    ),
  );

  test('is accessible, and fits on a phone', { timeout }, async () => {
    const text = 'averylongwordwithoutanyplacetobreak'.repeat(4);
    await fetch(new URL('/api/notes', server.url), {
      method: 'POST',
      body: JSON.stringify({ text }),
    });
    for (const options of [
      { colorScheme: 'light' },
      { colorScheme: 'dark', viewport: { width: 360, height: 740 } },
    ] as const) {
      await visit(async (page) => {
        await page.locator('#clock', { hasText: /Z$/ }).waitFor();
        assert.deepEqual(await violationsOf(page), []);
        assert.equal(await page.evaluate(OVERFLOW), 0);
        assert.deepEqual(await shiftsOf(page), [], 'the layout moved');
      }, options);
    }
  });
});
