// Makes a line of results of the windows of a server and of its floor.

import type { Scenario } from '../catalog/scenarios.ts';
import { DISTURBED_SHARE } from '../catalog/thresholds.ts';
import { shareText } from '../runner/table.ts';
import { medianLatencies } from './latencies.ts';
import { comparedRatio, median, pairUp, type Summary, summary } from './pairs.ts';
import type { Latencies, ResultKind, ResultLine, RunFacts, ServerResult } from './results.ts';
import type { WindowFigures } from './window-load.ts';

export interface MeasuredServer {
  readonly kind: ResultKind;
  readonly facts: RunFacts;
  readonly scenario: Scenario;
  readonly server: string;
  readonly driver: string;
  readonly load: ResultLine['load'];
  readonly askedRate: number;
  readonly windowMs: number;
  readonly windows: readonly WindowFigures[];
  /** One more than windows, in order; empty when there is no floor. */
  readonly floors: readonly WindowFigures[];
  /** Empty or left out where the floor in C did not run. */
  readonly floorsInC?: readonly WindowFigures[];
}

export function resultLine(measured: MeasuredServer): ResultLine {
  const { askedRate, driver, facts, floors, floorsInC = [], kind, load, scenario } = measured;
  const { server, windowMs, windows } = measured;
  const hasFloor = floors.length > 0;
  const costsOf = (all: readonly WindowFigures[]): readonly number[] =>
    all.map(({ cpuUs }) => cpuUs);
  return {
    format: 1,
    kind,
    ...facts,
    scenario: scenario.name,
    server,
    driver,
    connections: scenario.connections,
    pipelining: scenario.depth,
    load,
    askedRate,
    windows: windows.length,
    windowMs,
    ...serverResult(windows),
    floor: hasFloor ? { name: `floor/${scenario.floor}`, ...serverResult(floors) } : null,
    ...(floorsInC.length > 0 ? { floorInC: serverResult(floorsInC) } : {}),
    ratio: hasFloor
      ? summaryOf(windows.map((one, index) => comparedRatio(one, around(floors, index))))
      : null,
    cpuRatio: hasFloor ? cpuRatios(costsOf(floors), costsOf(windows)) : null,
    remarks: remarks(windows, floors),
    checks: [],
  };
}

function serverResult(windows: readonly WindowFigures[]): ServerResult {
  return {
    rate: rounded(summary(windows.map(({ rate }) => rate)), 1),
    cpuUs: rounded(summary(windows.map(({ cpuUs }) => cpuUs)), 3),
    latencyMs: medianLatencies(windows.map((one): Latencies => one.latencyMs)),
  };
}

/** The floor's windows before and after a window of the server. */
function around<T>(floors: readonly T[], index: number): readonly T[] {
  return floors.slice(index, index + 2);
}

function cpuRatios(floors: readonly number[], servers: readonly number[]): Summary {
  return summaryOf(pairUp(floors, servers).map(({ ratio }) => 1 / ratio));
}

function summaryOf(values: readonly number[]): Summary {
  return rounded(summary(values), 4);
}

/** The ratio of one server to another within each round; null when one of them did not run. */
export function ratioInRounds(
  windows: readonly WindowFigures[],
  others: readonly WindowFigures[],
): Summary | null {
  const rounds = Math.min(windows.length, others.length);
  if (rounds === 0) return null;
  const ratio = (round: number): number => comparedRatio(windows[round], [others[round]]);
  return summaryOf(Array.from({ length: rounds }, (_, round) => ratio(round)));
}

function rounded({ median: middle, least, most }: Summary, digits: number): Summary {
  const cut = (value: number): number => Number(value.toFixed(digits));
  return { median: cut(middle), least: cut(least), most: cut(most) };
}

function remarks(
  windows: readonly WindowFigures[],
  floors: readonly WindowFigures[],
): readonly string[] {
  const found: string[] = [];
  const count = (all: readonly WindowFigures[], is: (window: WindowFigures) => boolean): number =>
    all.filter(is).length;
  const add = (name: string, what: string, is: (window: WindowFigures) => boolean): void => {
    const own = count(windows, is);
    const theirs = count(floors, is);
    if (own + theirs === 0) return;
    const ofFloor = floors.length === 0 ? '' : ` and ${theirs} of ${floors.length} of the floor`;
    found.push(`${name}: ${what} in ${own} of ${windows.length} windows${ofFloor}`);
  };
  add(
    'LOAD-BOUND',
    "the load's core was full, ratios are of processor time,",
    ({ isLoadBound }) => isLoadBound,
  );
  const disturbed = `other processes had ${shareText(DISTURBED_SHARE)} of the core`;
  add('DISTURBED', disturbed, ({ othersShare }) => othersShare >= DISTURBED_SHARE);
  add('OVERLOADED', 'requests had no response', ({ outstanding }) => outstanding > 0);
  return found;
}

/** Half of the median rate, for an open loop: a whole number, at least 1. */
export function halfOf(windows: readonly WindowFigures[]): number {
  return Math.max(1, Math.round(median(windows.map(({ rate }) => rate)) / 2));
}
