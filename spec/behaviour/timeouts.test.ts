// Slow clients and slow handlers: every wait has a timeout with the right effect. The timeouts are
// short; no test measures time.

import assert from 'node:assert/strict';
import type { Server } from '../../src/server/server.ts';
import { get, post, request } from '../../testing/raw-client.ts';
import { eventually, Gate, onEachDriver, wait, withServer } from '../../testing/with-server.ts';

/** Too long to expire in a test. */
const NEVER = { connectionTimeoutMs: 60_000, handlerTimeoutMs: 60_000 };

function routes(server: Server): void {
  server.get('/', (_request, response) => response.text('hello'));
  server.post('/', async (request, response) => response.text(`got ${await request.text()}`));
  server.post('/chunks', async (request, response) => {
    let bytes = 0;
    for await (const chunk of request.body) bytes += chunk.length;
    response.text(String(bytes));
  });
  server.post('/ignore', (_request, response) => response.text('ignored'));
  server.get('/never', () => {});
  server.get('/never-promise', () => new Promise(() => {}));
  server.get('/big', (_request, response) => response.send(Buffer.alloc(50_000_000)));
}

onEachDriver('timeouts', (add) => {
  add('an idle connection is closed without a response', async (driver) => {
    const options = { ...NEVER, connectionTimeoutMs: 50, keepAliveTimeoutMs: 50 };
    await withServer(driver, options, routes, async (running) => {
      const fresh = await running.open();
      const used = await running.open();
      void used.send(get('/'));
      await fresh.endsCleanly();
      assert.equal((await used.nextResponse()).text, 'hello');
      await used.endsCleanly();
      assert.equal(running.server.counters.faults, 0);
      assert.equal(running.server.counters.timeouts, 2);
    });
  });

  add('a connection in use is not idle', async (driver) => {
    await withServer(driver, { ...NEVER, keepAliveTimeoutMs: 150 }, routes, async ({ open }) => {
      const client = await open();
      for (let index = 0; index < 10; index++) {
        assert.equal((await client.ask(get('/'))).text, 'hello');
        await wait(30);
      }
      await client.endsCleanly();
    });
  });

  add('connection_timeout_ms is the default of the others', async (driver) => {
    // The clients send their parts within it, on a loaded machine, too.
    await withServer(driver, { connectionTimeoutMs: 400 }, routes, async ({ open, server }) => {
      const idle = await open();
      const head = await open();
      void head.send('GET / HTTP/1.1\r\n');
      const body = await open();
      void body.send(request('POST', '/', ['Content-Length: 4']));
      await idle.endsCleanly();
      assert.equal((await head.nextResponse()).status, 408);
      assert.equal((await body.nextResponse('POST')).status, 408);
      assert.equal(server.counters.timeouts, 3);
    });
  });

  add('an incomplete head is 408', async (driver) => {
    await withServer(driver, { ...NEVER, headTimeoutMs: 50 }, routes, async (running) => {
      const { open, server, log } = running;
      const client = await open();
      void client.send('GET / HTTP/1.1\r\nHost: a\r\nX: ');
      const response = await client.nextResponse();
      assert.equal(response.status, 408);
      assert.equal(response.field('connection'), 'close');
      await client.endsCleanly();
      assert.equal(server.counters.faults, 1);
      assert.equal(server.counters.requests, 0);
      assert.equal(log.length, 1, log.join('\n'));
    });
  });

  add('a byte now and then does not extend the deadline of a head', async (driver) => {
    await withServer(driver, { ...NEVER, headTimeoutMs: 100 }, routes, async ({ open }) => {
      const client = await open();
      let sent = 0;
      void client.send('GET / HTTP/1.1\r\nX: ');
      while (client.receivedBytes === 0 && sent < 1_000) {
        void client.send('x');
        sent += 1;
        await wait(10);
      }
      assert.equal((await client.nextResponse()).status, 408);
      await client.endsCleanly();
    });
  });

  add('the timeout of a second head begins with its first byte', async (driver) => {
    await withServer(driver, { ...NEVER, headTimeoutMs: 60 }, routes, async ({ open }) => {
      const client = await open();
      assert.equal((await client.ask(get('/'))).text, 'hello');
      await client.staysQuiet(120);
      assert.equal((await client.ask(get('/'))).text, 'hello');
      void client.send(`${get('/')}GET`);
      assert.equal((await client.nextResponse()).text, 'hello');
      assert.equal((await client.nextResponse()).status, 408);
      await client.endsCleanly();
    });
  });

  for (const target of ['/', '/chunks']) {
    for (const [kind, field, part] of [
      ['length', 'Content-Length: 10', 'part'],
      ['chunked', 'Transfer-Encoding: chunked', 'a\r\npart'],
    ] as const) {
      add(
        `a body that ${target} reads and that stops arriving (${kind}) is 408`,
        async (driver) => {
          await withServer(driver, { ...NEVER, bodyTimeoutMs: 50 }, routes, async (running) => {
            const client = await running.open();
            void client.send(request('POST', target, [field]) + part);
            const response = await client.nextResponse('POST');
            assert.equal(response.status, 408);
            assert.equal(response.field('connection'), 'close');
            await client.endsCleanly();
            assert.equal(running.server.counters.faults, 1);
            assert.equal(running.log.length, 1, running.log.join('\n'));
          });
        },
      );
    }
  }

  add('every chunk of a body restarts its timeout', async (driver) => {
    await withServer(driver, { ...NEVER, bodyTimeoutMs: 1000 }, routes, async ({ open }) => {
      const client = await open();
      void client.send(request('POST', '/chunks', ['Content-Length: 40']));
      for (let index = 0; index < 40; index++) {
        await wait(40);
        void client.send('x');
      }
      assert.equal((await client.nextResponse('POST')).text, '40');
    });
  });

  add('an unread body that stops arriving closes the connection', async (driver) => {
    await withServer(driver, { ...NEVER, bodyTimeoutMs: 50 }, routes, async ({ open }) => {
      const client = await open();
      void client.send(`${request('POST', '/ignore', ['Content-Length: 10'])}part`);
      assert.equal((await client.nextResponse('POST')).text, 'ignored');
      await client.endsCleanly();
    });
  });

  for (const target of ['/never', '/never-promise']) {
    add(`a handler without a response, ${target}: 503`, async (driver) => {
      await withServer(driver, { ...NEVER, handlerTimeoutMs: 50 }, routes, async (running) => {
        const { open, server, log } = running;
        const client = await open();
        const other = await open();
        void client.send(get(target));
        assert.equal((await other.ask(get('/'))).text, 'hello');
        const response = await client.nextResponse();
        assert.equal(response.status, 503);
        assert.equal(response.text, 'Service Unavailable\n');
        assert.equal(response.field('connection'), 'close');
        await client.endsCleanly();
        assert.equal(server.counters.timeouts, 1);
        assert.ok(
          log.some((line) => line.includes(`GET ${target}: no response within handler_timeout_ms`)),
        );
        assert.equal((await other.ask(get('/'))).text, 'hello');
      });
    });
  }

  add('calls of a handler after its 503 have no effect', async (driver) => {
    const gate = new Gate();
    const seen: unknown[] = [];
    const late = (server: Server) => {
      server.get('/', async (request, response) => {
        response.header('Content-Type', 'image/png').header('X-Kept', 'yes');
        response.header('Content-Length', 77);
        const { signal } = request;
        await gate.opened;
        seen.push(signal.aborted);
        response.text('too late');
        await response.write('too late');
        response.end();
      });
    };
    await withServer(driver, { ...NEVER, handlerTimeoutMs: 30 }, late, async ({ open, server }) => {
      const client = await open();
      const response = await client.ask(get('/'));
      assert.equal(response.status, 503);
      assert.match(response.field('content-type') ?? '', /^text\/plain/);
      assert.equal(response.field('x-kept'), 'yes');
      await client.endsCleanly();
      gate.open();
      await eventually('late writes are counted', () => server.counters.lateWrites === 3);
      assert.deepEqual(seen, [true]);
      assert.equal(server.counters.handlerErrors, 0);
    });
  });

  add('a handler that has begun its response has no timeout', async (driver) => {
    const slow = (server: Server) => {
      server.get('/', async (_request, response) => {
        await response.write('begun, ');
        await wait(150);
        response.end('done');
      });
    };
    await withServer(driver, { ...NEVER, handlerTimeoutMs: 30 }, slow, async ({ open }) => {
      const client = await open();
      assert.equal((await client.ask(get('/'))).text, 'begun, done');
    });
  });

  add('the timeout of a handler begins when the body is complete', async (driver) => {
    await withServer(driver, { ...NEVER, handlerTimeoutMs: 60 }, routes, async ({ open }) => {
      const client = await open();
      void client.send(request('POST', '/', ['Content-Length: 4']));
      await client.staysQuiet(150);
      assert.equal((await client.ask('body')).text, 'got body');
    });
  });

  add('a client that reads nothing of its response is reset', async (driver) => {
    await withServer(driver, { ...NEVER, writeTimeoutMs: 100 }, routes, async (running) => {
      const { open, server } = running;
      const client = await open();
      client.pause();
      void client.send(get('/big'));
      const other = await open();
      await eventually('the server closes', () => server.counters.closed === 1);
      assert.equal(server.counters.timeouts, 1);
      assert.equal((await other.ask(get('/'))).text, 'hello');
      client.resume();
      await client.isReset();
      assert.ok(client.receivedBytes < 50_000_000);
    });
  });

  add('a client that reads a little now and then is not reset', async (driver) => {
    await withServer(
      driver,
      { ...NEVER, writeTimeoutMs: 300 },
      routes,
      async ({ open, server }) => {
        const client = await open();
        client.pause();
        void client.send(get('/big'));
        for (let index = 0; index < 10; index++) {
          await wait(60);
          client.resume();
          await wait(5);
          client.pause();
        }
        client.resume();
        assert.equal((await client.nextResponse()).body.length, 50_000_000);
        assert.equal(server.counters.timeouts, 0);
      },
    );
  });

  add('after the last response the client has lingerTimeoutMs to close', async (driver) => {
    await withServer(driver, { ...NEVER, lingerTimeoutMs: 50 }, routes, async (running) => {
      const client = await running.open();
      assert.equal((await client.ask(get('/', 'Connection: close'))).text, 'hello');
      await eventually('the server closes', () => running.server.counters.closed === 1);
      const patient = await running.open();
      assert.equal((await patient.ask('nonsense\r\n\r\n')).status, 400);
      await eventually('the server closes', () => running.server.counters.closed === 2);
    });
  });

  add('a client that never stops sending is closed', async (driver) => {
    await withServer(driver, { ...NEVER, lingerTimeoutMs: 100 }, routes, async (running) => {
      const client = await running.open();
      void client.send('nonsense\r\n\r\n');
      assert.equal((await client.nextResponse()).status, 400);
      let rounds = 0;
      while (running.server.counters.closed === 0 && rounds < 5_000) {
        void client.send('x'.repeat(1000));
        rounds += 1;
        await wait(1);
      }
      assert.equal(running.server.counters.closed, 1);
    });
  });

  add('many clients time out, each for another reason', async (driver) => {
    const options = { ...NEVER, headTimeoutMs: 80, bodyTimeoutMs: 80, connectionTimeoutMs: 1000 };
    await withServer(driver, { ...options, logLevel: 'error' }, routes, async (running) => {
      const idle = await Promise.all(Array.from({ length: 20 }, running.open));
      const heads = await Promise.all(Array.from({ length: 20 }, running.open));
      const bodies = await Promise.all(Array.from({ length: 20 }, running.open));
      for (const client of heads) void client.send('GET /');
      for (const client of bodies) void client.send(post('/', '12345').slice(0, -1));
      for (const client of heads) assert.equal((await client.nextResponse()).status, 408);
      for (const client of bodies) assert.equal((await client.nextResponse('POST')).status, 408);
      for (const client of [...idle, ...heads, ...bodies]) await client.endsCleanly();
      assert.equal(running.server.counters.timeouts, 60);
    });
  });
});
