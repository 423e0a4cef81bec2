// Writes reports/index.html from reports/results.jsonl, and reports/profiles.html with links to the
// pages of profilers. Git has the first and ignores the second.

import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { REPORTS_FOLDER } from '../measure/reports-folder.ts';
import { readResults } from '../measure/results.ts';
import { type ProfileLink, pageHtml, profilesHtml } from './page.ts';

/** Folders of the pages of profilers. */
const PROFILE_FOLDERS = ['flame', 'clinic'];
const DEPTH_MAX = 3;

/** Returns one line that names the page. */
export function writeReport(folder: string = REPORTS_FOLDER): string {
  const { badLines, lines } = readResults(join(folder, 'results.jsonl'));
  const page = join(folder, 'index.html');
  mkdirSync(folder, { recursive: true });
  writeFileSync(page, pageHtml({ lines, badLines }));
  const profiles = profilesIn(folder);
  const list = join(folder, 'profiles.html');
  if (profiles.length === 0) rmSync(list, { force: true });
  else writeFileSync(list, profilesHtml(profiles));
  const bad = badLines.length === 0 ? '' : `, ${badLines.length} invalid lines left out`;
  return `page of ${lines.length} results${bad}: ${relative(process.cwd(), page)}`;
}

/** The pages of profilers below a folder, as links relative to it. */
export function profilesIn(folder: string): readonly ProfileLink[] {
  return PROFILE_FOLDERS.flatMap((name) => pagesIn(join(folder, name), DEPTH_MAX))
    .map((path) => relative(folder, path).split(sep))
    .sort((left, right) => left.join('/').localeCompare(right.join('/')))
    .map((parts) => ({
      href: parts.map(encodeURIComponent).join('/'),
      name: parts.join(' / ').replace(/( \/ index)?\.html$/, ''),
    }));
}

function pagesIn(folder: string, depth: number): readonly string[] {
  if (depth === 0 || !existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return pagesIn(path, depth - 1);
    return entry.name.endsWith('.html') ? [path] : [];
  });
}
