// The web server example's page in a real browser: the clock ticks, a note comes and goes.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { example, start } from '../../testing/program.ts';
import { skip, useBrowser, watchProblems } from './fixtures/browser.ts';

const timeout = 120_000;

describe('the web server example', { skip, timeout }, () => {
  test('shows the time and keeps notes', { timeout }, async () => {
    const server = await start(example('web-server'), ['0']);
    try {
      await useBrowser(async (browser) => {
        const page = await browser.newPage();
        const problems = watchProblems(page);
        await page.goto(server.url);
        await page.waitForFunction(`document.getElementById('clock').textContent.endsWith('Z')`);
        await page.fill('input', 'buy <b>milk</b>');
        await page.click('form button');
        await page.waitForSelector('#notes li');
        assert.equal(await page.textContent('#notes li'), 'buy <b>milk</b>remove');
        await page.click('#notes li button');
        await page.waitForFunction(`document.querySelector('#notes li') === null`);
        assert.equal(await page.textContent('#fault'), '');
        assert.deepEqual(problems, []);
      });
      assert.equal(await server.stop(), 0);
    } finally {
      await server.stop();
    }
  });
});
