// Serves the sample site, or any directory: npm run serve -- [directory] [flags of vibing serve].
// Makes the file of the site that is not in the repository, then runs `vibing serve` in this
// process.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// Compiled, this file lies in build/examples/.
const siteMaker = fileURLToPath(new URL('make-site.js', import.meta.url));
const command = new URL('../../dist/cli/main.js', import.meta.url);
const site = fileURLToPath(new URL('../../examples/site', import.meta.url));

const given = process.argv.slice(2);
if (existsSync(site)) {
  const made = spawnSync(process.execPath, [siteMaker, site], { stdio: 'inherit' });
  if (made.status !== 0) process.exit(made.status ?? 1);
}

// The site is set in the environment, so a directory or a flag on the command line overrides it. A
// configuration file would not, so with one the site is not set.
const hasConfig = given.some((argument) => /^--config(=|$)/.test(argument));
if (!hasConfig) process.env['VIBING_STATIC_DIR'] ??= site;

// Set before the import: workers of a cluster start with the same arguments.
process.argv = [process.execPath, fileURLToPath(command), 'serve', ...given];
await import(command.href);
