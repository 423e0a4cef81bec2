// A cluster whose workers die or cannot start: real processes and real signals, each sent to a
// process that this test started.

import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { leaveOutOfCoverage } from '../../testing/coverage.ts';
import { get } from '../../testing/raw-client.ts';
import { eventually, fewDrivers, onDriversInTurn, oneDriver } from '../../testing/with-server.ts';
import { ask, freshPid, pidsOf, withWorkers } from '../behaviour/fixtures/workers.ts';
import { connections, gone, inFolder, withChild } from './fixtures/supervision-fixture.ts';

leaveOutOfCoverage();

onDriversInTurn(
  'workers that die',
  (add) => {
    add('kill -9 of a worker breaks its own connections only', async (driver) => {
      await withWorkers(driver, async (port) => {
        const clients = await connections(port, 2);
        const [victim, survivor] = clients.keys();
        process.kill(victim, 'SIGKILL');
        await clients.get(victim)?.ending();
        for (let count = 0; count < 20; count++) {
          const response = await clients.get(survivor)?.ask(get('/'));
          assert.equal(Number(response?.text), survivor);
        }
        const fresh = await pidsOf(port, 2);
        assert.ok(fresh.has(survivor) && !fresh.has(victim));
      });
    });

    add('a sibling serves the clients of a dead worker until the next one listens', (driver) =>
      inFolder((folder) =>
        withWorkers(
          driver,
          async (port) => {
            const before = await pidsOf(port, 2);
            const [victim, survivor] = before;
            writeFileSync(join(folder, 'wait'), '');
            process.kill(victim, 'SIGKILL');
            await gone([victim]);
            // On Linux half of these connect to the listener of the dead one.
            for (let count = 0; count < 40; count++) assert.equal(await ask(port), survivor);
            rmSync(join(folder, 'wait'));
            await freshPid(port, new Set([survivor]));
            // It no longer accepts for the other one, which now accepts for it.
            process.kill(survivor, 'SIGKILL');
            await gone([survivor]);
            await pidsOf(port, 2);
          },
          0,
          folder,
        ),
      ),
    );
  },
  fewDrivers(),
);

onDriversInTurn(
  'workers that cannot start',
  (add) => {
    add('a crash loop ends with one line and exit code 1', (driver) =>
      inFolder((folder) =>
        withChild([driver, '0', folder], async (child) => {
          const port = Number((await child.firstLine())['port']);
          const pids = await pidsOf(port, 2);
          writeFileSync(join(folder, 'crash'), '');
          for (const pid of pids) process.kill(pid, 'SIGKILL');
          await eventually('the server gives up', () => child.out.includes('ended: '));
          assert.equal(await child.end(), 1);
          const lines = child.problems.split('\n').filter((line) => line.includes('in a row'));
          assert.equal(lines.length, 1, child.problems);
          assert.match(
            lines[0],
            /^vibing error: worker \d failed to start 5 times in a row: .*\(exit code 7\); the/,
          );
          await assert.rejects(ask(port));
        }),
      ),
    );

    add('workers that never start fail listen()', (driver) =>
      inFolder(async (folder) => {
        writeFileSync(join(folder, 'crash'), '');
        await withChild([driver, '0', folder], async (child) => {
          const { code, message } = await child.firstLine();
          assert.equal(code, 'ECHILD');
          assert.match(
            String(message),
            /^worker 0 failed to start 5 times in a row: .*exit code 7/,
          );
          assert.equal(await child.end(), 0);
        });
      }),
    );
  },
  oneDriver(),
);
