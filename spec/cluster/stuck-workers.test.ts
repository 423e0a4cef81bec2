// Workers whose event loop is blocked, in the model of their system: which are killed and when, and
// which are left alone. With real processes: supervision-stuck.test.ts.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { KILL_SLACK_MS } from '../../src/cluster/worker-process.ts';
import { checkBetweenEvents, checkEnd } from './fixtures/model-checks.ts';
import { CHECK_MS, ModelSystem, SHUTDOWN_MS, WORKER_TIMEOUT_MS } from './fixtures/model-system.ts';
import type { ModelWorker } from './fixtures/model-worker.ts';

/** Longer than everything here takes. */
const LONG_MS = 20 * WORKER_TIMEOUT_MS;

/** A server of two workers that listens; it was checked once. */
async function listening(workerTimeoutMs = WORKER_TIMEOUT_MS): Promise<ModelSystem> {
  const system = new ModelSystem({ workers: 2, listeners: 2 });
  system.start({ workerTimeoutMs });
  await system.calm();
  await system.elapse(CHECK_MS);
  return system;
}

async function ends(system: ModelSystem): Promise<void> {
  if (system.isListening) checkBetweenEvents(system);
  for (const worker of system.workers) worker.isHung = worker.stopped = false;
  system.signal('SIGTERM');
  await system.calm();
  checkEnd(system);
  assert.deepEqual(system.violations, []);
}

function reports(system: ModelSystem): string[] {
  return system.problems.filter((line) => line.includes('killed and replaced'));
}

/** It is asked at the next check; at the third one after that its time has passed. */
async function isKilledInTime(system: ModelSystem, worker: ModelWorker): Promise<void> {
  await system.elapse(CHECK_MS + WORKER_TIMEOUT_MS - 1);
  assert.equal(worker.known.killed, false, 'a millisecond before');
  await system.elapse(1);
  assert.equal(worker.known.killed, true, 'at its time');
}

describe('a worker whose event loop is blocked', () => {
  it('is killed with one line, and replaced at once', async () => {
    const system = await listening();
    const [stuck, other] = system.workers;
    stuck.isHung = true;
    await isKilledInTime(system, stuck);
    assert.deepEqual(reports(system), [
      `vibing error: worker 0 (pid 100) is killed and replaced: its event loop has been blocked ` +
        `for ${WORKER_TIMEOUT_MS} ms (worker_timeout_ms); look for a handler that loops or waits ` +
        'synchronously',
    ]);
    await system.calm();
    assert.equal(system.workers.length, 3);
    assert.ok(other.serves && system.workers[2].serves);
    assert.ok(system.problems.some((line) => line.includes('worker 0 exited (SIGKILL)')));
    await system.elapse(LONG_MS);
    assert.equal(reports(system).length, 1);
    await ends(system);
  });

  it('is killed once, also when the system takes its time to end it', async () => {
    const system = await listening();
    const [stuck] = system.workers;
    stuck.isHung = true;
    await isKilledInTime(system, stuck);
    // Its exit is not delivered.
    await system.elapse(LONG_MS);
    assert.equal(reports(system).length, 1);
    await system.calm();
    await ends(system);
  });

  it('is killed each time, whatever the other one does', async () => {
    const system = await listening();
    for (let count = 2; count < 8; count++) {
      const stuck = system.workers.find(({ serves }) => serves) ?? assert.fail();
      stuck.isHung = true;
      await isKilledInTime(system, stuck);
      await system.calm();
      assert.equal(system.workers.length, count + 1);
    }
    assert.equal(reports(system).length, 6);
    assert.equal(system.exitCode, null);
    await ends(system);
  });

  it('is not killed when it responds at the last moment', async () => {
    const system = await listening();
    const [busy] = system.workers;
    for (let count = 0; count < 3; count++) {
      busy.isHung = true;
      await system.elapse(CHECK_MS + WORKER_TIMEOUT_MS - 1);
      // The primary receives the response after its timer, and before it decides.
      busy.isHung = false;
      await system.elapse(1);
      assert.ok(busy.serves);
    }
    assert.deepEqual(reports(system), []);
    // Its time began anew.
    busy.isHung = true;
    await isKilledInTime(system, busy);
    await system.calm();
    await ends(system);
  });

  it('that dies meanwhile is replaced without a kill', async () => {
    const system = await listening();
    const [stuck] = system.workers;
    stuck.isHung = true;
    await system.elapse(CHECK_MS + WORKER_TIMEOUT_MS - 1);
    stuck.die('SIGSEGV');
    await system.calm();
    await system.elapse(LONG_MS);
    assert.deepEqual([stuck.known.killed, reports(system)], [false, []]);
    assert.equal(system.workers.filter(({ serves }) => serves).length, 2);
    await ends(system);
  });

  it('that a reload replaces has the time of a shutdown instead', async () => {
    const system = await listening();
    const [stuck] = system.workers;
    stuck.isHung = true;
    await system.elapse(CHECK_MS + WORKER_TIMEOUT_MS - 1);
    system.reload();
    await system.calm();
    assert.equal(system.reloadsDue, 0);
    await system.elapse(SHUTDOWN_MS + KILL_SLACK_MS - 1);
    assert.equal(stuck.known.killed, false);
    await system.elapse(1);
    assert.equal(stuck.known.killed, true);
    await system.calm();
    assert.deepEqual(reports(system), []);
    await ends(system);
  });

  it('is replaced before its turn in a reload comes', async () => {
    const system = await listening();
    const stuck = system.workers[1];
    stuck.isHung = true;
    await system.elapse(CHECK_MS + WORKER_TIMEOUT_MS - 1);
    system.reload();
    await system.settle();
    // The next worker of the first slot is loading.
    assert.equal(system.workers.length, 3);
    await system.elapse(1);
    assert.equal(stuck.known.killed, true);
    await system.calm();
    assert.equal(system.reloadsDue, 0);
    const reads = system.workers.map(({ assignment }) => assignment.options === null);
    assert.deepEqual(reads, [false, false, true, false, true]);
    assert.equal(system.workers.filter(({ serves }) => serves).length, 2);
    await ends(system);
  });

  it('is left alone with a timeout of 0', async () => {
    const system = await listening(0);
    const [stuck] = system.workers;
    stuck.isHung = true;
    assert.equal(system.timers('check'), 0);
    await system.elapse(LONG_MS);
    assert.equal(stuck.known.killed, false);
    assert.ok(!system.events.some((event) => event.includes('ping')));
    stuck.isHung = false;
    system.signal('SIGTERM');
    await system.calm();
    checkEnd(system);
    assert.deepEqual(system.violations, []);
  });
});

