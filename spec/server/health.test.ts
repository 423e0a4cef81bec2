// The paths for orchestrators, healthz and readyz: their responses, that nothing covers them, and
// that readyz says when the server drains.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createServer } from '../../src/index.ts';
import type { Server } from '../../src/server/server.ts';
import { get, post, request } from '../../testing/raw-client.ts';
import { eventually, onEachDriver, oneDriver, withServer } from '../../testing/with-server.ts';

function guarded(server: Server): void {
  server.use((_request, response) => response.status(401).text('no'));
  server.get('/*', (_request, response) => response.text('route'));
}

onEachDriver('health', (add) => {
  add('paths respond before all middleware, and are not logged', async (driver) => {
    const options = { healthz: true, accessLog: true };
    await withServer(driver, options, guarded, async ({ open, out }) => {
      const client = await open();
      for (const target of ['/healthz', '/readyz']) {
        const response = await client.ask(get(target));
        assert.deepEqual([response.status, response.text], [200, 'ok'], target);
        assert.equal(response.field('content-type'), 'text/plain; charset=utf-8');
        assert.equal(response.field('cache-control'), 'no-store');
        const head = await client.ask(request('HEAD', target));
        assert.deepEqual([head.status, head.text, head.field('content-length')], [200, '', '2']);
        assert.equal((await client.ask(post(target, ''))).status, 401);
      }
      assert.equal((await client.ask(get('/healthz/'))).status, 401);
      assert.equal((await client.ask(get('/health'))).status, 401);
      await eventually('the others are logged', () => out.length === 4);
    });
  });

  add('readyz is 503 while the server drains, healthz is not', async (driver) => {
    let respond = (): void => {};
    const slow = (server: Server) => {
      server.get('/slow', (_request, response) => {
        respond = () => response.text('slow');
      });
    };
    const options = { healthz: true, drainLingerMs: 2_000 };
    await withServer(driver, options, slow, async ({ open, server }) => {
      const [busy, first, second] = [await open(), await open(), await open()];
      const response = busy.ask(get('/slow'));
      for (const client of [first, second]) {
        assert.equal((await client.ask(get('/readyz'))).status, 200);
      }
      const closed = server.close();
      const ready = await first.ask(get('/readyz'));
      assert.deepEqual([ready.status, ready.text], [503, 'draining']);
      assert.equal(ready.field('cache-control'), 'no-store');
      const live = await second.ask(get('/healthz'));
      assert.deepEqual([live.status, live.text], [200, 'ok']);
      respond();
      assert.equal((await response).text, 'slow');
      await closed;
    });
  });
});

onEachDriver(
  'health',
  (add) => {
    for (const [options, found] of [
      [{}, []],
      [{ healthz: false }, []],
      [{ readyz: true }, ['/readyz']],
      [{ healthz: '/live' }, ['/live', '/readyz']],
      [{ healthz: true, readyz: false }, ['/healthz']],
      [{ healthz: '/a/b', readyz: '/r%65ady' }, ['/a/b', '/ready']],
    ] as const) {
      add(`paths of ${JSON.stringify(options)}`, async (driver) => {
        await withServer(
          driver,
          options,
          () => {},
          async ({ open }) => {
            const client = await open();
            const paths: string[] = [];
            for (const target of ['/healthz', '/live', '/a/b', '/readyz', '/ready']) {
              if ((await client.ask(get(target))).status === 200) paths.push(target);
            }
            assert.deepEqual(paths, found);
          },
        );
      });
    }
  },
  oneDriver(),
);

describe('health', () => {
  it('paths are true or a path without parameters, and two', () => {
    for (const healthz of ['health', '/:id', '/a/*', '', 1, null, '/a//b']) {
      assert.throws(() => createServer({ healthz } as never), /healthz: given .* a path without/);
    }
    assert.throws(
      () => createServer({ healthz: '/x', readyz: '/x' }),
      /readyz: given "\/x", allowed: a path for healthz and another one for readyz/,
    );
    assert.throws(() => createServer({ healthz: '/readyz' }), /healthz: given "\/readyz"/);
  });

  it('a route of the program with the same path names the option', () => {
    const server = createServer({ healthz: true });
    const message =
      /"\/healthz" \(.*health\.test\.[jt]s:\d+\): GET \/healthz already exists \(option/;
    assert.throws(() => server.get('/healthz', () => {}), message);
    server.post('/healthz', () => {});
  });
});
