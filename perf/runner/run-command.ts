// What the scripts that measure have in common: help, wrong arguments, missing programs, the line
// about the machine, the bars at the end, the exit code, and an end in bounded time.

import { type Given, parseGiven, type ScriptShape, usage } from '../../testing/arguments.ts';
import { pairingProblem } from '../measure/child-process.ts';
import { describeMachine } from '../measure/machine.ts';
import { refuse } from '../../testing/usage-error.ts';
import { type Bar, barLine, isMet } from './table.ts';

export interface Script<N extends string, L extends string> extends ScriptShape<N, L> {
  /** Programs without which it cannot run, besides taskset. */
  readonly programs: readonly string[];
  /** Longer than it can take when all goes well; then the run ends as failed. */
  secondsMax(given: Given<N, L>): number;
  /** Prints its table and gives what it is judged by; nothing when nothing is judged. */
  measure(given: Given<N, L>): Promise<readonly Bar[]>;
}

/** The exit code. */
export async function runScript<N extends string, L extends string>(
  script: Script<N, L>,
): Promise<number> {
  const given = parseGiven(script, process.argv.slice(2));
  if (typeof given === 'string') return refuse(given);
  if (given.help) {
    console.log(usage(script));
    return 0;
  }
  const problem = pairingProblem(script.programs);
  if (problem !== null) {
    console.error(problem);
    return 2;
  }
  const seconds = script.secondsMax(given);
  const timer = setTimeout(() => {
    console.error(`${script.name}: not done after ${seconds} s`);
    process.exit(1);
  }, seconds * 1000);
  try {
    console.log(`${Object.values(describeMachine()).join(', ')}\n`);
    const bars = await script.measure(given);
    if (bars.length === 0) return 0;
    console.log(`\n${bars.map(barLine).join('\n')}`);
    const missed = bars.filter((bar) => !isMet(bar)).length;
    console.log(missed === 0 ? 'every bar is met' : `bars missed: ${missed} of ${bars.length}`);
    return missed === 0 ? 0 : 1;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  } finally {
    clearTimeout(timer);
  }
}
