// More connections, blocks or pipelined responses than there is room for. Each client is served or
// gets a 503; no connection is closed without a response.

import assert from 'node:assert/strict';
import type { Server } from '../../src/server/server.ts';
import { randomFrom } from '../../testing/random.ts';
import { get, post, type RawClient, request } from '../../testing/raw-client.ts';
import {
  eventually,
  Gate,
  onDriversInTurn,
  onEachDriver,
  type Running,
  wait,
  withServer,
} from '../../testing/with-server.ts';

/** Too long to expire in a test. */
const LONG_MS = 60_000;
const HEAD_TIMEOUT_MS = 500;

function hello(server: Server): void {
  server.get('/', (_request, response) => response.text('hello'));
}

/** Responds to /held when the gate opens. */
function holding(gate: Gate): (server: Server) => void {
  return (server) => {
    hello(server);
    server.get('/held', async (_request, response) => {
      await gate.opened;
      response.text('held');
    });
  };
}

/** Clients in all slots, each with a request in flight. */
async function fill({ open, server }: Running, count: number): Promise<RawClient[]> {
  const clients: RawClient[] = [];
  for (let index = 1; index <= count; index++) {
    const client = await open();
    void client.send(get('/held'));
    await eventually('the handler runs', () => server.counters.requests >= index);
    clients.push(client);
  }
  return clients;
}

async function isTurnedAway(client: RawClient): Promise<void> {
  const response = await client.nextResponse();
  assert.equal(response.status, 503);
  assert.equal(response.field('retry-after'), '1');
  assert.equal(response.field('connection'), 'close');
  await client.endsCleanly();
  client.half();
}

