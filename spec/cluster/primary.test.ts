// The primary over the model of its system, without a server around it: what it logs, what it
// rejects with, and what it has given back when it was closed at an unusual moment.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { STARTED_MS, STARTS_MAX } from '../../src/cluster/back-off.ts';
import { fixedValues } from '../../src/cluster/fixed-keys.ts';
import type { FromWorker } from '../../src/cluster/messages.ts';
import { Primary } from '../../src/cluster/primary.ts';
import { KILL_SLACK_MS } from '../../src/cluster/worker-process.ts';
import { CLOSING_MS } from '../../src/cluster/worker-slot.ts';
import { configFrom, type ServerOptions } from '../../src/server/config/config.ts';
import type { Log } from '../../src/server/log.ts';
import type { Listening } from '../../src/server/server.ts';
import {
  ModelSystem,
  SHUTDOWN_MS,
  type SystemOptions,
  WORKER_TIMEOUT_MS,
} from './fixtures/model-system.ts';
import type { ModelWorker } from './fixtures/model-worker.ts';

const CLOSED = {
  name: 'ClosedError',
  message: 'the server is closing',
  code: 'ECANCELED',
};
const TWO: SystemOptions = { workers: 2, listeners: 2 };

class Run {
  readonly system: ModelSystem;
  readonly primary: Primary;
  readonly lines: string[] = [];
  readonly listened: Promise<Listening>;

  constructor(options: SystemOptions = TWO, given: ServerOptions = {}) {
    this.system = new ModelSystem(options);
    const line = (level: string) => (text: string) => void this.lines.push(`${level}: ${text}`);
    const log = { warn: line('warn'), notice: line('notice'), error: line('error') };
    const { workers } = options;
    const workerTimeoutMs = WORKER_TIMEOUT_MS;
    const config = configFrom({ workers, supervise: true, workerTimeoutMs, ...given });
    this.system.fixed = fixedValues(config);
    this.primary = new Primary(config, log as unknown as Log, null, this.system);
    this.listened = this.primary.listen();
    // Awaited where it matters.
    this.listened.catch(() => {});
  }

  static async up(options: SystemOptions = TWO, given: ServerOptions = {}): Promise<Run> {
    const run = new Run(options, given);
    await run.system.calm();
    await run.listened;
    run.lines.length = 0;
    return run;
  }

  worker(number: number): ModelWorker {
    return this.system.workers[number] ?? assert.fail(`there is no worker ${number}`);
  }

  says(worker: ModelWorker, ...messages: FromWorker[]): void {
    worker.toPrimary.push(...messages);
    for (const _ of messages) worker.deliver();
  }

  /** Brings a worker to the point where it has told that it listens. */
  bringUp(worker: ModelWorker): void {
    worker.advance();
    worker.deliver();
    worker.receive();
    worker.advance();
    worker.deliver();
  }

  /** Closes it, and checks that nothing is left. */
  async close(): Promise<void> {
    const { system } = this;
    const closed = this.primary.close();
    await system.calm();
    await closed;
    assert.equal(system.isOpen, false);
    assert.deepEqual([system.exitListeners, system.reopenListeners], [0, 0]);
    for (const kind of ['start', 'kill', 'back-off', 'check'] as const) {
      assert.equal(system.timers(kind), 0, `${kind} timers`);
    }
    assert.ok(system.workers.every(({ exit }) => exit !== null));
  }
}

