// Serves the sample site, or any directory: npm run serve -- [directory] [flags of vibing serve].
// Makes the file of the site that is not in the repository, then runs `vibing serve` in this
// process. The sample site shows the metrics of its server, so they are on, for browsers on this
// machine.

import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// Compiled, this file lies in build/examples/.
const siteMaker = fileURLToPath(new URL('make-site.js', import.meta.url));
const command = new URL('../../dist/cli/main.js', import.meta.url);
const site = fileURLToPath(new URL('../../examples/site', import.meta.url));

const METRICS_PATH = '/metrics';
const given = process.argv.slice(2);
if (existsSync(site)) {
  const made = spawnSync(process.execPath, [siteMaker, site], { stdio: 'inherit' });
  if (made.status !== 0) process.exit(made.status ?? 1);
}

// The site is set in the environment, so a directory or a flag on the command line overrides it. A
// configuration file would not, so with one the site is not set.
const hasConfig = given.some((argument) => /^--config(=|$)/.test(argument));
const isOther = hasConfig || process.env['VIBING_STATIC_DIR'] !== undefined;
if (!isOther && !given.some(isDirectory) && !given.some(concernsMetrics)) {
  process.env['VIBING_METRICS'] ??= METRICS_PATH;
  // The page asks for metrics only where this field says that they are there.
  const announced = { 'Server-Timing': `metrics;desc="${METRICS_PATH}"` };
  if (process.env['VIBING_METRICS'] === METRICS_PATH) {
    process.env['VIBING_HEADERS'] ??= JSON.stringify({ '*.html': announced });
  }
}
if (!hasConfig) process.env['VIBING_STATIC_DIR'] ??= site;

// Set before the import: workers of a cluster start with the same arguments.
process.argv = [process.execPath, fileURLToPath(command), 'serve', ...given];
await import(command.href);

function isDirectory(argument: string): boolean {
  const path = argument.replace(/^--static-dir=/, '');
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function concernsMetrics(argument: string): boolean {
  return /^--(no-)?metrics\b/.test(argument);
}
