// The timer that probes watched sockets: it runs while there are some, and keeps no process alive.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, it, mock } from 'node:test';
import { WATCH_PROBE_MS } from '../../../src/base/fixed-limits.ts';
import { NetProbe } from '../../../src/driver/net/probe.ts';

beforeEach(() => mock.timers.enable({ apis: ['setInterval'] }));
afterEach(() => mock.timers.reset());

function counted(): { probe(): void; count: number } {
  return {
    count: 0,
    probe() {
      this.count += 1;
    },
  };
}

it('each watched socket is probed, one that is no longer watched is not', () => {
  const probe = new NetProbe();
  const [one, other] = [counted(), counted()];
  probe.add(one);
  mock.timers.tick(WATCH_PROBE_MS - 1);
  assert.equal(one.count, 0);
  probe.add(other);
  probe.add(one);
  mock.timers.tick(1);
  assert.deepEqual([one.count, other.count], [1, 1]);
  probe.remove(one);
  probe.remove(one);
  mock.timers.tick(WATCH_PROBE_MS);
  assert.deepEqual([one.count, other.count], [1, 2]);
  probe.remove(other);
  mock.timers.tick(3 * WATCH_PROBE_MS);
  assert.deepEqual([one.count, other.count], [1, 2]);
  // Another one begins anew.
  probe.add(one);
  mock.timers.tick(WATCH_PROBE_MS);
  assert.equal(one.count, 2);
  probe.stop();
  probe.stop();
  mock.timers.tick(3 * WATCH_PROBE_MS);
  assert.equal(one.count, 2);
});

it('without a watched socket no timer runs, and none keeps the process alive', () => {
  mock.timers.reset();
  const timers = { made: 0, cleared: 0, unreferenced: 0 };
  mock.method(globalThis, 'setInterval', () => {
    timers.made += 1;
    const timer = {
      unref: () => {
        timers.unreferenced += 1;
        return timer;
      },
    };
    return timer;
  });
  mock.method(globalThis, 'clearInterval', () => {
    timers.cleared += 1;
  });
  const probe = new NetProbe();
  const [one, other] = [counted(), counted()];
  probe.stop();
  assert.deepEqual(timers, { made: 0, cleared: 0, unreferenced: 0 });
  probe.add(one);
  probe.add(other);
  probe.remove(one);
  assert.deepEqual(timers, { made: 1, cleared: 0, unreferenced: 1 });
  probe.remove(other);
  assert.equal(timers.cleared, 1, 'with the last socket');
  probe.stop();
  assert.deepEqual(timers, { made: 1, cleared: 1, unreferenced: 1 });
  mock.restoreAll();
});
