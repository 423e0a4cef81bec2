// The long search: compares the parser with its model and with llhttp on one stream after another:
// npm run model -- --seconds 60 --seed 1. Prints how often each rule and difference occurred.

import assert from 'node:assert/strict';
import { parseGiven, usage } from '../../testing/arguments.ts';
import { Interrupt } from '../../testing/interrupt.ts';
import { Random } from '../../testing/random.ts';
import { reportUsageError } from '../../testing/usage-error.ts';
import { compare } from './compare.ts';
import { DIFFERENCES } from './differences.ts';
import { modelStream } from './model.ts';
import { DEFAULT_LIMITS, drawStream, type Sample } from './streams.ts';
import { STRICT } from './strictness.ts';
import { readStream } from './subject.ts';

const SHAPE = {
  name: 'model',
  about:
    'Compares the parser with its model (spec/model) and with llhttp (spec/differences.md) on\n' +
    'nearly valid streams of requests. A seed repeats a run.',
  numbers: {
    seconds: { default: 60, max: 86_400, what: 'how long' },
    seed: { default: 0, min: 0, max: 999_999_999, what: 'the first seed, 0 for a random one' },
  },
  lists: {},
} as const;

/** How often the search yields to the event loop, so that signals are received. */
const YIELD_EVERY_MS = 100;

process.exitCode = await main();

async function main(): Promise<number> {
  const given = parseGiven(SHAPE, process.argv.slice(2));
  if (typeof given === 'string') return reportUsageError(given);
  if (given.help) {
    console.log(usage(SHAPE));
    return 0;
  }
  const { seconds } = given.numbers;
  const seed = given.numbers.seed === 0 ? 1 + Math.floor(Math.random() * 1e8) : given.numbers.seed;
  const interrupt = new Interrupt();
  console.log(`seed ${seed}, ${seconds} s; llhttp ${process.versions['llhttp']}`);
  return search(seed, performance.now() + seconds * 1000, interrupt);
}

/** Each stream has its own seed, one more than that of the stream before. */
async function search(firstSeed: number, untilMs: number, interrupt: Interrupt): Promise<number> {
  const rules = new Map<string, number>();
  const differences = new Map<string, number>();
  let seed = firstSeed;
  let yieldMs = 0;
  for (; performance.now() < untilMs && !interrupt.isAsked; seed++) {
    if (performance.now() >= yieldMs) {
      await new Promise((resolve) => setImmediate(resolve));
      yieldMs = performance.now() + YIELD_EVERY_MS;
    }
    const sample = drawStream(new Random(seed).draw);
    const problem = problemOf(sample, rules, differences);
    if (problem !== '') {
      console.error(`${problem}\nseed ${seed}: ${sample}`);
      return 1;
    }
  }
  console.log(`${seed - firstSeed} streams, no disagreement`);
  report('rejected by the model for', rules, Object.keys(STRICT));
  report('differences from llhttp', differences, Object.keys(DIFFERENCES));
  interrupt.release();
  if (!interrupt.isAsked) return 0;
  const left = Math.max(1, Math.ceil((untilMs - performance.now()) / 1000));
  console.log(`\nINTERRUPTED ${left} s before the end`);
  console.log(`continue with: npm run model -- --seed ${seed} --seconds ${left}`);
  return interrupt.code;
}

function problemOf(
  sample: Sample,
  rules: Map<string, number>,
  differences: Map<string, number>,
): string {
  const { rule, messages, end } = modelStream(sample.bytes, DEFAULT_LIMITS);
  if (rule !== '') rules.set(rule, (rules.get(rule) ?? 0) + 1);
  try {
    assert.deepEqual(readStream(sample.bytes, DEFAULT_LIMITS), { messages, end });
  } catch (error) {
    return `the parser disagrees with the model: ${(error as Error).message}`;
  }
  for (const { id, what } of compare(sample.bytes)) {
    if (id === '')
      return `a difference from llhttp that is not listed in spec/differences.md: ${what}`;
    differences.set(id, (differences.get(id) ?? 0) + 1);
  }
  return '';
}

function report(
  title: string,
  counts: ReadonlyMap<string, number>,
  known: readonly string[],
): void {
  const lines = [...counts].sort(([, one], [, other]) => other - one);
  console.log(`\n${title}\n${lines.map(([name, count]) => `  ${name} ${count}`).join('\n')}`);
  const never = known.filter((name) => !counts.has(name));
  if (never.length > 0) console.log(`  never: ${never.join(', ')}`);
}
