// The figures of one workload as a table to read.

import { median, type Pair, type Summary, summary } from '../measure/pairs.ts';
import type { Workload } from '../catalog/setup.ts';

/** What one run of the load saw. */
export interface Window {
  readonly requestsPerSecond: number;
  /** Processor time of the server, or of the floor, for a request. */
  readonly microseconds: number;
  /** How much of the server's core others had, 0 to 1. */
  readonly othersShare: number;
  /** How busy the core of the load was, with whatever else ran there. */
  readonly loadShare: number;
}

export interface Measured {
  readonly workload: Workload;
  readonly conditions: string;
  readonly pairs: readonly Pair[];
  readonly floors: readonly Window[];
  readonly servers: readonly Window[];
  readonly ratios: Summary;
  readonly passed: boolean;
}

/** From here on the load is what limits a window, and hides what the server could do. */
const LOAD_BOUND = 0.97;

/** More than this for others, and a window says little. */
const DISTURBED = 0.05;

export function tableOf(measured: Measured): string {
  const { workload, pairs, floors, servers, ratios } = measured;
  const lines = [
    `${workload.name}: ${measured.conditions}`,
    row('round', 'floor/s', 'server/s', 'ratio', 'us CPU', 'others', 'load core'),
  ];
  pairs.forEach((pair, index) => {
    const { microseconds, othersShare, loadShare } = servers[index];
    const figures = rates(pair.floor, pair.server, pair.ratio, microseconds);
    lines.push(row(`${index + 1}`, ...figures, formatShare(othersShare), formatShare(loadShare)));
  });
  const floor = summary(pairs.map((pair) => pair.floor));
  const server = summary(pairs.map((pair) => pair.server));
  const used = summary(servers.map(({ microseconds }) => microseconds));
  for (const rank of ['median', 'least', 'most'] as const) {
    lines.push(row(rank, ...rates(floor[rank], server[rank], ratios[rank], used[rank])));
  }
  const floorUsed = median(floors.map(({ microseconds }) => microseconds));
  const share = (floorUsed / used.median).toFixed(2);
  lines.push(
    `  the floor takes ${floorUsed.toFixed(2)} us CPU, ${share} of the server's (medians)`,
  );
  lines.push(...remarks(floors, servers));
  const verdict = measured.passed ? 'met' : 'MISSED';
  const bar = `bar ${workload.bar.toFixed(3)} (${workload.why})`;
  lines.push(`  ${bar}: median ${ratios.median.toFixed(3)}, ${verdict}`);
  return lines.join('\n');
}

/** What makes the figures worth less than they look. */
function remarks(floors: readonly Window[], servers: readonly Window[]): readonly string[] {
  const bound = ({ loadShare }: Window): boolean => loadShare >= LOAD_BOUND;
  const disturbed = ({ othersShare }: Window): boolean => othersShare >= DISTURBED;
  const both = [...floors, ...servers];
  const found: string[] = [];
  const counts = (is: (window: Window) => boolean): string =>
    `${floors.filter(is).length} of ${floors.length} floor windows and ` +
    `${servers.filter(is).length} of ${servers.length} server windows`;
  if (both.some(bound)) found.push(`  LOAD-BOUND: the load's core was full in ${counts(bound)}`);
  if (both.some(disturbed)) {
    const share = formatShare(DISTURBED);
    found.push(
      `  DISTURBED: others had ${share} or more of the server's core in ${counts(disturbed)}`,
    );
  }
  return found;
}

function rates(
  floor: number,
  server: number,
  ratio: number,
  microseconds: number,
): [string, string, string, string] {
  return [formatCount(floor), formatCount(server), ratio.toFixed(3), microseconds.toFixed(2)];
}

const WIDTHS = [8, 10, 10, 7, 7, 7, 10];

function row(...columns: readonly string[]): string {
  return columns.map((column, index) => column.padStart(WIDTHS[index])).join(' ');
}

export function formatCount(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}

function formatShare(share: number): string {
  return `${Math.round(share * 100)} %`;
}
