// The verdict of the gate, a pure function of windows. A window of the server stands between two of
// the floor; every figure that is judged is a median.

import { median } from '../measure/pairs.ts';
import {
  COUNTED_MIN,
  DISTURBED,
  GC_PAUSE_MS_BAR,
  HEAP_BYTES_BAR,
  LOAD_BOUND,
  P99_FLOOR_MS,
  P99_RATIO_BAR,
  P99_TARGET_MS,
  RATE_FLOOR,
  RATE_TARGET,
  RESIDENT_BYTES_BAR,
  type Scenario,
  type ScenarioName,
  TURN_MS,
  TURNS_BAR,
  TURNS_NOISE_MAX,
  TURNS_QUIET,
} from '../catalog/thresholds.ts';

export interface RateWindow {
  /** Requests a second. */
  readonly rate: number;
  /** Processor time of the server for a request. */
  readonly microseconds: number;
  /** How busy the load was, of a core. */
  readonly loadShare: number;
  /** How much of the server's or the load's core others had, whichever was more; 0 to 1. */
  readonly othersShare: number;
  /** Requests that failed, and answers that were not 2xx. */
  readonly failures: number;
  /** The longest collection of garbage in the server; 0 for the floor. */
  readonly gcPauseMs: number;
}

export interface LatencyWindow {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  /** Turns that took too long, a second, for whatever reason. */
  readonly lateTurns: number;
  readonly loadShare: number;
  readonly failures: number;
  readonly gcPauseMs: number;
}

/** At a rate so low that there is no work for a long turn. */
export interface TurnWindow {
  /** Turns a second in which the server had the core for too long. */
  readonly busyTurns: number;
  readonly loadShare: number;
  readonly failures: number;
}

/** One window of the floor more than of the server: they stand around each of them. */
export interface Windows<W> {
  readonly floors: readonly W[];
  readonly servers: readonly W[];
}

export interface GateFigures {
  readonly throughput: readonly (Windows<RateWindow> & { readonly scenario: Scenario })[];
  /** Null when latency was not asked for. */
  readonly latency: Windows<LatencyWindow> | null;
  /** Null when turns were not asked for. */
  readonly turns: Windows<TurnWindow> | null;
  /** What the heap kept of each request, after a collection of all garbage. */
  readonly heapBytesPerRequest: number;
  /** The most memory that the server had. */
  readonly residentBytes: number;
}

export type State = 'met' | 'MISSED' | 'NOT JUDGED';

export interface Check {
  readonly name: string;
  readonly state: State;
  /** What was seen, and against what. */
  readonly text: string;
  /** What is to be measured for it again; nothing where noise cannot be why it is missed. */
  readonly parts: readonly Part[];
}

export type Part = ScenarioName | 'latency' | 'turns';

export interface Judging {
  /** Whether what is not judged closes too. */
  readonly strict: boolean;
  /** By how much the bars of rates are lowered, of them. */
  readonly margin: number;
}

export interface Verdict {
  readonly checks: readonly Check[];
  readonly remarks: readonly string[];
  /** 1 when a bar is missed; 3 when it is strict and something is not judged; else 0. */
  readonly exitCode: number;
}

export function judge(figures: GateFigures, { margin, strict }: Judging): Verdict {
  const { latency, throughput, turns } = figures;
  const checks: Check[] = [];
  for (const { scenario, ...windows } of throughput) {
    checks.push(ratioCheck(scenario, windows, margin));
  }
  const hello = throughput.find(({ scenario }) => scenario.name === 'hello');
  if (hello !== undefined) checks.push(targetCheck(hello, margin));
  if (latency !== null) checks.push(...latencyChecks(latency), lateCheck(latency));
  if (turns !== null) checks.push(busyCheck(turns));
  checks.push(gcCheck(figures), failureCheck(figures), heapCheck(figures), memoryCheck(figures));
  return verdictOf(checks, remarksOf(figures), strict);
}

