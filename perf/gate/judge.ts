// The verdict of the gate, a pure function of windows. Each window of the server stands between two
// of the floor; every judged figure is a median.

import type { GateScenario, Scenario } from '../catalog/scenarios.ts';
import {
  COUNTED_WINDOWS_MIN,
  DISTURBED_SHARE,
  FLOOR_RATIO_MIN,
  GC_PAUSE_MS_MAX,
  HEAP_BYTES_PER_REQUEST_MAX,
  LOAD_BOUND_SHARE,
  P99_RATIO_MAX,
  P99_TARGET_FLOOR_MS,
  P99_TARGET_MS,
  RATE_TARGET,
  RATE_TARGET_FLOOR,
  RESIDENT_BYTES_MAX,
  TURN_MS,
  TURNS_MAX,
  TURNS_NOISE_MAX,
  TURNS_QUIET,
} from '../catalog/thresholds.ts';
import { type Compared, comparedRatio, isBoundPair, median } from '../measure/pairs.ts';
import { countText, shareText } from '../runner/table.ts';

export interface RateWindow {
  /** Requests a second. */
  readonly rate: number;
  /** Processor time of the server for a request. */
  readonly microseconds: number;
  /** The share of its core that the load used. */
  readonly loadShare: number;
  /** The share of the server's or the load's core, the larger, that other processes had. */
  readonly othersShare: number;
  /** Requests that failed, and responses that were not 2xx. */
  readonly failures: number;
  /** The longest garbage collection in the process. */
  readonly gcPauseMs: number;
}

export interface LatencyWindow {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  /** Turns a second that took longer than TURN_MS, for whatever reason. */
  readonly lateTurns: number;
  readonly loadShare: number;
  readonly failures: number;
  readonly gcPauseMs: number;
}

/** At a rate so low that no turn has much work. */
export interface TurnWindow {
  /** Turns a second in which the server used the core for longer than TURN_MS. */
  readonly busyTurns: number;
  readonly loadShare: number;
  readonly failures: number;
}

/** There is one floor window more than there are server windows: one around each. */
export interface Windows<W> {
  readonly floors: readonly W[];
  readonly servers: readonly W[];
}

export interface GateFigures {
  readonly throughput: readonly (Windows<RateWindow> & { readonly scenario: Scenario })[];
  /** Null when latency is not measured. */
  readonly latency: Windows<LatencyWindow> | null;
  /** Null when turns are not measured. */
  readonly turns: Windows<TurnWindow> | null;
  /** What the heap kept of each request, after a full garbage collection. */
  readonly heapBytesPerRequest: number;
  /** The peak of the server's resident memory. */
  readonly residentBytes: number;
}

export type State = 'met' | 'MISSED' | 'NOT JUDGED';

export interface Check {
  readonly name: string;
  readonly state: State;
  /** The figure and its threshold. */
  readonly text: string;
  /** What a second attempt measures again; empty where noise cannot be the cause of a miss. */
  readonly parts: readonly Part[];
}

export type Part = GateScenario | 'latency' | 'turns';

export interface Judging {
  /** Whether a check that is not judged closes the gate too. */
  readonly strict: boolean;
  /** The share by which the thresholds of rates are lowered. */
  readonly margin: number;
}

export interface Verdict {
  readonly checks: readonly Check[];
  readonly remarks: readonly string[];
  /** 1 when a threshold is missed; 3 when strict and something is not judged; else 0. */
  readonly exitCode: number;
}

export function judge(figures: GateFigures, { margin, strict }: Judging): Verdict {
  const { latency, throughput, turns } = figures;
  const checks: Check[] = [];
  for (const { scenario, ...windows } of throughput) {
    checks.push(ratioCheck(scenario.name as GateScenario, windows, margin));
  }
  const hello = throughput.find(({ scenario }) => scenario.name === 'hello');
  if (hello !== undefined) checks.push(targetCheck(hello, margin));
  if (latency !== null) checks.push(...latencyChecks(latency), lateCheck(latency));
  if (turns !== null) checks.push(busyCheck(turns));
  checks.push(gcCheck(figures), failureCheck(figures), heapCheck(figures), memoryCheck(figures));
  return verdictOf(checks, remarksOf(figures), strict);
}

