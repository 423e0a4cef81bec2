// The page of the metrics viewer in a real browser: figures, pause, range, sorting, the keyboard, a
// server that restarts; on a desktop and on a phone, light and dark; axe, layout and console.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { type MetricsViewer, viewMetrics } from 'vibing/viewer';
import { wait } from '../../testing/with-server.ts';
import { Model, ModelSite } from '../viewer/fixtures/model-server.ts';
import { request } from '../viewer/fixtures/steps.ts';
import { launchBrowser, skip, watchProblems } from './fixtures/browser.ts';

const timeout = 120_000;
const AXE = createRequire(import.meta.url).resolve('axe-core');
const MARKUP = '/<img src=x onerror=alert(1)>\u202e';

/** Expressions as text, because they run in the page with its globals. */
const OVERFLOW = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
const WATCH_SHIFTS = `globalThis.shifts = [];
  new PerformanceObserver((list) => {
    for (const { sources, value } of list.getEntries()) {
      const moved = sources.map(({ node }) => node?.outerHTML ?? node?.textContent ?? '');
      globalThis.shifts.push(value + ' ' + moved.map((html) => html.slice(0, 80)).join(' | '));
    }
  }).observe({ type: 'layout-shift', buffered: true });`;
const VIOLATIONS = `axe.run().then(({ violations }) => violations.map(({ id, nodes }) =>
  id + ': ' + nodes.map((node) => node.html.slice(0, 120)).join(' | ')))`;
/** What passes the edge of its card, with the widest figures that a legend may have. */
const CUT = `(() => {
  for (const figure of document.querySelectorAll('.legend b')) {
    const { id } = figure.closest('.chart');
    const isTime = /latency|turns|pauses/.test(id);
    const isSize = /memory|traffic/.test(id);
    figure.textContent = isTime ? '99.9 ms' : isSize ? '99.9 MB' : '123,456';
  }
  return [...document.querySelectorAll('figcaption, .caption, .legend, .scroll, .tile')]
    .filter((part) => part.scrollWidth > part.clientWidth)
    .map((part) => innerWidth + ' ' + part.outerHTML.slice(0, 120));
})()`;
const WIDTHS = [360, 641, 760, 1100, 1200, 1280, 1440];
const ROUTES = `[...document.querySelectorAll('td.route span')].map((cell) => cell.textContent)`;
const PAINTED = `[...document.querySelectorAll('canvas')].map((canvas) => {
  const { width, height } = canvas;
  const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
  const colors = new Set();
  for (let at = 0; at < data.length; at += 4) colors.add(data.slice(at, at + 4).join());
  return colors.size;
})`;

/** The page's policy forbids the polling of playwright, which evaluates text in the page. */
async function until(page: Page, expression: string): Promise<void> {
  while (!(await page.evaluate(expression))) await wait(20);
}

let model = newModel();

function newModel(): Model {
  return new Model({ workers: 2, started: Date.now() / 1000 - 1 });
}

/** What happens between two snapshots. */
function busy(): void {
  for (let count = 0; count < 30; count++) {
    model.add(request({ route: '/users/:id', duration: 0.0004, worker: 1 + (count % 2) }));
  }
  for (let count = 0; count < 9; count++) {
    model.add(request({ route: '/slow', duration: 0.5, status: count === 0 ? 404 : 200 }));
  }
  model.add(request({ route: MARKUP, method: 'POST', duration: 0.002, status: 500 }));
  model.cpu[0] += 0.3;
  model.turns[0].push(0.001);
  model.pauses[1].push(0.0005);
  model.open = 25;
  model.faults['<b>bad</b>'] = (model.faults['<b>bad</b>'] ?? 0) + 1;
}

