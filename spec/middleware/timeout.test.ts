// timeout(): 503 for handlers that take too long, and which of several limits applies.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exchangeOf } from '../../src/exchange/request.ts';
import { compress } from '../../src/middleware/compress.ts';
import { timeout } from '../../src/middleware/timeout.ts';
import type { Server } from '../../src/server/server.ts';
import { get, post } from '../../testing/raw-client.ts';
import {
  eventually,
  onEachDriver,
  oneDriver,
  wait,
  withServer,
} from '../../testing/with-server.ts';

const never = () => new Promise<void>(() => {});

onEachDriver('timeout', (add) => {
  add('a handler that takes too long gets 503, and its signal aborts', async (driver) => {
    let aborted = 0;
    let late = '';
    const routes = (server: Server) => {
      server.use(timeout(40));
      server.get('/', async (request, response) => {
        request.signal.addEventListener('abort', () => {
          aborted += 1;
        });
        await wait(120);
        response.header('X-Late', '1').json('late');
        late = 'done';
      });
    };
    await withServer(driver, {}, routes, async ({ open, log, server }) => {
      const client = await open();
      const response = await client.ask(get('/'));
      assert.equal(response.status, 503);
      assert.equal(response.field('connection'), 'close');
      assert.equal(aborted, 1);
      assert.ok(
        log.some((line) => line.includes('GET /: no response within 40 ms')),
        String(log),
      );
      assert.equal(server.counters.timeouts, 1);
      await client.endsCleanly();
      await eventually('the end of the handler', () => late !== '');
      assert.equal(server.counters.handlerErrors, 0, 'calls after it are no mistake');
    });
  });

  add('callbacks of the handler before a response do not run for the 503', async (driver) => {
    let calls = 0;
    const routes = (server: Server) => {
      server.use(timeout(20));
      server.get('/', (_request, response) => {
        response.header('X-Own', '1').beforeSend((outgoing) => {
          calls += 1;
          outgoing.setHeader('X-Callback', '1');
        });
        return never();
      });
    };
    await withServer(driver, {}, routes, async ({ open }) => {
      const response = await (await open()).ask(get('/'));
      assert.deepEqual([response.status, calls], [503, 0]);
      assert.equal(response.field('x-callback'), undefined);
    });
  });

  add('a handler that waits for a body that does not arrive is left', async (driver) => {
    const failures: unknown[] = [];
    const routes = (server: Server) => {
      server.use(timeout(40));
      const fails = (error: unknown) => void failures.push(error);
      server.post('/bytes', async (request) => void (await request.bytes().catch(fails)));
      server.post('/chunks', async (request) => {
        for await (const _chunk of request.body) await wait(0);
      });
    };
    // Without it the connection would stay until this time has passed.
    const options = { bodyTimeoutMs: 600_000 };
    await withServer(driver, options, routes, async ({ log, open, server }) => {
      for (const target of ['/bytes', '/chunks']) {
        const client = await open();
        const text = post(target, 'x'.repeat(1_000)).slice(0, -900);
        const response = await client.ask(text);
        assert.equal(response.status, 503);
        assert.equal(response.field('connection'), 'close');
        await client.endsCleanly();
      }
      assert.equal(failures.length, 1, 'the read rejects');
      assert.equal(server.counters.handlerErrors, 0);
      assert.equal(log.length, 2, String(log));
    });
  });

  add('responses in time are not touched', async (driver) => {
    const routes = (server: Server) => {
      server.use(timeout(500));
      server.get('/now', (_request, response) => response.text('now'));
      server.get('/later', async (_request, response) => {
        await wait(5);
        response.text('later');
      });
      server.get('/callback', (_request, response) => {
        setTimeout(() => response.text('callback'), 5);
      });
      server.get('/stream', async (_request, response) => {
        await response.write('begun, ');
        await wait(700);
        response.end('ended');
      });
      server.get('/later-stream', async (_request, response) => {
        await wait(1);
        await response.write('begun, ');
        await wait(700);
        response.end('ended');
      });
      server.get('/events', async (_request, response) => {
        const events = response.events();
        await wait(700);
        await events.send('one');
        events.close();
      });
      server.get('/error', async () => {
        await wait(1);
        throw new Error('failed');
      });
    };
    await withServer(driver, {}, routes, async ({ open, server }) => {
      const client = await open();
      const targets = [
        ...['/now', '/later', '/callback', '/stream', '/later-stream', '/events', '/error'],
        '/missing',
      ];
      const statusOf = async (target: string) => (await (await open()).ask(get(target))).status;
      const statuses = await Promise.all(targets.map(statusOf));
      assert.deepEqual(statuses, [200, 200, 200, 200, 200, 200, 500, 404]);
      assert.equal((await client.ask(get('/now'))).text, 'now');
      assert.equal(server.counters.timeouts, 0);
    });
  });
});

