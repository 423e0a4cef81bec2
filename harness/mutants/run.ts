// npm run sim:mutants: plants one bug after the other and counts the seeds until it is caught.

import { parseArgs } from 'node:util';
import { argumentProblem, reportUsageError } from '../../testing/usage-error.ts';
import { MUTANTS } from './list.ts';
import { type MechanicalMutant, mechanicalMutants } from './mechanical.ts';
import { SURVIVORS } from './survivors.ts';
import { tryMutant, type Verdict } from './trial.ts';

const USAGE = `usage: npm run sim:mutants -- [option...]

Plants bugs into the compiled server, one at a time, and runs the simulator until it notices.

  --only WORD     only the mutants whose name has this word
  --seeds N       so many seeds at most for each, 1 to 100000 (200)
  --seed N        which mechanical mutants are made (1)
  --mechanical N  how many of those, 0 to 1000 (10)
  --help          this text

Exit codes: 0 when all are caught or explained, 1 when one is not, 2 when the arguments are wrong.`;

const OPTIONS = {
  only: { type: 'string', default: '' },
  seeds: { type: 'string', default: '200' },
  seed: { type: 'string', default: '1' },
  mechanical: { type: 'string', default: '10' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

interface Given {
  readonly only: string;
  readonly seeds: number;
  readonly seed: number;
  readonly mechanical: number;
}

function parse(): Given | string | null {
  try {
    const { values } = parseArgs({ args: process.argv.slice(2), options: OPTIONS });
    if (values.help) return null;
    const { only } = values;
    const seeds = whole(values.seeds);
    const seed = whole(values.seed);
    const mechanical = whole(values.mechanical);
    if (!(seeds >= 1 && seeds <= 100_000)) return '--seeds takes a whole number from 1 to 100000';
    if (!(seed >= 0)) return '--seed takes a whole number';
    if (!(mechanical <= 1000)) return '--mechanical takes a whole number from 0 to 1000';
    return { only, seeds, seed, mechanical };
  } catch (error) {
    return argumentProblem(error, Object.keys(OPTIONS));
  }
}

function whole(text: string): number {
  return /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
}

function line(name: string, { caughtBy, seed, message }: Verdict): string {
  if (caughtBy === '') return `NOT CAUGHT          ${name}`;
  const after = `${String(seed).padStart(3)} ${seed === 1 ? 'seed ' : 'seeds'}`;
  const what = message.split('\n')[0].slice(0, 90);
  return `${after}  ${caughtBy.padEnd(9)} ${name}\n${' '.repeat(21)}${what}`;
}

async function main(): Promise<number> {
  const given = parse();
  if (given === null) {
    console.log(USAGE);
    return 0;
  }
  if (typeof given === 'string') return reportUsageError(given);
  const { only, seeds } = given;
  let planted = 0;
  let missed = 0;
  let most = 0;
  for (const mutant of MUTANTS.filter(({ name }) => name.includes(only))) {
    const verdict = await tryMutant(mutant, seeds);
    console.log(line(mutant.name, verdict));
    planted += 1;
    most = Math.max(most, verdict.seed);
    if (verdict.caughtBy === '' || verdict.caughtBy === 'unusable') missed += 1;
  }
  console.log(`\n${planted - missed} of ${planted} planted bugs caught, within ${most} seeds\n`);
  const made = only === '' ? mechanicalMutants(given.seed, given.mechanical) : [];
  const unexplained = await mechanical(made, seeds);
  return missed + unexplained === 0 ? 0 : 1;
}

/** Those made by rule; some of them change nothing that anybody could see. */
async function mechanical(made: readonly MechanicalMutant[], seeds: number): Promise<number> {
  let unexplained = 0;
  for (const mutant of made) {
    const verdict = await tryMutant(mutant, seeds);
    console.log(line(mutant.name, verdict));
    if (verdict.caughtBy !== '') continue;
    const reason = SURVIVORS[mutant.key];
    console.log(`${' '.repeat(21)}${reason ?? 'no reason is known'}`);
    if (reason === undefined) unexplained += 1;
  }
  if (made.length > 0) console.log(`\n${made.length} made by rule, ${unexplained} unexplained`);
  return unexplained;
}

process.exitCode = await main();
