// Runs wrk, a load generator of another project, and parses its report.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram } from '../measure/child-process.ts';

export interface WrkReport {
  readonly requests: number;
  readonly seconds: number;
  readonly requestsPerSecond: number;
  /** Responses with a status over 399; wrk does not report redirections. */
  readonly errorResponses: number;
  readonly socketErrors: number;
}

export interface WrkLoad {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
  readonly core: number;
  /** The path of a Lua script for wrk, '' for none. */
  readonly script: string;
}

/** wrk ends a little after its duration; after this it is killed. */
const GRACE_MS = 15_000;

/** Rejects when a request or a connection failed. */
export async function runWrk(load: WrkLoad): Promise<WrkReport> {
  const script = load.script === '' ? [] : ['-s', load.script];
  const command = [
    'wrk',
    '-t1',
    `-c${load.connections}`,
    `-d${load.seconds}s`,
    ...script,
    load.url,
  ];
  const timeoutMs = load.seconds * 1000 + GRACE_MS;
  const { code, output } = await runProgram(command, load.core, timeoutMs);
  if (code !== 0) throw new Error(`wrk ended with ${code}\n${output}`);
  const report = parseWrk(output);
  const problem = wrkProblem(report);
  if (problem !== null) throw new Error(`${load.url}: ${problem}\n${output}`);
  return report;
}

/** Writes a script that sends `depth` requests at once; returns its path. */
export function writePipelineScript(folder: string, depth: number): string {
  const path = join(folder, `pipeline-${depth}.lua`);
  writeFileSync(
    path,
    `local requests\ninit = function()\n  requests = string.rep(wrk.format(), ${depth})\nend\n` +
      'request = function()\n  return requests\nend\n',
  );
  return path;
}

/** Throws when the text is not a report of wrk. */
export function parseWrk(text: string): WrkReport {
  const total = /^\s*(\S+) requests in (\S+), /m.exec(text);
  const rate = /^Requests\/sec:\s+(\S+)\s*$/m.exec(text);
  if (total === null || rate === null) throw new Error(`not a report of wrk:\n${text}`);
  const errorResponses = /^\s*Non-2xx or 3xx responses: (\S+)\s*$/m.exec(text);
  const errors = /^\s*Socket errors: connect (\S+), read (\S+), write (\S+), timeout (\S+)\s*$/m;
  const counts = errors.exec(text)?.slice(1) ?? [];
  return {
    requests: parseCount(total[1]),
    seconds: parseSeconds(total[2]),
    requestsPerSecond: parseCount(rate[1]),
    errorResponses: errorResponses === null ? 0 : parseCount(errorResponses[1]),
    socketErrors: counts.reduce((sum, count) => sum + parseCount(count), 0),
  };
}

/** Why a report cannot be compared, or null. */
export function wrkProblem(report: WrkReport): string | null {
  if (report.requests === 0) return 'no response came';
  if (report.errorResponses > 0) return `${report.errorResponses} responses were not 2xx`;
  if (report.socketErrors > 0) return `${report.socketErrors} socket errors`;
  return null;
}

const FACTORS: Readonly<Record<string, number>> = { '': 1, k: 1e3, M: 1e6, G: 1e9 };
const SECONDS: Readonly<Record<string, number>> = { us: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600 };

/** A number as wrk writes it: 950.25, 12.34k, 1.20M. */
export function parseCount(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([kMG]?)$/.exec(text);
  if (match === null) throw new Error(`not a number of wrk: ${JSON.stringify(text)}`);
  return Number(match[1]) * FACTORS[match[2]];
}

/** A time as wrk writes it: 950.00us, 12.34ms, 2.10s, 1.50m. */
export function parseSeconds(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(us|ms|s|m|h)$/.exec(text);
  if (match === null) throw new Error(`not a time of wrk: ${JSON.stringify(text)}`);
  return Number(match[1]) * SECONDS[match[2]];
}