describe('the page of the metrics viewer', { skip, timeout }, () => {
  const site = new ModelSite(() => {
    busy();
    return model.snapshot(Date.now() / 1000);
  });
  let viewer: MetricsViewer;
  let browser: Browser;

  before(async () => {
    await site.open();
    viewer = await viewMetrics({ url: site.url });
    browser = await launchBrowser();
  });

  after(async () => {
    await browser?.close();
    await viewer?.close();
    await site.close();
  });

  /** Opens the page, waits for figures, runs `steps` on it, and expects no problems. */
  async function visit(
    options: BrowserContextOptions,
    steps: (page: Page) => Promise<void>,
  ): Promise<void> {
    const context = await browser.newContext({ reducedMotion: 'reduce', ...options });
    const page = await context.newPage();
    const problems = watchProblems(page);
    try {
      await page.addInitScript(WATCH_SHIFTS);
      await page.goto(viewer.url, { waitUntil: 'load' });
      await page.waitForSelector('#state[data-state=live]');
      await until(page, `document.querySelectorAll('td.route').length >= 3`);
      await until(page, `document.querySelectorAll('.workers canvas').length === 2`);
      await steps(page);
      // A reload ends the stream of events.
      const real = problems.filter((text) => !/\/events net::ERR_ABORTED$/.test(text));
      assert.deepEqual(real, []);
    } finally {
      await context.close();
    }
  }

  const textOf = async (page: Page, selector: string): Promise<string> =>
    (await page.textContent(selector)) ?? '';

  test(
    'shows the figures, and is sorted, paused and read by mouse and keyboard',
    {
      timeout,
    },
    () =>
      visit({ viewport: { width: 1280, height: 900 } }, async (page) => {
        assert.equal(await textOf(page, '#target'), new URL(site.url).host);
        const facts = 'vibing 0.1.0 · Node 20.20.2 · driver uring · 2 workers';
        assert.equal(await textOf(page, '#facts'), facts);
        await page.waitForSelector('#health[data-level=bad]');
        assert.match(await textOf(page, '#health-reasons'), /2\.5 % of the responses are 5xx/);
        assert.match(await textOf(page, '#tile-rate b'), /^\d\d$/);
        assert.match(await textOf(page, '#tile-p99 b'), /^5\d\d ms$/);
        assert.equal(await textOf(page, '#tile-open b'), '25');
        assert.match(await textOf(page, '.tallies ul'), /fault<b>bad<\/b>/);
        // Markup of labels is text, and their order of writing is not changed.
        const shown = MARKUP.replace('\u202e', '\\u202e');
        assert.deepEqual(await page.evaluate(ROUTES), ['/users/:id', '/slow', shown]);
        assert.equal(await page.locator('td img, td b b, li b b').count(), 0);
        const painted = (await page.evaluate(PAINTED)) as number[];
        assert.equal(painted.length, 8 + 2);
        assert.ok(
          painted.every((colors) => colors > 1),
          painted.join(),
        );

        await page.click('.routes th >> text=P99');
        assert.deepEqual(await page.evaluate(ROUTES), ['/slow', shown, '/users/:id']);
        assert.equal(await page.getAttribute('th.p99', 'aria-sort'), 'descending');
        await page.click('.routes th >> text=P99');
        assert.deepEqual(await page.evaluate(ROUTES), ['/users/:id', shown, '/slow']);
        await page.focus('th.route button');
        await page.keyboard.press('Enter');
        assert.deepEqual(await page.evaluate(ROUTES), [shown, '/slow', '/users/:id']);
        assert.equal(await page.locator('th[aria-sort]').count(), 1);

        await page.click('text=5 min');
        assert.equal(await page.getAttribute('[data-seconds="300"]', 'aria-pressed'), 'true');
        assert.match(await textOf(page, '#routes-note'), /over 5 min/);
        await page.keyboard.press('1');
        assert.equal(await page.getAttribute('[data-seconds="60"]', 'aria-pressed'), 'true');

        await page.click('#pause');
        assert.equal(await textOf(page, '#state'), 'paused');
        const before = await textOf(page, 'main');
        await wait(1_500);
        assert.equal(await textOf(page, 'main'), before);
        await page.keyboard.press('p');
        assert.equal(await textOf(page, '#pause'), 'Pause');
        await until(
          page,
          `document.querySelector('main').textContent !== ${JSON.stringify(before)}`,
        );

        await page.focus('#chart-latency');
        await page.keyboard.press('ArrowLeft');
        assert.match(
          await textOf(page, '#chart-latency-text'),
          /^\d\d:\d\d:\d\d: P50 4\d\d us, P90 5\d\d ms, P99 5\d\d ms, P99\.9 5\d\d ms$/,
        );
        assert.match(
          await textOf(page, '#chart-rate-text'),
          /: 2xx \d+, 3xx 0, 4xx \d\.\d, 5xx \d\.\d$/,
        );

        await page.keyboard.press('t');
        assert.equal(await textOf(page, '#theme'), 'Theme: light');
        await page.click('#theme');
        assert.equal(await page.getAttribute('html', 'data-theme'), 'dark');
        await page.reload();
        await page.waitForSelector('html[data-theme=dark][data-ready=true]');
        assert.ok(((await page.evaluate(ROUTES)) as string[]).length === 3, 'the history is there');
      }),
  );

  for (const [colorScheme, what, width, height] of [
    ['light', 'a desktop', 1280, 900],
    ['dark', 'a phone', 360, 740],
  ] as const) {
    test(
      `axe finds nothing, ${colorScheme} on ${what}; it fits, and nothing moves`,
      {
        timeout,
      },
      () =>
        visit(
          // The page's policy would forbid the script of axe.
          { colorScheme, viewport: { width, height }, bypassCSP: true },
          async (page) => {
            for (let update = 0; update < 2; update++) {
              const said = JSON.stringify(await textOf(page, '#chart-rate-text'));
              await until(
                page,
                `document.querySelector('#chart-rate-text').textContent !== ${said}`,
              );
            }
            assert.deepEqual(await page.evaluate('globalThis.shifts'), [], 'the layout moved');
            assert.equal(await page.evaluate(OVERFLOW), 0);
            for (const each of colorScheme === 'light' ? WIDTHS : []) {
              await page.setViewportSize({ width: each, height });
              assert.deepEqual(await page.evaluate(CUT), []);
              // The charts follow a moment later.
              await until(page, `${OVERFLOW} === 0`);
            }
            await page.setViewportSize({ width, height });
            await page.addScriptTag({ path: AXE });
            assert.deepEqual(await page.evaluate(VIOLATIONS), []);
          },
        ),
    );
  }

  test('survives a restart of the server, and says what happens', { timeout }, () =>
    visit({}, async (page) => {
      await site.close();
      await page.waitForSelector('#state[data-state=away]');
      assert.match(await textOf(page, '#state'), /^reconnecting, \d s$/);
      assert.equal(await textOf(page, '#health-title'), 'Reconnecting');
      assert.match(await textOf(page, '#since'), /^Was up \d+ s/);
      assert.match(
        await textOf(page, '#health-reasons'),
        /no metrics for \d s: connection refused/,
      );
      await wait(1_000);
      model = newModel();
      await site.open();
      await page.waitForSelector('#state[data-state=live]');
      await until(
        page,
        `/restarted \\d+ s ago/.test(document.querySelector('#health-reasons').textContent)`,
      );
      await until(
        page,
        `/2xx \\d+, /.test(document.querySelector('#chart-rate-text').textContent)`,
      );
    }),
  );

  test('says that the viewer has stopped, and goes on when it is back', { timeout }, async () => {
    const own = await viewMetrics({ url: site.url });
    const page = await browser.newPage();
    try {
      await page.goto(own.url);
      await page.waitForSelector('#state[data-state=live]');
      await own.close();
      await page.waitForSelector('#health-title >> text=Viewer stopped');
      const again = await viewMetrics({ url: site.url, port: Number(new URL(own.url).port) });
      try {
        await page.waitForSelector('#state[data-state=live]');
      } finally {
        await page.close();
        await again.close();
      }
    } finally {
      await own.close();
    }
  });
});
