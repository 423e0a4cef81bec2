// Responses that are sent chunk by chunk: framing, trailers, events, files, and backpressure, which
// bounds the memory for a slow reader.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after } from 'node:test';
import type { Server } from '../../src/server/server.ts';
import { get, request } from '../../testing/raw-client.ts';
import { eventually, onEachDriver, wait, withServer } from '../../testing/with-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'vibing-streaming-'));
after(() => rmSync(folder, { recursive: true }));

const CONTENT = Buffer.from(Array.from({ length: 700_000 }, (_, index) => (index * 7) % 251));
const FILE = join(folder, 'numbers.bin');
writeFileSync(FILE, CONTENT);
writeFileSync(join(folder, 'empty.txt'), '');
writeFileSync(join(folder, 'page.html'), '<p>');

function routes(server: Server): void {
  server.get('/', (_request, response) => response.text('hello'));
  server.get('/chunks', (_request, response) => response.stream(['one', Buffer.from('two'), '']));
  server.get('/none', (_request, response) => response.stream([]));
  server.get('/sized', (_request, response) => {
    response.header('Content-Length', 6).header('Content-Type', 'text/x');
    return response.stream(['one', 'two']);
  });
  server.get('/readable', (_request, response) =>
    response.stream(Readable.from([Buffer.from('from '), Buffer.from('node')])),
  );
  server.get('/web', (_request, response) => response.stream(new Blob(['from the web']).stream()));
  server.get('/trailers', async (_request, response) => {
    await response.write('content');
    response.trailer('X-Sum', '7').trailer('X-Other', 'b');
    response.end();
  });
  server.get('/file', (_request, response) => response.file(FILE));
  server.get('/file/:name', (request, response) =>
    response.file(join(folder, request.params['name'] ?? '')),
  );
  server.get('/big/:count', async (request, response) => {
    for (let index = 0; index < Number(request.params['count']); index++) {
      await response.write(Buffer.alloc(10_007, index % 256));
    }
    response.end();
  });
}

