// npm run sim:mutants: injects one bug after the other and counts the seeds until it is caught.

import { parseArgs } from 'node:util';
import { argumentProblem, reportUsageError } from '../../testing/usage-error.ts';
import { MUTANTS } from '../mutants/list.ts';
import { type MechanicalMutant, mechanicalMutants } from '../mutants/mechanical.ts';
import { SURVIVORS } from '../mutants/survivors.ts';
import { tryMutant, type Verdict } from '../mutants/trial.ts';

const USAGE = `usage: npm run sim:mutants -- [option...]

Injects bugs into the compiled server, one at a time, and runs seeds until one fails.

  --only WORD     only mutants whose name contains this text
  --seeds N       the most seeds for each, 1 to 100000 (200)
  --seed N        the seed of the mechanical mutants (1)
  --mechanical N  how many mechanical mutants, 0 to 1000 (10)
  --help          prints this text

Exit codes: 0 when all are caught or explained, 1 when one is not, 2 for a usage
error.`;

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
  let injected = 0;
  let missed = 0;
  let most = 0;
  for (const mutant of MUTANTS.filter(({ name }) => name.includes(only))) {
    const verdict = await tryMutant(mutant, seeds);
    console.log(line(mutant.name, verdict));
    injected += 1;
    most = Math.max(most, verdict.seed);
    if (verdict.caughtBy === '' || verdict.caughtBy === 'unusable') missed += 1;
  }
  console.log(`\n${injected - missed} of ${injected} injected bugs caught, within ${most} seeds\n`);
  const made = only === '' ? mechanicalMutants(given.seed, given.mechanical) : [];
  const unexplained = await mechanical(made, seeds);
  return missed + unexplained === 0 ? 0 : 1;
}

/** Mechanical mutants: some cannot be caught, for a listed reason. */
async function mechanical(made: readonly MechanicalMutant[], seeds: number): Promise<number> {
  let unexplained = 0;
  for (const mutant of made) {
    const verdict = await tryMutant(mutant, seeds);
    console.log(line(mutant.name, verdict));
    if (verdict.caughtBy !== '') continue;
    const reason = SURVIVORS[mutant.key];
    console.log(`${' '.repeat(21)}${reason ?? 'no known reason'}`);
    if (reason === undefined) unexplained += 1;
  }
  if (made.length > 0)
    console.log(`\n${made.length} mechanical mutants, ${unexplained} unexplained`);
  return unexplained;
}

process.exitCode = await main();
