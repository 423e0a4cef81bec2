// A run of the gate as lines of results, in the format of perf/measure/results.ts.

import { CONNECTIONS } from '../catalog/setup.ts';
import { LATENCY_RATE, LOAD_BOUND_SHARE } from '../catalog/thresholds.ts';
import { type Summary, summary } from '../measure/pairs.ts';
import type { Latencies, ResultLine, RunFacts, ServerResult } from '../measure/results.ts';
import {
  boundIndexes,
  type GateFigures,
  type LatencyWindow,
  type RateWindow,
  ratios,
  type Verdict,
} from './judge.ts';
import { LATENCY_SCENARIO } from './measure.ts';

export interface GateRun {
  readonly driver: string;
  readonly windowMs: number;
}

/** One line for each scenario and one for latency; the first has all checks. */
export function gateLines(
  facts: RunFacts,
  run: GateRun,
  figures: GateFigures,
  verdict: Verdict,
): readonly ResultLine[] {
  const common = {
    format: 1,
    kind: 'gate',
    ...facts,
    ...run,
    server: 'vibing',
    connections: CONNECTIONS,
    checks: [],
  } as const;
  const lines: ResultLine[] = figures.throughput.map(({ floors, scenario, servers }) => ({
    ...common,
    scenario: scenario.name,
    pipelining: scenario.depth,
    load: 'full',
    askedRate: 0,
    windows: servers.length,
    ...rateResult(servers),
    floor: { name: 'floor/epoll', ...rateResult(floors) },
    ratio: summary(ratios({ floors, servers })),
    cpuRatio: summary(
      servers.map(({ microseconds }, index) => {
        const around = floors[index].microseconds + floors[index + 1].microseconds;
        return around / 2 / microseconds;
      }),
    ),
    remarks: boundRatios(boundIndexes({ floors, servers }).size, servers.length),
  }));
  const { latency } = figures;
  if (latency !== null) {
    lines.push({
      ...common,
      scenario: LATENCY_SCENARIO.name,
      pipelining: LATENCY_SCENARIO.depth,
      load: 'rate',
      askedRate: LATENCY_RATE,
      windows: latency.servers.length,
      ...latencyResult(latency.servers),
      floor: { name: 'floor/epoll', ...latencyResult(latency.floors) },
      ratio: null,
      cpuRatio: null,
      remarks: boundRemark(latency.servers),
    });
  }
  const checks = verdict.checks.map(({ name, state, text }) => ({ name, state, text }));
  return lines.map((line, index) => (index === 0 ? { ...line, checks } : line));
}

function rateResult(windows: readonly RateWindow[]): ServerResult {
  return {
    rate: summary(windows.map(({ rate }) => rate)),
    cpuUs: summary(windows.map(({ microseconds }) => microseconds)),
    latencyMs: {},
  };
}

function latencyResult(windows: readonly LatencyWindow[]): ServerResult {
  const medianOf = (figure: (window: LatencyWindow) => number): number =>
    summary(windows.map(figure)).median;
  const latencyMs: Latencies = {
    '50': medianOf(({ p50Ms }) => p50Ms),
    '99': medianOf(({ p99Ms }) => p99Ms),
    '99.9': medianOf(({ p999Ms }) => p999Ms),
  };
  const rate: Summary = { median: LATENCY_RATE, least: LATENCY_RATE, most: LATENCY_RATE };
  return { rate, cpuUs: null, latencyMs };
}

function boundRatios(bound: number, all: number): readonly string[] {
  if (bound === 0) return [];
  const what = "the load's core was full in or around them, ratios are of processor time";
  return [`LOAD-BOUND: ${what}: ${bound} of ${all} windows`];
}

function boundRemark(windows: readonly { readonly loadShare: number }[]): readonly string[] {
  const bound = windows.filter(({ loadShare }) => loadShare >= LOAD_BOUND_SHARE).length;
  if (bound === 0) return [];
  return [`LOAD-BOUND: the load's core was full in ${bound} of ${windows.length} windows`];
}
