// How the bytes of requests arrive: one by one, truncated anywhere, or from a client that has
// half-closed the connection and still gets a complete response.

import assert from 'node:assert/strict';
import type { Server } from '../../src/server/server.ts';
import { get, post, postChunks, request } from '../../testing/raw-client.ts';
import { onDriversInTurn, wait, withServer } from '../../testing/with-server.ts';

function routes(server: Server): void {
  server.get('/', (_request, response) => response.text('hello'));
  server.get('/later', async (_request, response) => {
    await wait(10);
    response.text('later');
  });
  server.get('/stream', async (_request, response) => {
    for (let index = 0; index < 5; index++) {
      await response.write(`chunk ${index};`);
      await wait(2);
    }
    response.end();
  });
  server.get('/big', (_request, response) => response.send(Buffer.alloc(5_000_000, 'b')));
  server.post('/', async (request, response) => response.text(`got ${await request.text()}`));
  server.post('/late', async (request, response) => {
    await wait(5);
    response.text(`got ${await request.text()}`);
  });
  server.post('/trailers', async (request, response) => {
    await request.bytes();
    response.json(request.trailers());
  });
}

const TRAILERS = request('POST', '/trailers', ['Transfer-Encoding: chunked']);

const SAMPLES: readonly (readonly [what: string, bytes: string, text: string])[] = [
  ['a GET', get('/', 'X-A: b', 'Cookie: c=d'), 'hello'],
  ['an absolute target', get('http://a.test/'), 'hello'],
  ['a body by length', post('/', 'some body'), 'got some body'],
  ['a body by chunks', postChunks('/', ['some', ' body, in chunks']), 'got some body, in chunks'],
  ['trailers', `${TRAILERS}1;e="x"\r\na\r\n0\r\nA: b\r\nC: d\r\n\r\n`, '[["a","b"],["c","d"]]'],
];

