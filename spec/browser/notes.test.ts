// The page of the notes example in a real browser: an account, notes that follow changes on another
// device, an attachment, and its accessibility on a phone in the dark.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { example, start } from '../../testing/program.ts';
import {
  shiftsOf,
  skip,
  useBrowser,
  violationsOf,
  watchProblems,
  watchShifts,
} from './fixtures/browser.ts';

const timeout = 120_000;
const OVERFLOW = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';

async function enter(page: Page, url: string, button: string): Promise<void> {
  await watchShifts(page);
  await page.goto(url);
  await page.waitForSelector('#enter:not([hidden])');
  assert.deepEqual(await violationsOf(page), []);
  assert.deepEqual(await shiftsOf(page), [], 'the layout moved');
  await page.fill('#enter [name=name]', 'ann');
  await page.fill('#enter [name=password]', 'correct horse battery');
  await page.click(`#enter button:text("${button}")`);
  await page.waitForSelector('#add:not([hidden])');
}

/** Waits until the page has these notes. */
async function shows(page: Page, texts: readonly string[]): Promise<void> {
  const shown = '[...document.querySelectorAll("#notes .text")].map((one) => one.value)';
  await page.waitForFunction(
    `JSON.stringify(${shown}) === ${JSON.stringify(JSON.stringify(texts))}`,
  );
}

describe('the notes example', { skip, timeout }, () => {
  test('keeps notes, and shows them on two devices', { timeout }, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'vibing-notes-'));
    const server = await start(example('notes'), ['127.0.0.1:0', directory]);
    try {
      await useBrowser(async (browser) => {
        const phone = { viewport: { width: 360, height: 640 }, colorScheme: 'dark' as const };
        // The page's policy would forbid the script of axe.
        const [one, two] = [
          await browser.newPage({ ...phone, bypassCSP: true }),
          await browser.newPage({ bypassCSP: true }),
        ];
        await enter(one, server.url, 'Create an account');
        const problems = watchProblems(one);
        await enter(two, server.url, 'Log in');
        const more = watchProblems(two);

        await one.fill('#add textarea', 'buy <b>milk</b>');
        await one.click('#add button');
        await shows(one, ['buy <b>milk</b>']);
        await shows(two, ['buy <b>milk</b>']);

        await two.fill('#notes .text', 'buy bread');
        await two.click('#notes .save');
        await shows(one, ['buy bread']);
        const file = { name: 'list.txt', mimeType: 'text/plain', buffer: Buffer.from('bread') };
        await two.setInputFiles('#notes .attach', file);
        await one.waitForSelector('#notes .file a');
        assert.equal(await one.textContent('#notes .file a'), 'list.txt (1 KiB)');

        // What is being typed is not replaced; the conflict is told.
        await one.fill('#notes .text', 'typed on the phone');
        await two.fill('#notes .text', 'typed on the desk');
        await two.click('#notes .save');
        const newest = `document.querySelector('#notes li').dataset.latest === '3'`;
        await one.waitForFunction(newest);
        await shows(one, ['typed on the phone']);
        assert.deepEqual([...problems, ...more], []);
        await one.click('#notes .save');
        await one.waitForSelector('#problem:not([hidden])');
        assert.match((await one.textContent('#problem')) ?? '', /changed elsewhere/);

        assert.deepEqual(await violationsOf(one), []);
        assert.ok(Number(await one.evaluate(OVERFLOW)) <= 0, 'fits the width of a phone');
        await two.click('#notes .remove');
        await shows(one, []);
        await two.click('#leave');
        await two.waitForSelector('#enter:not([hidden])');
        // The page closes its stream of events itself.
        assert.deepEqual(
          more.filter((problem) => !problem.includes('/api/events')),
          [],
        );

        // Other pages of the user replace this one; a page without a stream has its notes.
        await one.fill('#add textarea', 'kept');
        await one.click('#add button');
        await shows(one, ['kept']);
        const cookies = await one.context().cookies();
        const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
        const url = new URL('/api/events', server.url);
        const others = Array.from({ length: 10 }, () =>
          get(url, { headers: { cookie }, agent: false }).on('error', () => {}),
        );
        await one.waitForSelector('#problem:text("Too many pages are open")');
        for (const other of others) other.destroy();
        await one.route('**/api/events', (route) => route.fulfill({ status: 503 }));
        await one.reload();
        await shows(one, ['kept']);
        await one.waitForSelector('#problem:text("cannot show changes")');
      });
      assert.equal(await server.stop(), 0);
    } finally {
      await server.stop();
      rmSync(directory, { recursive: true });
    }
  });
});