onDriversInTurn('overload', (add) => {
  add('many clients that connect at once are served slot by slot', async (driver) => {
    const options = { connectionsMax: 4, keepAliveTimeoutMs: LONG_MS };
    await withServer(driver, options, hello, async ({ open, server }) => {
      const clients = await Promise.all(Array.from({ length: 60 }, open));
      for (const client of clients) void client.send(get('/', 'Connection: close'));
      const served = clients.map(async (client) => {
        assert.equal((await client.nextResponse()).text, 'hello');
        await client.endsCleanly();
        client.half();
      });
      await Promise.all(served);
      assert.equal(server.counters.accepted, 60);
      assert.equal(server.counters.turnedAway, 0);
    });
  });

  add('clients that wait for a slot for overload_wait_ms get 503', async (driver) => {
    const gate = new Gate();
    const options = { connectionsMax: 2, overloadWaitMs: 50 };
    await withServer(driver, options, holding(gate), async (running) => {
      const { open, server } = running;
      const held = await fill(running, 2);
      for (let round = 0; round < 3; round++) {
        const client = await open();
        void client.send(get('/'));
        await isTurnedAway(client);
      }
      assert.equal(server.counters.turnedAway, 3);
      assert.equal(server.counters.requests, 2, 'no handler saw them');
      gate.open();
      for (const client of held) assert.equal((await client.nextResponse()).text, 'held');
      held[0].half();
      await held[0].endsCleanly();
      await eventually('their slots are free', () => server.counters.closed === 4);
      assert.equal((await (await open()).ask(get('/'))).text, 'hello');
    });
  });

  add('overload_wait_ms 0 lets clients wait without a limit', async (driver) => {
    const gate = new Gate();
    const options = { connectionsMax: 1, overloadWaitMs: 0 };
    await withServer(driver, options, holding(gate), async (running) => {
      const [held] = await fill(running, 1);
      const client = await running.open();
      void client.send(get('/'));
      await client.staysQuiet(200);
      gate.open();
      assert.equal((await held.nextResponse()).text, 'held');
      held.half();
      assert.equal((await client.nextResponse()).text, 'hello');
    });
  });

  add('many get 503, also those that neither read nor close', async (driver) => {
    const gate = new Gate();
    const options = { connectionsMax: 1, overloadWaitMs: 20, lingerTimeoutMs: 50 };
    await withServer(driver, options, holding(gate), async (running) => {
      const { open, server } = running;
      const [held] = await fill(running, 1);
      const stubborn = await Promise.all(Array.from({ length: 50 }, open));
      for (const client of stubborn) void client.send(get('/'));
      await eventually('all have their response', () => server.counters.turnedAway === 50);
      for (const client of stubborn) assert.equal((await client.nextResponse()).status, 503);
      assert.ok(server.counters.accepted - server.counters.closed <= 17);
      gate.open();
      assert.equal((await held.nextResponse()).text, 'held');
    });
  });

  add('the connection that is idle for longest is closed for a new one', async (driver) => {
    const options = { connectionsMax: 3, overloadWaitMs: 50 };
    const gate = new Gate();
    await withServer(driver, options, holding(gate), async (running) => {
      const { open, server } = running;
      const [busy] = await fill(running, 1);
      const fresh = await open();
      await eventually('it is accepted', () => server.counters.accepted === 2);
      await wait(150);
      const used = await open();
      assert.equal((await used.ask(get('/'))).text, 'hello');
      await wait(300);
      const next = await open();
      assert.equal((await next.ask(get('/'))).text, 'hello');
      await fresh.endsCleanly();
      await used.staysQuiet(1);
      assert.equal((await (await open()).ask(get('/'))).text, 'hello');
      await used.endsCleanly();
      assert.equal(server.counters.evicted, 2);
      assert.equal(server.counters.turnedAway, 0);
      gate.open();
      assert.equal((await busy.nextResponse()).text, 'held');
    });
  });

  add('the closed connection gets all of its last response, whatever it sends', async (driver) => {
    const options = { connectionsMax: 1, overloadWaitMs: 50, keepAliveTimeoutMs: LONG_MS };
    const bytes = 400_000;
    const routes = (server: Server): void => {
      hello(server);
      server.get('/big', (_request, response) => response.send(Buffer.alloc(bytes)));
    };
    await withServer(driver, options, routes, async ({ open, server }) => {
      const slow = await open();
      slow.pause();
      void slow.send(get('/big'));
      await eventually('the kernel has the response', () => server.counters.responses === 1);
      await wait(300);
      assert.equal((await (await open()).ask(get('/'))).text, 'hello');
      assert.equal(server.counters.evicted, 1);
      // This request crosses the close of the connection.
      void slow.send(get('/'));
      await wait(100);
      slow.resume();
      assert.equal((await slow.nextResponse()).body.length, bytes);
      await slow.endsCleanly();
    });
  });

  add('a connection with a request now and then is not idle, and stays open', async (driver) => {
    const options = { connectionsMax: 1, overloadWaitMs: 2_000 };
    await withServer(driver, options, hello, async ({ open, server }) => {
      const regular = await open();
      const other = await open();
      void other.send(get('/'));
      while (server.counters.turnedAway === 0) {
        assert.equal((await regular.ask(get('/'))).text, 'hello');
        await wait(20);
      }
      await isTurnedAway(other);
      assert.equal((await regular.ask(get('/'))).text, 'hello');
      assert.equal(server.counters.evicted, 0);
    });
  });

  add('close() while an idle connection makes room completes in order', async (driver) => {
    const options = { connectionsMax: 4, overloadWaitMs: 20 };
    let closed: Promise<void> | null = null;
    const routes = (server: Server): void => {
      server.get('/stop', async (_request, response) => {
        closed = server.close();
        response.text('bye');
      });
    };
    await withServer(driver, options, routes, async ({ open }) => {
      const clients = await Promise.all([open(), open(), open(), open()]);
      await wait(300);
      // Two more clients and close() come in one turn.
      const late = [open(), open()].map((client) => client.catch(() => null));
      void clients[3].send(get('/stop'));
      await eventually('it closes', () => closed !== null);
      await closed;
      await Promise.all(late);
    });
  });

  for (const blockCount of [16, 32, 64]) {
    add(
      `valid clients among invalid ones, 4 slots, ${blockCount} blocks`,
      async (driver, context) => {
        const seed = Number(process.env['VIBING_SEED'] ?? Date.now() % 2 ** 31);
        context.diagnostic(`seed ${seed}`);
        const options = {
          connectionsMax: 4,
          blockCount,
          headTimeoutMs: HEAD_TIMEOUT_MS,
          bodyTimeoutMs: 5_000,
          keepAliveTimeoutMs: 5_000,
          writeTimeoutMs: 5_000,
          lingerTimeoutMs: 100,
          overloadWaitMs: seed % 2 === 0 ? 100 : 0,
          logLevel: 'error',
        } as const;
        const routes = (server: Server) => {
          hello(server);
          server.post('/', async (request, response) => response.send(await request.bytes()));
          server.get('/big', (_request, response) => response.send(Buffer.alloc(200_000)));
        };
        await withServer(driver, options, routes, async (running) => {
          await mixedClients(running, randomFrom(seed));
        });
      },
    );
  }
});

