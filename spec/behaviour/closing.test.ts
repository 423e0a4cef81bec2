// server.closing aborts when the process begins to close, so that streams without an end and
// requests that wait for something can finish.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createNetServer } from 'node:net';
import type { Server } from '../../src/server/server.ts';
import { get, RawClient } from '../../testing/raw-client.ts';
import {
  eventually,
  fewDrivers,
  makeServer,
  onDriversInTurn,
  onEachDriver,
  withServer,
} from '../../testing/with-server.ts';
import { withChild } from '../cluster/fixtures/supervision-fixture.ts';
import { programPath } from './fixtures/programs.ts';
import { isAlive, reload, withWorkers } from './fixtures/workers.ts';

/** Far beyond the time limit of a test. */
const LONG_MS = 600_000;

/** Handlers that respond until or when the server closes. */
function untilClosing(server: Server): void {
  server.get('/events', async (_request, response) => {
    const events = response.events();
    await events.send('first');
    await once(server.closing, 'abort');
    events.close();
  });
  server.get('/poll', (_request, response) => {
    server.closing.addEventListener('abort', () => response.text('nothing new'), { once: true });
  });
}

onEachDriver('server.closing', (add) => {
  add('aborts with close(), and is a new signal for the next listen()', async (driver) => {
    const { server } = makeServer(driver, {});
    const first = server.closing;
    for (let round = 1; round <= 3; round++) {
      await server.listen();
      const { closing } = server;
      assert.equal(closing.aborted, false);
      assert.equal(server.closing, closing, 'every read returns the same signal');
      assert.equal(closing === first, round === 1, 'the first signal exists before listen()');
      let aborts = 0;
      closing.addEventListener('abort', () => {
        aborts += 1;
      });
      const closed = server.close();
      assert.deepEqual([closing.aborted, aborts], [true, 1], 'at once');
      await closed;
      await server.close();
      assert.deepEqual([server.closing, aborts], [closing, 1]);
    }
  });

  add('lets event streams end, which their clients see', async (driver) => {
    const options = { shutdownTimeoutMs: LONG_MS };
    await withServer(driver, options, untilClosing, async ({ open, server }) => {
      const clients = await Promise.all(Array.from({ length: 12 }, open));
      const warnings: Error[] = [];
      const warned = (warning: Error) => warnings.push(warning);
      process.on('warning', warned);
      for (const client of clients) await client.send(get('/events'));
      for (const client of clients) await client.sees('first');
      const closed = server.close();
      for (const client of clients) {
        assert.match((await client.nextResponse()).text, /^data: first\n\n$/);
        await client.endsCleanly();
        client.half();
      }
      await closed;
      process.off('warning', warned);
      assert.deepEqual(warnings, [], 'the number of listeners is not limited');
    });
  });

  add('a response that a listener sends closes its connection', async (driver) => {
    const options = { shutdownTimeoutMs: LONG_MS, drainLingerMs: 60_000 };
    await withServer(driver, options, untilClosing, async ({ open, server }) => {
      const client = await open();
      await client.send(get('/poll'));
      await eventually('the handler runs', () => server.counters.requests === 1);
      const closed = server.close();
      const response = await client.nextResponse();
      assert.deepEqual([response.text, response.field('connection')], ['nothing new', 'close']);
      await client.endsCleanly();
      client.half();
      await closed;
    });
  });

  add('a listener may call close()', async (driver) => {
    const { server } = makeServer(driver, {});
    await server.listen();
    const inner: Promise<void>[] = [];
    server.closing.addEventListener('abort', () => inner.push(server.close()));
    await server.close();
    assert.equal(inner.length, 1);
    await inner[0];
  });

  add('aborts when close() is called during listen()', async (driver) => {
    const { server } = makeServer(driver, {});
    const listening = server.listen().catch(() => {});
    const { closing } = server;
    await server.close();
    assert.equal(closing.aborted, true);
    await listening;
  });

  add('does not abort when listening fails', async (driver) => {
    const other = createNetServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const address = other.address();
    assert.ok(typeof address === 'object' && address !== null);
    const { server } = makeServer(driver, { port: address.port });
    await assert.rejects(server.listen(), { code: 'EADDRINUSE' });
    assert.equal(server.closing.aborted, false);
    await new Promise((resolve) => other.close(resolve));
  });

  add('a listener that throws is an uncaught exception, and closing continues', async (driver) => {
    const command = [programPath('closing-throws'), driver];
    const out = execFileSync(process.execPath, command, { encoding: 'utf8' });
    assert.deepEqual(out.split('\n').sort(), ['', 'aborted', 'closed', 'uncaught: on purpose']);
  });
});

/** Opens an event stream of each of the two workers: their clients, by pid. */
async function openEvents(port: number): Promise<Map<number, RawClient>> {
  const clients = new Map<number, RawClient>();
  for (let tries = 0; clients.size < 2 && tries < 400; tries++) {
    const client = await RawClient.open(port);
    await client.send(get('/events'));
    await client.sees('\n\n');
    await client.sees('data: ');
    const pid = Number(/data: (\d+)\n/.exec(client.rest.toString('latin1'))?.[1]);
    assert.ok(pid > 0);
    if (clients.has(pid)) client.reset();
    else clients.set(pid, client);
  }
  assert.equal(clients.size, 2);
  return clients;
}

async function receivesEnd(client: RawClient): Promise<void> {
  assert.match((await client.nextResponse()).text, /event: bye\ndata: closing\n\n$/);
  await client.endsCleanly();
  client.half();
}

onDriversInTurn(
  'server.closing of workers',
  (add) => {
    add('aborts when the primary closes', async (driver) => {
      await withWorkers(driver, async (port, child) => {
        const clients = await openEvents(port);
        const ended = child.end();
        for (const client of clients.values()) await receivesEnd(client);
        assert.equal(await ended, 0, child.problems);
      });
    });

    add('aborts in the workers that a reload replaces', async (driver) => {
      await withWorkers(driver, async (port, child) => {
        const clients = await openEvents(port);
        const reloaded = reload(child);
        for (const client of clients.values()) await receivesEnd(client);
        await reloaded;
        await eventually(
          'the replaced workers have exited',
          () => ![...clients.keys()].some(isAlive),
        );
        for (const client of (await openEvents(port)).values()) client.reset();
      });
    });

    add('aborts in the one worker that gets SIGTERM', async (driver) => {
      await withWorkers(driver, async (port) => {
        const [[pid, signalled], [, other]] = await openEvents(port);
        process.kill(pid, 'SIGTERM');
        await receivesEnd(signalled);
        await other.staysQuiet();
        other.reset();
        await eventually('the worker has exited', () => !isAlive(pid));
      });
    });

    add('aborts when the primary was killed', async (driver) => {
      await withChild([driver, '0'], async (child) => {
        const clients = await openEvents(Number((await child.firstLine())['port']));
        child.process.kill('SIGKILL');
        for (const client of clients.values()) await receivesEnd(client);
        await eventually('the workers have exited', () => ![...clients.keys()].some(isAlive));
      });
    });
  },
  fewDrivers(),
);
