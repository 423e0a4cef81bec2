// What all commands of perf/ share: arguments, help, missing programs, the line about the machine,
// thresholds, the exit code, and an end in bounded time.

import { type CommandShape, type Given, parseGiven, usage } from '../../testing/arguments.ts';
import { reportUsageError } from '../../testing/usage-error.ts';
import { describeMachine } from '../measure/machine.ts';
import { pairingProblem } from '../system/prerequisites.ts';
import { isMet, type Threshold, thresholdLine } from './threshold.ts';

export interface Command<N extends string, L extends string> extends CommandShape<N, L> {
  /** Programs it needs in addition to taskset and two cores; null when it runs anywhere. */
  readonly programs: readonly string[] | null;
  /** True when standard output is for a program: no line about the machine. */
  isSilent?(given: Given<N, L>): boolean;
  /** Longer than a good run takes; a run that takes longer has failed. */
  secondsMax(given: Given<N, L>): number;
  /** Prints its results; returns what they are judged by, or an exit code of its own. */
  run(given: Given<N, L>): Promise<readonly Threshold[] | number>;
}

/** Nothing to judge: the run succeeded when it did not throw. */
export const NO_THRESHOLDS: readonly Threshold[] = [];

const MISSING_EXIT_CODE = 2;

/** Runs a command to its end and ends the process: children of a failed run end with it. */
export async function runCommand<N extends string, L extends string>(
  command: Command<N, L>,
): Promise<never> {
  process.exit(await exitCodeOf(command));
}

async function exitCodeOf<N extends string, L extends string>(
  command: Command<N, L>,
): Promise<number> {
  const given = parseGiven(command, process.argv.slice(2));
  if (typeof given === 'string') return reportUsageError(given);
  if (given.help) {
    console.log(usage(command));
    return 0;
  }
  const problem = command.programs === null ? null : pairingProblem(command.programs);
  if (problem !== null) {
    console.error(problem);
    return MISSING_EXIT_CODE;
  }
  const seconds = command.secondsMax(given);
  const timer = setTimeout(() => {
    console.error(`${command.name}: not finished after ${seconds} s`);
    process.exit(1);
  }, seconds * 1000);
  try {
    if (command.isSilent?.(given) !== true) {
      console.log(`${Object.values(describeMachine()).join(', ')}\n`);
    }
    const result = await command.run(given);
    return typeof result === 'number' ? result : judged(result);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  } finally {
    clearTimeout(timer);
  }
}

function judged(thresholds: readonly Threshold[]): number {
  if (thresholds.length === 0) return 0;
  console.log(`\n${thresholds.map(thresholdLine).join('\n')}`);
  const missed = thresholds.filter((threshold) => !isMet(threshold)).length;
  console.log(
    missed === 0
      ? 'every threshold is met'
      : `thresholds missed: ${missed} of ${thresholds.length}`,
  );
  return missed === 0 ? 0 : 1;
}
