// Calls of next() that come later than the middleware that kept it: errors behind it can be caught,
// and a second call never ends the process.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Next } from '../../src/exchange/handler.ts';
import type { Server } from '../../src/server/server.ts';
import { get } from '../../testing/raw-client.ts';
import { withSite } from '../../testing/virtual-site.ts';

test('middleware that calls next() later can catch what the handler throws', async () => {
  const routes = (server: Server) => {
    server.use((_request, response, next) => {
      setImmediate(() => {
        void next().catch(() => response.status(418).text('caught'));
      });
    });
    server.get('/', () => {
      throw new Error('thrown at once');
    });
  };
  await withSite(routes, async ({ ask, errors }) => {
    for (let turn = 0; turn < 2; turn++) {
      const response = await ask(get('/'));
      assert.deepEqual([response.status, response.text], [418, 'caught']);
    }
    assert.deepEqual(errors(), []);
  });
});

test('a second next() throws within the middleware, and rejects later', async () => {
  const seen: unknown[] = [];
  const kept: Next[] = [];
  const routes = (server: Server) => {
    server.use('/now', (_request, _response, next) => {
      void next();
      try {
        void next();
      } catch (error) {
        seen.push(String(error));
      }
    });
    server.use('/later', async (_request, _response, next) => {
      await next();
      await new Promise((resolve) => setImmediate(resolve));
      const again = next();
      seen.push(again instanceof Promise);
      await again.catch((error: unknown) => seen.push(String(error)));
    });
    server.use('/kept', (_request, _response, next) => {
      kept.push(next);
      return next();
    });
    for (const path of ['/now', '/later', '/kept']) {
      server.get(path, (_request, response) => response.text('handled'));
    }
  };
  await withSite(routes, async ({ ask, virtual }) => {
    const twice = 'Error: next() was called twice';
    assert.equal((await ask(get('/now'))).text, 'handled');
    assert.deepEqual(seen.splice(0), [twice]);
    assert.equal((await ask(get('/later'))).text, 'handled');
    await virtual.rest();
    assert.deepEqual(seen.splice(0), [true, twice]);
    const late = virtual.server.counters.lateWrites;
    assert.equal((await ask(get('/kept'))).text, 'handled');
    for (const next of kept) {
      const again = next();
      assert.ok(again instanceof Promise);
      await again.catch((error: unknown) => seen.push(String(error)));
    }
    assert.equal(virtual.server.counters.lateWrites, late + 1);
    assert.match(virtual.asyncIo.log.join('\n'), /next\(\)/);
  });
});

test('a second next() throws within the middleware, whatever those behind it did', async () => {
  const seen: string[] = [];
  const second = (next: Next): void => {
    try {
      void next().catch(() => seen.push('rejected'));
    } catch (error) {
      seen.push(String(error));
    }
  };
  const routes = (server: Server) => {
    server.use((_request, _response, next) => {
      void next().catch(() => seen.push('caught'));
      second(next);
    });
    server.use('/inner', (_request, _response, next) => {
      void next().catch(() => {});
      second(next);
    });
    for (const path of ['/throws', '/inner/throws']) {
      server.get(path, () => {
        throw new Error('at once');
      });
    }
    for (const path of ['/responds', '/inner/responds', '/inner/later']) {
      server.get(path, async (_request, response) => {
        if (path === '/inner/later') await new Promise((resolve) => setImmediate(resolve));
        response.text('handled');
      });
    }
  };
  const twice = 'Error: next() was called twice';
  await withSite(routes, async ({ ask, virtual }) => {
    for (const path of [
      '/throws',
      '/responds',
      '/inner/throws',
      '/inner/responds',
      '/inner/later',
    ]) {
      await ask(get(path));
      await virtual.rest();
      const expected = path.startsWith('/inner') ? [twice, twice] : [twice];
      assert.deepEqual(
        seen.splice(0).filter((line) => line !== 'caught'),
        expected,
        path,
      );
    }
  });
});
