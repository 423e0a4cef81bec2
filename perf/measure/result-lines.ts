// Windows of a server and of the floor around them, as a line of results.

import { median, pairUp, type Summary, summary } from './pairs.ts';
import type { Latencies, ResultKind, ResultLine, RunFacts, ServerResult } from './results.ts';
import type { Scenario } from '../catalog/scenarios.ts';
import { medianLatencies } from './latencies.ts';
import type { WindowFigures } from './window-load.ts';

/** More than this for others, and a window says little. */
const DISTURBED = 0.05;

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
  /** One more than windows, in order; none where no floor was there. */
  readonly floors: readonly WindowFigures[];
}

export function resultLine(measured: MeasuredServer): ResultLine {
  const { askedRate, driver, facts, floors, kind, load, scenario, server } = measured;
  const { windowMs, windows } = measured;
  const hasFloor = floors.length > 0;
  const ratesOf = (all: readonly WindowFigures[]): readonly number[] => all.map(({ rate }) => rate);
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
    ratio: hasFloor ? ratios(ratesOf(floors), ratesOf(windows), (pair) => pair) : null,
    cpuRatio: hasFloor ? ratios(costsOf(floors), costsOf(windows), (pair) => 1 / pair) : null,
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

function ratios(
  floors: readonly number[],
  servers: readonly number[],
  turn: (ratio: number) => number,
): Summary {
  return rounded(summary(pairUp(floors, servers).map(({ ratio }) => turn(ratio))), 4);
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
  const say = (name: string, what: string, is: (window: WindowFigures) => boolean): void => {
    const own = count(windows, is);
    const theirs = count(floors, is);
    if (own + theirs === 0) return;
    const beside = floors.length === 0 ? '' : ` and ${theirs} of ${floors.length} of the floor`;
    found.push(`${name}: ${what} in ${own} of ${windows.length} windows${beside}`);
  };
  say('LOAD-BOUND', "the load's core was full", ({ isLoadBound }) => isLoadBound);
  say('DISTURBED', 'others had 5 % of the core', ({ othersShare }) => othersShare >= DISTURBED);
  say('OVERLOADED', 'requests were left unanswered', ({ outstanding }) => outstanding > 0);
  return found;
}

/** For open loops at half of the most: a round number, at least one a second. */
export function halfOf(windows: readonly WindowFigures[]): number {
  return Math.max(1, Math.round(median(windows.map(({ rate }) => rate)) / 2));
}
