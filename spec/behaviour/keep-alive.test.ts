// Whether a connection persists after a response, in HTTP/1.1 and 1.0, and how it closes otherwise.

import assert from 'node:assert/strict';
import type { Server } from '../../src/server/server.ts';
import { get, post } from '../../testing/raw-client.ts';
import { onEachDriver, withServer } from '../../testing/with-server.ts';

function routes(server: Server): void {
  server.get('/', (_request, response) => response.text('hello'));
  server.get('/later', async (_request, response) => {
    await new Promise((resolve) => setImmediate(resolve));
    response.text('later');
  });
  server.get('/close', (_request, response) => {
    response.header('Connection', 'close').text('bye');
  });
  server.get('/stream', async (_request, response) => {
    await response.write('one');
    await response.write('two');
    response.end();
  });
  server.get('/sized', async (_request, response) => {
    response.header('Content-Length', 6);
    await response.write('one');
    response.end('two');
  });
  server.post('/', async (request, response) => response.send(await request.bytes()));
}

onEachDriver('keep-alive', (add) => {
  add('HTTP/1.1 keeps the connection and says nothing of it', async (driver) => {
    await withServer(driver, {}, routes, async ({ open, server }) => {
      const client = await open();
      for (const target of ['/', '/later', '/stream', '/sized', '/missing', '/']) {
        const response = await client.ask(get(target));
        assert.equal(response.field('connection'), undefined, target);
      }
      assert.equal(server.counters.accepted, 1);
      assert.equal(server.counters.requests, 6);
      assert.equal(server.counters.responses, 6);
    });
  });

  add('a hundred requests use one connection, body or not', async (driver) => {
    await withServer(driver, {}, routes, async ({ open, server }) => {
      const client = await open();
      for (let index = 0; index < 50; index++) {
        assert.equal((await client.ask(get('/'))).text, 'hello');
        assert.equal((await client.ask(post('/', `body ${index}`))).text, `body ${index}`);
      }
      assert.equal(server.counters.accepted, 1);
      assert.equal(server.counters.closed, 0);
    });
  });

  const closing = ['close', 'Close', 'CLOSE', 'foo, close', 'close, keep-alive', ' close ,x'];
  for (const value of closing) {
    add(`Connection: ${value} closes the connection after the response`, async (driver) => {
      await withServer(driver, {}, routes, async ({ open }) => {
        const client = await open();
        const response = await client.ask(get('/later', `Connection: ${value}`));
        assert.equal(response.text, 'later');
        assert.equal(response.field('connection'), 'close');
        await client.endsCleanly();
      });
    });
  }

  for (const value of ['closed', 'not-close', 'keep-alive', 'x']) {
    add(`Connection: ${value} ends nothing`, async (driver) => {
      await withServer(driver, {}, routes, async ({ open }) => {
        const client = await open();
        await client.ask(get('/', `Connection: ${value}`));
        assert.equal((await client.ask(get('/later'))).text, 'later');
      });
    });
  }

  add('a request after one with Connection: close gets no response', async (driver) => {
    await withServer(driver, {}, routes, async ({ open, server }) => {
      const client = await open();
      void client.send(get('/', 'Connection: close') + get('/'));
      assert.equal((await client.nextResponse()).text, 'hello');
      await client.endsCleanly();
      assert.equal(server.counters.requests, 1);
    });
  });

  add('a handler may close: the response says so, and the rest is not read', async (driver) => {
    await withServer(driver, {}, routes, async ({ open, server }) => {
      const client = await open();
      void client.send(get('/close') + get('/'));
      const response = await client.nextResponse();
      assert.equal(response.text, 'bye');
      assert.equal(response.field('connection'), 'close');
      await client.endsCleanly();
      assert.equal(server.counters.requests, 1);
    });
  });

  add('HTTP/1.0 closes unless it asks to keep the connection', async (driver) => {
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      const response = await client.ask('GET / HTTP/1.0\r\n\r\n');
      assert.equal(response.text, 'hello');
      assert.equal(response.field('connection'), 'close');
      await client.endsCleanly();
    });
  });

  add('HTTP/1.0 with keep-alive persists, and the response says so', async (driver) => {
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      for (let index = 0; index < 3; index++) {
        const response = await client.ask('GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n');
        assert.equal(response.text, 'hello');
        assert.equal(response.field('connection'), 'keep-alive');
      }
      const last = await client.ask('GET /later HTTP/1.0\r\n\r\n');
      assert.equal(last.field('connection'), 'close');
      await client.endsCleanly();
    });
  });

  add('HTTP/1.0 gets a stream of unknown length until the connection ends', async (driver) => {
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      const response = await client.ask('GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
      assert.equal(response.framing, 'close');
      assert.equal(response.text, 'onetwo');
      assert.equal(response.field('connection'), 'close');
      await client.endsCleanly();
    });
  });

  add('HTTP/1.0 keeps the connection when a stream says its length', async (driver) => {
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      const keep = 'GET /sized HTTP/1.0\r\nConnection: keep-alive\r\n\r\n';
      for (let index = 0; index < 2; index++) {
        const response = await client.ask(keep);
        assert.equal(response.framing, 'length');
        assert.equal(response.text, 'onetwo');
        assert.equal(response.field('connection'), 'keep-alive');
      }
    });
  });

  add('requests_per_connection_max closes with the last request', async (driver) => {
    await withServer(driver, { requestsPerConnectionMax: 3 }, routes, async ({ open, server }) => {
      const client = await open();
      void client.send(get('/').repeat(5));
      assert.equal((await client.nextResponse()).field('connection'), undefined);
      assert.equal((await client.nextResponse()).field('connection'), undefined);
      assert.equal((await client.nextResponse()).field('connection'), 'close');
      await client.endsCleanly();
      assert.equal(server.counters.requests, 3);
      const next = await open();
      assert.equal((await next.ask(get('/'))).field('connection'), undefined);
    });
  });

  add('empty lines before a request are skipped', async (driver) => {
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      assert.equal((await client.ask(`\r\n${get('/')}`)).status, 200);
      void client.send(`\r\n${get('/')}`);
      assert.equal((await client.nextResponse()).status, 200);
    });
  });

  add('Date is sent once, in the format of RFC 9110, with the current time', async (driver) => {
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      for (const target of ['/', '/later', '/stream', '/missing']) {
        const earliest = Math.floor(Date.now() / 1000) * 1000;
        const date = (await client.ask(get(target))).field('date') ?? '';
        const latest = Date.now();
        assert.match(date, /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/);
        const stated = Date.parse(date);
        assert.equal(new Date(stated).toUTCString(), date, 'the day of the week fits');
        assert.ok(stated >= earliest && stated <= latest, `${date} is now`);
      }
    });
  });

  add('Date follows the clock from one response to the next', async (driver) => {
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      const first = (await client.ask(get('/'))).field('date') ?? '';
      await new Promise((resolve) => setTimeout(resolve, 1_050));
      const second = (await client.ask(get('/'))).field('date') ?? '';
      assert.ok(Date.parse(second) > Date.parse(first), `${second} is later than ${first}`);
    });
  });
});