describe('a primary that starts', () => {
  it('warns of more workers than cores, and only of those', async () => {
    for (const [workers, wanted] of [
      [5, ['warn: 5 workers share 4 cores; more than one for each core adds no speed']],
      [4, []],
    ] as const) {
      const run = new Run({ workers, listeners: workers });
      await run.system.calm();
      assert.deepEqual(run.lines, wanted);
      const cores = run.system.workers.map(({ assignment }) => assignment.core);
      assert.deepEqual(cores, [0, 1, 2, 3, 0].slice(0, workers));
      await run.close();
    }
    const unknown = new Run({ workers: 5, listeners: 5 });
    unknown.system.cores = () => [];
    await unknown.system.calm();
    assert.equal(unknown.worker(0).assignment.core, null);
    await unknown.close();
  });

  it('and is closed before its listeners are open closes them', async () => {
    for (const listeners of [0, 1, 2]) {
      const run = new Run({ workers: 2, listeners }, { metrics: true });
      const closed = run.primary.close();
      run.system.openListeners();
      await assert.rejects(run.listened, CLOSED);
      await closed;
      assert.equal(run.system.isOpen, false);
      assert.equal(run.system.openings, listeners === 0 ? 0 : 1);
      assert.deepEqual([run.system.workers, run.system.metrics], [[], null]);
    }
  });

  it('starts another worker for one that ends as soon as it listens', async () => {
    for (const [end, how] of [
      ['die', 'exited (exit code 7)'],
      ['close', 'was closed'],
    ] as const) {
      const run = new Run();
      await run.system.settle();
      run.system.openListeners();
      await run.system.settle();
      const first = run.worker(0);
      run.bringUp(first);
      if (end === 'die') {
        first.die('exit code 7');
        first.deliverExit();
      } else {
        first.close();
        first.deliver();
      }
      await run.system.settle();
      assert.deepEqual(run.lines, [`error: worker 0 ${how}; the next start is at once`]);
      await run.system.calm();
      const { port, workers } = await run.listened;
      assert.deepEqual([port, workers, run.system.workers.length], [8080, 2, 3]);
      await run.close();
    }
  });

  it('starts no other worker when the first one reports why it cannot listen', async () => {
    const run = new Run();
    await run.system.settle();
    run.system.openListeners();
    await run.system.settle();
    run.worker(0).fail();
    await run.system.calm();
    await assert.rejects(run.listened, { message: 'no root', code: 'ENOENT' });
    assert.deepEqual([run.system.workers.length, run.lines], [1, []]);
    await run.close();
  });

  it('tries again where the system has no process left', async () => {
    const run = new Run();
    run.system.faults.fork = true;
    await run.system.calm();
    assert.deepEqual(run.lines, [
      'error: worker 0 cannot start: Error: EAGAIN; the next start is at once',
    ]);
    await run.listened;
    await run.close();
  });

  it('gives up when a worker that has listened exits again and again', async () => {
    const run = new Run();
    await run.system.settle();
    run.system.openListeners();
    await run.system.settle();
    run.bringUp(run.worker(0));
    await run.system.settle();
    run.worker(1).isHung = true;
    for (let start = 0; start < STARTS_MAX; start++) {
      const current = run.system.workers.findLast(({ assignment }) => assignment.index === 0);
      assert.ok(current !== undefined && current.exit === null, `start ${start}`);
      if (!current.serves) run.bringUp(current);
      await run.system.settle();
      current.die('exit code 7');
      current.deliverExit();
      await run.system.elapse(2_000);
    }
    await run.system.calm();
    const what = `worker 0 failed to start ${STARTS_MAX} times in a row`;
    const message = `${what}: worker 0 exited (exit code 7)`;
    await assert.rejects(run.listened, { message, code: 'ECHILD' });
    assert.equal(run.system.isFailed, false, 'listen() says it');
    await run.close();
  });

  it('gives up unless another worker has listened for a while', async () => {
    for (const isSteady of [false, true]) {
      const run = await Run.up();
      if (isSteady) await run.system.elapse(STARTED_MS + 1);
      for (let exits = 0; exits < STARTS_MAX + 1 && !run.system.isFailed; exits++) {
        const failing = run.system.workers.filter(({ exit, assignment }) => {
          return exit === null && assignment.index === 0;
        });
        failing.at(-1)?.die('exit code 7');
        await run.system.calm();
        // Beyond its back-off: 0, 0, 100, 200 and 400 ms.
        await run.system.elapse(exits < 2 ? 1 : 50 * 2 ** (exits - 1) + 1);
        await run.system.calm();
      }
      assert.equal(run.system.isFailed, !isSteady);
      await run.close();
    }
  });

  it('has metrics, or none', async () => {
    const without = await Run.up();
    assert.equal(without.primary.metrics, null);
    await without.close();
    const run = await Run.up(TWO, { metrics: true });
    assert.equal(run.primary.metrics, run.system.metrics?.file);
    assert.deepEqual(
      run.system.workers.map(({ assignment }) => assignment.metrics?.fd),
      // Behind the listeners.
      [6, 6],
    );
    await run.close();
    assert.equal(run.system.metrics?.closings, 1, 'the file is closed');
  });
});

describe('a primary that closes', () => {
  it('starts no worker for one that closes or exits meanwhile', async () => {
    for (const end of ['close', 'die'] as const) {
      const run = await Run.up({ workers: 3, listeners: 3 });
      // A worker that starts is killed, and the others are asked when it has exited.
      run.worker(2).die('exit code 7');
      run.worker(2).deliverExit();
      await run.system.settle();
      assert.equal(run.system.workers.length, 4);
      run.lines.length = 0;
      const closed = run.primary.close();
      await run.system.settle();
      assert.ok(run.worker(3).known.killed);
      assert.ok(!run.worker(0).known.closeSent && run.system.isOpen);
      if (end === 'close') {
        run.worker(0).close();
        run.worker(0).deliver();
      } else {
        run.worker(0).die('exit code 7');
        run.worker(0).deliverExit();
      }
      await run.system.settle();
      await run.system.elapse(1_000);
      assert.deepEqual([run.system.workers.length, run.lines], [4, []]);
      await run.system.calm();
      await closed;
      await run.close();
    }
  });
});