/** What was missed has to be met now; what noise does not explain may be missed in neither. */
export function judgeAgain(first: Verdict, second: Verdict, strict: boolean): Verdict {
  const checks = first.checks.map((check) => {
    const again = second.checks.find(({ name }) => name === check.name) ?? check;
    const isMended = check.state === 'MISSED' && again.state === 'met' && again.parts.length > 0;
    const isFound = again.state === 'MISSED' && again.parts.length === 0;
    return isMended || isFound ? again : check;
  });
  return verdictOf(checks, [...first.remarks, ...second.remarks], strict);
}

/** What a second measuring has to measure; nothing where it could change nothing. */
export function partsToRepeat({ checks }: Verdict): readonly Part[] {
  const missed = checks.filter(({ state }) => state === 'MISSED');
  if (missed.some(({ parts }) => parts.length === 0)) return [];
  return [...new Set(missed.flatMap(({ parts }) => parts))];
}

function verdictOf(checks: readonly Check[], remarks: readonly string[], strict: boolean): Verdict {
  const missed = checks.some(({ state }) => state === 'MISSED');
  const open = checks.some(({ state }) => state === 'NOT JUDGED');
  return { checks, remarks, exitCode: missed ? 1 : open && strict ? 3 : 0 };
}

/** The mean of a figure of the floor's two windows around a window of the server. */
function around<W>(floors: readonly W[], index: number, figure: (window: W) => number): number {
  return (figure(floors[index]) + figure(floors[index + 1])) / 2;
}

function state(isMet: boolean): State {
  return isMet ? 'met' : 'MISSED';
}

/** What keeps a figure from being one: a gate must not pass because nothing was measured. */
function medianOf(values: readonly number[]): number {
  return values.length === 0 ? Number.NaN : median(values);
}

export function ratios({ floors, servers }: Windows<RateWindow>): readonly number[] {
  return servers.map((server, index) => server.rate / around(floors, index, ({ rate }) => rate));
}

/** The ratios of windows that others left alone, as they did those of the floor around them. */
export function quietRatios(windows: Windows<RateWindow>): readonly number[] {
  const { floors, servers } = windows;
  const isQuiet = ({ othersShare }: RateWindow): boolean => othersShare < DISTURBED;
  return ratios(windows).filter((_, index) =>
    [floors[index], servers[index], floors[index + 1]].every(isQuiet),
  );
}

/** Where others hardly ever left the machine alone, all windows have to do. */
function ratioCheck(
  { bar: full, name }: Scenario,
  windows: Windows<RateWindow>,
  margin: number,
): Check {
  const bar = full * (1 - margin);
  const quiet = quietRatios(windows);
  const all = ratios(windows);
  const judged = quiet.length < COUNTED_MIN ? all : quiet;
  const ratio = medianOf(judged);
  const text =
    `median ratio to the floor ${ratio.toFixed(3)} in ${judged.length} windows, ` +
    `at least ${bar.toFixed(2)}${lessText(margin)}`;
  return { name, state: state(ratio >= bar), text, parts: [name] };
}

function lessText(margin: number): string {
  return margin === 0 ? '' : `, which is ${Math.round(margin * 100)} % less than the bar`;
}

/** The windows in which the machine could carry the target. */
export function countedRates({ floors, servers }: Windows<RateWindow>): readonly RateWindow[] {
  return servers.filter((_, index) => around(floors, index, ({ rate }) => rate) >= RATE_FLOOR);
}

function targetCheck(windows: Windows<RateWindow>, margin: number): Check {
  const parts: readonly Part[] = ['hello'];
  const name = `hello at ${count(RATE_TARGET)}/s`;
  const counted = countedRates(windows);
  if (counted.length < COUNTED_MIN) {
    const floor = count(medianOf(windows.floors.map(({ rate }) => rate)));
    const text =
      `${counted.length} windows count, ${COUNTED_MIN} are needed: ` +
      `the floor gave ${floor}/s (median), and ${count(RATE_FLOOR)}/s is what a window needs`;
    return { name, state: 'NOT JUDGED', text, parts };
  }
  const rate = medianOf(counted.map((window) => window.rate));
  const text = `median of ${counted.length} counted windows ${count(rate)}/s${lessText(margin)}`;
  return { name, state: state(rate >= RATE_TARGET * (1 - margin)), text, parts };
}

