// Compares two commits of the server: windows of both servers in turn on one core, then runs of
// both commits' micro-benchmarks in turn.

import type { BenchResult } from '../bench/case.ts';
import { SERVER_CORE } from '../catalog/setup.ts';
import { CHANGE_MIN, MICRO_CHANGE_MIN } from '../catalog/thresholds.ts';
import { runProgram, type ServerChild, startCommand } from '../measure/child-process.ts';
import { WindowLoad } from '../measure/window-load.ts';
import { driverProblem } from '../servers/start-vibing.ts';
import { type Checkout, checkOut, commitHash, scriptIn } from './checkout.ts';
import { type Figure, judge, type Verdict, verdictLine, verdictTable } from './verdict.ts';

export interface CompareOptions {
  readonly base: string;
  readonly head: string;
  readonly drivers: readonly string[];
  readonly scenarios: readonly string[];
  readonly seconds: number;
  readonly windows: number;
  readonly microRuns: number;
  readonly microMs: number;
}

const WARM_UP_MS = 2_000;
export const MICRO_MS_MAX = 300_000;

/** Prints tables; resolves with the exit code. */
export async function compareCommits(options: CompareOptions): Promise<number> {
  const base = await checkOut(options.base, commitHash(options.base), 'base');
  const head = await checkOut(options.head, commitHash(options.head), 'head');
  console.log(`base ${label(base)}, head ${label(head)}\n`);
  const verdicts: Verdict[] = [];
  const load = await WindowLoad.start();
  for (const driver of options.drivers) {
    for (const scenario of options.scenarios) {
      const servers = [await startServerOf(base, driver), await startServerOf(head, driver)];
      const figures = await measure(load, scenario, driver, servers, options);
      for (const server of servers) await server.stop();
      const some = figures.map(judge);
      console.log(`${verdictTable(some)}\n`);
      verdicts.push(...some);
    }
  }
  await load.stop();
  const micro = (await measureMicro(base, head, options)).map(judge);
  if (micro.length > 0) console.log(`${verdictTable(micro)}\n`);
  verdicts.push(...micro);
  console.log(verdictLine(verdicts));
  return verdicts.some(({ change }) => change === 'WORSE') ? 1 : 0;
}

function label({ name, hash }: Checkout): string {
  return `${name} (${hash.slice(0, 12)})`;
}

/** The path of this script in other commits is why it may not be moved. */
async function startServerOf(checkout: Checkout, driver: string): Promise<ServerChild> {
  const script = scriptIn(checkout, 'servers/vibing.ts');
  if (script === '') throw new Error(`${checkout.name} has no perf/servers/vibing.ts`);
  const command = [process.execPath, script, '--driver', driver];
  const options = { core: SERVER_CORE, hasChannel: true };
  const server = await startCommand(`the server of ${checkout.name}`, command, options);
  const problem = driverProblem(server, driver);
  if (problem === null) return server;
  throw new Error(`${checkout.name}: ${problem}`);
}

/** Both servers are up all the time; the one without load sleeps. */
async function measure(
  load: WindowLoad,
  scenario: string,
  driver: string,
  servers: readonly ServerChild[],
  { seconds, windows }: CompareOptions,
): Promise<readonly Figure[]> {
  for (const server of servers) {
    await load.run(server, scenario, { windowMs: WARM_UP_MS, rate: 0 });
  }
  const rates: [number[], number[]] = [[], []];
  const costs: [number[], number[]] = [[], []];
  let bound = 0;
  for (let round = 0; round < windows; round++) {
    // The order alternates, so that a steady change of the machine affects both alike.
    for (const which of round % 2 === 0 ? [0, 1] : [1, 0]) {
      const window = { windowMs: seconds * 1000, rate: 0 };
      const { cpuUs, isLoadBound, rate } = await load.run(servers[which], scenario, window);
      rates[which].push(rate);
      costs[which].push(cpuUs);
      if (isLoadBound) bound += 1;
    }
  }
  if (bound > 0) console.log(`LOAD-BOUND: the load's core was full in ${bound} of ${2 * windows}`);
  const name = `${scenario}, ${driver}`;
  const both = { threshold: CHANGE_MIN };
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

/** Empty when one of the commits has no micro-benchmarks that print JSON. */
async function measureMicro(
  base: Checkout,
  head: Checkout,
  { microMs, microRuns }: CompareOptions,
): Promise<readonly Figure[]> {
  if (microRuns === 0) return [];
  const without = [base, head].find((checkout) => benchScript(checkout) === '');
  if (without !== undefined) {
    console.log(`${label(without)} has no npm run bench: micro-benchmarks are not compared\n`);
    return [];
  }
  const best: [Map<string, number[]>, Map<string, number[]>] = [new Map(), new Map()];
  for (let run = 0; run < microRuns; run++) {
    for (const which of run % 2 === 0 ? [0, 1] : [1, 0]) {
      for (const result of await runBench([base, head][which], microMs)) {
        const name = `${result.group}: ${result.name}`;
        const values = best[which].get(name);
        if (values === undefined) best[which].set(name, [result.bestNs]);
        else values.push(result.bestNs);
      }
    }
  }
  const rest = { better: 'less', threshold: MICRO_CHANGE_MIN, digits: 1 } as const;
  return [...best[0]].flatMap(([name, values]) => {
    const others = best[1].get(name);
    return others === undefined ? [] : [figure(`${name}, ns`, [values, others], rest)];
  });
}

function benchScript(checkout: Checkout): string {
  return scriptIn(checkout, 'commands/bench.ts', 'bench.ts');
}

async function runBench(checkout: Checkout, ms: number): Promise<readonly BenchResult[]> {
  const command = [process.execPath, benchScript(checkout), '--json', '--ms', String(ms)];
  const { code, output } = await runProgram(command, SERVER_CORE, MICRO_MS_MAX);
  if (code !== 0) throw new Error(`the micro-benchmarks of ${checkout.name} ended with ${code}`);
  const { results } = JSON.parse(output) as { results: readonly BenchResult[] };
  return results;
}
