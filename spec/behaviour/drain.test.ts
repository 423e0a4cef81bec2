// Closing without losing a request: clients in the listen backlog, clients that send while the
// server closes, pipelines, streams, and what happens when the shutdown timeout expires.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createConnection } from 'node:net';
import { openListener } from '../../src/driver/linux/open-listener.ts';
import { linuxSyscalls } from '../../src/driver/linux/syscalls.ts';
import { Server } from '../../src/server/server.ts';
import { randomFrom } from '../../testing/random.ts';
import { get, post, RawClient } from '../../testing/raw-client.ts';
import {
  type DriverName,
  eventually,
  Gate,
  makeServer,
  onEachDriver,
  type Running,
  wait,
  withServer,
} from '../../testing/with-server.ts';

/** Too long to expire in a test. */
const LONG_MS = 60_000;

function hello(server: Server): void {
  server.get('/', (_request, response) => response.text('hello'));
}

/** Connects `count` clients that the kernel has accepted and no server yet. */
async function queueUp(where: number | string, count: number): Promise<RawClient[]> {
  const target = typeof where === 'number' ? { host: '127.0.0.1', port: where } : { path: where };
  const sockets = Array.from({ length: count }, () =>
    createConnection({ ...target, allowHalfOpen: true, noDelay: true }),
  );
  const clients = sockets.map((socket) => new RawClient(socket));
  // Node connects in the next tick; a server of this process accepts when it polls.
  await new Promise<void>((resolve) => process.nextTick(resolve));
  return clients;
}

async function isLastResponse(client: RawClient, text = 'hello'): Promise<void> {
  const response = await client.nextResponse();
  assert.equal(response.text, text);
  assert.equal(response.field('connection'), 'close');
  await client.endsCleanly();
  client.half();
}

