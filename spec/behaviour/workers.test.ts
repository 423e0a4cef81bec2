// Several worker processes on one port: they share its clients, one that exits is replaced, and
// close() ends them all.

import assert from 'node:assert/strict';
import { createServer as createNetServer } from 'node:net';
import { get, post, RawClient } from '../../testing/raw-client.ts';
import { FIFTHS } from '../../testing/rotation.ts';
import { chosenDrivers, eventually, onDriversInTurn, wait } from '../../testing/with-server.ts';
import { startProgram } from './fixtures/programs.ts';
import { ask, freshPid, isAlive, pidsOf, withWorkers } from './fixtures/workers.ts';

/** A port that is free now, and most likely still in a moment. */
async function freePort(): Promise<number> {
  const probe = createNetServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  assert.ok(typeof address === 'object' && address !== null);
  await new Promise((resolve) => probe.close(resolve));
  return address.port;
}

onDriversInTurn(
  'workers',
  (add) => {
    add('both serve one port; close() ends them', async (driver) => {
      let pids = new Set<number>();
      let primary = 0;
      await withWorkers(driver, async (port, child) => {
        primary = child.process.pid ?? 0;
        pids = await pidsOf(port, 2);
        assert.equal(pids.size, 2);
        assert.ok(!pids.has(primary), 'the primary serves nothing itself');
      });
      for (const pid of [...pids, primary]) assert.equal(isAlive(pid), false);
    });

    add('each has the handlers for errors and for paths without a route', async (driver) => {
      await withWorkers(driver, async (port) => {
        const client = await RawClient.open(port);
        for (const [bytes, status, text] of [
          [get('/missing'), 404, 'notFound /missing'],
          [post('/slow', ''), 405, 'onError /slow'],
          [get('/throw'), 500, 'onError /throw'],
        ] as const) {
          const response = await client.ask(bytes);
          const [pid, shown] = JSON.parse(response.text);
          assert.deepEqual([response.status, shown], [status, text]);
          assert.ok((await pidsOf(port, 2)).has(pid), 'a worker responds');
        }
        client.reset();
      });
    });

    add('close() lets requests in flight complete', async (driver) => {
      await withWorkers(driver, async (port, child) => {
        const clients = await Promise.all(Array.from({ length: 10 }, () => RawClient.open(port)));
        for (const client of clients) await client.send(get('/slow'));
        const arrived = () => child.out.split('\nslow').length - 1;
        await eventually('all requests are in flight', () => arrived() === clients.length);
        const ended = child.end();
        for (const client of clients) {
          const response = await client.nextResponse();
          assert.equal(response.status, 200);
          assert.equal(response.field('connection'), 'close');
          await client.endsCleanly();
          client.half();
        }
        assert.equal(await ended, 0);
      });
    });

    add('a worker that is killed is replaced, the other serves meanwhile', async (driver) => {
      await withWorkers(driver, async (port, child) => {
        const before = await pidsOf(port, 2);
        const [victim, survivor] = before;
        process.kill(victim, 'SIGKILL');
        await eventually('the primary notices', () => child.problems.includes('exited (SIGKILL)'));
        assert.notEqual(await freshPid(port, new Set([survivor])), victim);
        assert.equal(isAlive(survivor), true);
        assert.equal((await pidsOf(port, 2)).size, 2);
      });
    });

    for (const kind of ['a port of its own', 'port 0'] as const) {
      add(`both killed at once, with ${kind}: new workers serve the port`, async (driver) => {
        const body = async (port: number): Promise<void> => {
          const pids = await pidsOf(port, 2);
          for (const pid of pids) process.kill(pid, 'SIGKILL');
          await eventually('they have exited', () => ![...pids].some(isAlive));
          // On Linux clients wait in the primary's backlog; on net connecting may fail at first.
          let fresh = 0;
          for (let tries = 0; fresh === 0 && tries < 400; tries++) {
            fresh = await ask(port).catch(() => 0);
            if (driver !== 'net') assert.ok(fresh > 0, 'no connection fails');
            if (fresh === 0) await wait(10);
          }
          assert.ok(fresh > 0 && !pids.has(fresh), 'a new worker serves the same port');
        };
        await withWorkers(driver, body, kind === 'port 0' ? 0 : await freePort());
      });
    }

    add('a port in use is reported by its code, and all processes exit', async (driver) => {
      const other = createNetServer();
      await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
      const address = other.address();
      assert.ok(typeof address === 'object' && address !== null);
      const child = startProgram('workers-server', [driver, String(address.port)]);
      assert.equal((await child.firstLine())['code'], 'EADDRINUSE');
      assert.equal(await child.end(), 0, child.problems);
      other.close();
    });
  },
  chosenDrivers(),
  FIFTHS,
);
