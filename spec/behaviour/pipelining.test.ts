// Many requests at once on one connection: responses are sent in the order of the requests,
// whichever handler is slow, and an invalid request affects none before it.

import assert from 'node:assert/strict';
import type { Request } from '../../src/exchange/request.ts';
import type { Server } from '../../src/server/server.ts';
import { get, post, postChunks, request } from '../../testing/raw-client.ts';
import { eventually, onEachDriver, wait, withServer } from '../../testing/with-server.ts';

function numberOf(request: Request): string {
  return request.params['n'] ?? '';
}

function routes(server: Server): void {
  server.get('/sync/:n', (request, response) => response.text(`sync ${numberOf(request)}`));
  server.get('/async/:n', async (request, response) => {
    await null;
    response.text(`async ${numberOf(request)}`);
  });
  server.get('/slow/:n', async (request, response) => {
    const number = numberOf(request);
    await wait(Number(number) % 7);
    response.text(`slow ${number}`);
  });
  server.get('/callback/:n', (request, response) => {
    setImmediate(() => response.text(`callback ${numberOf(request)}`));
  });
  server.get('/stream/:n', async (request, response) => {
    await response.write('stream ');
    await wait(1);
    response.end(numberOf(request));
  });
  server.get('/big/:n', (request, response) => {
    response.text(`big ${numberOf(request)}`.padEnd(20_000, '.'));
  });
  server.post('/echo/:n', async (request, response) => {
    response.text(`echo ${numberOf(request)} ${await request.text()}`);
  });
  server.post('/ignore/:n', (request, response) => response.text(`ignore ${numberOf(request)}`));
}

const KINDS = ['sync', 'async', 'slow', 'callback', 'stream', 'big'];

