// Judges the speed of the server: npm run perf:gate. docs/performance.md says what is judged.

import { pairingProblem } from '../measure/child-process.ts';
import { describeMachine, runFacts } from '../measure/machine.ts';
import { refuse } from '../../testing/usage-error.ts';
import { writeReport } from '../report/write.ts';
import { appendResults } from '../measure/results.ts';
import { type GateArguments, parseGateArguments, USAGE } from './arguments.ts';
import { judge, judgeAgain, type Part, partsToRepeat, type Verdict } from './judge.ts';
import { measureGate } from './measure.ts';
import { figuresText, verdictText } from './report.ts';
import { gateLines } from './result-lines.ts';

/** No further round is begun after this; a gate that takes longer than the second has failed. */
const ROUNDS_MS_MAX = 270_000;
const MS_MAX = 350_000;

process.exit(await main());

async function main(): Promise<number> {
  const given = parseGateArguments(process.argv.slice(2));
  if (typeof given === 'string') return refuse(given);
  if (given.help) {
    console.log(USAGE);
    return 0;
  }
  const problem = pairingProblem([]);
  if (problem !== null) {
    console.error(problem);
    return 2;
  }
  const msMax = MS_MAX * given.tries;
  const timer = setTimeout(() => {
    console.error(`perf:gate: not done after ${msMax / 1000} s`);
    process.exit(1);
  }, msMax);
  try {
    return await run(given);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  } finally {
    clearTimeout(timer);
  }
}

async function run(given: GateArguments): Promise<number> {
  const { driver, rounds, seconds, strict, tries } = given;
  const machine = describeMachine();
  const facts = runFacts();
  console.log(Object.values(machine).join(', '));
  console.log(
    `${rounds} windows or more of ${seconds} s for the server (driver ${driver}), ` +
      'each between two of the floor\n',
  );
  const measure = async (what: GateArguments): Promise<Verdict> => {
    const figures = await measureGate({
      ...what,
      server: 'servers/vibing.ts',
      serverArgs: [],
      untilMs: performance.now() + ROUNDS_MS_MAX,
      progress: (text) => {
        if (process.stderr.isTTY) console.error(text);
      },
    });
    const verdict = judge(figures, given);
    console.log(`${figuresText(figures)}\n`);
    appendResults(gateLines(facts, { driver, windowMs: seconds * 1000 }, figures, verdict));
    return verdict;
  };
  let verdict = await measure(given);
  for (let left = tries - 1; left > 0; left--) {
    const parts = partsToRepeat(verdict);
    if (parts.length === 0) break;
    console.log(`missed, and measured again: ${parts.join(', ')}\n`);
    verdict = judgeAgain(verdict, await measure(narrowed(given, parts)), strict);
  }
  console.log(verdictText(verdict));
  console.log(writeReport());
  return verdict.exitCode;
}

function narrowed(given: GateArguments, parts: readonly Part[]): GateArguments {
  return {
    ...given,
    only: given.only.filter((name) => parts.includes(name)),
    latency: parts.includes('latency') && given.latency,
    turns: parts.includes('turns'),
  };
}