it('a server that is stopped while its listeners open leaves no timer of checks', async () => {
  const system = new ModelSystem({ workers: 2, listeners: 2 });
  system.start();
  await system.settle();
  system.openListeners();
  await ends(system);
  assert.equal(system.workers.length, 0);
});

describe('a worker that does not respond is left alone', () => {
  it('while the primary does not run, and for all of the time afterwards', async () => {
    const system = await listening();
    const [busy] = system.workers;
    busy.isHung = true;
    // It has been silent for two of three intervals.
    await system.elapse(3 * CHECK_MS + 1);
    for (let count = 0; count < 5; count++) {
      system.pause(1_000 * CHECK_MS);
      await system.elapse(0);
      assert.equal(busy.known.killed, false);
    }
    await system.elapse(CHECK_MS - 1);
    assert.equal(busy.known.killed, false);
    busy.isHung = false;
    await system.elapse(LONG_MS);
    assert.deepEqual(reports(system), []);
    await ends(system);
  });

  it('but a primary that is a little late every time finds it', async () => {
    const system = await listening();
    const [stuck] = system.workers;
    stuck.isHung = true;
    for (let count = 0; count < 4; count++) {
      assert.equal(stuck.known.killed, false);
      await system.elapse(CHECK_MS - 1);
      system.pause(CHECK_MS / 2);
      await system.elapse(0);
    }
    assert.equal(stuck.known.killed, true);
    await system.calm();
    await ends(system);
  });

  it('while a signal has stopped it, and for all of the time afterwards', async () => {
    const system = await listening();
    const [stopped] = system.workers;
    stopped.isHung = true;
    // It has been silent for two of three intervals.
    await system.elapse(3 * CHECK_MS + 1);
    stopped.stopped = true;
    await system.elapse(LONG_MS);
    assert.deepEqual(reports(system), []);
    // It runs, and is blocked: the last check, a millisecond before, has seen it stopped.
    stopped.stopped = false;
    await system.elapse(WORKER_TIMEOUT_MS - 2);
    assert.equal(stopped.known.killed, false);
    await system.elapse(1);
    assert.equal(stopped.known.killed, true);
    await system.calm();
    await ends(system);
  });

  it('while its inspector is open, as it has said', async () => {
    const system = await listening();
    const [stepped] = system.workers;
    stepped.isDebugged = true;
    await system.elapse(CHECK_MS);
    stepped.isHung = true;
    await system.elapse(LONG_MS);
    assert.equal(stepped.known.killed, false);
    stepped.isHung = false;
    await system.elapse(CHECK_MS);
    stepped.isDebugged = false;
    await system.elapse(CHECK_MS);
    stepped.isHung = true;
    await isKilledInTime(system, stepped);
    await system.calm();
    await ends(system);
  });

  it('when its inspector was open from the start', async () => {
    const system = new ModelSystem({ workers: 2, listeners: 2 });
    system.start();
    await system.settle();
    system.openListeners();
    await system.settle();
    const [first] = system.workers;
    first.isDebugged = true;
    await system.calm();
    assert.ok(first.serves);
    first.isHung = true;
    await system.elapse(LONG_MS);
    assert.deepEqual([first.known.killed, reports(system)], [false, []]);
    first.isHung = false;
    await ends(system);
  });

  it('before it listens: a start has a time of its own', async () => {
    const system = await listening();
    system.workers[0].die('exit code 7');
    system.workers[0].deliverExit();
    await system.settle();
    const next = system.workers[2];
    next.isHung = true;
    await system.elapse(CHECK_MS + WORKER_TIMEOUT_MS + CHECK_MS);
    assert.equal(next.known.killed, false);
    next.isHung = false;
    await system.calm();
    assert.deepEqual(reports(system), []);
    await ends(system);
  });
});