/** The windows in which the machine could keep the target, and those in which it could not. */
export function splitLatencies({ floors, servers }: Windows<LatencyWindow>): {
  readonly counted: readonly LatencyWindow[];
  /** P99 to the floor's. */
  readonly otherRatios: readonly number[];
} {
  const counted: LatencyWindow[] = [];
  const otherRatios: number[] = [];
  servers.forEach((server, index) => {
    const floor = around(floors, index, ({ p99Ms }) => p99Ms);
    if (floor <= P99_FLOOR_MS) counted.push(server);
    else otherRatios.push(server.p99Ms / floor);
  });
  return { counted, otherRatios };
}

function latencyChecks(windows: Windows<LatencyWindow>): readonly Check[] {
  const { counted, otherRatios } = splitLatencies(windows);
  const name = `P99 below ${P99_TARGET_MS} ms`;
  const parts: readonly Part[] = ['latency'];
  const found: Check[] = [];
  if (counted.length < COUNTED_MIN) {
    const floor = medianOf(windows.floors.map(({ p99Ms }) => p99Ms)).toFixed(2);
    const text =
      `${counted.length} windows count, ${COUNTED_MIN} are needed: the floor's P99 was ` +
      `${floor} ms (median), and ${P99_FLOOR_MS} ms is what a window needs`;
    found.push({ name, state: 'NOT JUDGED', text, parts });
  } else {
    const p99Ms = medianOf(counted.map((window) => window.p99Ms));
    const text = `median of ${counted.length} counted windows ${p99Ms.toFixed(2)} ms`;
    found.push({ name, state: state(p99Ms < P99_TARGET_MS), text, parts });
  }
  // No window at all is no pass.
  if (otherRatios.length > 0 || counted.length === 0) {
    const ratio = medianOf(otherRatios);
    const text =
      `median ratio to the floor ${ratio.toFixed(2)} in ${otherRatios.length} windows that do ` +
      `not count, at most ${P99_RATIO_BAR}`;
    found.push({ name: 'P99 beside the floor', state: state(ratio <= P99_RATIO_BAR), text, parts });
  }
  return found;
}

function more<W>({ floors, servers }: Windows<W>, figure: (window: W) => number): number[] {
  return servers.map((one, index) => figure(one) - around(floors, index, figure));
}

function moreCheck(name: string, part: Part, all: readonly number[], bar: number): Check {
  const middle = medianOf(all);
  const text =
    `median ${middle.toFixed(2)} a second more than the floor in ${all.length} windows, ` +
    `at most ${bar.toFixed(2)}`;
  return { name, state: state(middle <= bar), text, parts: [part] };
}

/** Where the floor itself is held up often, by others on the machine, lateness says nothing. */
function lateCheck(windows: Windows<LatencyWindow>): Check {
  const name = `late turns over ${TURN_MS} ms`;
  const floor = medianOf(windows.floors.map(({ lateTurns }) => lateTurns));
  if (floor > TURNS_QUIET) {
    const text = `the floor was late ${floor.toFixed(1)} times a second (median), by others`;
    return { name, state: 'NOT JUDGED', text, parts: ['latency'] };
  }
  const all = more(windows, (window) => window.lateTurns);
  return moreCheck(name, 'latency', all, TURNS_BAR);
}

/** How many pauses a second more than the floor, where the floor had hardly any. */
export function quietPauses(windows: Windows<TurnWindow>): readonly number[] {
  const { floors } = windows;
  return more(windows, pausesOf).filter(
    (_, index) => around(floors, index, pausesOf) <= TURNS_QUIET,
  );
}

function pausesOf({ busyTurns }: TurnWindow): number {
  return busyTurns;
}

/**
 * What a server does with the core for so long while nearly nothing is asked is a pause. Some of
 * the time that a machine takes away looks as if it had been used; then the floor has pauses too.
 */
