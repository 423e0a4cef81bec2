// Makes the reference of the API from the docstrings, with TypeDoc, in build/docs/api/. TypeDoc and
// the compiler that it needs are a package of their own, which is installed at the first use.
//
//   npm run docs:api [-- --check]

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const USAGE = `usage: npm run docs:api [-- --check]

Writes the reference of all public names to build/docs/api/index.html. A public name, method or
accessor without a docstring is an error.

  --check   only looks for missing docstrings
  --help    this text

Exit codes: 0, 1 when a docstring is missing or TypeDoc cannot run, 2 when an argument is wrong.`;

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FOLDER = join(ROOT, 'docs', 'packages', 'typedoc');
const TYPEDOC = join(FOLDER, 'node_modules', 'typedoc', 'bin', 'typedoc');
const NPM = process.platform === 'win32' ? 'npm.cmd' : 'npm';

process.exitCode = main(process.argv.slice(2));

function main(given) {
  if (given.includes('--help') || given.includes('-h')) {
    console.log(USAGE);
    return 0;
  }
  const unknown = given.find((word) => word !== '--check');
  if (unknown !== undefined) {
    console.error(`unknown argument ${unknown}; --help lists them`);
    return 2;
  }
  if (!existsSync(TYPEDOC)) {
    console.log('installing TypeDoc below docs/packages/typedoc');
    if (!run(NPM, ['ci', '--no-audit', '--no-fund', '--ignore-scripts'])) return 1;
  }
  const emit = given.includes('--check') ? 'none' : 'docs';
  if (!run(process.execPath, [TYPEDOC, '--options', 'typedoc.json', '--emit', emit])) return 1;
  const done = emit === 'none' ? 'no docstring is missing' : 'open build/docs/api/index.html';
  console.log(done);
  return 0;
}

/** Whether a command, in the folder of TypeDoc, has succeeded. */
function run(command, parameters) {
  const shell = process.platform === 'win32' && command === NPM;
  return spawnSync(command, parameters, { cwd: FOLDER, stdio: 'inherit', shell }).status === 0;
}
