// The table of README.md that compares servers: a pure function of the last run of perf:peers.

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
