// bodyLimit(): bodies of a known length, chunked ones, each way to read them, and the limits of the
// server around it.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Handler } from '../../src/exchange/handler.ts';
import { HttpError } from '../../src/exchange/http-error.ts';
import type { Request } from '../../src/exchange/request.ts';
import { bodyLimit } from '../../src/middleware/body-limit.ts';
import type { Server } from '../../src/server/server.ts';
import { get, post, postChunks, request } from '../../testing/raw-client.ts';
import { unlistenedServer } from '../../testing/unlistened-server.ts';
import { withSite } from '../../testing/virtual-site.ts';
import { onEachDriver, withServer } from '../../testing/with-server.ts';

const readers: Readonly<Record<string, Handler>> = {
  bytes: async (request, response) => response.send(await request.bytes()),
  text: async (request, response) => response.text(await request.text()),
  body: async (request, response) => {
    let length = 0;
    for await (const chunk of request.body) length += chunk.length;
    response.text('b'.repeat(length));
  },
};

function routes(
  bytes: number,
  more: (server: Server) => void = () => {},
): (server: Server) => void {
  return (server) => {
    server.use('/limited', bodyLimit(bytes));
    more(server);
    for (const prefix of ['/limited', '/free']) {
      for (const [name, reader] of Object.entries(readers)) {
        server.post(`${prefix}/${name}`, reader);
      }
      server.post(`${prefix}/unread`, (_request, response) => response.text('unread'));
      server.get(`${prefix}/unread`, (_request, response) => response.text('unread'));
    }
  };
}

function chunksOf(length: number, size: number): string[] {
  const chunks: string[] = [];
  for (let at = 0; at < length; at += size) chunks.push('b'.repeat(Math.min(size, length - at)));
  return chunks;
}

describe('bodies', () => {
  test('up to the limit they pass, one byte more is 413', async () => {
    await withSite(routes(100), async ({ ask }) => {
      for (const reader of Object.keys(readers)) {
        const path = `/limited/${reader}`;
        for (const length of [0, 1, 99, 100]) {
          const known = await ask(post(path, 'b'.repeat(length)));
          assert.equal(known.text, 'b'.repeat(length), reader);
          const chunked = await ask(postChunks(path, chunksOf(length, 7)));
          assert.equal(chunked.text, 'b'.repeat(length), reader);
        }
        for (const length of [101, 200]) {
          assert.equal((await ask(post(path, 'b'.repeat(length)))).status, 413);
          const chunked = await ask(postChunks(path, chunksOf(length, 7)));
          assert.equal(chunked.status, 413, `${reader} ${length}`);
        }
      }
    });
  });

  test('a longer Content-Length is 413 before any of it arrives, and gets no 100', async () => {
    await withSite(routes(100), async ({ virtual }) => {
      const client = virtual.open();
      const lines = ['Content-Length: 101', 'Expect: 100-continue'];
      const output = await client.ask(request('POST', '/limited/bytes', lines));
      assert.match(output, /^HTTP\/1\.1 413 /);
      assert.match(output, /\r\nConnection: close\r\n/i);
    });
  });

  test('a chunked body is 413 as soon as it is too long, not at its end', async () => {
    for (const reader of Object.keys(readers)) {
      await withSite(routes(10), async ({ virtual }) => {
        const client = virtual.open();
        const head = request('POST', `/limited/${reader}`, ['Transfer-Encoding: chunked']);
        assert.equal(await client.ask(`${head}8\r\n12345678\r\n`), '');
        assert.match(await client.ask('3\r\n901'), /^HTTP\/1\.1 413 /);
      });
    }
  });

  test('the connection goes on after a small body that was too long', async () => {
    await withSite(routes(10), async ({ virtual }) => {
      const client = virtual.open();
      const tooLong = post('/limited/bytes', 'b'.repeat(50));
      const chunked = postChunks('/limited/body', chunksOf(50, 9));
      const output = await client.ask(tooLong + chunked + post('/limited/text', 'short'));
      assert.deepEqual(output.match(/HTTP\/1\.1 \d+/g), [
        'HTTP/1.1 413',
        'HTTP/1.1 413',
        'HTTP/1.1 200',
      ]);
    });
  });

  test('a limit of one request does not apply to the next one of the connection', async () => {
    await withSite(routes(10), async ({ virtual }) => {
      const client = virtual.open();
      const long = 'b'.repeat(50);
      const first = post('/limited/text', 'short');
      const output = await client.ask(first + post('/free/text', long) + post('/free/body', long));
      assert.equal(output.split(long).length, 3);
    });
    // A record that no promise keeps is used again for the next request.
    await withSite(routes(10), async ({ virtual }) => {
      const client = virtual.open();
      const long = 'b'.repeat(50);
      const first = post('/limited/unread', 'short');
      for (const reader of Object.keys(readers)) {
        const output = await client.ask(first + post(`/free/${reader}`, long));
        assert.ok(output.endsWith(long), output);
      }
    });
  });

  test('a request without a body passes a limit of 0', async () => {
    await withSite(routes(0), async ({ ask }) => {
      assert.equal((await ask(get('/limited/unread'))).status, 200);
      assert.equal((await ask(post('/limited/unread', ''))).status, 200);
      assert.equal((await ask(post('/limited/unread', 'x'))).status, 413);
      assert.equal((await ask(postChunks('/limited/bytes', []))).status, 200);
      assert.equal((await ask(postChunks('/limited/bytes', ['x']))).status, 413);
    });
  });
});

