// A rolling reload: every worker is replaced, one after the other, and nobody notices.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createServer } from '../../src/index.ts';
import type { Child } from '../server/child.ts';
import { eventually, onEachDriver } from '../server/with-server.ts';
import { isAlive, pidsOf, SteadyClient, withWorkers } from '../server/workers-world.ts';

const CLIENTS = 4;

/** Reloads so many times at once, and waits for what comes of it. */
async function reload(child: Child, times = 1): Promise<void> {
  const lines = () => child.out.match(/reloaded/g)?.length ?? 0;
  const before = lines();
  child.process.stdin.write('reload\n'.repeat(times));
  await eventually('the reload is over', () => lines() === before + times);
}

onEachDriver('reload', (add) => {
  add('both workers are replaced under load, and no request fails', async (driver) => {
    await withWorkers(driver, async (port, child) => {
      const before = await pidsOf(port, 2);
      const clients = Array.from({ length: CLIENTS }, () => new SteadyClient(port));
      const answered = () => {
        for (const { failure } of clients) if (failure !== null) throw failure;
        return clients.every((client) => client.answers > 0);
      };
      await eventually('the load is there', answered);
      await reload(child);
      await eventually('the old ones have ended', () => ![...before].some(isAlive));
      const after = await pidsOf(port, 2);
      for (const client of clients) client.answers = 0;
      await eventually('the load goes on', answered);
      for (const client of clients) await client.stop();
      for (const pid of before) assert.ok(!after.has(pid), 'both are fresh');
      const known = new Set([...before, ...after]);
      for (const { pids } of clients) {
        for (const pid of pids) assert.ok(known.has(pid), 'no other process has answered');
      }
      assert.match(child.out, /\nreloaded\n/);
      assert.doesNotMatch(child.problems, /vibing (error|warn)/);
    });
  });

  add(
    'when a fresh worker does not come up, the reload stops and the others go on',
    async (driver) => {
      const folder = mkdtempSync(join(tmpdir(), 'vibing-workers-'));
      try {
        const body = async (port: number, child: Child): Promise<void> => {
          const before = await pidsOf(port, 2);
          writeFileSync(join(folder, 'crash'), '');
          await reload(child);
          assert.match(
            child.out,
            /\nnot reloaded: reload stopped, the workers of before go on: .*exit code 7/,
          );
          assert.deepEqual(await pidsOf(port, 2), before);
          rmSync(join(folder, 'crash'));
          await reload(child);
          await eventually('the old ones have ended', () => ![...before].some(isAlive));
          await pidsOf(port, 2);
        };
        await withWorkers(driver, body, 0, folder);
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );

  add('calls during a reload become one more', async (driver) => {
    await withWorkers(driver, async (_port, child) => {
      await reload(child, 4);
      const count = () => child.problems.match(/reloaded: 2 fresh workers serve/g)?.length ?? 0;
      await eventually('both were told', () => count() >= 2);
      await reload(child);
      await eventually('and no more than two', () => count() >= 3);
      assert.equal(count(), 3);
    });
  });
});

test('a server of one process cannot reload, and says why', async () => {
  const server = createServer({ port: 0 });
  await assert.rejects(server.reload(), /cannot reload: .*workers above 1 or supervise/);
  await server.listen();
  await assert.rejects(server.reload(), /cannot reload/);
  await server.close();
  assert.equal(await server.ended, null);
});
