// Proves that the gate closes: it measures the server without a fault and with each injected fault,
// and checks that the gate detects the fault.

import { median } from '../measure/pairs.ts';
import { type Check, type GateFigures, judge, ratios, type Verdict } from './judge.ts';
import { measureGate } from './measure.ts';

/** The checks that each fault has to miss. */
const DETECTED_BY = {
  slow: ['hello'],
  pause: ['pauses over 2 ms'],
  leak: ['heap'],
} as const;
export type Fault = keyof typeof DETECTED_BY;
export const FAULTS = Object.keys(DETECTED_BY) as readonly Fault[];

/** By this much the fault `slow` is slower; half of it is the least that the ratio has to fall. */
const SLOWER_BY = 0.2;
const ROUNDS = 9;

/** Resolves with the exit code. */
export async function proveGate(faults: readonly Fault[]): Promise<number> {
  const correct = await measure('none', 0);
  print('none', correct, Object.values(DETECTED_BY).flat());
  let isProven = true;
  for (const fault of faults) {
    const spinNs = Math.round(costOf(correct.figures) * SLOWER_BY * 1000);
    const faulty = await measure(fault, spinNs);
    print(fault, faulty, DETECTED_BY[fault]);
    const isMissed = DETECTED_BY[fault].every((name) => find(faulty, name).state === 'MISSED');
    // The correct server may miss a rate threshold too; then the distance between both decides.
    const isCaused =
      fault === 'slow' ? hasFallen(correct.figures, faulty.figures) : meetsAll(correct, fault);
    console.log(`${fault}: ${isMissed && isCaused ? 'detected' : 'NOT DETECTED'}`);
    if (!isMissed || !isCaused) isProven = false;
  }
  console.log(isProven ? 'the gate detects the injected faults' : 'the gate is NOT PROVEN');
  return isProven ? 0 : 1;
}

interface Run {
  readonly figures: GateFigures;
  readonly verdict: Verdict;
}

async function measure(fault: Fault | 'none', spinNs: number): Promise<Run> {
  const figures = await measureGate({
    seconds: 1,
    rounds: ROUNDS,
    scenarios: fault === 'pause' ? [] : ['hello'],
    latency: false,
    turns: fault === 'none' || fault === 'pause',
    driver: 'auto',
    server: 'gate/faulty-server.ts',
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

function hasFallen(correct: GateFigures, faulty: GateFigures): boolean {
  const [was, is] = [correct, faulty].map(({ throughput: [hello] }) => median(ratios(hello)));
  return is < was * (1 - SLOWER_BY / 2);
}

function meetsAll(run: Run, fault: Fault): boolean {
  return DETECTED_BY[fault].every((name) => find(run, name).state === 'met');
}

function find({ verdict }: Run, name: string): Check {
  const check = verdict.checks.find((one) => one.name === name);
  if (check === undefined) throw new Error(`the gate has no check with the name ${name}`);
  return check;
}

function print(fault: Fault | 'none', run: Run, names: readonly string[]): void {
  for (const name of names) {
    const { state, text } = find(run, name);
    console.log(`${fault}: ${name}  ${state}: ${text}`);
  }
}
