// Packages below perf/packages/ that are installed when a command first needs them, so that
// building and testing do without them.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runProgram } from './child-process.ts';

const INSTALL_MS_MAX = 300_000;
const ANY_CORE = -1;

/** Compiled, this file lies in build/perf/measure/. */
const PACKAGES_FOLDER = fileURLToPath(new URL('../../../perf/packages/', import.meta.url));

/** The folder of a package, whether or not it is installed. */
export function packageFolder(name: string): string {
  return join(PACKAGES_FOLDER, name);
}

/** The folder of a package, with everything of its lock file installed. */
export async function installed(name: string): Promise<string> {
  const folder = packageFolder(name);
  if (existsSync(join(folder, 'node_modules', '.package-lock.json'))) return folder;
  console.log(`installing the dependencies of perf/packages/${name}/package.json, once`);
  const command = ['npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', folder];
  const { code, output } = await runProgram(command, ANY_CORE, INSTALL_MS_MAX);
  if (code !== 0) {
    const end = code ?? 'a signal';
    throw new Error(`npm ci --prefix perf/packages/${name} ended with ${end}\n${output}`);
  }
  return folder;
}