/** A missed check has to be met at the second attempt, unless noise cannot explain the miss. */
export function judgeAgain(first: Verdict, second: Verdict, strict: boolean): Verdict {
  const checks = first.checks.map((check) => {
    const again = second.checks.find(({ name }) => name === check.name) ?? check;
    const isMetNow = check.state === 'MISSED' && again.state === 'met' && again.parts.length > 0;
    const isNewMiss = again.state === 'MISSED' && again.parts.length === 0;
    return isMetNow || isNewMiss ? again : check;
  });
  return verdictOf(checks, [...first.remarks, ...second.remarks], strict);
}

/** What a second attempt has to measure; empty when it could not change the verdict. */
export function partsToRepeat({ checks }: Verdict): readonly Part[] {
  const missed = checks.filter(({ state }) => state === 'MISSED');
  if (missed.some(({ parts }) => parts.length === 0)) return [];
  return [...new Set(missed.flatMap(({ parts }) => parts))];
}

function verdictOf(checks: readonly Check[], remarks: readonly string[], strict: boolean): Verdict {
  const missed = checks.some(({ state }) => state === 'MISSED');
  const isOpen = checks.some(({ state }) => state === 'NOT JUDGED');
  return { checks, remarks, exitCode: missed ? 1 : isOpen && strict ? 3 : 0 };
}

/** The mean of a figure of the floor's two windows around a window of the server. */
function around<W>(floors: readonly W[], index: number, figure: (window: W) => number): number {
  return (figure(floors[index]) + figure(floors[index + 1])) / 2;
}

function state(isMet: boolean): State {
  return isMet ? 'met' : 'MISSED';
}

/** NaN without values, which misses every threshold: a gate must not pass without figures. */
function medianOf(values: readonly number[]): number {
  return values.length === 0 ? Number.NaN : median(values);
}

/** By processor time in windows where the load was the limit, by rate in the others. */
export function ratios({ floors, servers }: Windows<RateWindow>): readonly number[] {
  return servers.map((server, index) =>
    comparedRatio(compared(server), floors.slice(index, index + 2).map(compared)),
  );
}

function compared({ loadShare, microseconds, rate }: RateWindow): Compared {
  return { rate, cpuUs: microseconds, isLoadBound: loadShare >= LOAD_BOUND_SHARE };
}

/** The server's windows in which, or around which, the load was the limit. */
export function boundIndexes({ floors, servers }: Windows<RateWindow>): ReadonlySet<number> {
  const isBound = servers.map((server, index) =>
    isBoundPair(compared(server), floors.slice(index, index + 2).map(compared)),
  );
  return new Set(isBound.flatMap((is, index) => (is ? [index] : [])));
}

function isQuiet({ floors, servers }: Windows<RateWindow>, index: number): boolean {
  return [floors[index], servers[index], floors[index + 1]].every(
    ({ othersShare }) => othersShare < DISTURBED_SHARE,
  );
}

/** The ratios of windows that other processes did not disturb, nor the floor windows around. */
export function quietRatios(windows: Windows<RateWindow>): readonly number[] {
  return ratios(windows).filter((_, index) => isQuiet(windows, index));
}

/** Judges undisturbed windows where there are enough, all windows otherwise. */
function ratioCheck(name: GateScenario, windows: Windows<RateWindow>, margin: number): Check {
  const threshold = FLOOR_RATIO_MIN[name] * (1 - margin);
  const all = windows.servers.map((_, index) => index);
  const quiet = all.filter((index) => isQuiet(windows, index));
  const judged = quiet.length < COUNTED_WINDOWS_MIN ? all : quiet;
  const everyRatio = ratios(windows);
  const ratio = medianOf(judged.map((index) => everyRatio[index]));
  const bound = boundIndexes(windows);
  const byTime = judged.filter((index) => bound.has(index)).length;
  const how = byTime === 0 ? '' : ` (by processor time in ${byTime}, where the load was the limit)`;
  const text =
    `median ratio to the floor ${ratio.toFixed(3)} in ${judged.length} windows${how}, ` +
    `at least ${threshold.toFixed(2)}${marginText(margin)}`;
  return { name, state: state(ratio >= threshold), text, parts: [name] };
}

function marginText(margin: number): string {
  return margin === 0 ? '' : `, which is the threshold less ${shareText(margin)}`;
}

/** The windows in which the machine was fast enough for the target. */
export function countedRates({ floors, servers }: Windows<RateWindow>): readonly RateWindow[] {
  return servers.filter(
    (_, index) => around(floors, index, ({ rate }) => rate) >= RATE_TARGET_FLOOR,
  );
}

