// One worker as its primary sees it, over a scripted child: messages that cross, come twice or too
// late, and what is not sent to a worker that takes nothing.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FromPrimary, FromWorker, Published, Ready } from '../../src/cluster/messages.ts';
import type { Child, ChildEvents } from '../../src/cluster/ports.ts';
import { WorkerProcess } from '../../src/cluster/worker-process.ts';
import { WorkerSlot } from '../../src/cluster/worker-slot.ts';

const LISTENING: Ready = {
  vibing: 'listening',
  port: 1,
  driver: 'epoll',
  fixed: {},
  options: {},
};
const PUBLISHED: Published = { vibing: 'published', topic: 'a', message: 1 };

class ScriptedChild implements Child {
  readonly pid = 42;
  stopped = false;
  readonly sent: string[] = [];
  readonly leaving: (() => void)[] = [];
  kills = 0;
  events: ChildEvents | null = null;

  watch(events: ChildEvents): void {
    this.events = events;
  }

  send(message: FromPrimary, sent?: () => void): void {
    this.sent.push(message.vibing);
    if (sent !== undefined) this.leaving.push(sent);
  }

  kill(): void {
    this.kills += 1;
  }

  isStopped(): boolean {
    return this.stopped;
  }

  says(message: FromWorker): void {
    this.events?.received(message);
  }
}

interface Scripted {
  readonly child: ScriptedChild;
  readonly worker: WorkerProcess;
  /** Delays of the timers that run. */
  readonly timers: number[];
  readonly events: string[];
}

function scripted(): Scripted {
  const child = new ScriptedChild();
  const timers: number[] = [];
  const events: string[] = [];
  const after = (delayMs: number): (() => void) => {
    timers.push(delayMs);
    return () => {
      const at = timers.indexOf(delayMs);
      if (at >= 0) timers.splice(at, 1);
    };
  };
  const note = (what: string) => () => void events.push(what);
  const worker = new WorkerProcess(
    0,
    child,
    { now: () => 0, after },
    {
      closing: note('closing'),
      exited: note('exited'),
      overdue: (text) => void events.push(text),
      note: note('note'),
      served: note('served'),
      published: note('published'),
    },
  );
  return { child, worker, timers, events };
}

const STARTING = { vibing: 'starting', shutdownTimeoutMs: 5_000, isDebugged: false } as const;

