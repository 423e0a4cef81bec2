// Compares two commits of the server: npm run perf:compare. docs/performance.md says how to read
// it.

import type { BenchResult } from '../bench/case.ts';
import { pairingProblem, runProgram, type ServerChild, startCommand } from '../measure/child-process.ts';
import {
  COMPARE_USAGE,
  type CompareArguments,
  parseCompareArguments,
} from './arguments.ts';
import { type Checkout, checkOut, commitHash, scriptIn } from './checkout.ts';
import { type Figure, judge, type Verdict, verdictLine, verdictTable } from './verdict.ts';
import { describeMachine } from '../measure/machine.ts';
import { usedMicroseconds } from '../system/process-figures.ts';
import { runScenario, SCENARIOS } from '../load/run-scenario.ts';
import { refuse } from '../../testing/usage-error.ts';
import { SERVER_CORE } from '../catalog/setup.ts';

const WARM_UP_SECONDS = 2;
const THRESHOLD = 0.05;
/** The same code runs a little faster or slower wherever the compiler put it. */
const MICRO_THRESHOLD = 0.1;
const MICRO_MS_MAX = 300_000;

// Servers and folders of a run that failed end with it.
process.exit(await main());

async function main(): Promise<number> {
  const given = parseCompareArguments(process.argv.slice(2));
  if (typeof given === 'string') return refuse(given);
  if (given.help) {
    console.log(COMPARE_USAGE);
    return 0;
  }
  const hashes = [given.base, given.head].map(commitHash);
  const missing = hashes.indexOf('');
  if (missing >= 0) {
    console.error(`'${[given.base, given.head][missing]}' is no commit of this repository`);
    return 2;
  }
  const problem = pairingProblem([]);
  if (problem !== null) {
    console.error(problem);
    return 2;
  }
  try {
    return await compare(given, hashes);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  }
}

async function compare(given: CompareArguments, hashes: readonly string[]): Promise<number> {
  const { commit: _ours, ...machine } = describeMachine();
  console.log(Object.values(machine).join(', '));
  const base = await checkOut(given.base, hashes[0], 'base');
  const head = await checkOut(given.head, hashes[1], 'head');
  console.log(`base ${label(base)}, head ${label(head)}\n`);
  const { seconds, windows } = given.numbers;
  const verdicts: Verdict[] = [];
  for (const driver of given.lists.drivers) {
    for (const scenario of given.lists.scenarios) {
      const servers = await startBoth(base, head, driver);
      const figures = await measure(`${scenario}, ${driver}`, scenario, servers, seconds, windows);
      for (const server of servers) await server.stop();
      const some = figures.map(judge);
      console.log(`${verdictTable(some)}\n`);
      verdicts.push(...some);
    }
  }
  const micro = (await measureMicro(base, head, given)).map(judge);
  if (micro.length > 0) console.log(`${verdictTable(micro)}\n`);
  verdicts.push(...micro);
  console.log(verdictLine(verdicts));
  return verdicts.some(({ change }) => change === 'WORSE') ? 1 : 0;
}

function label({ name, hash }: Checkout): string {
  return `${name} (${hash.slice(0, 12)})`;
}

/** Both are up all the time; the one that is not asked sleeps. */
async function startBoth(
  base: Checkout,
  head: Checkout,
  driver: string,
): Promise<readonly [ServerChild, ServerChild]> {
  return [await startServerOf(base, driver), await startServerOf(head, driver)];
}

async function startServerOf(checkout: Checkout, driver: string): Promise<ServerChild> {
  const script = scriptIn(checkout, 'servers/vibing.ts');
  if (script === '') throw new Error(`${checkout.name} has no perf/servers/vibing.ts`);
  const command = [process.execPath, script, '--driver', driver];
  const options = { core: SERVER_CORE, hears: true };
  const server = await startCommand(`the server of ${checkout.name}`, command, options);
  if (server.line.includes(` ${driver} `)) return server;
  throw new Error(`not what was asked: ${server.line}`);
}

async function measure(
  name: string,
  scenario: string,
  servers: readonly [ServerChild, ServerChild],
  seconds: number,
  windows: number,
): Promise<readonly Figure[]> {
  for (const { port } of servers) await runScenario(SCENARIOS[scenario], port, WARM_UP_SECONDS);
  const rates: [number[], number[]] = [[], []];
  const costs: [number[], number[]] = [[], []];
  let bound = 0;
  for (let round = 0; round < windows; round++) {
    // Who goes first changes, so that what changes steadily weighs on both alike.
    for (const which of round % 2 === 0 ? [0, 1] : [1, 0]) {
      const { port, pid } = servers[which];
      const before = usedMicroseconds(pid);
      const { requestsPerSecond, responses, load } = await runScenario(
        SCENARIOS[scenario],
        port,
        seconds,
      );
      rates[which].push(requestsPerSecond);
      costs[which].push((usedMicroseconds(pid) - before) / responses);
      if (load.isBound) bound += 1;
    }
  }
  if (bound > 0) console.log(`LOAD-BOUND: the load's core was full in ${bound} of ${2 * windows}`);
  const both = { threshold: THRESHOLD };
  return [
    figure(`${name}: requests/s`, rates, { ...both, better: 'more', digits: 0 }),
    figure(`${name}: us CPU`, costs, { ...both, better: 'less', digits: 2 }),
  ];
}

function figure(
  name: string,
  [base, head]: readonly [readonly number[], readonly number[]],
  rest: Pick<Figure, 'better' | 'threshold' | 'digits'>,
): Figure {
  return { name, base, head, ...rest };
}

/** Nothing when one of the commits has no micro-benchmarks that can be run together. */
async function measureMicro(
  base: Checkout,
  head: Checkout,
  { numbers }: CompareArguments,
): Promise<readonly Figure[]> {
  const runs = numbers['micro-runs'];
  if (runs === 0) return [];
  const without = [base, head].find((checkout) => scriptIn(checkout, 'bench.ts') === '');
  if (without !== undefined) {
    console.log(`${label(without)} has no npm run bench: its parts are not compared\n`);
    return [];
  }
  const best: [Map<string, number[]>, Map<string, number[]>] = [new Map(), new Map()];
  for (let run = 0; run < runs; run++) {
    for (const which of run % 2 === 0 ? [0, 1] : [1, 0]) {
      for (const result of await runBench([base, head][which], numbers['micro-ms'])) {
        const name = `${result.group}: ${result.name}`;
        const values = best[which].get(name);
        if (values === undefined) best[which].set(name, [result.bestNs]);
        else values.push(result.bestNs);
      }
    }
  }
  const rest = { better: 'less', threshold: MICRO_THRESHOLD, digits: 1 } as const;
  return [...best[0]].flatMap(([name, values]) => {
    const others = best[1].get(name);
    return others === undefined ? [] : [figure(`${name}, ns`, [values, others], rest)];
  });
}

async function runBench(checkout: Checkout, ms: number): Promise<readonly BenchResult[]> {
  const command = [process.execPath, scriptIn(checkout, 'bench.ts'), '--json', '--ms', String(ms)];
  const { code, output } = await runProgram(command, SERVER_CORE, MICRO_MS_MAX);
  if (code !== 0) throw new Error(`the micro-benchmarks of ${checkout.name} ended with ${code}`);
  const { results } = JSON.parse(output) as { results: readonly BenchResult[] };
  return results;
}
