// Expect: 100-continue. The server sends 100 when a handler reads the body, and not otherwise.

import assert from 'node:assert/strict';
import { HttpError } from '../../src/exchange/http-error.ts';
import type { Server } from '../../src/server/server.ts';
import { get, request } from '../../testing/raw-client.ts';
import { onEachDriver, wait, withServer } from '../../testing/with-server.ts';

function routes(server: Server): void {
  server.post('/read', async (request, response) => response.send(await request.bytes()));
  server.post('/read-later', async (request, response) => {
    await wait(5);
    response.send(await request.bytes());
  });
  server.post('/chunks', async (request, response) => {
    let bytes = 0;
    for await (const chunk of request.body) bytes += chunk.length;
    response.text(String(bytes));
  });
  server.post('/unread', (_request, response) => response.text('no need'));
  server.post('/unread-later', async (_request, response) => {
    await wait(5);
    response.text('no need');
  });
  server.post('/reject', () => {
    throw new HttpError(403, 'not you');
  });
  server.post('/head-first', async (request, response) => {
    await response.write('reading: ');
    response.end(await request.text());
  });
  server.get('/', (_request, response) => response.text('hello'));
}

const EXPECT = 'Expect: 100-continue';

onEachDriver('expect', (add) => {
  for (const target of ['/read', '/read-later']) {
    for (const [kind, field, body] of [
      ['length', 'Content-Length: 4', 'body'],
      ['chunked', 'Transfer-Encoding: chunked', '4\r\nbody\r\n0\r\n\r\n'],
    ] as const) {
      add(`100 is sent when ${target} reads (${kind}), then the response`, async (driver) => {
        await withServer(driver, {}, routes, async ({ open }) => {
          const client = await open();
          void client.send(request('POST', target, [EXPECT, field]));
          const interim = await client.nextResponse('POST');
          assert.equal(interim.raw.toString('latin1'), 'HTTP/1.1 100 Continue\r\n\r\n');
          const response = await client.ask(body);
          assert.equal(response.text, 'body');
          assert.equal(response.field('connection'), undefined);
          assert.equal((await client.ask(get('/'))).text, 'hello');
        });
      });
    }
  }

  add('100 is sent once for a body that is read in chunks', async (driver) => {
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      void client.send(request('POST', '/chunks', [EXPECT, 'Content-Length: 6']));
      assert.equal((await client.nextResponse('POST')).status, 100);
      for (const chunk of ['ab', 'cd']) {
        void client.send(chunk);
        await client.staysQuiet(15);
      }
      void client.send('ef');
      const response = await client.nextResponse('POST');
      assert.equal(response.status, 200);
      assert.equal(response.text, '6');
    });
  });

  for (const target of ['/read', '/chunks']) {
    add(`no 100 when the body came with the head (${target})`, async (driver) => {
      await withServer(driver, {}, routes, async ({ open }) => {
        const client = await open();
        void client.send(`${request('POST', target, [EXPECT, 'Content-Length: 4'])}body`);
        assert.equal((await client.nextResponse('POST')).status, 200);
        assert.equal((await client.ask(get('/'))).text, 'hello');
      });
    });
  }

  add('no 100 for a request without a body', async (driver) => {
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      const empty = request('POST', '/read', [EXPECT, 'Content-Length: 0']);
      assert.equal((await client.ask(empty)).status, 200);
      assert.equal((await client.ask(get('/', EXPECT))).status, 200);
    });
  });

  for (const [target, status] of [
    ['/unread', 200],
    ['/unread-later', 200],
    ['/reject', 403],
    ['/missing', 404],
  ] as const) {
    add(`a response without reading (${target}) is final and closes`, async (driver) => {
      await withServer(driver, {}, routes, async ({ open, server }) => {
        const client = await open();
        void client.send(request('POST', target, [EXPECT, 'Content-Length: 4']));
        const response = await client.nextResponse('POST');
        assert.equal(response.status, status);
        assert.equal(response.field('connection'), 'close');
        await client.endsCleanly();
        assert.equal(server.counters.requests, 1);
      });
    });
  }

  add('no 100 after the head of the response was sent', async (driver) => {
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      void client.send(request('POST', '/head-first', [EXPECT, 'Content-Length: 4']));
      await client.hasReceived(1);
      void client.send('body');
      const response = await client.nextResponse('POST');
      assert.equal(response.status, 200);
      assert.equal(response.text, 'reading: body');
    });
  });

  add('too long a body gets 413 instead of 100', async (driver) => {
    await withServer(driver, { bodyBytesMax: 3 }, routes, async ({ open }) => {
      const client = await open();
      void client.send(request('POST', '/read', [EXPECT, 'Content-Length: 4']));
      const response = await client.nextResponse('POST');
      assert.equal(response.status, 413);
      assert.equal(response.field('connection'), 'close');
      await client.endsCleanly();
    });
  });

  add('HTTP/1.0 expects nothing', async (driver) => {
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      void client.send(`POST /read HTTP/1.0\r\n${EXPECT}\r\nContent-Length: 4\r\n\r\n`);
      await client.staysQuiet(30);
      void client.send('body');
      const response = await client.nextResponse('POST');
      assert.equal(response.status, 200);
      assert.equal(response.text, 'body');
    });
  });

  for (const value of ['200-ok', '100-continue, x', 'x']) {
    add(`Expect: ${value} is 417`, async (driver) => {
      await withServer(driver, {}, routes, async ({ open, server }) => {
        const client = await open();
        void client.send(request('POST', '/read', [`Expect: ${value}`, 'Content-Length: 4']));
        const response = await client.nextResponse('POST');
        assert.equal(response.status, 417);
        assert.equal(response.field('connection'), 'close');
        await client.endsCleanly();
        assert.equal(server.counters.faults, 1);
      });
    });
  }

  add('the expectation is case-insensitive', async (driver) => {
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      void client.send(request('POST', '/read', ['expect: 100-Continue', 'Content-Length: 1']));
      assert.equal((await client.nextResponse('POST')).status, 100);
      assert.equal((await client.ask('x')).text, 'x');
    });
  });
});