function targetCheck(windows: Windows<RateWindow>, margin: number): Check {
  const parts: readonly Part[] = ['hello'];
  const name = `hello at ${countText(RATE_TARGET)}/s`;
  const counted = countedRates(windows);
  if (counted.length < COUNTED_WINDOWS_MIN) {
    const floor = countText(medianOf(windows.floors.map(({ rate }) => rate)));
    const text =
      `${counted.length} windows count, ${COUNTED_WINDOWS_MIN} are needed: ` +
      `the floor reached ${floor}/s (median), and a window needs ${countText(RATE_TARGET_FLOOR)}/s`;
    return { name, state: 'NOT JUDGED', text, parts };
  }
  const rate = medianOf(counted.map((window) => window.rate));
  const windowsText = `median of ${counted.length} counted windows`;
  const text = `${windowsText} ${countText(rate)}/s${marginText(margin)}`;
  return { name, state: state(rate >= RATE_TARGET * (1 - margin)), text, parts };
}

/** The windows in which the machine was quiet enough for the target, and the others. */
export function splitLatencies({ floors, servers }: Windows<LatencyWindow>): {
  readonly counted: readonly LatencyWindow[];
  /** The ratio of P99 to the floor's. */
  readonly otherRatios: readonly number[];
} {
  const counted: LatencyWindow[] = [];
  const otherRatios: number[] = [];
  servers.forEach((server, index) => {
    const floor = around(floors, index, ({ p99Ms }) => p99Ms);
    if (floor <= P99_TARGET_FLOOR_MS) counted.push(server);
    else otherRatios.push(server.p99Ms / floor);
  });
  return { counted, otherRatios };
}

function latencyChecks(windows: Windows<LatencyWindow>): readonly Check[] {
  const { counted, otherRatios } = splitLatencies(windows);
  const name = `P99 below ${P99_TARGET_MS} ms`;
  const parts: readonly Part[] = ['latency'];
  const found: Check[] = [];
  if (counted.length < COUNTED_WINDOWS_MIN) {
    const floor = medianOf(windows.floors.map(({ p99Ms }) => p99Ms)).toFixed(2);
    const text =
      `${counted.length} windows count, ${COUNTED_WINDOWS_MIN} are needed: the floor's P99 was ` +
      `${floor} ms (median), and a window needs ${P99_TARGET_FLOOR_MS} ms`;
    found.push({ name, state: 'NOT JUDGED', text, parts });
  } else {
    const p99Ms = medianOf(counted.map((window) => window.p99Ms));
    const text = `median of ${counted.length} counted windows ${p99Ms.toFixed(2)} ms`;
    found.push({ name, state: state(p99Ms < P99_TARGET_MS), text, parts });
  }
  // Without any window this check is missed.
  if (otherRatios.length > 0 || counted.length === 0) {
    const ratio = medianOf(otherRatios);
    const text =
      `median ratio to the floor ${ratio.toFixed(2)} in ${otherRatios.length} windows that do ` +
      `not count, at most ${P99_RATIO_MAX}`;
    found.push({ name: 'P99 to the floor', state: state(ratio <= P99_RATIO_MAX), text, parts });
  }
  return found;
}

function excess<W>({ floors, servers }: Windows<W>, figure: (window: W) => number): number[] {
  return servers.map((one, index) => figure(one) - around(floors, index, figure));
}

function excessCheck(name: string, part: Part, all: readonly number[], bound: number): Check {
  const middle = medianOf(all);
  const text =
    `median ${middle.toFixed(2)} a second more than the floor in ${all.length} windows, ` +
    `at most ${bound.toFixed(2)}`;
  return { name, state: state(middle <= bound), text, parts: [part] };
}

/** Not judged where other work on the machine delays the floor often, too. */
function lateCheck(windows: Windows<LatencyWindow>): Check {
  const name = `late turns over ${TURN_MS} ms`;
  const floor = medianOf(windows.floors.map(({ lateTurns }) => lateTurns));
  if (floor > TURNS_QUIET) {
    const rate = `${floor.toFixed(1)} times a second (median)`;
    const text = `the floor was late ${rate}: other work on the machine`;
    return { name, state: 'NOT JUDGED', text, parts: ['latency'] };
  }
  const all = excess(windows, (window) => window.lateTurns);
  return excessCheck(name, 'latency', all, TURNS_MAX);
}

/** Pauses a second beyond those of the floor, in windows where the floor had hardly any. */
export function quietPauses(windows: Windows<TurnWindow>): readonly number[] {
  const { floors } = windows;
  return excess(windows, pausesOf).filter(
    (_, index) => around(floors, index, pausesOf) <= TURNS_QUIET,
  );
}

