// A reload that stops, reloads during a reload, and a server that has nothing to reload.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createServer } from '../../src/index.ts';
import type { Child } from '../server/child.ts';
import { eventually, fewDrivers, onEachDriver } from '../server/with-server.ts';
import { isAlive, pidsOf, reload, withWorkers } from '../server/workers-world.ts';

onEachDriver(
  'reload',
  (add) => {
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
  },
  fewDrivers(),
);

test('a server of one process cannot reload, and says why', async () => {
  const server = createServer({ port: 0 });
  await assert.rejects(server.reload(), /cannot reload: .*workers above 1 or supervise/);
  await server.listen();
  await assert.rejects(server.reload(), /cannot reload/);
  await server.close();
  assert.equal(await server.ended, null);
});
