// npm run fuzz:proof: shows that coverage guides the search. A mistake is injected into a copy of
// the parser, and searched with and without coverage, by the same mutations from the same seeds.

import { reportUsageError } from '../../testing/usage-error.ts';
import { EXPERIMENTS, search } from '../session/experiment.ts';

/** The length of a guided search varies widely by seed; these are short. */
const SEEDS = [2, 3, 4];
/** For each search: about ten times what guided ones have needed. */
const EXECUTIONS_MAX = 500_000;

const USAGE = `usage: npm run fuzz:proof

Injects mistakes into copies of the parser, each behind three nested conditions, and
searches for each with coverage and without, within ${EXECUTIONS_MAX} executions.

Exit codes: 0 when guided searches find all and unguided ones none, 1 otherwise, 2 for a
usage error.`;

process.exitCode = await run(process.argv.slice(2));

async function run(given: readonly string[]): Promise<number> {
  if (given.length > 0) {
    const isHelp = given.length === 1 && (given[0] === '--help' || given[0] === '-h');
    if (isHelp) console.log(USAGE);
    return isHelp ? 0 : reportUsageError(`it takes no arguments, not '${given[0]}'`);
  }
  let wrong = 0;
  for (const experiment of EXPERIMENTS) {
    console.log(`${experiment.target}, ${experiment.name}:`);
    for (const seed of SEEDS) {
      const guided = await search(experiment, true, seed, EXECUTIONS_MAX);
      const unguided = await search(experiment, false, seed, EXECUTIONS_MAX);
      console.log(`  seed ${seed}, guided:   ${text(guided)}`);
      console.log(`  seed ${seed}, unguided: ${text(unguided)}`);
      if (!guided.isFound || unguided.isFound) wrong += 1;
    }
  }
  console.log(
    wrong === 0
      ? 'coverage guides the search'
      : `${wrong} pairs of searches differ from the expectation`,
  );
  return wrong === 0 ? 0 : 1;
}

function text({ isFound, executions, seconds, input }: Awaited<ReturnType<typeof search>>): string {
  const effort = `${executions.toLocaleString('en-US')} executions, ${seconds.toFixed(1)} s`;
  if (!isFound) return `not found in ${effort}`;
  return `found after ${effort}: ${JSON.stringify(Buffer.from(input).toString('latin1'))}`;
}
