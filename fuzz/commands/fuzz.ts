// npm run fuzz: runs every target for its share of the time, each in its own thread. See
// docs/fuzzing.md.

import { Interrupt } from '../../testing/interrupt.ts';
import { reportUsageError } from '../../testing/usage-error.ts';
import { readCorpus, readInput, writeCorpus, writeFinding } from '../session/files.ts';
import { runSession } from '../session/session.ts';
import type { Found, Result } from '../session/worker-messages.ts';
import { type FuzzArguments, parseFuzzArguments, TARGETS, USAGE } from './arguments.ts';
import { Status } from './status.ts';

/** An input that takes longer than this hangs, even on a busy machine. */
const STUCK_MS = 20_000;

const status = new Status(process.stdout);

process.exitCode = await run(process.argv.slice(2));

async function run(given: readonly string[]): Promise<number> {
  const chosen = parseFuzzArguments(given);
  if (typeof chosen === 'string') {
    return reportUsageError(chosen);
  }
  if (chosen.help) {
    console.log(USAGE);
    return 0;
  }
  return chosen.replay === '' ? await fuzz(chosen) : await replay(chosen.replay);
}

async function fuzz(chosen: FuzzArguments): Promise<number> {
  const { targets, seed } = chosen;
  const endMs = performance.now() + chosen.seconds * 1000;
  let findings = 0;
  let stop = (): void => {};
  const interrupt = new Interrupt(() => stop());
  const stoppable = (one: () => void): void => {
    stop = one;
    if (interrupt.isAsked) stop();
  };
  const length = chosen.executions > 0 ? `${chosen.executions} executions` : `${chosen.seconds} s`;
  status.line(`seed ${seed}, ${length}, ${targets.join(', ')}`);
  for (const [index, target] of targets.entries()) {
    const shareMs = (endMs - performance.now()) / (targets.length - index);
    const result = await session(chosen, target, shareMs, stoppable);
    status.end(target, seed, result);
    if (result.found !== null) {
      findings += 1;
      printFinding(chosen, target, result.found);
    } else if (chosen.keeps) {
      const bytes = writeCorpus(target, result.minimal);
      status.line(`${target}: ${result.minimal.length} inputs in the corpus, ${bytes} bytes`);
    }
    if (interrupt.isAsked) {
      printInterrupted(chosen, index, findings);
      return interrupt.code;
    }
  }
  interrupt.release();
  if (findings > 0) status.line(`findings in ${findings} of ${targets.length} targets`);
  return findings > 0 ? 1 : 0;
}

function session(
  { executions, seed }: FuzzArguments,
  target: string,
  shareMs: number,
  stoppable: (stop: () => void) => void,
): Promise<Result> {
  return runSession({
    target,
    seed,
    runsMs: executions > 0 ? Number.POSITIVE_INFINITY : shareMs,
    executionsMax: executions > 0 ? executions : Number.POSITIVE_INFINITY,
    kept: readCorpus(target),
    replay: null,
    stuckMs: STUCK_MS,
    stoppable,
    report: (figures, elapsedMs) => status.report(target, seed, figures, elapsedMs),
  });
}

/** Prints what was done and how to continue: from the interrupted target on, with another seed. */
function printInterrupted(chosen: FuzzArguments, index: number, findings: number): void {
  const { executions, keeps, seconds, targets } = chosen;
  const found = findings === 0 ? 'nothing was found' : `${findings} findings`;
  status.line(`INTERRUPTED in ${targets[index]}, ${index + 1} of ${targets.length}; ${found}`);
  const length = executions > 0 ? `--executions ${executions}` : `--seconds ${seconds}`;
  const rest = `--target ${targets.slice(index).join(',')} ${length}${keeps ? ' --keep' : ''}`;
  status.line(`continue with: npm run fuzz -- ${rest}`);
}

function printFinding({ seed }: FuzzArguments, target: string, found: Found): void {
  const file = writeFinding(target, found.input);
  status.line(`${target}: FOUND after ${found.executions} executions\n${found.text}`);
  status.line(`${target}: ${found.input.length} bytes, before shrinking ${found.original.length}:`);
  status.line(JSON.stringify(Buffer.from(found.input).toString('latin1')));
  if (found.isAlone) status.line(`repeat with: npm run fuzz -- --replay ${file}`);
  else {
    const run = `--target ${target} --seed ${seed} --executions ${found.executions}`;
    status.line(`it fails only after the inputs before it; repeat with: npm run fuzz -- ${run}`);
  }
}

async function replay(file: string): Promise<number> {
  const read = readInput(file);
  if (typeof read === 'string' || !TARGETS.includes(read.target)) {
    const why = typeof read === 'string' ? read : `${file} is not in a folder named after a target`;
    console.error(`--replay: ${why}`);
    return 2;
  }
  const { target, input } = read;
  const { found } = await runSession({
    target,
    seed: 0,
    runsMs: Number.POSITIVE_INFINITY,
    executionsMax: Number.POSITIVE_INFINITY,
    kept: [],
    replay: input,
    stuckMs: STUCK_MS,
    stoppable: () => {},
    report: () => {},
  });
  console.log(JSON.stringify(Buffer.from(input).toString('latin1')));
  console.log(found === null ? `${target}: no finding` : `${target}: ${found.text}`);
  return found === null ? 0 : 1;
}
