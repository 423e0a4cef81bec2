// npm run sim: runs seeds, prints what occurred in them, and writes the files of a failure.

import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Interrupt } from '../../testing/interrupt.ts';
import { reportUsageError } from '../../testing/usage-error.ts';
import { HOSTILE_WANTED } from '../hostile/wanted.ts';
import { realRuns } from '../real/runs.ts';
import { readReplay, replayText } from '../report/replay.ts';
import { RUNS_FOR_ALL, Table, WANTED } from '../report/table.ts';
import { timelinePage } from '../report/timeline.ts';
import {
  hostileScenarioOf,
  type Outcome,
  type Scenario,
  scenarioOf,
  tooFew,
} from '../run/scenario.ts';
import { shrink } from '../simulation/shrink.ts';
import { simulate } from '../simulation/simulation.ts';
import { type Arguments, parseArguments, USAGE } from './arguments.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const REPORTS = join(ROOT, 'reports', 'sim');

/** One of this many runs is done twice, to check that it repeats. */
const TWICE_EVERY = 50;

async function main(): Promise<number> {
  const given = parseArguments(process.argv.slice(2));
  if (typeof given === 'string') return reportUsageError(given);
  if (given.help) {
    console.log(USAGE);
    return 0;
  }
  if (given.replay !== null) return replay(given.replay);
  if (given.driver !== 'sim') return realRuns(given.driver, given.seed, given.seeds);
  return given.isSingle ? single(scenarioFor(given, given.seed)) : many(given);
}

function scenarioFor({ except, hostile }: Arguments, seed: number): Scenario {
  return hostile ? hostileScenarioOf(seed, except) : scenarioOf(seed);
}

async function replay(path: string): Promise<number> {
  let recorded: ReturnType<typeof readReplay>;
  try {
    recorded = readReplay(path);
  } catch (error) {
    console.error((error as Error).message);
    return 2;
  }
  const outcome = await simulate(recorded.scenario, true);
  print(outcome);
  if (outcome.violation === null) {
    console.log(`the run no longer fails; the recorded violation: ${recorded.message}`);
    return 0;
  }
  console.log(`the same trace as recorded: ${outcome.hash === recorded.hash ? 'yes' : 'no'}`);
  console.log(`page: ${writeFiles(outcome)}`);
  return 1;
}

/** Prints the details of a run. */
function print(outcome: Outcome): void {
  const { scenario, hash, events, requests, virtualMs, faults, clients, violation } = outcome;
  console.log(`seed ${scenario.seed}`);
  console.log(`faults: ${faults.describe()}`);
  const size = `${clients.length} clients, ${requests} responses, ${events} events`;
  console.log(`${size}, ${(virtualMs / 1000).toFixed(3)} s of virtual time`);
  console.log(`trace ${hash}`);
  if (violation !== null) console.log(`VIOLATION (${violation.check}) ${violation.message}`);
}

async function single(scenario: Scenario): Promise<number> {
  const outcome = await simulate(scenario);
  print(outcome);
  if (!(await repeats(outcome))) return 1;
  console.log('a second run has the same trace');
  if (outcome.violation === null) {
    const few = tooFew(outcome);
    if (few !== null) console.log(few);
    return few === null ? 0 : 1;
  }
  await report(outcome);
  return 1;
}

/** Whether a second run has the same trace. */
async function repeats(outcome: Outcome): Promise<boolean> {
  const again = await simulate(outcome.scenario);
  if (again.hash === outcome.hash && again.events === outcome.events) return true;
  console.log(`seed ${outcome.scenario.seed} does not repeat: ${outcome.hash}, ${again.hash}`);
  return false;
}

async function many(given: Arguments): Promise<number> {
  const { seed, seeds, fromCommit, traces } = given;
  const first = fromCommit ? seedOfCommit() : seed;
  const began = performance.now();
  const table = new Table(given.hostile ? HOSTILE_WANTED : WANTED);
  const interrupt = new Interrupt();
  console.log(`seeds ${first} to ${first + seeds - 1}`);
  let failures = 0;
  for (let run = 0; run < seeds && failures < 3 && !interrupt.isAsked; run++) {
    const outcome = await simulate(scenarioFor(given, first + run));
    table.add(outcome);
    if (traces) console.log(`seed ${first + run}: trace ${outcome.hash}`);
    const few = tooFew(outcome);
    if (few !== null) {
      failures += 1;
      console.log(few);
    } else if (outcome.violation !== null) {
      failures += 1;
      print(outcome);
      await report(outcome);
    } else if (run % TWICE_EVERY === 0 && !(await repeats(outcome))) {
      failures += 1;
    }
  }
  const seconds = (performance.now() - began) / 1000;
  console.log(table.lines().join('\n'));
  const { missing } = table;
  if (table.runs >= RUNS_FOR_ALL && !interrupt.isAsked) {
    for (const name of missing) console.log(`never occurred: ${name}`);
    failures += missing.length;
  }
  console.log(`\n${table.perSeed()}`);
  const speed = `${seconds.toFixed(1)} s, ${Math.round(table.requests / seconds)} responses/s`;
  console.log(`${table.runs} runs, ${table.requests} responses, ${speed}`);
  console.log(failures === 0 ? 'no violation' : `failures: ${failures}`);
  if (interrupt.isAsked) {
    printInterrupted(given, first + table.runs, seeds - table.runs);
    return interrupt.code;
  }
  interrupt.release();
  return failures === 0 ? 0 : 1;
}

function printInterrupted({ hostile }: Arguments, next: number, left: number): void {
  if (left === 0) return;
  console.log(`INTERRUPTED, ${left} runs are left`);
  const option = hostile ? '--hostile ' : '';
  console.log(`continue with: npm run sim -- ${option}--seed ${next} --seeds ${left}`);
}

/** Every commit has other seeds; runs of one commit have the same. */
function seedOfCommit(): number {
  const hash = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: ROOT, encoding: 'utf8' });
  return Number.parseInt(hash.slice(0, 7), 16);
}

async function report(outcome: Outcome): Promise<void> {
  const { outcome: small, tries } = await shrink(outcome);
  const clients = `${outcome.clients.length} clients to ${small.clients.length}`;
  console.log(`shrunk in ${tries} runs: from ${clients}, trace ${small.hash}`);
  const again = await simulate(small.scenario, true);
  console.log(`VIOLATION (${again.violation?.check}) ${again.violation?.message}`);
  const path = writeFiles(again);
  console.log(
    `page: ${path}\nrepeat with: npm run sim -- --replay ${path.replace('.html', '.json')}`,
  );
}

/** Writes the two files of a failing run; returns the path of the page. */
function writeFiles(outcome: Outcome): string {
  mkdirSync(REPORTS, { recursive: true });
  const { hostile, seed } = outcome.scenario;
  const name = join(REPORTS, hostile === undefined ? `seed-${seed}` : `hostile-seed-${seed}`);
  writeFileSync(`${name}.json`, replayText(outcome));
  writeFileSync(`${name}.html`, timelinePage(outcome));
  return `${name}.html`;
}

process.exitCode = await main();