/** Fifty clients at once: every valid one gets a complete response, or a 503. */
async function mixedClients({ open }: Running, random: () => number): Promise<void> {
  const behaviours = Array.from({ length: 50 }, async (_, index) => {
    const kind = Math.floor(random() * 7);
    const pauseMs = random() * 50;
    const openedMs = performance.now();
    const client = await open();
    await wait(random() * 30);
    switch (kind) {
      case 0:
        void client.send('GET / HT');
        break;
      case 1:
        void client.send(get('/big').repeat(20));
        client.pause();
        await wait(pauseMs);
        client.reset();
        break;
      case 2:
        void client.send(`${request('POST', '/', ['Content-Length: 90000'])}part`);
        await wait(pauseMs);
        client.reset();
        break;
      default:
        await good(client, index % 2 === 0 ? get('/big') : post('/', 'b'.repeat(40_000)), openedMs);
    }
  });
  await Promise.all(behaviours);
}

async function good(client: RawClient, asked: string, openedMs: number): Promise<void> {
  const { status } = await client.ask(asked.replace('\r\n', '\r\nConnection: close\r\n'));
  // On a busy machine a client may send its request too late.
  const isLate = performance.now() - openedMs >= HEAD_TIMEOUT_MS;
  const isRight = status === 200 || status === 503 || (isLate && status === 408);
  assert.ok(isRight, `status ${status}`);
  await client.endsCleanly();
  client.half();
}

onEachDriver('limits of one connection', (add) => {
  add('pipeline_depth_max bounds the responses that wait', async (driver) => {
    const options = { pipelineDepthMax: 3, sendQueueBytesMax: 67_108_864 };
    const big = (server: Server) => {
      server.get('/', (_request, response) => response.send(Buffer.alloc(1_000_000)));
    };
    await withServer(driver, options, big, async ({ open, server }) => {
      const client = await open();
      client.pause();
      void client.send(get('/').repeat(60));
      let seen = -1;
      while (seen !== server.counters.requests) {
        seen = server.counters.requests;
        await wait(200);
      }
      // The kernel holds more: a few megabytes on either side.
      assert.ok(seen > 0 && seen < 40, `${seen} responses without a reader`);
      client.resume();
      for (let index = 0; index < 60; index++) {
        assert.equal((await client.nextResponse()).body.length, 1_000_000);
      }
      assert.equal((await client.ask(get('/'))).body.length, 1_000_000);
    });
  });

  for (const pipelineDepthMax of [1, 7]) {
    add(
      `a long pipeline gets responses in order, ${pipelineDepthMax} at a time`,
      async (driver) => {
        const echo = (server: Server) => {
          server.get('/:n', (request, response) => response.text(request.params['n'] ?? ''));
        };
        await withServer(driver, { pipelineDepthMax }, echo, async ({ open }) => {
          const client = await open();
          void client.send(Array.from({ length: 500 }, (_, n) => get(`/${n}`)).join(''));
          for (let n = 0; n < 500; n++) assert.equal((await client.nextResponse()).text, String(n));
        });
      },
    );
  }

  for (const field of ['Content-Length: 1000', 'Transfer-Encoding: chunked']) {
    add(`a body that arrives byte by byte is 408 in the end (${field})`, async (driver) => {
      const options = { bodyTimeoutMs: LONG_MS, bodyTotalTimeoutMs: 100 };
      const read = (server: Server) => {
        server.post('/', async (request, response) => response.text(await request.text()));
      };
      await withServer(driver, options, read, async ({ open, server }) => {
        const client = await open();
        void client.send(request('POST', '/', [field]));
        const drop = field.endsWith('chunked') ? '1\r\nx\r\n' : 'x';
        for (let sent = 0; client.receivedBytes === 0 && sent < 900; sent++) {
          await wait(10);
          void client.send(drop);
        }
        assert.equal((await client.nextResponse('POST')).status, 408);
        await client.endsCleanly();
        assert.equal(server.counters.timeouts, 1);
      });
    });
  }

  add('a large body has time for its size, and for its handler', async (driver) => {
    const options = { bodyTimeoutMs: LONG_MS, bodyTotalTimeoutMs: 50 };
    const slow = (server: Server) => {
      server.post('/', async (request, response) => {
        await wait(300);
        let bytes = 0;
        for await (const chunk of request.body) {
          bytes += chunk.length;
          if (bytes < 100_000) await wait(20);
        }
        response.text(String(bytes));
      });
    };
    await withServer(driver, options, slow, async ({ open }) => {
      const client = await open();
      const body = 'b'.repeat(20_000);
      void client.send(request('POST', '/', ['Content-Length: 200000']));
      for (let part = 0; part < 10; part++) {
        void client.send(body);
        await wait(40);
      }
      assert.equal((await client.nextResponse('POST')).text, '200000');
    });
  });
});
