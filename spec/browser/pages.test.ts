// The pages that are no application in a real browser: the report of a load, the page of all
// measurements, the page of a project by `vibing init`, and the site of error responses. On a
// desktop and a phone, light and dark: axe, width, movement of the layout, console.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { reportHtml, runLoad } from 'vibing/load';
import { PROJECT_PACKAGES } from '../../src/cli/init/project.ts';
import { ROOT } from '../../testing/child-program.ts';
import { leaveOutOfCoverage } from '../../testing/coverage.ts';
import { start } from '../../testing/program.ts';
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
const COMMAND = join(ROOT, 'dist', 'cli', 'main.js');
const OVERFLOW = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
const VIEWS = [
  { colorScheme: 'light', viewport: { width: 1280, height: 900 } },
  { colorScheme: 'dark', viewport: { width: 360, height: 740 } },
] as const;

describe('pages', { skip, timeout }, () => {
  let folder: string;
  let browser: Browser;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'vibing-pages-'));
    browser = await launchBrowser();
  });
  after(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Opens a page in both views and expects no problems. */
  async function isFine(url: string): Promise<void> {
    for (const view of VIEWS) {
      // The policy of a page would forbid the script of axe.
      const page = await browser.newPage({ ...view, bypassCSP: true });
      const problems = watchProblems(page);
      try {
        await watchShifts(page);
        await page.goto(url, { waitUntil: 'load' });
        const what = `${url}, ${view.colorScheme}`;
        assert.deepEqual(await violationsOf(page), [], what);
        assert.equal(await page.evaluate(OVERFLOW), 0, `${what} is too wide`);
        assert.deepEqual(await shiftsOf(page), [], `the layout of ${what} moved`);
        assert.deepEqual(problems, [], what);
      } finally {
        await page.close();
      }
    }
  }

  test('the report of a load, with errors and without', { timeout }, async () => {
    const server = await start(COMMAND, ['serve', 'examples/site', '--port', '0']);
    try {
      for (const path of ['robots.txt', 'missing']) {
        const report = await runLoad({ url: server.url + path, connections: 2, count: 200 });
        const file = join(folder, `${path}.html`);
        writeFileSync(file, reportHtml(report));
        await isFine(pathToFileURL(file).href);
      }
    } finally {
      await server.stop();
    }
  });

  test('the page of all measurements', { timeout }, () =>
    isFine(pathToFileURL(join(ROOT, 'reports', 'index.html')).href),
  );

  test('the page of a new project', { timeout }, async () => {
    const project = join(folder, 'app');
    const { status } = spawnSync(process.execPath, [COMMAND, 'init', project]);
    assert.equal(status, 0);
    const modules = join(project, 'node_modules');
    mkdirSync(join(modules, '@types'), { recursive: true });
    symlinkSync(ROOT, join(modules, 'vibing'), 'junction');
    for (const name of Object.keys(PROJECT_PACKAGES)) {
      symlinkSync(join(ROOT, 'node_modules', name), join(modules, name), 'junction');
    }
    const compiler = join(modules, 'typescript', 'bin', 'tsc');
    assert.equal(spawnSync(process.execPath, [compiler], { cwd: project }).status, 0);
    process.env['PORT'] = '0';
    const server = await start(join(project, 'dist', 'main.js'), []);
    try {
      await isFine(server.url);
    } finally {
      await server.stop();
    }
  });
});