onEachDriver('streaming', (add) => {
  add('each written chunk is a chunk of the response, without empty ones', async (driver) => {
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      const response = await client.ask(get('/chunks'));
      assert.deepEqual(response.chunks, [3, 3]);
      assert.equal(response.text, 'onetwo');
      assert.equal(response.field('content-type'), 'application/octet-stream');
      assert.equal((await client.ask(get('/none'))).text, '');
      const sized = await client.ask(get('/sized'));
      assert.equal(sized.framing, 'length');
      assert.equal(sized.text, 'onetwo');
      assert.equal(sized.field('content-type'), 'text/x');
      assert.equal((await client.ask(get('/readable'))).text, 'from node');
      assert.equal((await client.ask(get('/web'))).text, 'from the web');
      assert.equal((await client.ask(get('/'))).text, 'hello');
    });
  });

  add('chunks of all sizes, framed by chunks and by length', async (driver) => {
    const sizes = [1, 15, 16, 17, 255, 256, 4_095, 8_191, 8_192, 8_193, 65_537, 300_000];
    const chunks = sizes.map((size, index) => Buffer.alloc(size, 65 + index));
    const full = Buffer.concat(chunks);
    const sized = (server: Server) => {
      server.get('/chunked', (_request, response) => response.stream(chunks));
      server.get('/length', (_request, response) =>
        response.header('Content-Length', full.length).stream(chunks),
      );
    };
    await withServer(driver, {}, sized, async ({ open }) => {
      const client = await open();
      for (let round = 0; round < 3; round++) {
        const chunked = await client.ask(get('/chunked'));
        assert.deepEqual(chunked.chunks, sizes);
        assert.ok(chunked.body.equals(full));
        assert.ok((await client.ask(get('/length'))).body.equals(full));
      }
    });
  });

  add('a chunk may be reused once its write() has resolved', async (driver) => {
    const reusing = (server: Server) => {
      server.get('/:size', async (request, response) => {
        const chunk = Buffer.alloc(Number(request.params['size']));
        for (let index = 0; index < 50; index++) {
          chunk.fill(index);
          await response.write(chunk);
        }
        response.end();
      });
    };
    await withServer(driver, {}, reusing, async ({ open }) => {
      for (const size of [100, 10_000, 200_000]) {
        const client = await open();
        client.pause();
        void client.send(get(`/${size}`));
        await wait(20);
        client.resume();
        const { body } = await client.nextResponse();
        assert.equal(body.length, 50 * size);
        for (let index = 0; index < 50; index++) {
          const chunk = body.subarray(index * size, (index + 1) * size);
          assert.ok(chunk.equals(Buffer.alloc(size, index)), `chunk ${index} of ${size} bytes`);
        }
      }
    });
  });

  add('write() without await keeps order and content', async (driver) => {
    const hasty = (server: Server) => {
      server.get('/', (_request, response) => {
        for (let index = 0; index < 2_000; index++) void response.write(`${index},`);
        response.end('end');
      });
    };
    await withServer(driver, {}, hasty, async ({ open }) => {
      const client = await open();
      const expected = `${Array.from({ length: 2_000 }, (_, index) => index).join(',')},end`;
      for (let round = 0; round < 3; round++) {
        assert.ok((await client.ask(get('/'))).text === expected);
      }
    });
  });

  add('trailers are sent for TE: trailers, in HTTP/1.1', async (driver) => {
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      for (const te of ['trailers', 'deflate, trailers', 'Trailers']) {
        const response = await client.ask(get('/trailers', `TE: ${te}`, 'Connection: TE'));
        assert.equal(response.text, 'content');
        assert.deepEqual(response.trailers, [
          ['X-Sum', '7'],
          ['X-Other', 'b'],
        ]);
      }
      assert.deepEqual((await client.ask(get('/trailers'))).trailers, []);
      assert.deepEqual((await client.ask(get('/trailers', 'TE: deflate'))).trailers, []);
      const old = await client.ask('GET /trailers HTTP/1.0\r\nTE: trailers\r\n\r\n');
      assert.equal(old.text, 'content');
      await client.endsCleanly();
    });
  });

  add('a trailer cannot be a framing field, nor split the response', async (driver) => {
    const thrown: unknown[] = [];
    const bad = (server: Server) => {
      server.get('/', async (_request, response) => {
        await response.write('content');
        for (const [name, value] of [
          ['Content-Length', '1'],
          ['Transfer-Encoding', 'chunked'],
          ['X-A', 'b\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
          ['X-A', 'b\nX-B: c'],
          ['X-A', '\u20ac'],
        ] as const) {
          try {
            response.trailer(name, value);
          } catch (error) {
            thrown.push(error);
          }
        }
        response.end();
      });
    };
    await withServer(driver, {}, bad, async ({ open }) => {
      const client = await open();
      const response = await client.ask(get('/', 'TE: trailers'));
      assert.deepEqual(response.trailers, []);
      assert.equal(thrown.length, 5);
      assert.ok(thrown.every((error) => error instanceof TypeError));
      assert.equal(client.rest.length, 0);
    });
  });

  add('events() sends what browsers understand', async (driver) => {
    const results: unknown[] = [];
    const events = (server: Server) => {
      server.get('/', async (_request, response) => {
        const stream = response.events();
        await stream.send('one');
        await stream.send('two\nlines\r\nand three\rfour');
        await stream.send('', { event: 'tick', id: '7', retryMs: 1500.7 });
        await stream.comment();
        await stream.comment('still here');
        for (const bad of ['a\nb', 'a\rb', 'a\0b']) {
          assert.throws(() => void stream.send('x', { event: bad }), TypeError);
          assert.throws(() => void stream.send('x', { id: bad }), TypeError);
          assert.throws(() => void stream.comment(bad), TypeError);
        }
        results.push(stream.closed);
        stream.close();
        results.push(stream.closed);
        stream.close();
      });
    };
    await withServer(driver, {}, events, async ({ open }) => {
      const client = await open();
      const response = await client.ask(get('/', 'Accept: text/event-stream'));
      assert.equal(response.field('content-type'), 'text/event-stream');
      assert.equal(response.field('cache-control'), 'no-store');
      assert.equal(
        response.text,
        'data: one\n\n' +
          'data: two\ndata: lines\ndata: and three\ndata: four\n\n' +
          'event: tick\nid: 7\nretry: 1500\ndata: \n\n' +
          ': \n\n: still here\n\n',
      );
      assert.deepEqual(results, [false, true]);
    });
  });

  add(
    'events arrive one by one; sending to a client that disconnected is a late write',
    async (driver) => {
      let send = async (_text: string): Promise<void> => {};
      let isClosed = () => false;
      const events = (server: Server) => {
        server.get('/', (_request, response) => {
          const stream = response.events();
          send = (text) => stream.send(text);
          isClosed = () => stream.closed;
        });
      };
      await withServer(driver, {}, events, async ({ open, server }) => {
        const client = await open();
        void client.send(get('/'));
        await client.sees('\r\n\r\n');
        for (let index = 0; index < 5; index++) {
          await send(`event ${index}`);
          await client.sees(`data: event ${index}\n\n`);
        }
        client.reset();
        await eventually('the stream is closed', isClosed);
        await send('too late');
        assert.equal(server.counters.lateWrites, 1);
      });
    },
  );

  add('file(): its bytes, type, tag and time; 304 when the client has it', async (driver) => {
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      const response = await client.ask(get('/file'));
      assert.ok(response.body.equals(CONTENT));
      assert.equal(response.field('content-type'), 'application/octet-stream');
      const etag = response.field('etag') ?? '';
      const modified = response.field('last-modified') ?? '';
      for (const line of [`If-None-Match: ${etag}`, `If-Modified-Since: ${modified}`]) {
        const same = await client.ask(get('/file', line));
        assert.equal(same.status, 304, line);
        assert.equal(same.field('etag'), etag);
      }
      assert.equal((await client.ask(get('/file', 'If-None-Match: "x"'))).status, 200);
      const page = await client.ask(get('/file/page.html'));
      assert.equal(page.field('content-type'), 'text/html; charset=utf-8');
      assert.equal((await client.ask(get('/file/empty.txt'))).text, '');
      assert.equal((await client.ask(get('/file/missing'))).status, 404);
      assert.equal((await client.ask(get('/file/.'))).status, 404);
      assert.equal((await client.ask(get('/'))).text, 'hello');
    });
  });

  add('many files at once, with readers that pause', async (driver) => {
    await withServer(driver, {}, routes, async ({ open }) => {
      const clients = await Promise.all(Array.from({ length: 20 }, open));
      for (const client of clients) {
        client.pause();
        void client.send(get('/file') + get('/file'));
      }
      await wait(20);
      for (const client of clients) client.resume();
      for (const client of clients) {
        for (let round = 0; round < 2; round++) {
          assert.ok((await client.nextResponse()).body.equals(CONTENT));
        }
      }
    });
  });

  add(
    'a client that disconnects in the middle of a file leaves no descriptor open',
    async (driver) => {
      await withServer(driver, {}, routes, async ({ open, server }) => {
        for (let index = 0; index < 20; index++) {
          const client = await open();
          void client.send(get('/file'));
          await client.hasReceived(1);
          client.reset();
        }
        await eventually('all are closed', () => server.counters.closed === 20);
        assert.equal(server.counters.handlerErrors, 0);
      });
    },
  );

  add('write() waits for a reader that does not read', async (driver) => {
    let written = 0;
    const endless = (server: Server) => {
      server.get('/', async (request, response) => {
        const chunk = Buffer.alloc(64 * 1024);
        const { signal } = request;
        while (!signal.aborted) {
          await response.write(chunk);
          written += chunk.length;
        }
      });
    };
    await withServer(driver, {}, endless, async ({ open }) => {
      const client = await open();
      client.pause();
      void client.send(get('/'));
      let before = -1;
      while (written !== before) {
        before = written;
        await wait(60);
      }
      assert.ok(written > 0);
      // The kernel's buffers of both ends; without backpressure there is no limit.
      assert.ok(written < 64 * 1024 * 1024, `${written} bytes for a client that does not read`);
      const rssBefore = process.memoryUsage().rss;
      await wait(100);
      const grown = process.memoryUsage().rss - rssBefore;
      assert.ok(grown < 16 * 1024 * 1024, `memory grew by ${grown} bytes without a reader`);
      client.resume();
      await client.hasReceived(written + 10 * 1024 * 1024);
      client.reset();
    });
  });

  add('a slow reader gets everything, in order', async (driver) => {
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      client.pause();
      void client.send(get('/big/1000') + request('GET', '/'));
      for (let index = 0; index < 10; index++) {
        await wait(5);
        client.resume();
        await wait(1);
        client.pause();
      }
      client.resume();
      const { body } = await client.nextResponse();
      assert.equal(body.length, 1000 * 10_007);
      for (let index = 0; index < 1000; index++) {
        assert.equal(body[index * 10_007], index % 256);
        assert.equal(body[(index + 1) * 10_007 - 1], index % 256);
      }
      assert.equal((await client.nextResponse()).text, 'hello');
    });
  });
});
