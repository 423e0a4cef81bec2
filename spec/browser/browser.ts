// A headless Chromium for the browser tests: its path, its start, and the problems that pages
// report.

import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

const path = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

/** Why browser tests are skipped, or false: only on request, never when Chromium is missing. */
export const skip: string | false =
  process.env['VIBING_NO_BROWSER'] === '1' && 'VIBING_NO_BROWSER=1 is set';

export async function launchBrowser(): Promise<Browser> {
  if (!existsSync(path)) {
    throw new Error(
      `no Chromium at ${path}: install it (Debian: apt-get install chromium), or name it with ` +
        'CHROMIUM=/path/to/chromium, or set VIBING_NO_BROWSER=1 to skip the browser tests',
    );
  }
  return await chromium.launch({
    executablePath: path,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** Runs `steps` with a browser. */
export async function useBrowser(steps: (browser: Browser) => Promise<void>): Promise<void> {
  const browser = await launchBrowser();
  try {
    await steps(browser);
  } finally {
    await browser.close();
  }
}

/** Collects the problems of a page; the list stays empty on a correct one. */
export function watchProblems(page: Page): string[] {
  const problems: string[] = [];
  page.on('console', (message) => {
    const type = message.type();
    if (type === 'error' || type === 'warning') problems.push(`${type}: ${message.text()}`);
  });
  page.on('pageerror', (error) => problems.push(`page error: ${error.message}`));
  page.on('requestfailed', (request) => {
    problems.push(`failed: ${request.url()} ${request.failure()?.errorText ?? ''}`);
  });
  page.on('response', (response) => {
    if (response.status() >= 400) problems.push(`${response.status()}: ${response.url()}`);
  });
  return problems;
}
