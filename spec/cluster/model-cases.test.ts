// Single orders of events around a cluster, in the model of its system: what random orders reach
// seldom, or cannot judge.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KILL_SLACK_MS } from '../../src/cluster/worker-process.ts';
import { configFrom, optionsOf } from '../../src/server/config/config.ts';
import { checkEnd } from './fixtures/model-checks.ts';
import { ModelSystem, SHUTDOWN_MS, type SystemOptions } from './fixtures/model-system.ts';

const TWO: SystemOptions = { workers: 2, listeners: 2 };

async function started(options: SystemOptions = TWO, metrics = false): Promise<ModelSystem> {
  const system = new ModelSystem(options);
  system.start(metrics ? { metrics } : {});
  await system.calm();
  assert.ok(system.isListening);
  return system;
}

async function stop(system: ModelSystem): Promise<void> {
  system.signal('SIGTERM');
  await system.calm();
  checkEnd(system);
  assert.deepEqual(system.violations, []);
}

function optionsWith(bodyBytesMax: number): ReturnType<typeof optionsOf> {
  return optionsOf(configFrom({ bodyBytesMax }));
}

test('a worker that replaces another one has the configuration of the last reload', async () => {
  const system = await started();
  for (const bytes of [1_000, 2_000]) {
    system.configured = optionsWith(bytes);
    system.reload();
    await system.calm();
    // What the file says now was not reloaded.
    system.configured = optionsWith(bytes + 1);
    // Long enough that the next start is at once.
    await system.elapse(20_000);
    const [current] = system.workers.filter(({ serves }) => serves);
    current.die('exit code 7');
    await system.calm();
    assert.deepEqual(system.workers.at(-1)?.assignment.options, optionsWith(bytes));
  }
  await stop(system);
});

test('each reload warns once of each key that it cannot change', async () => {
  const system = await started();
  const warnings = (): number =>
    system.problems.filter((line) => line.includes(' port: a reload cannot change it')).length;
  const before = warnings();
  const counts: number[] = [];
  for (let count = 0; count < 2; count++) {
    system.reload();
    await system.calm();
    counts.push(warnings());
  }
  assert.deepEqual(counts, [before + 1, before + 2]);
  await stop(system);
});

test('calls during a reload become one more, each time anew', async () => {
  const system = await started();
  const reloads = (): number =>
    system.problems.filter((line) => line.includes('reloaded: 2 new')).length;
  for (const wanted of [2, 4, 6]) {
    for (let count = 0; count < 4; count++) system.reload();
    await system.calm();
    assert.equal(reloads(), wanted);
    assert.equal(system.reloadsDue, 0);
  }
  await stop(system);
});

test('clients wait at a socket of the service manager, at no other one', async () => {
  for (const isActivated of [false, true]) {
    const system = await started({ workers: 2, listeners: 1, isActivated });
    system.signal('SIGTERM');
    await system.calm();
    const closes = system.events.filter((event) => event.includes('"vibing":"close"'));
    assert.equal(closes.length, 2);
    for (const event of closes) assert.ok(event.includes(`"last":${!isActivated}`), event);
    checkEnd(system);
  }
});

test('a worker that fails to start again is tried again, whatever it reports', async () => {
  const system = await started();
  const [first] = system.workers;
  first.die('SIGSEGV');
  for (let tries = 0; tries < 3; tries++) {
    await system.calm();
    await system.elapse(10_000);
    const next = system.workers.findLast(({ assignment }) => assignment.index === 0);
    assert.ok(next !== undefined && next !== first);
    if (next.exit === null) next.fail();
  }
  await system.calm();
  assert.equal(system.exitCode, null);
  assert.equal(system.isFailed, false);
  await system.elapse(20_000, () => {});
  await system.calm();
  assert.equal(system.workers.filter(({ serves }) => serves).length, 2, 'both slots are served');
  await stop(system);
});

test('a worker that reported a failure and does not exit is closed, then killed', async () => {
  const system = await started();
  const [first] = system.workers;
  first.die('SIGSEGV');
  for (let step = 0; step < 3; step++) {
    await system.settle();
    first.deliverExit();
  }
  const next = system.workers[2];
  assert.ok(next !== undefined);
  next.advance();
  next.deliver();
  next.isHung = true;
  next.toPrimary.push({ vibing: 'failed', message: 'no root', code: 'ENOENT' });
  await system.calm();
  assert.ok(next.known.closeSent, 'it is asked to close');
  assert.equal(next.exit, null);
  await system.elapse(SHUTDOWN_MS + KILL_SLACK_MS);
  assert.ok(next.known.killed);
  await system.calm();
  await stop(system);
});

test('a segment of metrics is released when its process has ended or cannot begin', async () => {
  const system = await started(TWO, true);
  const { metrics } = system;
  assert.ok(metrics !== null);
  assert.equal(metrics.used.size, 2);
  system.faults.fork = true;
  system.workers[0].die('SIGKILL', true);
  await system.calm();
  await system.elapse(10_000);
  await system.calm();
  assert.equal(metrics.used.size, 2, `${metrics.starts} starts`);
  system.reload();
  await system.calm();
  assert.equal(metrics.used.size, 2);
  assert.equal(metrics.closings, 0);
  await stop(system);
  assert.equal(metrics.used.size, 0);
  assert.equal(metrics.closings, 1);
});
