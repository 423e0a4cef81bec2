// The figures of one workload as a table to read.

import { type Pair, type Summary, summary } from './pairs.ts';
import type { Workload } from './workloads.ts';

export interface Measured {
  readonly workload: Workload;
  readonly conditions: string;
  readonly pairs: readonly Pair[];
  /** Processor time a request, in the windows of the server and in those of the floor. */
  readonly microseconds: readonly number[];
  readonly floorMicroseconds: readonly number[];
  /** How busy the core of the load was. */
  readonly loadShares: readonly number[];
  readonly floorLoadShares: readonly number[];
  readonly ratios: Summary;
  readonly passed: boolean;
}

/** From here on the load is what limits a window, and hides what the server could do. */
export const LOAD_BOUND = 0.97;

export function tableOf(measured: Measured): string {
  const { workload, pairs, microseconds, floorMicroseconds, loadShares, ratios } = measured;
  const lines = [
    `${workload.name}: ${measured.conditions}`,
    row('round', 'floor/s', 'server/s', 'ratio', 'us CPU', 'load core'),
  ];
  pairs.forEach((pair, index) => {
    const share = loadShares[index];
    const mark = share >= LOAD_BOUND ? ' load-bound' : '';
    const figures = rates(pair.floor, pair.server, pair.ratio, microseconds[index]);
    lines.push(row(String(index + 1), ...figures, formatShare(share) + mark));
  });
  const floor = summary(pairs.map((pair) => pair.floor));
  const server = summary(pairs.map((pair) => pair.server));
  const used = summary(microseconds);
  const rank = (name: string, of: 'median' | 'least' | 'most'): string =>
    row(name, ...rates(floor[of], server[of], ratios[of], used[of]), '');
  lines.push(rank('median', 'median'), rank('least', 'least'), rank('most', 'most'));
  const floorUsed = summary(floorMicroseconds).median.toFixed(2);
  lines.push(`  the floor itself takes ${floorUsed} us of processor time a request (median)`);
  const floorBound = measured.floorLoadShares.filter((share) => share >= LOAD_BOUND).length;
  if (floorBound > 0) {
    const count = measured.floorLoadShares.length;
    lines.push(`  in ${floorBound} of ${count} floor windows the load was the limit`);
  }
  const verdict = measured.passed ? 'met' : 'MISSED';
  lines.push(`  bar ${workload.bar} (${workload.why}): ${ratios.median.toFixed(3)}, ${verdict}`);
  return lines.join('\n');
}

function rates(
  floor: number,
  server: number,
  ratio: number,
  microseconds: number,
): [string, string, string, string] {
  return [formatCount(floor), formatCount(server), ratio.toFixed(3), microseconds.toFixed(2)];
}

function row(
  name: string,
  floor: string,
  server: string,
  ratio: string,
  microseconds: string,
  load: string,
): string {
  const columns = [name.padStart(8), floor.padStart(10), server.padStart(10), ratio.padStart(7)];
  return `${columns.join(' ')} ${microseconds.padStart(7)}   ${load}`.trimEnd();
}

export function formatCount(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}

export function formatShare(share: number): string {
  return `${Math.round(share * 100)} %`;
}