describe('a primary logs', () => {
  it('a note once, also when several workers send it', async () => {
    const run = await Run.up();
    for (const worker of run.system.workers) {
      run.says(worker, { vibing: 'note', text: 'slower' }, { vibing: 'note', text: 'slower' });
    }
    run.says(run.worker(0), { vibing: 'note', text: 'other' });
    assert.deepEqual(run.lines, ['notice: slower', 'notice: other']);
    await run.close();
  });

  it('the exit of a worker, and what a worker served that closes by itself', async () => {
    const run = await Run.up();
    run.worker(0).die('SIGSEGV');
    await run.system.calm();
    assert.deepEqual(run.lines.splice(0), [
      'error: worker 0 exited (SIGSEGV); the next start is at once',
    ]);
    run.worker(1).close();
    await run.system.calm();
    await run.system.elapse(CLOSING_MS);
    assert.deepEqual(run.lines.splice(0), [
      'notice: worker 1 served 1 connections, 1 requests',
      'notice: worker 1 is closing; its replacement starts',
    ]);
    await run.close();
  });

  it('no replacement of workers that got a signal to stop just before it', async () => {
    const run = await Run.up();
    for (const worker of run.system.workers) worker.close();
    await run.system.calm();
    const before = run.system.workers.length;
    await run.close();
    await run.system.elapse(CLOSING_MS);
    assert.equal(run.system.workers.length, before, 'none is started');
    for (const line of run.lines) assert.match(line, /^notice: worker \d served/);
  });

  it('the kill of a worker that does not exit', async () => {
    const run = await Run.up();
    const hung = run.worker(0);
    run.says(hung, { vibing: 'closing' });
    await run.system.elapse(SHUTDOWN_MS + KILL_SLACK_MS);
    const killed = run.lines.filter((line) => line.includes('is killed'));
    const ms = SHUTDOWN_MS + KILL_SLACK_MS;
    const why = `it did not exit within ${ms} ms after it began to close`;
    assert.deepEqual(killed, [`warn: worker 0 is killed: ${why}`]);
    await run.close();
  });

  it('why it closes by itself', async () => {
    const run = await Run.up({ workers: 1, listeners: 1 });
    for (let start = 0; start < STARTS_MAX; start++) {
      run.system.workers.at(-1)?.die('exit code 7');
      await run.system.calm();
      await run.system.elapse(999);
      await run.system.calm();
    }
    const error = await run.primary.failed;
    const what = `worker 0 failed to start ${STARTS_MAX} times in a row: worker 0 exited`;
    assert.equal(error.message, `${what} (exit code 7)`);
    assert.equal((error as { code?: string }).code, 'ECHILD');
    assert.equal(run.lines.at(-1), `error: ${what} (exit code 7); the server closes`);
    assert.equal(run.system.isFailed, true);
    await run.close();
  });
});

describe('a reload', () => {
  it('that fails says whether workers keep serving', async () => {
    const run = await Run.up();
    const reloaded = run.primary.reload();
    await run.system.settle();
    run.worker(2).fail();
    await run.system.settle();
    run.worker(2).deliver();
    await assert.rejects(reloaded, {
      message: 'reload failed, workers that were not replaced keep serving: no root',
    });
    await run.system.calm();
    assert.equal(run.system.workers.filter(({ serves }) => serves).length, 2);
    const second = run.primary.reload();
    const rejected = assert.rejects(second, /^Error: reload failed: /);
    await run.system.settle();
    await run.close();
    await rejected;
    await assert.rejects(run.primary.reload(), CLOSED);
  });
});

describe('the workers of a primary', () => {
  it('are sent what one of them publishes, and it is not', async () => {
    const run = await Run.up({ workers: 3, listeners: 3 });
    run.system.events.length = 0;
    run.says(run.worker(1), { vibing: 'published', topic: 'a', message: 1 });
    const sent = run.system.events.filter((event) => event.includes('published'));
    assert.deepEqual(
      sent.map((event) => / (worker \S+) is sent/.exec(event)?.[1]),
      ['worker 0#0', 'worker 2#2'],
    );
    await run.close();
  });
});
