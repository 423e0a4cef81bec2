// Thousands of random orders of events around a cluster, in virtual time and without processes:
// whatever happens when, every worker slot is filled or waits for its next start, every listener is
// read, no healthy worker is killed, and after a stop nothing is left.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomRun } from './fixtures/model-run.ts';

const RUNS = 2_000 * Number(process.env['VIBING_RUNS'] ?? 1);
const seed = Number(process.env['VIBING_SEED'] ?? 1);

test(`${RUNS} random orders of events, from seed ${seed}`, async () => {
  const { stackTraceLimit } = Error;
  // The errors of workers are many, and nothing reads their stacks.
  Error.stackTraceLimit = 0;
  for (let run = seed; run < seed + RUNS; run++) {
    const system = await randomRun(run);
    if (system.violations.length > 0) Error.stackTraceLimit = stackTraceLimit;
    const events = () => system.events.slice(-60).join('\n');
    assert.deepEqual(system.violations, [], `VIBING_SEED=${run}, the last events:\n${events()}`);
  }
  Error.stackTraceLimit = stackTraceLimit;
});