function pausesOf({ busyTurns }: TurnWindow): number {
  return busyTurns;
}

/**
 * A server that uses the core for that long under nearly no load has a pause. Some of the time that
 * a shared machine takes away is accounted as used; then the floor has pauses too.
 */
function busyCheck(windows: Windows<TurnWindow>): Check {
  const name = `pauses over ${TURN_MS} ms`;
  const quiet = quietPauses(windows);
  if (quiet.length >= COUNTED_WINDOWS_MIN) return excessCheck(name, 'turns', quiet, TURNS_MAX);
  const noise = medianOf(windows.floors.map(pausesOf)) / 2;
  const bound = TURNS_MAX + Math.min(noise, TURNS_NOISE_MAX);
  return excessCheck(name, 'turns', excess(windows, pausesOf), bound);
}

function gcCheck({ latency, throughput }: GateFigures): Check {
  const hello = throughput.find(({ scenario }) => scenario.name === 'hello');
  const counted = [
    ...(hello === undefined ? [] : countedRates(hello)),
    ...(latency === null ? [] : splitLatencies(latency).counted),
  ];
  const name = 'garbage collections';
  const parts: readonly Part[] = ['hello', 'latency'];
  if (counted.length === 0) return { name, state: 'NOT JUDGED', text: 'no window counts', parts };
  const longest = Math.max(...counted.map(({ gcPauseMs }) => gcPauseMs));
  const text =
    `longest of ${counted.length} counted windows ${longest.toFixed(2)} ms, ` +
    `at most ${GC_PAUSE_MS_MAX} ms`;
  return { name, state: state(longest <= GC_PAUSE_MS_MAX), text, parts };
}

function failureCheck({ latency, throughput, turns }: GateFigures): Check {
  const all = [
    ...throughput.flatMap(({ floors, servers }) => [...floors, ...servers]),
    ...(latency === null ? [] : [...latency.floors, ...latency.servers]),
    ...(turns === null ? [] : [...turns.floors, ...turns.servers]),
  ];
  const failures = all.reduce((sum, window) => sum + window.failures, 0);
  const text = `${failures} requests failed or had a response other than 2xx, at most 0`;
  return { name: 'failures', state: state(failures === 0 && all.length > 0), text, parts: [] };
}

function heapCheck({ heapBytesPerRequest }: GateFigures): Check {
  const text =
    `the heap kept ${heapBytesPerRequest.toFixed(2)} bytes of each request, ` +
    `at most ${HEAP_BYTES_PER_REQUEST_MAX}`;
  return {
    name: 'heap',
    state: state(heapBytesPerRequest <= HEAP_BYTES_PER_REQUEST_MAX),
    text,
    parts: [],
  };
}

function memoryCheck({ residentBytes }: GateFigures): Check {
  const mib = (bytes: number): string => (bytes / 1024 / 1024).toFixed(0);
  const text = `${mib(residentBytes)} MiB resident, at most ${mib(RESIDENT_BYTES_MAX)}`;
  return { name: 'memory', state: state(residentBytes <= RESIDENT_BYTES_MAX), text, parts: [] };
}

/** Why figures may mislead. */
function remarksOf({ latency, throughput }: GateFigures): readonly string[] {
  const found: string[] = [];
  const bound = (windows: readonly { loadShare: number }[]): number =>
    windows.filter(({ loadShare }) => loadShare >= LOAD_BOUND_SHARE).length;
  const addBound = (name: string, { floors, servers }: Windows<{ loadShare: number }>): void => {
    if (bound(floors) + bound(servers) === 0) return;
    found.push(
      `LOAD-BOUND: ${name}: the load's core was full in ${bound(floors)} of ${floors.length} ` +
        `floor windows and ${bound(servers)} of ${servers.length} server windows`,
    );
  };
  for (const { scenario, ...windows } of throughput) {
    addBound(scenario.name, windows);
    const disturbed = windows.servers.length - quietRatios(windows).length;
    if (disturbed > 0) {
      const others = `other processes had ${shareText(DISTURBED_SHARE)} of a core`;
      found.push(
        `DISTURBED: ${scenario.name}: ${others} in or around ` +
          `${disturbed} of ${windows.servers.length} server windows`,
      );
    }
  }
  if (latency !== null) addBound('latency', latency);
  return found;
}
