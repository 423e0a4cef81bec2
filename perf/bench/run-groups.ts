// Runs groups of micro-benchmarks, each in a process of its own.

import { perfScript, runProgram } from '../measure/child-process.ts';
import type { BenchResult } from './case.ts';
import type { BenchGroup } from './groups.ts';

/** Longer than a group takes without the time of its cases, on a busy machine. */
const GROUP_MS_MAX = 30_000;
/** A group may take this many times the time of its cases; none has more than CASES_MAX. */
const TIME_FACTOR_MAX = 5;
const CASES_MAX = 20;
const ANY_CORE = -1;

export function groupMsMax(msPerCase: number): number {
  return GROUP_MS_MAX + msPerCase * TIME_FACTOR_MAX * CASES_MAX;
}

export async function resultsOf(
  { name }: BenchGroup,
  msPerCase: number,
): Promise<readonly BenchResult[]> {
  const command = [process.execPath, perfScript('bench/run-group.ts'), name, String(msPerCase)];
  const { code, output } = await runProgram(command, ANY_CORE, groupMsMax(msPerCase));
  if (code !== 0) throw new Error(`the group ${name} ended with ${code ?? 'a signal'}`);
  return JSON.parse(output) as readonly BenchResult[];
}
