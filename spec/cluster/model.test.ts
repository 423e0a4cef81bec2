// Thousands of random orders of events around a cluster, in virtual time and without processes:
// whatever happens when, every worker slot is filled or waits for its next start, every listener is
// read, no healthy worker is killed, and after a stop nothing is left.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkEnd } from './fixtures/model-checks.ts';
import { randomRun } from './fixtures/model-run.ts';
import { ModelSystem } from './fixtures/model-system.ts';

const RUNS = 1_000 * Number(process.env['VIBING_RUNS'] ?? 1);
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

test('calls during a reload become one more', async () => {
  const system = new ModelSystem({ workers: 2, listeners: 2 });
  system.start();
  await system.calm();
  const reloads = () => system.problems.filter((line) => line.includes('reloaded: 2 new')).length;
  for (let count = 0; count < 4; count++) system.reload();
  await system.calm();
  assert.equal(system.reloadsDue, 0);
  assert.equal(reloads(), 2);
  system.reload();
  await system.calm();
  assert.equal(reloads(), 3);
  system.signal('SIGTERM');
  await system.calm();
  checkEnd(system);
  assert.deepEqual(system.violations, []);
});

test('only workers of a reload read the configuration again', async () => {
  const system = new ModelSystem({ workers: 2, listeners: 2 });
  system.start();
  await system.calm();
  const [first] = system.workers;
  first.die('exit code 7');
  await system.calm();
  const reads = () => system.workers.map(({ assignment }) => assignment.options === null);
  assert.deepEqual(reads(), [false, false, false]);
  system.reload();
  await system.calm();
  assert.deepEqual(reads(), [false, false, false, true, true]);
  system.workers[4].die('exit code 7');
  await system.calm();
  assert.deepEqual(reads(), [false, false, false, true, true, false]);
  system.signal('SIGTERM');
  await system.calm();
  assert.deepEqual(system.violations, []);
});

test('a reload before the server listens is an error', async () => {
  const system = new ModelSystem({ workers: 2, listeners: 2 });
  system.start();
  await system.settle();
  const { server } = system;
  assert.ok(server !== null);
  await assert.rejects(server.reload(), /cannot reload: it is starting/);
  await system.calm();
  assert.deepEqual(system.notifications, ['READY']);
  system.signal('SIGTERM');
  await system.calm();
  assert.deepEqual(system.violations, []);
});