onEachDriver('draining', (add) => {
  for (const connectionsMax of [1_000, 2]) {
    add(`clients in the listen backlog are served, ${connectionsMax} slots`, async (driver) => {
      const options = { drainLingerMs: LONG_MS, connectionsMax, overloadWaitMs: 0 };
      await withServer(driver, options, hello, async ({ port, server }) => {
        const clients = await queueUp(port, 20);
        const closing = server.close();
        for (const client of clients) void client.send(get('/'));
        for (const client of clients) await isLastResponse(client);
        await closing;
        assert.equal(server.counters.accepted, 20);
        await assert.rejects(RawClient.open(port), /ECONNREFUSED/);
      });
    });
  }

  add('an inherited backlog is left to the other processes that have it', async (driver) => {
    const calls = linuxSyscalls();
    if (typeof calls === 'string') return;
    const fd = openListener(calls, { host: '127.0.0.1', port: 0 }, 16);
    assert.ok(fd > 0);
    // Another process that has the listener.
    const other = spawn('sleep', ['60'], { stdio: ['ignore', 'ignore', 'ignore', fd] });
    try {
      const { port, server } = await inheriting(driver, fd);
      const [client] = await queueUp(port, 1);
      await server.close();
      void client.send(get('/'));
      await client.staysQuiet();
      assert.equal(server.counters.accepted, 0);
      client.reset();
    } finally {
      await ended(other);
    }
  });

  add('requests on idle connections get responses with Connection: close', async (driver) => {
    const options = { drainLingerMs: LONG_MS, shutdownTimeoutMs: LONG_MS };
    await withServer(driver, options, hello, async ({ open, server }) => {
      const fresh = await open();
      const used = await open();
      assert.equal((await used.ask(get('/'))).field('connection'), undefined);
      const closing = server.close();
      await used.staysQuiet();
      void used.send(get('/'));
      await isLastResponse(used);
      void fresh.send(get('/'));
      await isLastResponse(fresh);
      await closing;
      assert.equal(server.counters.resets, 0);
    });
  });

  add('every request of a received pipeline gets a response', async (driver) => {
    const gate = new Gate();
    const slow = (server: Server) => {
      hello(server);
      server.get('/slow', async (_request, response) => {
        await gate.opened;
        response.text('slow');
      });
    };
    await withServer(driver, { drainLingerMs: LONG_MS }, slow, async ({ open, server }) => {
      const client = await open();
      void client.send(get('/slow') + get('/') + get('/'));
      await eventually('the handler runs', () => server.counters.requests === 1);
      const closing = server.close();
      await wait(20);
      gate.open();
      for (const text of ['slow', 'hello']) {
        const response = await client.nextResponse();
        assert.equal(response.text, text);
        assert.equal(response.field('connection'), undefined);
      }
      await isLastResponse(client);
      await closing;
    });
  });

  add('an endless pipeline ends when drain_linger_ms expires', async (driver) => {
    await withServer(driver, { drainLingerMs: 50 }, hello, async ({ open, server }) => {
      const client = await open();
      let isLast = false;
      const flood = (async () => {
        // Always ends with the beginning of another request.
        let sent = 'GET / HT';
        while (!isLast) {
          await client.send(sent);
          sent = `TP/1.1\r\nHost: a\r\n\r\n${get('/').repeat(100)}GET / HT`;
          await wait(1);
        }
      })();
      await client.nextResponse();
      const closing = server.close();
      while (!isLast) isLast = (await client.nextResponse()).field('connection') === 'close';
      await flood;
      client.half();
      await closing;
    });
  });

  add('after a stream that began before, one more request gets a response', async (driver) => {
    const gate = new Gate();
    const streaming = (server: Server) => {
      hello(server);
      server.get('/stream', async (_request, response) => {
        await response.write('begun, ');
        await gate.opened;
        response.end('done');
      });
    };
    await withServer(driver, { drainLingerMs: LONG_MS }, streaming, async ({ open, server }) => {
      const client = await open();
      void client.send(get('/stream'));
      await client.sees('begun');
      const closing = server.close();
      await wait(20);
      gate.open();
      const response = await client.nextResponse();
      assert.equal(response.text, 'begun, done');
      assert.equal(response.field('connection'), undefined, 'its head was sent before');
      void client.send(get('/'));
      await isLastResponse(client);
      await closing;
    });
  });

  add('a response that is read slowly is sent to its end', async (driver) => {
    const bytes = 20_000_000;
    const big = (server: Server) => {
      server.get('/', (_request, response) => response.send(Buffer.alloc(bytes)));
    };
    await withServer(driver, { shutdownTimeoutMs: LONG_MS }, big, async ({ open, server }) => {
      const client = await open();
      client.pause();
      void client.send(get('/'));
      await eventually('the response begins', () => server.counters.responses === 1);
      const closing = server.close();
      await wait(100);
      client.resume();
      assert.equal((await client.nextResponse()).body.length, bytes);
      await client.endsCleanly();
      client.half();
      await closing;
    });
  });

  add('a stream that does not end in time is reset', async (driver) => {
    const endless = (server: Server) => {
      server.get('/', async (_request, response) => {
        await response.write('begun');
        await new Promise(() => {});
      });
    };
    await withServer(driver, { shutdownTimeoutMs: 100 }, endless, async ({ open, server }) => {
      const client = await open();
      void client.send(get('/'));
      await client.sees('begun');
      await server.close();
      await client.isReset();
    });
  });

  add('when the timeout expires idle connections still close in order', async (driver) => {
    const options = { drainLingerMs: LONG_MS, shutdownTimeoutMs: 50 };
    await withServer(driver, options, hello, async ({ open, server }) => {
      const fresh = await open();
      const used = await open();
      assert.equal((await used.ask(get('/'))).text, 'hello');
      await server.close();
      await fresh.endsCleanly();
      await used.endsCleanly();
      assert.equal(server.counters.resets, 0);
    });
  });

  add('a head that is not complete does not hold up close()', async (driver) => {
    // A request that was received completely is not lost meanwhile.
    const options = { headTimeoutMs: 100, shutdownTimeoutMs: LONG_MS };
    await withServer(driver, options, hello, async ({ open, server }) => {
      const partial = await open();
      const complete = await open();
      void partial.send(get('/').slice(0, -3));
      void complete.send(`${get('/')}GET`);
      assert.equal((await complete.nextResponse()).text, 'hello');
      const closing = server.close();
      for (const client of [partial, complete]) {
        const response = await client.nextResponse();
        assert.equal(response.status, 408);
        assert.equal(response.field('connection'), 'close');
        await client.endsCleanly();
        client.half();
      }
      await closing;
    });
  });

  add('without connections close() does not wait', async (driver) => {
    const options = { drainLingerMs: LONG_MS, shutdownTimeoutMs: LONG_MS };
    await withServer(driver, options, hello, async ({ open, server }) => {
      const client = await open();
      assert.equal((await client.ask(get('/'))).text, 'hello');
      client.half();
      await eventually('the connection is closed', () => server.counters.closed === 1);
      // withServer() fails long before LONG_MS.
    });
  });

  add('clients that keep sending while it closes lose no request', async (driver, context) => {
    const seed = Number(process.env['VIBING_SEED'] ?? Date.now() % 2 ** 31);
    context.diagnostic(`seed ${seed}`);
    const options = { drainLingerMs: 5_000, shutdownTimeoutMs: LONG_MS };
    const echo = (server: Server) => {
      server.post('/', async (request, response) => {
        const text = await request.text();
        await wait(text.length % 20);
        response.text(text);
      });
    };
    await withServer(driver, options, echo, async (running) => {
      await sendWhileClosing(running, randomFrom(seed));
      assert.equal(running.server.counters.resets, 0);
    });
  });
});

/** Thirty clients send requests with pauses, until a response has Connection: close. */
async function sendWhileClosing({ open, server }: Running, random: () => number): Promise<void> {
  const asking = Array.from({ length: 30 }, async () => {
    const client = await open();
    for (let isLast = false; !isLast; ) {
      await wait(random() * 100);
      const text = 'x'.repeat(1 + random() * 30_000);
      const response = await client.ask(post('/', text));
      assert.equal(response.text, text);
      isLast = response.field('connection') === 'close';
    }
    await client.endsCleanly();
    client.half();
  });
  await wait(150);
  await Promise.all([server.close(), ...asking]);
}

/** A server over an inherited listener. */
async function inheriting(
  driver: DriverName,
  fd: number,
): Promise<{ port: number; server: Server }> {
  const { asyncIo } = makeServer(driver, {});
  const server = new Server(
    { driver, logLevel: 'error' },
    {
      launch: () => null,
      inherited: () => ({ driver, address: { fd } }),
      listening: (_server, listen) => listen(),
      closed: () => {},
      asyncIo,
    },
  );
  hello(server);
  const { port } = await server.listen();
  return { port, server };
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}
