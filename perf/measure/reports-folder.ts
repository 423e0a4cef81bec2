// Where results and pages are written: reports/, or the folder that VIBING_REPORTS names.

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Compiled, this file lies in build/perf/measure/. Tests set the variable. */
export const REPORTS_FOLDER: string =
  process.env['VIBING_REPORTS'] ?? fileURLToPath(new URL('../../../reports/', import.meta.url));
export const RESULTS_FILE: string = join(REPORTS_FOLDER, 'results.jsonl');

/** Where a profiler writes the pages of a run: KIND/COMMIT-NAME. */
export function profileFolder(kind: string, commit: string, name: string): string {
  const hash = commit.replace(/^commit /, '').replaceAll(' ', '-');
  return join(REPORTS_FOLDER, kind, `${hash}-${name}`);
}
