// The warm-up of a worker: it serves requests of its own on the driver, and leaves nothing behind.

import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readdirSync } from 'node:fs';
import { describe, it } from 'node:test';
import { warmUp } from '../../src/cluster/warm-up.ts';
import { configFrom } from '../../src/server/config/config.ts';
import { chosenDrivers } from '../../testing/with-server.ts';

const BUDGET_MS = 20;

const descriptors = (): number => readdirSync('/proc/self/fd').length;

describe('warmUp()', () => {
  for (const driver of chosenDrivers().filter((name) => name !== 'net')) {
    it(`sends requests and closes what it opened, driver ${driver}`, async () => {
      // What a driver keeps for the process is open then.
      await warmUp(configFrom({ driver }), 0);
      const before = descriptors();
      assert.ok((await warmUp(configFrom({ driver }), BUDGET_MS)) > 0);
      assert.equal(descriptors(), before);
    });
  }

  it('does nothing with the driver net', async () => {
    assert.equal(await warmUp(configFrom({ driver: 'net' }), BUDGET_MS), 0);
  });

  it('takes no more blocks than are configured, and when it fails says why', async () => {
    const config = configFrom({ driver: chosenDrivers().find((name) => name !== 'net') ?? 'net' });
    const limits = { ...config.limits, blockCount: -1 };
    const notes: string[] = [];
    const note = (text: string): void => void notes.push(text);
    assert.equal(await warmUp({ ...config, limits }, BUDGET_MS, note), 0);
    if (config.driver === 'net') return;
    assert.equal(notes.length, 1);
    assert.match(notes[0], /^a worker serves without a warm-up, which failed: ./);
  });

  it('sends nothing while a tracer would see it', async () => {
    const [driver] = chosenDrivers();
    let seen = 0;
    const listener = (): void => {
      seen += 1;
    };
    subscribe('vibing.request.start', listener);
    try {
      assert.equal(await warmUp(configFrom({ driver }), BUDGET_MS), 0);
      assert.equal(seen, 0);
    } finally {
      unsubscribe('vibing.request.start', listener);
    }
  });
});
