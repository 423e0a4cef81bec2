// The figures of one workload of perf:floor as a table.

import type { FloorWorkload } from '../catalog/scenarios.ts';
import { CONNECTIONS, LOAD_CORE, SERVER_CORE } from '../catalog/setup.ts';
import { DISTURBED_SHARE, LOAD_BOUND_SHARE } from '../catalog/thresholds.ts';
import { median, type Pair, type Summary, summary } from '../measure/pairs.ts';
import { countText, shareText, tableText } from '../runner/table.ts';

/** The figures of one run of wrk. */
export interface Window {
  readonly requestsPerSecond: number;
  /** Processor time of the server, or of the floor, for a request. */
  readonly microseconds: number;
  /** The share of the server's core that other processes had, 0 to 1. */
  readonly othersShare: number;
  /** How busy the load's core was, with whatever else ran there. */
  readonly loadShare: number;
}

export interface MeasuredWorkload {
  readonly workload: FloorWorkload;
  readonly conditions: string;
  readonly pairs: readonly Pair[];
  readonly floors: readonly Window[];
  readonly servers: readonly Window[];
  readonly ratios: Summary;
}

/** The conditions of a measurement, which its figures are printed with. */
export function conditions({ driver, scenario }: FloorWorkload, responseBytes: number): string {
  const { depth, requests } = scenario;
  const pipelining = depth === 1 ? 'no pipelining' : `pipelining ${depth}`;
  return (
    `GET ${requests[0].target}, ${responseBytes} bytes a response, driver ${driver}, ` +
    `${CONNECTIONS} connections, ${pipelining}, one core (${SERVER_CORE}), ` +
    `load on core ${LOAD_CORE}`
  );
}

export function workloadTable(measured: MeasuredWorkload): string {
  const { workload, pairs, floors, servers, ratios } = measured;
  const rows = [['round', 'floor/s', 'server/s', 'ratio', 'us CPU', 'others', 'load core']];
  pairs.forEach((pair, index) => {
    const { microseconds, othersShare, loadShare } = servers[index];
    const figures = cells(pair.floor, pair.server, pair.ratio, microseconds);
    rows.push([`${index + 1}`, ...figures, shareText(othersShare), shareText(loadShare)]);
  });
  const floor = summary(pairs.map((pair) => pair.floor));
  const server = summary(pairs.map((pair) => pair.server));
  const used = summary(servers.map(({ microseconds }) => microseconds));
  for (const rank of ['median', 'least', 'most'] as const) {
    rows.push([rank, ...cells(floor[rank], server[rank], ratios[rank], used[rank]), '', '']);
  }
  const floorUsed = median(floors.map(({ microseconds }) => microseconds));
  const share = (floorUsed / used.median).toFixed(2);
  return [
    `${workload.name}: ${measured.conditions}`,
    tableText(rows),
    `the floor uses ${floorUsed.toFixed(2)} us of processor time, ${share} of the server's`,
    ...remarks(floors, servers),
  ].join('\n');
}

/** Why figures may mislead. */
function remarks(floors: readonly Window[], servers: readonly Window[]): readonly string[] {
  const isBound = ({ loadShare }: Window): boolean => loadShare >= LOAD_BOUND_SHARE;
  const isDisturbed = ({ othersShare }: Window): boolean => othersShare >= DISTURBED_SHARE;
  const both = [...floors, ...servers];
  const found: string[] = [];
  const counts = (is: (window: Window) => boolean): string =>
    `${floors.filter(is).length} of ${floors.length} floor windows and ` +
    `${servers.filter(is).length} of ${servers.length} server windows`;
  if (both.some(isBound)) {
    const where = counts(isBound);
    found.push(`LOAD-BOUND: the load's core was full, ratios are of processor time: ${where}`);
  }
  if (both.some(isDisturbed)) {
    const share = shareText(DISTURBED_SHARE);
    found.push(
      `DISTURBED: other processes had ${share} or more of the server's core in ` +
        counts(isDisturbed),
    );
  }
  return found;
}

function cells(floor: number, server: number, ratio: number, microseconds: number): string[] {
  return [countText(floor), countText(server), ratio.toFixed(3), microseconds.toFixed(2)];
}