onEachDriver('pipelining', (add) => {
  add('200 requests in one write get 200 responses in order', async (driver) => {
    await withServer(driver, {}, routes, async ({ open, server }) => {
      const client = await open();
      let pipeline = '';
      for (let n = 0; n < 200; n++) pipeline += get(`/sync/${n}`);
      void client.send(pipeline);
      for (let n = 0; n < 200; n++) assert.equal((await client.nextResponse()).text, `sync ${n}`);
      assert.equal(server.counters.responses, 200);
    });
  });

  add('responses of all kinds of handlers keep their order', async (driver) => {
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      let pipeline = '';
      const expected: string[] = [];
      for (let n = 0; n < 120; n++) {
        // Neighbours differ, and every kind precedes every other kind.
        const kind = KINDS[(n * n + Math.floor(n / KINDS.length)) % KINDS.length];
        pipeline += get(`/${kind}/${n}`);
        expected.push(`${kind} ${n}`);
      }
      void client.send(pipeline);
      for (const text of expected) {
        const response = await client.nextResponse();
        assert.equal(response.text.replace(/\.+$/, ''), text);
      }
    });
  });

  add('bodies reach the requests they belong to', async (driver) => {
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      let pipeline = '';
      const expected: string[] = [];
      for (let n = 0; n < 60; n++) {
        const body = `GET /trap/${n} HTTP/1.1\r\n\r\n`;
        if (n % 3 === 0) {
          pipeline += post(`/echo/${n}`, body);
          expected.push(`echo ${n} ${body}`);
        } else if (n % 3 === 1) {
          pipeline += postChunks(`/echo/${n}`, [body.slice(0, 9), body.slice(9)]);
          expected.push(`echo ${n} ${body}`);
        } else {
          pipeline += post(`/ignore/${n}`, body);
          expected.push(`ignore ${n}`);
        }
      }
      void client.send(pipeline);
      for (const text of expected) assert.equal((await client.nextResponse()).text, text);
    });
  });

  add('a pipeline longer than all buffers gets responses while it arrives', async (driver) => {
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      const count = 5_000;
      let pipeline = '';
      for (let n = 0; n < count; n++)
        pipeline += get(`/sync/${n}`, `X-Padding: ${'p'.repeat(100)}`);
      void client.send(pipeline);
      for (let n = 0; n < count; n++) assert.equal((await client.nextResponse()).text, `sync ${n}`);
    });
  });

  add('a pipeline may be split anywhere', async (driver) => {
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      const pipeline = get('/sync/1') + post('/echo/2', 'body') + get('/async/3') + get('/sync/4');
      for (let cut = 1; cut < pipeline.length; cut++) {
        await client.send(pipeline.slice(0, cut));
        void client.send(pipeline.slice(cut));
        const texts: string[] = [];
        for (let n = 0; n < 4; n++) texts.push((await client.nextResponse()).text);
        assert.deepEqual(texts, ['sync 1', 'echo 2 body', 'async 3', 'sync 4'], `cut at ${cut}`);
      }
    });
  });

  for (const kind of ['sync', 'slow', 'stream']) {
    add(
      `an invalid request after valid ones (${kind}): they get responses, then 400`,
      async (driver) => {
        await withServer(driver, {}, routes, async ({ open, server }) => {
          const client = await open();
          let pipeline = '';
          for (let n = 0; n < 10; n++) pipeline += get(`/${kind}/${n}`);
          void client.send(`${pipeline}GET / HTTP/1.1\r\nBad Field: x\r\n\r\n${get('/sync/11')}`);
          for (let n = 0; n < 10; n++)
            assert.equal((await client.nextResponse()).text, `${kind} ${n}`);
          const error = await client.nextResponse();
          assert.equal(error.status, 400);
          assert.equal(error.field('connection'), 'close');
          await client.endsCleanly();
          assert.equal(server.counters.requests, 10);
          assert.equal(server.counters.faults, 1);
        });
      },
    );
  }

  add('an error response arrives though the client keeps sending', async (driver) => {
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      void client.send(`${get('/sync/1')}nonsense\r\n\r\n`);
      // More than the buffers of both sides hold: the server has to read it, and drops it.
      const filler = Buffer.alloc(256 * 1024, 'x');
      for (let index = 0; index < 16; index++) await client.send(filler);
      assert.equal((await client.nextResponse()).text, 'sync 1');
      assert.equal((await client.nextResponse()).status, 400);
      await client.endsCleanly();
    });
  });

  add(
    'an error response arrives though the client sends a large body without waiting',
    async (driver) => {
      await withServer(driver, { streamBytesMax: 1000 }, routes, async ({ open }) => {
        const client = await open();
        void client.send(get('/sync/1'));
        void client.send(request('POST', '/echo/2', ['Content-Length: 4000000']));
        for (let index = 0; index < 40; index++) void client.send(Buffer.alloc(100_000, 'x'));
        assert.equal((await client.nextResponse()).text, 'sync 1');
        assert.equal((await client.nextResponse('POST')).status, 413);
        await client.endsCleanly();
      });
    },
  );

  add('handlers do not run for a client that reads nothing', async (driver) => {
    let calls = 0;
    const count = (server: Server) => {
      server.get('/', (_request, response) => {
        calls += 1;
        response.send(Buffer.alloc(100_000, 'x'));
      });
    };
    await withServer(driver, {}, count, async ({ open }) => {
      const client = await open();
      client.pause();
      const wanted = 400;
      void client.send(get('/').repeat(wanted));
      // Loopback buffers hold some megabytes; 40 MB are more.
      let before = -1;
      while (calls !== before) {
        before = calls;
        await wait(50);
      }
      assert.ok(
        calls < wanted,
        `${calls} of ${wanted} handlers ran for a client that does not read`,
      );
      client.resume();
      for (let index = 0; index < wanted; index++) {
        assert.equal((await client.nextResponse()).body.length, 100_000);
      }
      await eventually('all handlers have run', () => calls === wanted);
    });
  });

  add('HEAD, 304 and 204 in a pipeline do not shift what follows', async (driver) => {
    const mixed = (server: Server) => {
      routes(server);
      server.get('/304', (_request, response) => response.empty(304));
      server.get('/204', (_request, response) => response.empty());
    };
    await withServer(driver, {}, mixed, async ({ open }) => {
      const client = await open();
      void client.send(
        request('HEAD', '/big/1') + get('/304') + get('/204') + request('HEAD', '/stream/2'),
      );
      void client.send(get('/sync/5'));
      assert.equal((await client.nextResponse('HEAD')).field('content-length'), '20000');
      assert.equal((await client.nextResponse()).status, 304);
      assert.equal((await client.nextResponse()).status, 204);
      assert.equal((await client.nextResponse('HEAD')).status, 200);
      assert.equal((await client.nextResponse()).text, 'sync 5');
    });
  });

  add('one connection never blocks another', async (driver) => {
    const stuck = (server: Server) => {
      routes(server);
      server.get('/never', () => {});
      server.get('/endless', async (_request, response) => {
        for (;;) {
          await response.write(Buffer.alloc(50_000));
          if (response.sent && _request.signal.aborted) return;
        }
      });
    };
    await withServer(driver, {}, stuck, async ({ open }) => {
      const waiting = await open();
      void waiting.send(get('/never') + get('/sync/1'));
      const reader = await open();
      reader.pause();
      void reader.send(get('/endless'));
      const half = await open();
      void half.send('POST /echo/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhal');
      const fast = await open();
      for (let n = 0; n < 200; n++) {
        assert.equal((await fast.ask(get(`/sync/${n}`))).text, `sync ${n}`);
      }
      await waiting.staysQuiet(1);
    });
  });
});