function busyCheck(windows: Windows<TurnWindow>): Check {
  const name = `pauses over ${TURN_MS} ms`;
  const quiet = quietPauses(windows);
  if (quiet.length >= COUNTED_MIN) return moreCheck(name, 'turns', quiet, TURNS_BAR);
  const noise = medianOf(windows.floors.map(pausesOf)) / 2;
  const bar = TURNS_BAR + Math.min(noise, TURNS_NOISE_MAX);
  return moreCheck(name, 'turns', more(windows, pausesOf), bar);
}

function gcCheck({ latency, throughput }: GateFigures): Check {
  const hello = throughput.find(({ scenario }) => scenario.name === 'hello');
  const counted = [
    ...(hello === undefined ? [] : countedRates(hello)),
    ...(latency === null ? [] : splitLatencies(latency).counted),
  ];
  const name = 'collections of garbage';
  const parts: readonly Part[] = ['hello', 'latency'];
  if (counted.length === 0) return { name, state: 'NOT JUDGED', text: 'no window counts', parts };
  const longest = Math.max(...counted.map(({ gcPauseMs }) => gcPauseMs));
  const text =
    `longest of ${counted.length} counted windows ${longest.toFixed(2)} ms, ` +
    `at most ${GC_PAUSE_MS_BAR} ms`;
  return { name, state: state(longest <= GC_PAUSE_MS_BAR), text, parts };
}

function failureCheck({ latency, throughput, turns }: GateFigures): Check {
  const all = [
    ...throughput.flatMap(({ floors, servers }) => [...floors, ...servers]),
    ...(latency === null ? [] : [...latency.floors, ...latency.servers]),
    ...(turns === null ? [] : [...turns.floors, ...turns.servers]),
  ];
  const failures = all.reduce((sum, window) => sum + window.failures, 0);
  const text = `${failures} requests failed or were not answered with 2xx, none may`;
  return { name: 'failures', state: state(failures === 0 && all.length > 0), text, parts: [] };
}

function heapCheck({ heapBytesPerRequest }: GateFigures): Check {
  const text =
    `the heap kept ${heapBytesPerRequest.toFixed(2)} bytes of each request, ` +
    `at most ${HEAP_BYTES_BAR}`;
  return { name: 'heap', state: state(heapBytesPerRequest <= HEAP_BYTES_BAR), text, parts: [] };
}

function memoryCheck({ residentBytes }: GateFigures): Check {
  const mib = (bytes: number): string => (bytes / 1024 / 1024).toFixed(0);
  const text = `${mib(residentBytes)} MiB resident, at most ${mib(RESIDENT_BYTES_BAR)}`;
  return { name: 'memory', state: state(residentBytes <= RESIDENT_BYTES_BAR), text, parts: [] };
}

/** What makes figures worth less than they look. */
function remarksOf({ latency, throughput }: GateFigures): readonly string[] {
  const found: string[] = [];
  const bound = (windows: readonly { loadShare: number }[]): number =>
    windows.filter(({ loadShare }) => loadShare >= LOAD_BOUND).length;
  const say = (name: string, { floors, servers }: Windows<{ loadShare: number }>): void => {
    if (bound(floors) + bound(servers) === 0) return;
    found.push(
      `LOAD-BOUND: ${name}: the load's core was full in ${bound(floors)} of ${floors.length} ` +
        `floor windows and ${bound(servers)} of ${servers.length} server windows`,
    );
  };
  for (const { scenario, ...windows } of throughput) {
    say(scenario.name, windows);
    const disturbed = windows.servers.length - quietRatios(windows).length;
    if (disturbed > 0) {
      found.push(
        `DISTURBED: ${scenario.name}: others had ${DISTURBED * 100} % of a core in or beside ` +
          `${disturbed} of ${windows.servers.length} server windows`,
      );
    }
  }
  if (latency !== null) say('latency', latency);
  return found;
}

function count(value: number): string {
  return Number.isNaN(value) ? '-' : Math.round(value).toLocaleString('en-US');
}