describe('a worker', () => {
  it('that was killed while it started is not allowed to listen', () => {
    const { child, worker } = scripted();
    worker.kill();
    child.says(STARTING);
    assert.equal(worker.mayListen, false);
    assert.deepEqual(child.sent, []);
    assert.equal(child.kills, 1);
  });

  it('that closes before it listens has not started, and says why', async () => {
    for (const [end, message] of [
      [{ vibing: 'closing' }, 'worker 0 was closed while it started'],
      [{ vibing: 'failed', message: 'no root', code: 'ENOENT' }, 'no root'],
      [null, 'worker 0 exited before it listened (SIGKILL)'],
    ] as const) {
      const { child, worker } = scripted();
      child.says(STARTING);
      if (end === null) child.events?.exited('SIGKILL', true);
      else child.says(end);
      const isReported = end?.vibing === 'failed';
      const code = isReported ? 'ENOENT' : 'ECHILD';
      await assert.rejects(worker.ready, { message, code, isReported });
    }
  });

  it('has listened for no time before it listens', () => {
    const { child, worker } = scripted();
    child.says(STARTING);
    assert.equal(worker.listenedMs, -1);
    child.says(LISTENING);
    assert.equal(worker.listenedMs, 0);
  });

  it('ignores what is no message of a worker', () => {
    const { child, events, worker } = scripted();
    for (const message of [null, undefined, 1, 'starting', {}, { vibing: 'other' }]) {
      child.events?.received(message);
    }
    assert.deepEqual([child.sent, events, worker.mayListen], [[], [], false]);
  });

  it('exits once, whatever reports it, and is not killed or asked afterwards', () => {
    const { child, events, timers, worker } = scripted();
    child.says(STARTING);
    child.says(LISTENING);
    assert.deepEqual(timers, []);
    worker.retire();
    assert.deepEqual(timers, [7_000]);
    child.events?.exited('SIGKILL', true);
    child.events?.exited('exit code 0', false);
    assert.deepEqual(events, ['exited']);
    assert.equal(worker.exitReason, 'SIGKILL');
    assert.deepEqual(timers, []);
    // What it had sent before comes behind its exit.
    child.says({ vibing: 'closing' });
    child.says(LISTENING);
    worker.retire();
    worker.kill();
    assert.deepEqual(timers, []);
    assert.equal(child.kills, 0);
    assert.equal(worker.isUsable, false);
  });

  it('that closes, or is asked to, does so once, in the time of its configuration', () => {
    for (const isAsked of [false, true]) {
      const { child, events, timers, worker } = scripted();
      child.says(STARTING);
      if (isAsked) worker.retire();
      else child.says({ vibing: 'closing' });
      assert.deepEqual(timers, [7_000], 'that of its start ends');
      child.says({ vibing: 'closing' });
      worker.retire();
      // It was about to listen.
      child.says(LISTENING);
      assert.deepEqual(timers, [7_000]);
      assert.deepEqual(events, isAsked ? [] : ['closing']);
      assert.deepEqual(child.sent, isAsked ? ['listen', 'close'] : ['listen']);
      child.says({ vibing: 'served', connections: 1, requests: 2 });
      assert.deepEqual(child.sent.at(-1), 'exit');
    }
  });

  it('gets a bounded number of messages of others while it takes none', () => {
    const { child, worker } = scripted();
    worker.deliver(PUBLISHED);
    assert.deepEqual(child.sent, [], 'none before it may listen');
    child.says(STARTING);
    child.sent.length = 0;
    for (let count = 0; count < 300; count++) worker.deliver(PUBLISHED);
    assert.equal(child.sent.length, 256);
    for (const sent of child.leaving.splice(0, 3)) sent();
    for (let count = 0; count < 300; count++) worker.deliver(PUBLISHED);
    assert.equal(child.sent.length, 259, 'as many as have left');
  });
});

describe('a worker slot', () => {
  it('whose start a reload awaits does not wait any longer', async () => {
    let isCancelled = false;
    const slot = new WorkerSlot(0, {
      now: () => 0,
      after: () => () => {
        isCancelled = true;
      },
    });
    for (let count = 0; count < 3; count++) slot.backOff.exited(-1, false);
    assert.ok(slot.backOff.waitMs > 0);
    const start = slot.start(async () => {
      await slot.wait();
      return LISTENING;
    });
    assert.ok(slot.isStarting);
    await slot.whenStarted();
    assert.equal(await start, LISTENING);
    assert.ok(isCancelled, 'no timer is left');
    assert.equal(slot.isStarting, false);
    await slot.whenStarted();
  });

  it('waits for the longer one of its own wait and that of the call', async () => {
    const waits: number[] = [];
    const slot = new WorkerSlot(0, {
      now: () => 0,
      after: (ms, due) => {
        waits.push(ms);
        due();
        return () => {};
      },
    });
    await slot.wait();
    await slot.wait(50);
    for (let count = 0; count < 3; count++) slot.backOff.exited(-1, false);
    const { waitMs } = slot.backOff;
    for (const leastMs of [0, waitMs - 1, waitMs + 1]) await slot.wait(leastMs);
    assert.deepEqual(waits, [50, waitMs, waitMs, waitMs + 1]);
  });

  it('that is abandoned ends its start and its wait', async () => {
    const slot = new WorkerSlot(0, { now: () => 0, after: () => () => {} });
    for (let count = 0; count < 3; count++) slot.backOff.exited(-1, false);
    let isOver = false;
    const start = slot.start(async () => {
      await slot.wait();
      isOver = true;
      return LISTENING;
    });
    slot.abandon(new Error('closed'));
    await assert.rejects(start, /closed/);
    assert.ok(isOver, 'what waits can see that it is closed');
    assert.equal(slot.isStarting, false);
  });
});
