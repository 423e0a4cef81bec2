// The micro-benchmarks: npm run bench. docs/performance.md says how to read them.

import { BENCH_USAGE, parseBenchArguments } from './arguments.ts';
import type { BenchResult } from './case.ts';
import { benchTable } from './table.ts';
import type { BenchGroup } from './groups.ts';
import { perfScript, runProgram } from '../measure/child-process.ts';
import { describeMachine } from '../measure/machine.ts';
import { refuse } from '../../testing/usage-error.ts';

/** Longer than a group takes whose cases have no time at all, on a busy machine. */
const GROUP_MS_MAX = 30_000;
/** A group may take so many times as long as its cases are timed; none has more than CASES_MAX. */
const PATIENCE = 5;
const CASES_MAX = 20;

process.exitCode = await main();

async function main(): Promise<number> {
  const given = parseBenchArguments(process.argv.slice(2));
  if (typeof given === 'string') return refuse(given);
  if (given.help) {
    console.log(BENCH_USAGE);
    return 0;
  }
  const machine = describeMachine();
  if (!given.json) console.log(`${Object.values(machine).join(', ')}\n`);
  try {
    const all: BenchResult[] = [];
    for (const group of given.groups) {
      const results = await resultsOf(group, given.msPerCase);
      all.push(...results);
      if (!given.json) console.log(`${group.name}: ${group.what}\n${benchTable(results)}\n`);
    }
    if (given.json) {
      const document = { format: 1, ...machine, msPerCase: given.msPerCase, results: all };
      console.log(JSON.stringify(document, null, 2));
    }
    return 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  }
}

async function resultsOf({ name }: BenchGroup, msPerCase: number): Promise<readonly BenchResult[]> {
  const timeoutMs = GROUP_MS_MAX + msPerCase * PATIENCE * CASES_MAX;
  const command = [process.execPath, perfScript('bench/run-group.ts'), name, String(msPerCase)];
  const { code, output } = await runProgram(command, -1, timeoutMs);
  if (code !== 0) throw new Error(`the group ${name} ended with ${code ?? 'a signal'}`);
  return JSON.parse(output) as readonly BenchResult[];
}
