// What every worker of a cluster has: its name in the log, its core, and its own sockets only.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { get, RawClient } from '../../testing/raw-client.ts';
import { fewDrivers, onDriversInTurn, oneDriver } from '../../testing/with-server.ts';
import { ask, pidsOf, withWorkers } from '../behaviour/fixtures/workers.ts';

onDriversInTurn(
  'workers and their sockets',
  (add) => {
    add('children of a worker inherit no socket', async (driver, context) => {
      if (!existsSync('/proc/self/fd')) {
        context.skip('there is no /proc here');
        return;
      }
      await withWorkers(driver, async (port) => {
        const client = await RawClient.open(port);
        const listing = (await client.ask(get('/descriptors', 'Connection: close'))).text;
        client.half();
        const sockets = listing.split('\n').filter((line) => /[3-9]\d* -> socket:/.test(line));
        assert.match(listing, / 0 -> /);
        assert.deepEqual(sockets, []);
      });
    });

    add('connections spread evenly', async (driver, context) => {
      if (driver === 'net') {
        context.skip('node:cluster distributes round-robin by itself');
        return;
      }
      await withWorkers(driver, async (port) => {
        const counts = new Map<number, number>();
        // By chance a worker gets 1,000 with a deviation of 22: 1.25 is five deviations away.
        for (let round = 0; round < 50; round++) {
          for (const pid of await Promise.all(Array.from({ length: 40 }, () => ask(port)))) {
            counts.set(pid, (counts.get(pid) ?? 0) + 1);
          }
        }
        const sorted = [...counts.values()].sort((a, b) => a - b);
        assert.equal(sorted.length, 2);
        assert.ok(sorted[1] / sorted[0] <= 1.25, `connections a worker: ${sorted}`);
      });
    });
  },
  fewDrivers(),
);

onDriversInTurn(
  'workers and their primary',
  (add) => {
    add(
      'log lines of a worker name it, and each worker reports what it has served',
      async (driver) => {
        const requests = 30;
        let problems = () => '';
        await withWorkers(driver, async (port, child) => {
          problems = () => child.problems;
          for (let count = 1; count < requests; count++) await ask(port);
          const client = await RawClient.open(port);
          assert.equal((await client.ask(get('/throw', 'Connection: close'))).status, 500);
          client.half();
        });
        assert.match(
          problems(),
          /^vibing error: worker [01]: GET \/throw: Error: thrown on purpose/m,
        );
        let served = 0;
        const lines = problems().matchAll(/worker \d served (\d+) connections, (\d+) requests/g);
        for (const [, accepted, responded] of lines) {
          assert.equal(accepted, responded);
          served += Number(responded);
        }
        assert.equal(served, requests);
      },
    );

    add('each worker runs on a core of its own', async (driver, context) => {
      if (!existsSync('/proc/self/status')) {
        context.skip('there is no /proc here');
        return;
      }
      const coresOf = (pid: number | 'self') =>
        /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '';
      await withWorkers(driver, async (port) => {
        const cores = [...(await pidsOf(port, 2))].map(coresOf);
        for (const core of cores) assert.match(core, /^\d+$/);
        if (!/^\d+$/.test(coresOf('self'))) assert.equal(new Set(cores).size, 2, String(cores));
      });
    });
  },
  oneDriver(),
);
