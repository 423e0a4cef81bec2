// npm run docs:pictures: makes the pictures of the metrics viewer in docs/, of a real server with
// two workers under a load by `vibing load`: the page light, dark and on a phone, and the text of
// the terminal.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BrowserContextOptions } from 'playwright-core';
import { viewMetrics } from 'vibing/viewer';
import { parseGiven, usage } from '../../../testing/arguments.ts';
import { reportUsageError } from '../../../testing/usage-error.ts';
import { wait } from '../../../testing/with-server.ts';
import { useBrowser } from '../../browser/fixtures/browser.ts';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const SERVER = fileURLToPath(new URL('./pictured-server.js', import.meta.url));
const COMMAND = join(ROOT, 'dist/cli/main.js');
/** Charts of a minute are full after so long. */
const SECONDS = 66;
const RATES = '300@8s,300..900@12s,900@10s,450@14s,450..700@12s,700@120s';
const TARGETS: readonly (readonly [path: string, weight: number])[] = [
  ['/', 40],
  ['/users/7', 30],
  ['/api/notes', 16],
  ['/search?q=vibing', 8],
  ['/reports/2026', 4],
  ['/no/such/page', 2],
];
const DESKTOP = { width: 1280, height: 1010 };
const PAGES: readonly (readonly [name: string, options: BrowserContextOptions])[] = [
  ['metrics-viewer', { viewport: DESKTOP, colorScheme: 'light' }],
  ['metrics-viewer-dark', { viewport: DESKTOP, colorScheme: 'dark' }],
  ['metrics-viewer-phone', { viewport: { width: 390, height: 1010 } }],
];
const COLUMNS = 104;
const ROWS = 30;

const COMMAND_SHAPE = {
  name: 'docs:pictures',
  about:
    `Loads a server of two workers for ${SECONDS} s, and makes the pictures of the metrics\n` +
    'viewer in docs/, and the text of the terminal in build/metrics-viewer.txt. Needs Chromium\n' +
    'and tmux.',
  numbers: {},
  lists: {},
} as const;

const children: ChildProcess[] = [];
const given = parseGiven(COMMAND_SHAPE, process.argv.slice(2));
if (typeof given === 'string') process.exitCode = reportUsageError(given);
else if (given.help) console.log(usage(COMMAND_SHAPE));
else await makePictures();

async function makePictures(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'vibing-pictures-'));
  try {
    const port = await startServer();
    const viewer = await viewMetrics({ url: String(port) });
    startLoad(port);
    const terminal = join(folder, 'terminal');
    execFileSync('tmux', [
      ...['-S', terminal, 'new-session', '-d', '-x', `${COLUMNS}`, '-y', `${ROWS}`],
      `NO_COLOR=1 ${process.execPath} ${COMMAND} metrics ${port}`,
    ]);
    console.log(`loading the server for ${SECONDS} s`);
    await wait(1_000 * SECONDS);
    await picturePages(viewer.url);
    const text = execFileSync('tmux', ['-S', terminal, 'capture-pane', '-p']).toString();
    writeFileSync(join(ROOT, 'build', 'metrics-viewer.txt'), text);
    console.log(text);
    execFileSync('tmux', ['-S', terminal, 'kill-server']);
    await viewer.close();
  } finally {
    for (const child of children) child.kill('SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  }
}

async function startServer(): Promise<number> {
  const child = spawn(process.execPath, [SERVER], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  for await (const chunk of child.stdout) {
    const port = /listens on (\d+)/.exec(String(chunk))?.[1];
    if (port !== undefined) return Number(port);
  }
  throw new Error('the server did not listen');
}

function startLoad(port: number): void {
  const urls = TARGETS.map(([path]) => `http://127.0.0.1:${port}${path}`);
  const weights = TARGETS.map(([, weight]) => weight).join(',');
  const flags = ['-c', '24', '-R', RATES, '--weights', weights, '--no-progress'];
  const child = spawn(process.execPath, [COMMAND, 'load', ...urls, ...flags], { stdio: 'ignore' });
  children.push(child);
}

async function picturePages(url: string): Promise<void> {
  await useBrowser(async (browser) => {
    for (const [name, options] of PAGES) {
      const context = await browser.newContext(options);
      const page = await context.newPage();
      await page.goto(url, { waitUntil: 'load' });
      await page.waitForSelector('td.route');
      await wait(2_500);
      await page.screenshot({ path: join(ROOT, 'docs', `${name}.png`) });
      await context.close();
    }
  });
}
