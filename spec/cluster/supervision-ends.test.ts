// How workers end: at a signal of their own, by force when they hang, and when they are left alone.

import assert from 'node:assert/strict';
import { get, RawClient } from '../../testing/raw-client.ts';
import { eventually, fewDrivers, onEachDriver } from '../../testing/with-server.ts';
import { isAlive, pidsOf, withWorkers } from '../behaviour/fixtures/workers.ts';
import { connections, gone, withChild } from './supervision-fixture.ts';

onEachDriver('workers that end', (add) => {
  add('SIGTERM to a worker drains it, and it is replaced', async (driver) => {
    await withWorkers(driver, async (port, child) => {
      const clients = await connections(port, 2);
      const [leaver, other] = clients.keys();
      const client = clients.get(leaver);
      assert.ok(client !== undefined);
      await client.send(get('/after/300'));
      // SIGINT and SIGHUP of a terminal reach everybody, and mean nothing to a worker.
      for (const signal of ['SIGINT', 'SIGHUP'] as const) process.kill(leaver, signal);
      process.kill(leaver, 'SIGTERM');
      const response = await client.nextResponse();
      assert.equal(Number(response.text), leaver);
      assert.equal(response.field('connection'), 'close');
      client.half();
      await gone([leaver]);
      const fresh = await pidsOf(port, 2);
      assert.ok(fresh.has(other) && !fresh.has(leaver));
      assert.match(child.problems, /worker \d finishes and ends; a new one starts/);
      assert.doesNotMatch(child.problems, /vibing error/);
    });
  });
});

onEachDriver(
  'workers that have to end',
  (add) => {
    add('a worker that hangs is killed in the end', async (driver) => {
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

    add('when the primary is killed, workers finish what is in flight and end', (driver) =>
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