describe('several limits', () => {
  test('it may exceed body_bytes_max, but not stream_bytes_max', async () => {
    const options = { bodyBytesMax: 10, streamBytesMax: 50 };
    await withSite(
      routes(100),
      async ({ ask }) => {
        for (const reader of ['bytes', 'text']) {
          const path = `/limited/${reader}`;
          assert.equal((await ask(post(path, 'b'.repeat(50)))).status, 200);
          assert.equal((await ask(post(path, 'b'.repeat(51)))).status, 413);
          assert.equal((await ask(postChunks(path, chunksOf(50, 9)))).status, 200);
          assert.equal((await ask(postChunks(path, chunksOf(51, 9)))).status, 413);
          assert.equal((await ask(post(`/free/${reader}`, 'b'.repeat(11)))).status, 413);
        }
      },
      options,
    );
  });

  test('the least of several applies, in any order', async () => {
    for (const [outer, inner] of [
      [100, 10],
      [10, 100],
    ]) {
      const more = (server: Server) => server.use('/limited/bytes', bodyLimit(inner));
      await withSite(routes(outer, more), async ({ ask }) => {
        assert.equal((await ask(post('/limited/bytes', 'b'.repeat(10)))).status, 200);
        assert.equal((await ask(post('/limited/bytes', 'b'.repeat(11)))).status, 413);
        assert.equal((await ask(postChunks('/limited/bytes', chunksOf(11, 3)))).status, 413);
      });
    }
  });
});

test('the handler gets the error, and after the body is read a limit is a mistake', async () => {
  const seen: unknown[] = [];
  const site = (server: Server) => {
    server.use('/caught', bodyLimit(10));
    server.post('/caught', async (request, response) => {
      try {
        for await (const chunk of request.body) seen.push(chunk.length);
      } catch (error) {
        seen.push(error instanceof HttpError && error.status);
      }
      response.text('caught');
    });
    server.use('/late', async (request, _response, next) => {
      await request.text();
      await next();
    });
    server.use('/late', bodyLimit(10));
    server.get('/late', (_request, response) => response.text('no body'));
  };
  await withSite(site, async ({ ask, virtual }) => {
    assert.equal((await ask(postChunks('/caught', chunksOf(30, 5)))).text, 'caught');
    assert.equal(seen.at(-1), 413);
    assert.equal((await ask(post('/late', 'body'))).status, 500);
    assert.match(virtual.asyncIo.log.join('\n'), /use bodyLimit\(\) before/);
    assert.equal((await ask(get('/late'))).text, 'no body');
  });
});

test('the limit is checked', () => {
  for (const bytes of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '1mb', null, undefined]) {
    assert.throws(() => bodyLimit(bytes as number), { name: 'TypeError', message: /whole number/ });
  }
});

onEachDriver('bodyLimit', (add) => {
  add('a large chunked body is cut off, and the server keeps serving', async (driver) => {
    await withServer(driver, {}, routes(50_000), async ({ open }) => {
      const client = await open();
      const chunked = postChunks('/limited/body', chunksOf(120_000, 16_000));
      assert.equal((await client.ask(chunked)).status, 413);
      const again = await open();
      const fits = await again.ask(postChunks('/limited/bytes', chunksOf(50_000, 16_000)));
      assert.equal(fits.body.length, 50_000);
    });
  });
});

test('a limit behind what has read the body, or has left it, is an error, too', async () => {
  const leave = async (request: Request): Promise<void> => {
    for await (const _ of request.body) break;
  };
  for (const read of [
    (request: Request) => request.text(),
    (request: Request) => request.bytes(),
    leave,
  ]) {
    const { log, server } = unlistenedServer();
    server.use(async (request, _response, next) => {
      await read(request);
      await next();
    });
    server.use(bodyLimit(10));
    server.post('/', (_request, response) => response.text('read'));
    const { status } = await server.inject({ method: 'POST', target: '/', body: 'abc' });
    await server.close();
    assert.equal(status, 500);
    assert.match(log.join('\n'), /bodyLimit: the body is being read already/);
  }
});
