// Heavy tools have a package of their own below perf/, which is installed when one is first used:
// nobody who only wants to build or test pays for them.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runProgram } from './child-process.ts';

const INSTALL_MS_MAX = 300_000;
const ANY_CORE = -1;

/** Compiled, this file lies in build/perf/. */
const PERF_FOLDER = fileURLToPath(new URL('../../../perf/', import.meta.url));
export const REPORTS_FOLDER: string = fileURLToPath(new URL('../../../reports/', import.meta.url));

/** The folder of a package such as perf/flame, with what its lock file says installed. */
export async function installed(name: string): Promise<string> {
  const folder = join(PERF_FOLDER, name);
  if (existsSync(join(folder, 'node_modules', '.package-lock.json'))) return folder;
  console.log(`installing what perf/${name}/package.json asks for, once`);
  const command = ['npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', folder];
  const { code, output } = await runProgram(command, ANY_CORE, INSTALL_MS_MAX);
  if (code !== 0) {
    throw new Error(`npm ci --prefix perf/${name} ended with ${code ?? 'a signal'}\n${output}`);
  }
  return folder;
}

/** Where the pages of a run go: `reports/KIND/COMMIT-NAME`. */
export function reportFolder(kind: string, commit: string, name: string): string {
  return join(
    REPORTS_FOLDER,
    kind,
    `${commit.replace(/^commit /, '').replaceAll(' ', '-')}-${name}`,
  );
}
