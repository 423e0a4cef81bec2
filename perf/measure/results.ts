// reports/results.jsonl: what was measured, one line of JSON for each scenario of a run, by
// perf, perf:peers and the gate alike. Lines are only ever added.

import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Summary } from './pairs.ts';

/** Compiled, this file lies in build/perf/. VIBING_REPORTS names another folder, as for tests. */
export const REPORTS_FOLDER: string =
  process.env['VIBING_REPORTS'] ?? fileURLToPath(new URL('../../../reports/', import.meta.url));
export const RESULTS_FILE: string = join(REPORTS_FOLDER, 'results.jsonl');

export const RESULT_KINDS = ['perf', 'peers', 'gate'] as const;
export type ResultKind = (typeof RESULT_KINDS)[number];

/** Milliseconds by percentile, as '99.9', and the longest as 'most'. */
export type Latencies = Readonly<Record<string, number>>;

/** What stands the same in all lines of a run. */
export interface RunFacts {
  /** When the run began: lines with the same one belong together. */
  readonly startedAt: string;
  /** A short hash, with '+' behind it when the tree was not as committed. */
  readonly commit: string;
  readonly machine: string;
  readonly cores: number;
  readonly node: string;
  readonly kernel: string;
}

/** What the windows of one server came to. */
export interface ServerResult {
  /** Requests a second. */
  readonly rate: Summary;
  /** Processor time of the server for a request, user and system, in microseconds. */
  readonly cpuUs: Summary | null;
  /** Medians over the windows. */
  readonly latencyMs: Latencies;
}

/** What a gate judged, and why. */
export interface ResultCheck {
  readonly name: string;
  readonly state: 'met' | 'MISSED' | 'NOT JUDGED';
  readonly text: string;
}

export interface ResultLine extends RunFacts, ServerResult {
  readonly format: 1;
  readonly kind: ResultKind;
  /** As in perf/catalog/scenarios.ts, or a name of the gate's own. */
  readonly scenario: string;
  /** 'vibing', 'nginx' and so on. */
  readonly server: string;
  /** '' for servers of others. */
  readonly driver: string;
  readonly connections: number;
  /** Requests that a connection has in flight. */
  readonly pipelining: number;
  /** 'full' as fast as it goes; 'rate' at a rate of our own; 'half' at half of 'full'. */
  readonly load: 'full' | 'rate' | 'half';
  /** Requests a second that were asked for; 0 when as many as were answered. */
  readonly askedRate: number;
  readonly windows: number;
  readonly windowMs: number;
  /** The floor beside it, null when there was none. */
  readonly floor: (ServerResult & { readonly name: string }) | null;
  /** To the floor, within pairs of windows. */
  readonly ratio: Summary | null;
  /** The floor's processor time for a request by the server's: more is better, as with rates. */
  readonly cpuRatio: Summary | null;
  /** What makes the figures worth less than they look: LOAD-BOUND, DISTURBED. */
  readonly remarks: readonly string[];
  /** What a gate judged in all; they stand in the first line of its run. */
  readonly checks: readonly ResultCheck[];
}

export function appendResults(lines: readonly ResultLine[], file: string = RESULTS_FILE): void {
  mkdirSync(dirname(file), { recursive: true });
  appendFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}

export interface ReadResults {
  readonly lines: readonly ResultLine[];
  /** Lines that are none, as numbers from 1 on. */
  readonly badLines: readonly number[];
}

/** All lines of a file, in order; none when there is no file. */
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

/** What the page reads of a line is there; a file that people may edit is not taken at its word. */
export function isResultLine(value: unknown): value is ResultLine {
  if (!isRecord(value) || value['format'] !== 1) return false;
  const { kind, load, floor, ratio, cpuRatio, remarks, checks } = value;
  if (!RESULT_KINDS.includes(kind as ResultKind)) return false;
  if (load !== 'full' && load !== 'rate' && load !== 'half') return false;
  if (!TEXTS.every((name) => typeof value[name] === 'string')) return false;
  if (!COUNTS.every((name) => Number.isFinite(value[name]))) return false;
  if (!isServerResult(value)) return false;
  if (floor !== null && !(isServerResult(floor) && isText(floor, 'name'))) return false;
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
