// The table of README.md that compares servers, of the last run of perf:peers. The page has the
// same figures.

import { readFileSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ownServer, PEERS, SERVER_NAMES } from '../catalog/peers.ts';
import type { ResultLine } from '../measure/results.ts';
import { lastRun, ratioToOwn } from './peers.ts';
import { countText } from './text.ts';

/** Its columns: scenarios, and what they are called there. */
const COLUMNS: readonly (readonly [scenario: string, name: string])[] = [
  ['hello', '`GET /`'],
  ['static-1k', 'static 1 KB'],
  ['json', 'JSON'],
  ['pipelined-16', '16 in a pipeline'],
  ['browser-headers', "a browser's head"],
  ['baseline', 'GET and POST mix'],
];

/** Requests a second of our server, and the ratio of each other one to it. */
export function readmeTable(lines: readonly ResultLine[]): string {
  const run = lastRun(lines.filter(({ kind }) => kind === 'peers'));
  const ran = run.map(({ server }) => server);
  const own = ownServer(ran);
  const others = PEERS.filter((peer) => peer !== own && ran.includes(peer));
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const cellsOf = (server: string): readonly string[] =>
    COLUMNS.map(([scenario]) => {
      const line = run.find((one) => one.server === server && one.scenario === scenario);
      if (line === undefined) return '-';
      if (server === own) return countText(line.rate.median);
      const ratio = ratioToOwn(line, run);
      return ratio === undefined ? '-' : `${ratio.toFixed(2)}x`;
    });
  return [
    row(['requests/s, higher is better', ...COLUMNS.map(([, name]) => name)]),
    row(['---', ...COLUMNS.map(() => '---:')]),
    ...(own === null ? [] : [row([`**${SERVER_NAMES[own]}**`, ...cellsOf(own)])]),
    ...others.map((peer) => row([SERVER_NAMES[peer] ?? peer, ...cellsOf(peer)])),
  ].join('\n');
}

/** Compiled, this file lies in build/perf/report/. */
const README = fileURLToPath(new URL('../../../README.md', import.meta.url));
const TABLE = /^\| requests\/s, higher is better \|.*(?:\n\|.*)+/m;

/** The table that a text has now; null when it has none. */
export function tableIn(text: string): string | null {
  return TABLE.exec(text)?.[0] ?? null;
}

/**
 * Puts the table of the last run into README.md, where the run has all of its columns. Returns one
 * line that says what was done.
 */
export function writeReadme(lines: readonly ResultLine[], file: string = README): string {
  const name = relative(process.cwd(), file);
  const run = lastRun(lines.filter(({ kind }) => kind === 'peers'));
  const missing = COLUMNS.filter(([column]) => !run.some(({ scenario }) => scenario === column));
  if (missing.length > 0) {
    const names = missing.map(([scenario]) => scenario).join(', ');
    return `${name} stays as it is: the run has no ${names}`;
  }
  const text = readFileSync(file, 'utf8');
  const table = tableIn(text);
  if (table === null) return `${name} stays as it is: it has no table of requests/s`;
  // A function: the table may contain what replace() reads as a pattern.
  writeFileSync(
    file,
    text.replace(table, () => readmeTable(lines)),
  );
  return `table of other servers: ${name}`;
}
