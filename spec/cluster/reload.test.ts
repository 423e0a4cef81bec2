// Reloads that fail, reloads during a reload, and a server that cannot reload.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createServer } from '../../src/index.ts';
import type { ChildProgram } from '../../testing/child-program.ts';
import { leaveOutOfCoverage } from '../../testing/coverage.ts';
import { get, RawClient } from '../../testing/raw-client.ts';
import { eventually, fewDrivers, onDriversInTurn } from '../../testing/with-server.ts';
import { freshPid, isAlive, pidsOf, reload, withWorkers } from '../behaviour/fixtures/workers.ts';
import { inFolder } from './fixtures/supervision-fixture.ts';

leaveOutOfCoverage();

/** Enough that every worker gets some. */
const CLIENTS = 40;

onDriversInTurn(
  'reload',
  (add) => {
    add(
      'when a new worker does not listen, the reload fails and the others keep serving',
      async (driver) => {
        const folder = mkdtempSync(join(tmpdir(), 'vibing-workers-'));
        try {
          const body = async (port: number, child: ChildProgram): Promise<void> => {
            const before = await pidsOf(port, 2);
            writeFileSync(join(folder, 'crash'), '');
            await reload(child);
            assert.match(
              child.out,
              /\nnot reloaded: reload failed, workers .* keep serving: .*exit code 7/,
            );
            assert.deepEqual(await pidsOf(port, 2), before);
            rmSync(join(folder, 'crash'));
            await reload(child);
            await eventually('the old ones have exited', () => ![...before].some(isAlive));
            await pidsOf(port, 2);
          };
          await withWorkers(driver, body, 0, folder);
        } finally {
          rmSync(folder, { recursive: true });
        }
      },
    );

    add('a close during a reload serves clients that a new worker has accepted', async (driver) => {
      await inFolder(async (folder) => {
        const body = async (port: number, child: ChildProgram): Promise<void> => {
          const before = await pidsOf(port, 2);
          writeFileSync(join(folder, 'mute'), '');
          child.process.stdin.write('reload\n');
          await freshPid(port, before);
          const clients: RawClient[] = [];
          for (let count = 0; count < CLIENTS; count++) {
            const client = await RawClient.open(port);
            await client.ask(get('/'));
            void client.send(get('/after/500'));
            clients.push(client);
          }
          child.process.stdin.end();
          const pids = new Set<number>();
          for (const client of clients) {
            pids.add(Number((await client.nextResponse()).text));
            client.half();
          }
          assert.ok(
            [...pids].some((pid) => !before.has(pid)),
            'a new one had some of them',
          );
        };
        await withWorkers(driver, body, 0, folder);
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