onDriversInTurn('delivery', (add) => {
  for (const [what, bytes, text] of SAMPLES) {
    add(`${what}, byte by byte`, async (driver) => {
      await withServer(driver, {}, routes, async ({ open, server }) => {
        const client = await open();
        for (let round = 0; round < 2; round++) {
          for (const byte of bytes) {
            await client.send(byte);
            // Lets the server run a turn, so that each byte arrives alone.
            await new Promise((resolve) => setImmediate(resolve));
          }
          assert.equal((await client.nextResponse('POST')).text, text);
        }
        assert.equal(server.counters.faults, 0);
        assert.equal(server.counters.accepted, 1);
      });
    });

    add(`${what}, split in two at every byte`, async (driver) => {
      await withServer(driver, {}, routes, async ({ open }) => {
        const client = await open();
        for (let cut = 1; cut < bytes.length; cut++) {
          await client.send(bytes.slice(0, cut));
          await new Promise((resolve) => setImmediate(resolve));
          void client.send(bytes.slice(cut));
          assert.equal((await client.nextResponse('POST')).text, text, `cut at ${cut}`);
        }
      });
    });

    add(
      `${what}, truncated by an end at every byte: 400, without bytes no response`,
      async (driver) => {
        await withServer(driver, { logLevel: 'error' }, routes, async ({ open, server, log }) => {
          for (let length = 0; length < bytes.length; length++) {
            const client = await open();
            if (length > 0) await client.send(bytes.slice(0, length));
            client.half();
            if (length > 0) {
              const response = await client.nextResponse('POST');
              assert.equal(response.status, 400, `cut at ${length}`);
              assert.equal(response.field('connection'), 'close');
            }
            await client.endsCleanly();
          }
          assert.equal(server.counters.faults, bytes.length - 1);
          assert.deepEqual(log, []);
        });
      },
    );

    add(`${what}, truncated by a reset at every byte, leaves nothing behind`, async (driver) => {
      await withServer(driver, { logLevel: 'error' }, routes, async ({ open, server, log }) => {
        for (let length = 0; length < bytes.length; length++) {
          const client = await open();
          if (length > 0) await client.send(bytes.slice(0, length));
          client.reset();
        }
        const client = await open();
        assert.equal((await client.ask(get('/'))).text, 'hello');
        assert.equal(server.counters.handlerErrors, 0, log.join('\n'));
      });
    });
  }

  for (const target of ['/', '/later', '/stream', '/big']) {
    add(`a client that has half-closed gets all of GET ${target}`, async (driver) => {
      await withServer(driver, {}, routes, async ({ open }) => {
        const full = await (await open()).ask(get(target));
        const client = await open();
        void client.send(get(target));
        client.half();
        const response = await client.nextResponse();
        assert.ok(response.body.equals(full.body), 'the content is complete');
        await client.endsCleanly();
      });
    });
  }

  for (const target of ['/', '/late']) {
    add(`a client that half-closes after a body gets its response, ${target}`, async (driver) => {
      await withServer(driver, {}, routes, async ({ open }) => {
        for (const bytes of [post(target, 'body'), postChunks(target, ['bo', 'dy'])]) {
          const client = await open();
          void client.send(bytes);
          client.half();
          assert.equal((await client.nextResponse('POST')).text, 'got body');
          await client.endsCleanly();
        }
      });
    });
  }

  add('every request of a pipeline before the end gets a response', async (driver) => {
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      void client.send(get('/') + get('/later') + post('/', 'x') + get('/stream') + get('/'));
      client.half();
      const texts: string[] = [];
      for (let index = 0; index < 5; index++) texts.push((await client.nextResponse()).text);
      const stream = 'chunk 0;chunk 1;chunk 2;chunk 3;chunk 4;';
      assert.deepEqual(texts, ['hello', 'later', 'got x', stream, 'hello']);
      await client.endsCleanly();
    });
  });

  add(
    'a pipeline whose last request is truncated: the others get responses, then 400',
    async (driver) => {
      await withServer(driver, {}, routes, async ({ open }) => {
        const client = await open();
        void client.send(`${get('/later') + get('/')}GET / HT`);
        client.half();
        assert.equal((await client.nextResponse()).text, 'later');
        assert.equal((await client.nextResponse()).text, 'hello');
        assert.equal((await client.nextResponse()).status, 400);
        await client.endsCleanly();
      });
    },
  );

  add('a truncated body rejects in the handler that reads it, with status 400', async (driver) => {
    const seen: unknown[] = [];
    const reading = (server: Server) => {
      server.post('/chunks', async (request, response) => {
        try {
          for await (const chunk of request.body) seen.push(Buffer.from(chunk).toString());
        } catch (error) {
          seen.push((error as { status?: number }).status);
          throw error;
        }
        response.text('whole');
      });
    };
    await withServer(driver, {}, reading, async ({ open }) => {
      const client = await open();
      await client.send(`${request('POST', '/chunks', ['Content-Length: 10'])}half`);
      client.half();
      const response = await client.nextResponse('POST');
      assert.equal(response.status, 400);
      assert.equal(response.field('connection'), 'close');
      await client.endsCleanly();
      assert.equal(seen.pop(), 400);
      assert.equal(seen.join(''), 'half');
    });
  });

  add('an end without a byte: nothing is sent, nothing is logged', async (driver) => {
    await withServer(driver, {}, routes, async ({ open, server, log }) => {
      const client = await open();
      client.half();
      await client.endsCleanly();
      assert.equal(server.counters.faults, 0);
      assert.deepEqual(log, []);
    });
  });

  add('a head that fills more than one receive block is put together', async (driver) => {
    await withServer(driver, { fieldsMax: 1000 }, routes, async ({ open }) => {
      const client = await open();
      // Shifts the heads against the blocks, so that block boundaries fall in many places of a
      // head.
      for (let shift = 0; shift < 20; shift++) {
        const padded = get('/', `X-Padding: ${'p'.repeat(15_000 + 13 * shift)}`);
        void client.send(padded + padded + padded);
        for (let index = 0; index < 3; index++) {
          assert.equal(
            (await client.nextResponse()).text,
            'hello',
            `shift ${shift}, response ${index}`,
          );
        }
      }
    });
  });
});
