// Times the cases of one group with mitata, in rounds: each round has all cases, so that a slow
// second of the machine affects all cases that are compared.

import { measure } from 'mitata';
import type { BenchCase, BenchResult } from './case.ts';

const ROUNDS = 5;
/** Warm-up takes this share of a case's time in addition. */
const WARM_UP_SHARE = 0.3;
/** Samples are short, so that some are not disturbed by other work on the machine. */
const SAMPLE_NS = 200_000;
const SAMPLE_CALLS_MAX = 4_096;
const SAMPLES_MIN = 4;
/** mitata makes several calls for a sample only when a call takes less than this. */
const BATCH_BELOW_NS = 65_536;

/** `msPerCase` is the time for each case, in all rounds together. */
export async function measureCases(
  group: string,
  cases: readonly BenchCase[],
  msPerCase: number,
): Promise<readonly BenchResult[]> {
  const samples: number[][] = cases.map(() => []);
  const callsOf: number[] = [];
  // All cases run before any is timed, so that V8 has seen all types that shared code gets.
  for (const one of cases) await warmUp(one, (msPerCase * WARM_UP_SHARE) / 2);
  for (const one of cases) callsOf.push(await warmUp(one, (msPerCase * WARM_UP_SHARE) / 2));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, { run, operations = 1 }] of cases.entries()) {
      const { samples: some } = await measure(run, {
        min_cpu_time: (msPerCase * 1e6) / ROUNDS,
        min_samples: SAMPLES_MIN,
        batch_samples: callsOf[index],
        batch_threshold: BATCH_BELOW_NS,
        gc: false,
      });
      // In a loop: a call takes no more arguments than the stack has room for.
      for (const ns of some) samples[index].push(ns / operations);
    }
  }
  return cases.map((one, index) => resultOf(group, one, samples[index]));
}

/** Returns the number of calls in a sample. */
async function warmUp({ run }: BenchCase, ms: number): Promise<number> {
  const beganMs = performance.now();
  let calls = 0;
  let elapsedMs = 0;
  do {
    for (let call = 0; call < 4; call++) await run();
    calls += 4;
    elapsedMs = performance.now() - beganMs;
  } while (elapsedMs < ms);
  const wanted = SAMPLE_NS / ((elapsedMs * 1e6) / calls);
  // mitata unrolls four calls, so the number is a multiple of four.
  return Math.max(4, Math.min(SAMPLE_CALLS_MAX, Math.ceil(wanted / 4) * 4));
}

export function resultOf(
  group: string,
  { name, bytes, versus }: BenchCase,
  samples: readonly number[],
): BenchResult {
  const sorted = [...samples].sort((left, right) => left - right);
  if (sorted.length === 0) throw new Error(`${group}, ${name}: nothing was measured`);
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))];
  return {
    group,
    name,
    bestNs: sorted[0],
    medianNs: at(0.5),
    lowNs: at(0.25),
    highNs: at(0.75),
    samples: sorted.length,
    bytes: bytes ?? null,
    versus: versus ?? null,
  };
}