onEachDriver(
  'timeout, prefixes',
  (add) => {
    add('the one that runs last decides, 0 is no limit', async (driver) => {
      const routes = (server: Server) => {
        server.use(timeout(300));
        server.use('/none', timeout(0));
        // What runs before may take time, and the outer limit has begun then.
        server.use('/long', async (_request, _response, next) => {
          await wait(1);
          await next();
        });
        server.use('/long', timeout(10_000));
        server.use('/short', timeout(10_000));
        server.use('/short', timeout(20));
        for (const path of ['/none', '/long']) {
          server.get(path, async (_request, response) => {
            await wait(500);
            response.text('done');
          });
        }
        server.get('/', never);
        server.get('/short', never);
      };
      await withServer(driver, {}, routes, async ({ open, log }) => {
        for (const [target, status] of [
          ['/none', 200],
          ['/long', 200],
          ['/short', 503],
          ['/', 503],
        ] as const) {
          assert.equal((await (await open()).ask(get(target))).status, status, target);
        }
        const lines = log.filter((line) => line.includes('no response within'));
        assert.deepEqual(
          lines.map((line) => /within (\d+) ms/.exec(line)?.[1]),
          ['20', '300'],
        );
      });
    });

    add('each request has its own time', async (driver) => {
      const routes = (server: Server) => {
        server.use(timeout(300));
        server.get('/', never);
        server.get('/soon', async (_request, response) => {
          await wait(20);
          response.text('soon');
        });
      };
      await withServer(driver, {}, routes, async ({ open }) => {
        const ask = async (target: string, delayMs: number): Promise<number> => {
          await wait(delayMs);
          return (await (await open()).ask(get(target))).status;
        };
        const statuses = await Promise.all([
          ...[ask('/', 0), ask('/soon', 0), ask('/soon', 200), ask('/', 200), ask('/soon', 280)],
        ]);
        assert.deepEqual(statuses, [503, 200, 200, 503, 200]);
      });
    });

    add('a body that does not come, and content that is compressed', async (driver) => {
      const routes = (server: Server) => {
        server.use('/body', timeout(40));
        server.use('/long', timeout(10_000));
        server.use(compress());
        server.post('/body', async (request, response) => response.json(await request.text()));
        server.get('/long', async (_request, response) => {
          await wait(1);
          response.text('x'.repeat(50_000));
        });
      };
      await withServer(driver, {}, routes, async ({ open, server }) => {
        const slow = await open();
        void slow.send(post('/body', 'body').slice(0, -1));
        assert.equal((await slow.nextResponse()).status, 503);
        const long = await (await open()).ask(get('/long', 'Accept-Encoding: gzip'));
        assert.equal(long.field('content-encoding'), 'gzip');
        assert.equal(server.counters.timeouts, 1);
      });
    });
  },
  oneDriver(),
);

test('no request is kept after its response', async () => {
  const [driver] = oneDriver();
  let limit: unknown = null;
  const count = () => (limit as { readonly count: number }).count;
  const routes = (server: Server) => {
    server.use(timeout(60_000));
    server.get('/later', async (request, response) => {
      limit = exchangeOf(request).timeLimit;
      await wait(1);
      response.text('later');
    });
    server.get('/', never);
  };
  await withServer(driver, {}, routes, async ({ open, server }) => {
    const [client, left] = [await open(), await open()];
    for (let turn = 0; turn < 5; turn++) await client.ask(get('/later'));
    void left.send(get('/'));
    await eventually('the request', () => server.counters.requests === 6);
    await eventually('one that waits', () => count() === 1);
    left.reset();
    await eventually('none', () => count() === 0);
  });
});

test('a limit is a whole number of milliseconds', () => {
  for (const ms of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, '5', undefined, {}]) {
    assert.throws(() => timeout(ms as number), /whole number of milliseconds/, String(ms));
  }
  for (const ms of [0, 1, 2 ** 31 - 1]) assert.equal(typeof timeout(ms), 'function');
});
