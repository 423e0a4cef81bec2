// The sample site in a real browser, served by the command `serve` on each driver.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { ROOT } from '../../testing/child-program.ts';
import { leaveOutOfCoverage } from '../../testing/coverage.ts';
import { example, type Running, run, start } from '../../testing/program.ts';
import { inTurn } from '../../testing/rotation.ts';
import {
  launchBrowser,
  shiftsOf,
  skip,
  violationsOf,
  watchProblems,
  watchShifts,
} from './fixtures/browser.ts';

leaveOutOfCoverage();

const timeout = 120_000;
const PAGES = ['', 'about.html', 'docs/', 'gallery/'];

/** Expressions as text, because they run in the page with its globals. */
const FONTS_LOADED = `document.fonts.ready.then((fonts) =>
  [...fonts].filter((font) => font.status === 'loaded').map((font) => font.family))`;
const BROKEN_IMAGES = `Promise.all([...document.images].map((image) =>
  image.decode().then(() => image.naturalWidth > 0 ? '' : image.src, () => image.src)))
  .then((sources) => sources.filter((source) => source !== ''))`;
const REQUESTS = `Number(document.getElementById('live-requests').textContent.replaceAll(',', ''))`;
const HAS_LATENCY = `document.getElementById('live-p50').textContent !== '-'`;
const OVERFLOW = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';

describe('the sample site', { skip, timeout }, () => {
  let browser: Browser;
  before(async () => {
    browser = await launchBrowser();
    const made = await run(example('make-site'), [join(ROOT, 'examples', 'site')]);
    assert.equal(made.code, 0, made.problems);
  });
  after(async () => {
    await browser?.close();
  });

  for (const driver of inTurn(['epoll', 'net'])) {
    const isHere = driver === 'net' || process.platform === 'linux';
    describe(`on ${driver}`, { skip: isHere ? false : 'epoll needs Linux' }, () => {
      let server: Running;
      before(async () => {
        const script = join(ROOT, 'dist', 'cli', 'main.js');
        const args = ['serve', 'examples/site', '--port', '0', '--driver', driver];
        server = await start(script, args);
        assert.match(server.line, new RegExp(`^vibing listening on .*\\b${driver}\\b`));
      });
      after(async () => {
        if (server !== undefined) assert.equal(await server.stop(), 0);
      });

      /** Opens a page, runs `steps` on it, and expects no problems. */
      async function visit(path: string, steps: (page: Page) => Promise<void>): Promise<void> {
        const page = await browser.newPage();
        const problems = watchProblems(page);
        try {
          await watchShifts(page);
          await page.goto(server.url + path, { waitUntil: 'load' });
          await page.waitForSelector('html[data-ready="true"]');
          assert.deepEqual(await shiftsOf(page), [], 'the layout moved');
          await steps(page);
          assert.deepEqual(problems, []);
        } finally {
          await page.close();
        }
      }

      for (const path of PAGES) {
        test(
          `/${path} has its font and pictures, fits on a phone, is accessible`,
          { timeout },
          () =>
            visit(path, async (page) => {
              assert.deepEqual(await page.evaluate(FONTS_LOADED), ['Space Grotesk']);
              assert.deepEqual(await page.evaluate(BROKEN_IMAGES), []);
              assert.match((await page.textContent('#server-line')) ?? '', /over http\/1\.1$/);
              assert.deepEqual(await violationsOf(page), []);
              await page.setViewportSize({ width: 360, height: 740 });
              await page.emulateMedia({ colorScheme: 'dark' });
              assert.equal(await page.evaluate(OVERFLOW), 0);
              assert.deepEqual(await violationsOf(page), []);
            }),
        );
      }

      test('without metrics there are no live numbers, and the page says why', { timeout }, () =>
        visit('', async (page) => {
          assert.match(
            (await page.textContent('#live-state')) ?? '',
            /^No numbers: .*does not offer/,
          );
          assert.equal(await page.textContent('#live-requests'), '-');
        }),
      );

      test('links lead from page to page', { timeout }, () =>
        visit('', async (page) => {
          for (const [name, heading] of [
            ['About', 'Small on purpose'],
            ['Docs', 'From nothing to a response'],
            ['Gallery', 'Pictures of a loop'],
            ['Home', 'A server that stays in its loop.'],
          ] as const) {
            await page.click(`nav >> text=${name}`);
            await page.waitForSelector(`h1:text-is("${heading}")`);
          }
        }),
      );

      test('the reactor turns', { timeout }, () =>
        visit('', async (page) => {
          await page.click('#burst');
          await page.waitForFunction(
            `Number(document.getElementById('turns').textContent) >= 1 &&
             Number(document.getElementById('served').textContent) >= 20`,
          );
          await page.click('#pause');
          assert.equal(await page.textContent('#pause'), 'Play');
        }),
      );

      test('the panel measures every file it offers', { timeout }, () =>
        visit('', async (page) => {
          const files = await page
            .locator('select[name=file] option')
            .evaluateAll((options: readonly unknown[]) =>
              options.map((option) => (option as { value: string }).value),
            );
          assert.ok(files.length >= 3);
          await page.selectOption('select[name=count]', '50');
          for (const file of files) {
            await page.selectOption('select[name=file]', file);
            await page.click('#measure-form button');
            await page.waitForFunction(`!document.querySelector('#measure-form button').disabled`);
            const result = (await page.textContent('#measure-result')) ?? '';
            assert.match(result, /^50 responses: median [\d.]+ ms/, file);
          }
        }),
      );

      test('the large file arrives with every bit right', { timeout }, () =>
        visit('', async (page) => {
          await page.click('#large-check');
          await page.waitForSelector('#large-result.good, #large-result.bad');
          assert.equal(
            await page.textContent('#large-result'),
            '8388608 bytes: every bit is right.',
          );
          assert.equal(
            await page.textContent('#large-sum'),
            await page.getAttribute('#large-check', 'data-sha256'),
          );
        }),
      );
    });
  }

  test('npm run serve shows its numbers, only to those who may see its metrics', {
    timeout,
  }, async () => {
    const server = await start(example('serve'), ['--port', '0']);
    const page = await browser.newPage({ viewport: { width: 360, height: 2400 } });
    const problems = watchProblems(page);
    try {
      await watchShifts(page);
      await page.goto(server.url, { waitUntil: 'load' });
      await page.waitForSelector('#live[data-live="true"]');
      const before = await page.evaluate(REQUESTS);
      for (let request = 0; request < 20; request++) await fetch(server.url);
      await page.waitForFunction(`${REQUESTS} >= ${Number(before) + 20} && ${HAS_LATENCY}`);
      for (const name of ['p50', 'p99']) {
        assert.match((await page.textContent(`#live-${name}`)) ?? '', /^[\d.]+ ms$/);
      }
      assert.ok(Number(await page.textContent('#live-connections')) >= 1);
      assert.match((await page.textContent('#live-state')) ?? '', /^Live, by \w+ on Node \d/);
      assert.deepEqual(await violationsOf(page), []);
      assert.deepEqual(await shiftsOf(page), [], 'the layout moved');
      assert.deepEqual(problems, []);
      const forwarded = { headers: { Via: '1.1 proxy' } };
      assert.equal((await fetch(`${server.url}metrics`, forwarded)).status, 404);
      await page.context().close();
      const plain = await browser.newPage({ javaScriptEnabled: false });
      await plain.goto(server.url);
      assert.equal(await plain.isVisible('#live'), false);
      await plain.close();
    } finally {
      await page.close();
      assert.equal(await server.stop(), 0);
    }
  });
});
