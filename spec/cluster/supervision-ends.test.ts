// How workers exit: at a signal, by SIGKILL when they hang, and when the primary is gone.

import assert from 'node:assert/strict';
import { leaveOutOfCoverage } from '../../testing/coverage.ts';
import { get, RawClient } from '../../testing/raw-client.ts';
import { eventually, fewDrivers, onDriversInTurn, oneDriver } from '../../testing/with-server.ts';
import { isAlive, pidsOf, withWorkers } from '../behaviour/fixtures/workers.ts';
import { connections, gone, withChild } from './fixtures/supervision-fixture.ts';

leaveOutOfCoverage();

onDriversInTurn(
  'workers that end',
  (add) => {
    add('SIGTERM to a worker drains it, and it is replaced', async (driver) => {
      await withWorkers(driver, async (port, child) => {
        const clients = await connections(port, 2);
        const [leaver, other] = clients.keys();
        const client = clients.get(leaver);
        assert.ok(client !== undefined);
        await client.send(get('/after/300'));
        // A worker ignores SIGINT and SIGHUP, which a terminal sends to all processes.
        for (const signal of ['SIGINT', 'SIGHUP'] as const) process.kill(leaver, signal);
        process.kill(leaver, 'SIGTERM');
        const response = await client.nextResponse();
        assert.equal(Number(response.text), leaver);
        assert.equal(response.field('connection'), 'close');
        client.half();
        await gone([leaver]);
        const fresh = await pidsOf(port, 2);
        assert.ok(fresh.has(other) && !fresh.has(leaver));
        assert.match(child.problems, /worker \d is closing; its replacement starts/);
        assert.doesNotMatch(child.problems, /vibing error/);
      });
    });
  },
  fewDrivers(),
);

onDriversInTurn(
  'workers that have to exit',
  (add) => {
    add('a worker that hangs is killed after its timeout', async (driver) => {
      let pids = new Set<number>();
      await withWorkers(driver, async (port, child) => {
        pids = await pidsOf(port, 2);
        const client = await RawClient.open(port);
        await client.send(get('/hang'));
        await eventually('a worker hangs', () => child.out.includes('hanging'));
        void client.ending().catch(() => {});
      });
      for (const pid of pids) assert.equal(isAlive(pid), false);
    });
  },
  oneDriver(),
);

onDriversInTurn(
  'workers whose primary is gone',
  (add) => {
    add('when the primary is killed, workers finish their requests and exit', (driver) =>
      withChild([driver, '0'], async (child) => {
        const port = Number((await child.firstLine())['port']);
        const clients = await connections(port, 2);
        for (const client of clients.values()) await client.send(get('/after/200'));
        child.process.kill('SIGKILL');
        for (const [pid, client] of clients) {
          assert.equal(Number((await client.nextResponse()).text), pid);
          client.half();
        }
        await gone(clients.keys());
      }),
    );
  },
  fewDrivers(),
);
