// reports/results.jsonl: one line of JSON for each scenario and load of a run of perf, perf:peers
// or perf:gate. Lines are only ever appended.

import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Summary } from './pairs.ts';
import { RESULTS_FILE } from './reports-folder.ts';

export const RESULT_KINDS = ['perf', 'peers', 'gate'] as const;
export type ResultKind = (typeof RESULT_KINDS)[number];

/** Milliseconds by percentile, as '99.9', and the longest as 'most'. */
export type Latencies = Readonly<Record<string, number>>;

/** The same in all lines of a run. */
export interface RunFacts {
  /** When the run began: lines with the same one belong together. */
  readonly startedAt: string;
  /** A short hash, followed by '+' when a tracked file was not as committed. */
  readonly commit: string;
  readonly machine: string;
  readonly cores: number;
  readonly node: string;
  readonly kernel: string;
}

/** The figures of one server, over its windows. */
export interface ServerResult {
  /** Requests a second. */
  readonly rate: Summary;
  /** Processor time of the server for a request, user and system, in microseconds. */
  readonly cpuUs: Summary | null;
  /** Medians over the windows. */
  readonly latencyMs: Latencies;
}

/** One verdict of the gate. */
export interface ResultCheck {
  readonly name: string;
  readonly state: 'met' | 'MISSED' | 'NOT JUDGED';
  readonly text: string;
}

export interface ResultLine extends RunFacts, ServerResult {
  readonly format: 1;
  readonly kind: ResultKind;
  /** As in perf/catalog/scenarios.ts, or hello-autocannon. */
  readonly scenario: string;
  /** 'vibing', 'nginx' and so on. */
  readonly server: string;
  /** '' for servers of other projects. */
  readonly driver: string;
  readonly connections: number;
  /** Requests that a connection has in flight. */
  readonly pipelining: number;
  /** 'full': as fast as possible; 'rate': at a fixed rate; 'half': at half the rate of 'full'. */
  readonly load: 'full' | 'rate' | 'half';
  /** Requests a second of an open loop; 0 with 'full'. */
  readonly askedRate: number;
  readonly windows: number;
  readonly windowMs: number;
  /** The floor it was compared with, null when there was none. */
  readonly floor: (ServerResult & { readonly name: string }) | null;
  /** The floor in C in the same rounds; absent where it did not run, and in older lines. */
  readonly floorInC?: ServerResult;
  /**
   * To the rate of the floor, within pairs of windows; as cpuRatio in those where the load was the
   * limit. In perf:peers to our own server.
   */
  readonly ratio: Summary | null;
  /** The floor's processor time for a request to the server's: more is better, as with rates. */
  readonly cpuRatio: Summary | null;
  /** Why figures may mislead: LOAD-BOUND, DISTURBED, OVERLOADED. */
  readonly remarks: readonly string[];
  /** All verdicts of the gate, in the first line of its run. */
  readonly checks: readonly ResultCheck[];
}

export function appendResults(lines: readonly ResultLine[], file: string = RESULTS_FILE): void {
  mkdirSync(dirname(file), { recursive: true });
  appendFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}

export interface ReadResults {
  readonly lines: readonly ResultLine[];
  /** The numbers of invalid lines, from 1 on. */
  readonly badLines: readonly number[];
}

/** All lines of a file, in order; no lines when there is no file. */
export function readResults(file: string = RESULTS_FILE): ReadResults {
  return existsSync(file) ? parseResults(readFileSync(file, 'utf8')) : { lines: [], badLines: [] };
}

export function parseResults(text: string): ReadResults {
  const lines: ResultLine[] = [];
  const badLines: number[] = [];
  text.split('\n').forEach((line, index) => {
    if (line.trim() === '') return;
    const parsed = parseLine(line);
    if (parsed === null) badLines.push(index + 1);
    else lines.push(parsed);
  });
  return { lines, badLines };
}

function parseLine(text: string): ResultLine | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  return isResultLine(value) ? value : null;
}

const TEXTS = ['startedAt', 'commit', 'machine', 'node', 'kernel', 'scenario', 'server', 'driver'];
const COUNTS = ['cores', 'connections', 'pipelining', 'askedRate', 'windows', 'windowMs'];

/** Whether a line has everything that the page reads: the file may have been edited by hand. */
export function isResultLine(value: unknown): value is ResultLine {
  if (!isRecord(value) || value['format'] !== 1) return false;
  const { kind, load, floor, floorInC, ratio, cpuRatio, remarks, checks } = value;
  if (!RESULT_KINDS.includes(kind as ResultKind)) return false;
  if (load !== 'full' && load !== 'rate' && load !== 'half') return false;
  if (!TEXTS.every((name) => typeof value[name] === 'string')) return false;
  if (!COUNTS.every((name) => Number.isFinite(value[name]))) return false;
  if (!isServerResult(value)) return false;
  if (floor !== null && !(isServerResult(floor) && isText(floor, 'name'))) return false;
  if (floorInC !== undefined && !isServerResult(floorInC)) return false;
  if (![ratio, cpuRatio].every((one) => one === null || isSummary(one))) return false;
  if (!Array.isArray(remarks) || !remarks.every((one) => typeof one === 'string')) return false;
  return Array.isArray(checks) && checks.every(isCheck);
}

function isServerResult(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { rate, cpuUs, latencyMs } = value;
  if (!isSummary(rate) || !isRecord(latencyMs)) return false;
  if (cpuUs !== null && !isSummary(cpuUs)) return false;
  return Object.values(latencyMs).every((ms) => Number.isFinite(ms));
}

function isSummary(value: unknown): boolean {
  if (!isRecord(value)) return false;
  return ['median', 'least', 'most'].every((name) => Number.isFinite(value[name]));
}

function isCheck(value: unknown): boolean {
  return isText(value, 'name') && isText(value, 'state') && isText(value, 'text');
}

function isText(value: unknown, name: string): boolean {
  return isRecord(value) && typeof value[name] === 'string';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
