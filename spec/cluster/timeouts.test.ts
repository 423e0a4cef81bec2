// Every timeout of a cluster at its value, in virtual time: nothing happens a millisecond before.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HEALTHY_MS, STARTED_MS, STARTS_MAX } from '../../src/cluster/back-off.ts';
import { KILL_SLACK_MS, START_MS_MAX } from '../../src/cluster/worker-process.ts';
import { checkBetweenEvents, checkEnd } from './fixtures/model-checks.ts';
import { ModelSystem, SHUTDOWN_MS } from './fixtures/model-system.ts';
import type { ModelWorker } from './fixtures/model-worker.ts';

/** A server of two workers that listens. */
async function listening(): Promise<ModelSystem> {
  const system = new ModelSystem({ workers: 2, listeners: 2 });
  system.start();
  await system.calm();
  assert.ok(system.isListening);
  return system;
}

/** Stops it and checks what is left. */
async function ends(system: ModelSystem): Promise<void> {
  checkBetweenEvents(system);
  if (system.exitCode === null) system.signal('SIGTERM');
  await system.calm();
  checkEnd(system);
  assert.deepEqual(system.violations, []);
}

/** Something happens after exactly `afterMs`. */
async function happensAfter(
  system: ModelSystem,
  afterMs: number,
  hasHappened: () => boolean,
): Promise<void> {
  await system.elapse(afterMs - 1);
  assert.equal(hasHappened(), false, 'a millisecond before');
  await system.elapse(1);
  assert.equal(hasHappened(), true, 'at its time');
  await system.elapse(1);
  await system.calm();
}

async function crash(system: ModelSystem, worker: ModelWorker | undefined): Promise<void> {
  assert.ok(worker !== undefined);
  worker.die('exit code 7');
  worker.deliverExit();
  await system.settle();
}

test('a worker that does not listen is killed after the time of a start', async () => {
  const system = await listening();
  await crash(system, system.workers[0]);
  const next = system.workers[2];
  next.isHung = true;
  await happensAfter(system, START_MS_MAX, () => next.known.killed);
  await system.elapse(100);
  await system.calm();
  assert.equal(system.workers.filter(({ serves }) => serves).length, 2, 'it is replaced');
  await ends(system);
});

test('a worker that listens just in time lives', async () => {
  const system = await listening();
  await crash(system, system.workers[0]);
  const next = system.workers[2];
  next.isHung = true;
  await system.elapse(START_MS_MAX - 1);
  next.isHung = false;
  await system.calm();
  await system.elapse(10 * START_MS_MAX);
  assert.equal(next.serves, true);
  assert.equal(next.known.killed, false);
  await ends(system);
});

test('a worker that does not close is killed after the time of a shutdown', async () => {
  const system = await listening();
  const [worker] = system.workers;
  worker.close();
  worker.isHung = true;
  await system.calm();
  await happensAfter(system, SHUTDOWN_MS + KILL_SLACK_MS, () => worker.known.killed);
  await ends(system);
});

test('so is one that hangs while the server stops, which ends with its exit', async () => {
  const system = await listening();
  const [worker] = system.workers;
  worker.isHung = true;
  system.signal('SIGTERM');
  await system.calm();
  await happensAfter(system, SHUTDOWN_MS + KILL_SLACK_MS, () => worker.known.killed);
  assert.equal(system.exitCode, 0);
  await ends(system);
});

test('so is one that a reload replaces', async () => {
  const system = await listening();
  const [worker] = system.workers;
  worker.isHung = true;
  system.signal('SIGHUP');
  await system.calm();
  await happensAfter(system, SHUTDOWN_MS + KILL_SLACK_MS, () => worker.known.killed);
  await ends(system);
});

test('a stop does not wait for a worker that hangs before it may listen', async () => {
  const system = new ModelSystem({ workers: 2, listeners: 2 });
  system.start();
  await system.settle();
  system.openListeners();
  await system.settle();
  system.workers[0].isHung = true;
  system.signal('SIGTERM');
  await system.calm();
  assert.equal(system.now(), 0);
  assert.equal(system.exitCode, 0);
  assert.deepEqual(system.problems, []);
  await ends(system);
});

test('each failed start waits longer, as long as another worker serves', async () => {
  const system = await listening();
  await system.elapse(HEALTHY_MS);
  await crash(system, system.workers[0]);
  const waits = [0, 100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000];
  for (const [failures, waitMs] of waits.entries()) {
    const count = 3 + failures;
    assert.equal(system.workers.length, count);
    await crash(system, system.workers[count - 1]);
    const hasStarted = () => system.workers.length > count;
    if (waitMs === 0) assert.ok(hasStarted());
    else {
      await system.elapse(waitMs - 1);
      assert.equal(hasStarted(), false, `${waitMs - 1} ms after failure ${failures + 1}`);
      await system.elapse(1);
      assert.equal(hasStarted(), true, `${waitMs} ms after failure ${failures + 1}`);
    }
  }
  await system.calm();
  await ends(system);
});

for (const [listenedMs, waitsAgain] of [
  [HEALTHY_MS - 1, true],
  [HEALTHY_MS, false],
] as const) {
  const does = waitsAgain ? 'keeps' : 'ends';
  test(`a worker that listened for ${listenedMs} ms ${does} the back-off`, async () => {
    const system = await listening();
    const [worker] = system.workers;
    await crash(system, worker);
    await system.calm();
    await system.elapse(listenedMs);
    await crash(system, system.workers[2]);
    assert.equal(system.timers('back-off'), waitsAgain ? 1 : 0);
    await system.elapse(100);
    await system.calm();
    await ends(system);
  });
}

for (const [listenedMs, givesUp] of [
  [STARTED_MS - 1, true],
  [STARTED_MS, false],
] as const) {
  const does = givesUp ? 'end' : 'do not end';
  test(`${STARTS_MAX} workers that listened for ${listenedMs} ms ${does} the server`, async () => {
    const system = new ModelSystem({ workers: 1, listeners: 1 });
    system.start();
    await system.calm();
    for (let count = 1; count <= STARTS_MAX; count++) {
      await system.elapse(listenedMs);
      assert.equal(system.exitCode, null);
      await crash(system, system.workers.at(-1));
      await system.calm();
      while (system.timers('back-off') > 0) await system.elapse(system.nextMs);
      await system.calm();
    }
    assert.equal(system.exitCode, givesUp ? 1 : null);
    await ends(system);
  });
}
