// Serves the sample site, or any directory: npm run serve -- [directory] [flags of vibing serve].
// It makes what the site does not keep in the repository, then becomes the command `vibing serve`.

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

// The site is a default of the environment, which a directory or a flag on the command line beats.
// A config file does not beat the environment, so with one the choice is the file's.
const hasConfig = given.some((argument) => /^--config(=|$)/.test(argument));
if (!hasConfig) process.env['VIBING_STATIC_DIR'] ??= site;

// Set before the import: workers of a cluster start with what stands here.
process.argv = [process.execPath, fileURLToPath(command), 'serve', ...given];
await import(command.href);
