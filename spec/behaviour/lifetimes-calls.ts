// What each mistake of a handler gets: a test for each row of the second table of
// docs/lifetimes.md.

import assert from 'node:assert/strict';
import { truncateSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Handler } from '../../src/exchange/exchange.ts';
import type { Server } from '../../src/server/server.ts';
import { get, request as requestOf } from '../../testing/raw-client.ts';
import {
  type DriverTest,
  eventually,
  type Running,
  wait,
  withServer,
} from '../../testing/with-server.ts';

/** A test of one handler for every path. */
function handling(
  handler: Handler,
  body: (running: Running) => Promise<void>,
  options: { readonly handlerTimeoutMs?: number } = {},
): DriverTest {
  return (driver) => withServer(driver, options, (server) => void server.all('/*', handler), body);
}

async function asksTwice({ open }: Running): Promise<void> {
  const client = await open();
  for (let count = 0; count < 2; count++) {
    assert.equal((await client.ask(get('/'))).text, 'first');
  }
}

async function* slowly(): AsyncGenerator<string> {
  for (const text of ['fi', 'rs', 't']) {
    await wait(10);
    yield text;
  }
}

function counts(server: Server): readonly [number, number] {
  return [server.counters.lateWrites, server.counters.handlerErrors];
}

export const CALL_ROWS: ReadonlyMap<string, DriverTest> = new Map<string, DriverTest>([
  [
    "a second response within the handler's own call",
    handling(
      (_request, response) => {
        response.text('first');
        response.text('second');
        assert.fail('it goes on');
      },
      async (running) => {
        await asksTwice(running);
        assert.deepEqual(counts(running.server), [0, 2]);
        assert.match(running.log.join('\n'), /text\(\): the response has ended/);
      },
    ),
  ],
  [
    'a second response later (a timer, after an await)',
    handling(
      async (_request, response) => {
        setTimeout(() => response.text('third'), 5);
        await wait(1);
        response.text('first');
        response.text('second');
      },
      async (running) => {
        await asksTwice(running);
        await eventually('all are counted', () => running.server.counters.lateWrites === 4);
        assert.equal(running.server.counters.handlerErrors, 4);
        assert.match(running.log.join('\n'), /text\(\) had no effect: [\s\S]*lifetimes-calls/);
      },
    ),
  ],
  [
    'write(), end(), send() while stream(), file() or events() is sending',
    handling(
      (_request, response) => {
        setTimeout(() => response.end('x'), 5);
        setTimeout(() => response.send('x'), 15);
        setTimeout(() => void response.write('x'), 25);
        return response.stream(slowly());
      },
      async (running) => {
        await asksTwice(running);
        await eventually('all are counted', () => running.server.counters.lateWrites === 6);
      },
    ),
  ],
  [
    'anything after the client is gone, or after the 503 of handler_timeout_ms',
    handling(
      async (_request, response) => {
        while (!response.closed) await wait(5);
        response.text('late');
      },
      async ({ open, server }) => {
        const client = await open();
        assert.equal((await client.ask(get('/'))).status, 503);
        const other = await open();
        await other.send(get('/'));
        other.reset();
        await eventually('both are counted', () => server.counters.lateWrites === 2);
        assert.equal(server.counters.handlerErrors, 0);
      },
      { handlerTimeoutMs: 20 },
    ),
  ],
  [
    'content for a HEAD, or with status 204, 205 or 304, by write(), stream(), file(), events()',
    handling(
      async (request, response) => {
        response.status(Number(request.query.get('status')));
        const way = request.query.get('way');
        if (way === 'stream') await response.stream(['content']);
        else if (way === 'events') await response.events().send('content');
        else await response.write('content');
        assert.equal(response.closed, true);
        assert.equal(request.signal.aborted, true);
      },
      async ({ open, server }) => {
        const client = await open();
        for (const way of ['write', 'stream', 'events']) {
          for (const status of [204, 205, 304]) {
            const response = await client.ask(get(`/?way=${way}&status=${status}`));
            assert.deepEqual([response.status, response.text], [status, '']);
          }
          const target = `/?way=${way}&status=200`;
          assert.equal((await client.ask(requestOf('HEAD', target))).text, '');
        }
        assert.equal(server.counters.handlerErrors, 0);
      },
    ),
  ],
  [
    'the same by send(), text(), html(), json() with status 204, 205 or 304',
    handling(
      (request, response) => {
        response.status(Number(request.query.get('status'))).text('content');
      },
      async ({ open }) => {
        const client = await open();
        for (const status of [204, 205, 304]) {
          assert.equal((await client.ask(get(`/?status=${status}`))).status, 500);
        }
      },
    ),
  ],
  [
    'next() twice',
    async (driver) => {
      let calls = 0;
      const routes = (server: Server) => {
        server.use('/sync', (_request, _response, next) => {
          void next();
          void next();
        });
        server.use('/async', async (_request, _response, next) => {
          await next();
          await next();
        });
        server.get('/*', (_request, response) => {
          calls += 1;
          response.text('first');
        });
      };
      await withServer(driver, {}, routes, async ({ open, server, log }) => {
        const client = await open();
        for (const target of ['/sync', '/async']) {
          assert.equal((await client.ask(get(target))).text, 'first');
        }
        await eventually('both failed', () => server.counters.handlerErrors === 2);
        assert.equal(log.join('\n').match(/next\(\) was called twice/g)?.length, 2);
        assert.equal(calls, 2);
      });
    },
  ],
  [
    'next() from a timer, whose handler throws',
    async (driver) => {
      const routes = (server: Server) => {
        server.use((_request, _response, next) => void setTimeout(next, 5));
        server.onError((error, _request, response) => {
          response.status(500).text(String(error));
        });
        server.get('/', () => {
          throw new Error('first');
        });
      };
      await withServer(driver, {}, routes, async ({ open }) => {
        assert.equal((await (await open()).ask(get('/'))).text, 'Error: first');
      });
    },
  ],
  [
    'a handler that returns without a promise and without a response',
    handling(
      (request, response) => {
        if (request.path === '/later') setTimeout(() => response.text('first'), 10);
      },
      async ({ open }) => {
        const client = await open();
        assert.equal((await client.ask(get('/later'))).text, 'first');
        assert.equal((await client.ask(get('/never'))).status, 503);
      },
      { handlerTimeoutMs: 100 },
    ),
  ],
  [
    'a promise that resolves without a response',
    handling(
      async () => {},
      async ({ open }) => {
        assert.equal((await (await open()).ask(get('/'))).status, 500);
      },
    ),
  ],
  [
    'file() or stream() that is not awaited and fails',
    handling(
      (request, response) => {
        if (request.path === '/file') void response.file('/no/such/file');
        else void response.stream(failing());
      },
      async ({ open }) => {
        const client = await open();
        assert.equal((await client.ask(get('/file'))).status, 404);
        assert.equal((await client.ask(get('/stream'))).status, 500);
      },
    ),
  ],
  [
    'a stream longer than its Content-Length',
    handling(
      (_request, response) => {
        response.header('Content-Length', 3);
        void response.write('abc');
        setTimeout(() => void response.write('d'), 10);
      },
      async ({ open, log }) => {
        const client = await open();
        await client.send(get('/'));
        await client.ending();
        assert.match(log.join('\n'), /more was written than Content-Length announced/);
      },
    ),
  ],
  [
    'a stream or a file shorter than its Content-Length',
    async (driver) => {
      const folder = await mkdtemp(join(tmpdir(), 'vibing-'));
      const path = join(folder, 'large');
      const bytes = 8_000_000;
      writeFileSync(path, Buffer.alloc(bytes));
      const routes = (server: Server) => {
        server.get('/stream', async (_request, response) => {
          response.header('Content-Length', 9);
          await response.write('abc');
          response.end();
        });
        server.get('/file', (_request, response) => response.file(path));
      };
      try {
        await withServer(driver, {}, routes, async ({ open, log }) => {
          const client = await open();
          await assert.rejects(client.ask(get('/stream')), /no complete response/);
          assert.match(log.join('\n'), /ended 6 bytes before its Content-Length/);
          const other = await open();
          other.socket.pause();
          await other.send(get('/file'));
          await wait(50);
          truncateSync(path, 1000);
          other.socket.resume();
          await eventually('it is cut', () => other.ended || other.closed);
          assert.ok(other.receivedBytes < bytes);
          assert.match(log.join('\n'), /the response is cut: the file ended/);
        });
      } finally {
        await rm(folder, { recursive: true });
      }
    },
  ],
  [
    'an error after the head was sent',
    handling(
      async (_request, response) => {
        await response.write('abc');
        throw new Error('planted');
      },
      async ({ open, log }) => {
        await assert.rejects((await open()).ask(get('/')), /no complete response/);
        assert.match(log.join('\n'), /planted/);
      },
    ),
  ],
  [
    'a loop that awaits only write(), events.send(), a body or next()',
    async (driver) => {
      const routes = (server: Server) => {
        server.use('/next', async (_request, response, next) => {
          response.text('first');
          for (;;) await next().catch(() => {});
        });
        server.get('/write', async (_request, response) => {
          response.text('first');
          for (;;) await response.write('x');
        });
        server.get('/body', async (request, response) => {
          response.text('first');
          for (;;) await request.text().catch(() => {});
        });
        server.get('/events', async (_request, response) => {
          response.text('first');
          for (;;) await response.events().send('x');
        });
      };
      await withServer(driver, { shutdownTimeoutMs: 100 }, routes, async ({ open }) => {
        const client = await open();
        for (const target of ['/next', '/write', '/body', '/events']) {
          assert.equal((await client.ask(get(target))).text, 'first');
        }
      });
    },
  ],
  [
    'a source given to stream() whose client leaves, also while it is quiet',
    async (driver) => {
      const ended: string[] = [];
      const quiet = new Readable({ read() {} });
      quiet.on('close', () => ended.push('Readable'));
      const web = new ReadableStream<Uint8Array>({ cancel: () => void ended.push('web') });
      const sources = [quiet, web, returning(() => ended.push('iterable'))];
      const routes = (server: Server) => {
        server.get('/:index', (request, response) =>
          response.stream(sources[Number(request.params['index'])]),
        );
      };
      await withServer(driver, {}, routes, async ({ open, server }) => {
        for (const index of [0, 1, 2]) {
          const client = await open();
          await client.send(get(`/${index}`));
          await eventually('the handler runs', () => server.counters.requests === index + 1);
          client.reset();
          await eventually('the source is ended', () => ended.length === index + 1);
        }
        assert.deepEqual(ended, ['Readable', 'web', 'iterable']);
      });
    },
  ],
  [
    'an afterSend() callback that throws or rejects',
    handling(
      (_request, response) => {
        response.afterSend(() => {
          throw new Error('planted one');
        });
        response.afterSend((async () => {
          throw new Error('planted two');
        }) as () => void);
        response.text('first');
      },
      async (running) => {
        await asksTwice(running);
        const lines = (): string => running.log.join('\n');
        await eventually('both are logged', () =>
          /one[\s\S]*two[\s\S]*one[\s\S]*two/.test(lines()),
        );
      },
    ),
  ],
  [
    'a beforeSend() callback that is async',
    handling(
      (_request, response) => {
        response.beforeSend((async () => {
          throw new Error('planted');
        }) as () => void);
        response.text('first');
      },
      async ({ open, log }) => {
        assert.equal((await (await open()).ask(get('/'))).status, 500);
        assert.match(log.join('\n'), /callback cannot be async/);
      },
    ),
  ],
]);

async function* failing(): AsyncGenerator<string> {
  await wait(1);
  yield String(JSON.parse('{'));
}

/** An iterable that waits for ever, and is told when no more is wanted. */
function returning(returned: () => void): AsyncIterable<string> {
  return {
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise(() => {}),
      return: async () => {
        returned();
        return { done: true, value: undefined };
      },
    }),
  };
}
