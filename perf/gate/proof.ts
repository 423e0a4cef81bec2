// Proves that the gate closes: npm run perf:gate:proof. It measures the server as it is and with
// each planted fault, and fails when the gate does not find one.

import { parseArgs } from 'node:util';
import { pairingProblem } from '../measure/child-process.ts';
import { describeMachine } from '../measure/machine.ts';
import { median } from '../measure/pairs.ts';
import { argumentProblem, refuse } from '../../testing/usage-error.ts';
import { type Check, type GateFigures, judge, ratios, type Verdict } from './judge.ts';
import { measureGate } from './measure.ts';

type Fault = 'none' | 'slow' | 'pause' | 'leak';

/** What a fault has to close the gate by. */
const FOUND_BY: Readonly<Record<Exclude<Fault, 'none'>, readonly string[]>> = {
  slow: ['hello'],
  pause: ['pauses over 2 ms'],
  leak: ['heap'],
};
const FAULTS = Object.keys(FOUND_BY) as Exclude<Fault, 'none'>[];
/** Of a server that is this much slower, the ratio has to fall by half of it at least. */
const SLOWER_BY = 0.2;
const ROUNDS = 9;

const USAGE = `usage: npm run perf:gate:proof -- [option...]

Measures the server as it is, and made 20 % slower, standing still for 5 ms once a
second, and keeping 1 KB of every request. The gate has to find each.

  --only NAMES  some of ${FAULTS.join(', ')} (all)
  --help        this text

Exit codes: 0 when all are found, 1 when one is not or a run fails, 2 when the
arguments are wrong or taskset is missing.`;

process.exit(await main());

async function main(): Promise<number> {
  let only: readonly string[];
  try {
    const options = {
      only: { type: 'string', default: FAULTS.join(',') },
      help: { type: 'boolean', short: 'h' },
    } as const;
    const { values } = parseArgs({ options });
    if (values.help === true) {
      console.log(USAGE);
      return 0;
    }
    only = values.only.split(',');
    const unknown = only.find((name) => !(FAULTS as readonly string[]).includes(name));
    if (unknown !== undefined) {
      throw new Error(`--only takes some of ${FAULTS.join(', ')}, not '${unknown}'`);
    }
  } catch (error) {
    return refuse(argumentProblem(error));
  }
  const problem = pairingProblem([]);
  if (problem !== null) {
    console.error(problem);
    return 2;
  }
  try {
    return await prove(FAULTS.filter((fault) => only.includes(fault)));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  }
}

async function prove(faults: readonly Exclude<Fault, 'none'>[]): Promise<number> {
  console.log(Object.values(describeMachine()).join(', '));
  const honest = await measure('none', 0);
  tell('none', honest, Object.values(FOUND_BY).flat());
  let isProven = true;
  for (const fault of faults) {
    const spinNs = Math.round(costOf(honest.figures) * SLOWER_BY * 1000);
    const planted = await measure(fault, spinNs);
    tell(fault, planted, FOUND_BY[fault]);
    const isFound = FOUND_BY[fault].every((name) => find(planted, name).state === 'MISSED');
    // The server as it is may miss its bar too; then it is the distance that tells.
    const isNew =
      fault === 'slow' ? hasFallen(honest.figures, planted.figures) : clean(honest, fault);
    console.log(`${fault}: ${isFound && isNew ? 'found' : 'NOT FOUND'}`);
    if (!isFound || !isNew) isProven = false;
  }
  console.log(isProven ? 'the gate finds what was planted' : 'the gate is NOT PROVEN');
  return isProven ? 0 : 1;
}

interface Run {
  readonly figures: GateFigures;
  readonly verdict: Verdict;
}

async function measure(fault: Fault, spinNs: number): Promise<Run> {
  const figures = await measureGate({
    seconds: 1,
    rounds: ROUNDS,
    only: fault === 'pause' ? [] : ['hello'],
    latency: false,
    turns: fault === 'none' || fault === 'pause',
    driver: 'auto',
    server: 'gate/planted.ts',
    serverArgs: ['--fault', fault, '--spin', String(spinNs)],
    untilMs: 0,
    progress: () => {},
  });
  return { figures, verdict: judge(figures, { strict: false, margin: 0 }) };
}

/** Processor time for a request, microseconds. */
function costOf({ throughput }: GateFigures): number {
  return median(throughput.flatMap(({ servers }) => servers.map((one) => one.microseconds)));
}

function hasFallen(honest: GateFigures, planted: GateFigures): boolean {
  const [was, is] = [honest, planted].map(({ throughput: [hello] }) => median(ratios(hello)));
  return is < was * (1 - SLOWER_BY / 2);
}

function clean({ verdict }: Run, fault: Exclude<Fault, 'none'>): boolean {
  return FOUND_BY[fault].every((name) => find({ verdict }, name).state === 'met');
}

function find({ verdict }: Pick<Run, 'verdict'>, name: string): Check {
  const check = verdict.checks.find((one) => one.name === name);
  if (check === undefined) throw new Error(`the gate judges nothing that is called ${name}`);
  return check;
}

function tell(fault: Fault, run: Run, names: readonly string[]): void {
  for (const name of names) {
    const { state, text } = find(run, name);
    console.log(`${fault}: ${name}  ${state}: ${text}`);
  }
}
