// A run of the gate: measures, judges, measures again what was missed, and writes the results.

import { runFacts } from '../measure/machine.ts';
import { appendResults } from '../measure/results.ts';
import { writeReport } from '../report/write.ts';
import { judge, judgeAgain, type Part, partsToRepeat, type Verdict } from './judge.ts';
import { measureGate } from './measure.ts';
import { figuresText, verdictText } from './report.ts';
import { gateLines } from './result-lines.ts';

export interface GateRunOptions {
  readonly seconds: number;
  readonly rounds: number;
  readonly parts: readonly Part[];
  readonly driver: string;
  readonly strict: boolean;
  /** The share by which the thresholds of rates are lowered, 0 to 1. */
  readonly margin: number;
  readonly tries: number;
}

/** No further round begins after this. */
const ROUNDS_MS_MAX = 270_000;
/** For one try; more than it takes. */
export const SECONDS_MAX = 350;

/** Prints the verdict; resolves with the exit code. */
export async function runGate(options: GateRunOptions): Promise<number> {
  const { driver, parts, rounds, seconds, strict, tries } = options;
  console.log(
    `${rounds} windows or more of ${seconds} s for the server (driver ${driver}), ` +
      'each between two of the floor\n',
  );
  let verdict = await attempt(options, parts);
  for (let left = tries - 1; left > 0; left--) {
    const missed = partsToRepeat(verdict);
    if (missed.length === 0) break;
    console.log(`missed, measured again: ${missed.join(', ')}\n`);
    const again = parts.filter((part) => missed.includes(part));
    verdict = judgeAgain(verdict, await attempt(options, again), strict);
  }
  console.log(verdictText(verdict));
  console.log(writeReport());
  return verdict.exitCode;
}

async function attempt(options: GateRunOptions, parts: readonly Part[]): Promise<Verdict> {
  const { driver, rounds, seconds } = options;
  const facts = runFacts();
  const figures = await measureGate({
    seconds,
    rounds,
    driver,
    scenarios: parts.filter((part) => part !== 'latency' && part !== 'turns'),
    latency: parts.includes('latency'),
    turns: parts.includes('turns'),
    server: 'servers/vibing.ts',
    serverArgs: [],
    untilMs: performance.now() + ROUNDS_MS_MAX,
    progress: (text) => {
      if (process.stderr.isTTY) console.error(text);
    },
  });
  const verdict = judge(figures, options);
  console.log(`${figuresText(figures)}\n`);
  appendResults(gateLines(facts, { driver, windowMs: seconds * 1000 }, figures, verdict));
  return verdict;
}
