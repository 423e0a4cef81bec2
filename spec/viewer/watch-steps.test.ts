// A watch step by step: a source that returns what a test says, and its clock and timers.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { HISTORY_SECONDS_MAX } from '../../src/viewer/limits.ts';
import { FetchProblem, type SnapshotSource } from '../../src/viewer/source/fetch-snapshot.ts';
import { Watch } from '../../src/viewer/source/watch.ts';
import { Model } from './fixtures/model-server.ts';
import { START, snapshotOf } from './fixtures/steps.ts';

const INTERVAL_MS = 1_000;
const STANDING = 'the snapshots do not advance: is a cache in between?';

let nowMs = 0;
let timer: { readonly run: () => void; readonly delayMs: number } | null = null;

beforeEach(() => {
  nowMs = START * 1000;
  timer = null;
  mock.method(Date, 'now', () => nowMs);
  mock.method(globalThis, 'setTimeout', (run: () => void, delayMs: number) => {
    assert.equal(timer, null, 'one timer at a time');
    timer = { run, delayMs };
    return timer;
  });
  mock.method(globalThis, 'clearTimeout', () => {
    timer = null;
  });
});
afterEach(() => mock.restoreAll());

/** A watch of a server whose snapshots have the times that `next` is given. */
class Watched {
  readonly watch: Watch;
  readonly steps: (number | null)[] = [];
  fetches = 0;
  isClosed = false;
  #pending: { resolve(snapshot: unknown): void; reject(error: Error): void } | null = null;
  readonly #model = new Model({ workers: 1, started: START - 100 });

  constructor(intervalMs = INTERVAL_MS) {
    const source = {
      fetch: () => {
        this.fetches += 1;
        return new Promise((resolve, reject) => {
          this.#pending = { resolve, reject };
        });
      },
      close: () => {
        this.isClosed = true;
      },
    };
    this.watch = new Watch(
      source as unknown as SnapshotSource,
      { intervalMs },
      { changed: (step) => this.steps.push(step === null ? null : step.point.time - START) },
    );
  }

  /** The pending fetch has a snapshot of this time, or fails. */
  async respond(what: number | string): Promise<void> {
    const pending = this.#pending;
    assert.ok(pending !== null, 'a snapshot was asked for');
    this.#pending = null;
    if (typeof what === 'string') pending.reject(new FetchProblem(what));
    else pending.resolve({ snapshot: snapshotOf(this.#model.snapshot(START + what)), text: '' });
    await settled();
  }

  async start(): Promise<void> {
    const started = this.watch.start();
    await this.respond(0);
    await started;
  }

  /** The timer fires `lateMs` after it was due. */
  fire(lateMs = 0): void {
    assert.ok(timer !== null, 'a timer is set');
    const { delayMs, run } = timer;
    timer = null;
    nowMs += delayMs + lateMs;
    run();
  }

  async next(what: number | string, lateMs = 0): Promise<void> {
    this.fire(lateMs);
    await this.respond(what);
  }
}

/** What is pending runs: promises take some rounds. */
async function settled(): Promise<void> {
  for (let round = 0; round < 10; round++) await Promise.resolve();
}

/** The compiler takes what an earlier assertion found for constant. */
function secondsOf({ absence }: Watch): number | undefined {
  return absence?.seconds;
}

describe('a watch', () => {
  it('misses newer snapshots from the fifth old one in a row on, each time anew', async () => {
    const watched = new Watched();
    await watched.start();
    let time = 0;
    for (const old of [4, 4, 5, 4, 5]) {
      for (let count = 1; count <= old; count++) {
        await watched.next(time);
        assert.equal(watched.watch.absence?.problem, count === 5 ? STANDING : undefined);
      }
      time += 1;
      await watched.next(time);
      assert.equal(watched.watch.absence, null);
    }
    assert.deepEqual(
      watched.steps.filter((step) => step !== null),
      [1, 2, 3, 4, 5],
    );
    watched.watch.stop();
  });

  it('says for how long no metrics come: since the first that did not', async () => {
    const watched = new Watched();
    await watched.start();
    await watched.next(1);
    await watched.next('refused');
    assert.deepEqual(watched.watch.absence, { problem: 'refused', seconds: 0 });
    await watched.next('refused');
    await watched.next('reset');
    assert.deepEqual(watched.watch.absence, { problem: 'reset', seconds: 2 });
    // An old snapshot shows that the server is there.
    await watched.next(1);
    assert.equal(watched.watch.absence, null);
    await watched.next('refused');
    assert.equal(secondsOf(watched.watch), 0);
    watched.watch.stop();
  });

  it('keeps to its beat, without what is late, and whatever the clock does', async () => {
    const watched = new Watched();
    await watched.start();
    const delays: number[] = [];
    for (const [index, lateMs] of [0, 300, 0, 2_500, 0].entries()) {
      await watched.next(index + 1, lateMs);
      delays.push(timer?.delayMs ?? -1);
    }
    assert.deepEqual(delays, [1_000, 700, 1_000, 500, 1_000]);
    watched.fire();
    nowMs -= 3_600_000;
    await watched.respond(9);
    assert.equal(timer?.delayMs, 1_000);
    watched.watch.stop();
  });

  it('that is stopped during a fetch reports nothing more, and asks no more', async () => {
    for (const late of [1, 'reset']) {
      const watched = new Watched();
      await watched.start();
      watched.fire();
      watched.watch.stop();
      assert.ok(watched.isClosed);
      await watched.respond(late);
      assert.deepEqual([watched.steps, watched.fetches, timer], [[], 2, null]);
      assert.equal(watched.watch.absence, null);
      assert.equal(watched.watch.history.record.points.length, 0);
    }
  });

  it('that is stopped between two snapshots has no timer', async () => {
    const watched = new Watched();
    await watched.start();
    watched.watch.stop();
    assert.equal(timer, null);
  });

  it('keeps as many points of a longer interval', async () => {
    const watched = new Watched(60_000);
    await watched.start();
    const count = HISTORY_SECONDS_MAX / 60 + 5;
    for (let minute = 1; minute <= count; minute++) await watched.next(60 * minute);
    assert.equal(watched.watch.history.record.points.length, count);
    watched.watch.stop();
  });
});
