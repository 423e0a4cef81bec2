// Vary, set by several parts of the chain: no part removes what another part has set.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepare } from '../../src/exchange/prepared.ts';
import { cors } from '../../src/middleware/cors.ts';
import type { Server } from '../../src/server/server.ts';
import { serveStatic } from '../../src/static/serve-static.ts';
import { get, request } from '../../testing/raw-client.ts';
import { onEachDriver, withServer } from '../../testing/with-server.ts';

const ORIGIN = 'Origin: https://a.test';
const ready = prepare(200, [['Vary', 'Accept, Origin']], 'ready');
const options = { origin: ['https://a.test'], credentials: true };

function routes(root: string): (server: Server) => void {
  return (server) => {
    server.use((_request, response, next) => {
      response.header('Vary', 'X-Outer');
      response.beforeSend((outgoing) => outgoing.removeHeader('Vary'));
      response.beforeSend((outgoing) => outgoing.setHeader('vary', 'X-Set'));
      return next();
    });
    plainRoutes(server);
    server.use('/files', serveStatic(root));
  };
}

function plainRoutes(server: Server): void {
  server.use(cors(options));
  server.get('/set', (_request, response) => response.header('Vary', 'Accept').text('hello'));
  server.get('/append', (_request, response) => response.appendHeader('Vary', 'Accept').text(''));
  server.get('/same', (_request, response) => response.header('vary', 'ORIGIN, accept').text(''));
  server.get('/ready', (_request, response) => response.prepared(ready));
  server.get('/stream', (_request, response) => response.header('Vary', 'A').stream(['a', 'b']));
  server.get('/late', async (_request, response) => {
    await null;
    response.header('VARY', 'Accept').text('late');
  });
  server.get('/error', (_request, response) => {
    response.header('Vary', 'Accept');
    throw new Error('failed');
  });
  server.get('/events', (_request, response) => response.header('Vary', 'A').events().close());
}

function members(values: readonly string[]): string[] {
  return values.flatMap((value) => value.split(',').map((name) => name.trim().toLowerCase()));
}

onEachDriver('Vary', (add) => {
  const root = mkdtempSync(join(tmpdir(), 'vibing-vary-'));
  writeFileSync(join(root, 'a.txt'), 'a file');
  process.on('exit', () => rmSync(root, { recursive: true, force: true }));

  add('keeps what cors, other middleware and the handler set', async (driver) => {
    const cases = [
      [get('/set', ORIGIN), 200],
      [get('/append', ORIGIN), 200],
      [get('/same', ORIGIN), 200],
      [get('/ready', ORIGIN), 200],
      [get('/stream', ORIGIN), 200],
      [get('/late', ORIGIN), 200],
      [get('/error', ORIGIN), 500],
      [get('/missing', ORIGIN), 404],
      [get('/events', ORIGIN), 200],
      [get('/files/a.txt', ORIGIN), 200],
      [get('/files/a.txt', ORIGIN), 200],
      [get('/files/a.txt', ORIGIN, 'If-None-Match: *'), 304],
      [request('DELETE', '/set', [ORIGIN]), 405],
      [request('OPTIONS', '/set', [ORIGIN, 'Access-Control-Request-Method: PUT']), 204],
      [request('HEAD', '/set', [ORIGIN]), 200],
    ] as const;
    await withServer(driver, {}, routes(root), async ({ open }) => {
      for (const [bytes, status] of cases) {
        const response = await (await open()).ask(bytes);
        assert.equal(response.status, status, bytes);
        const vary = members(response.all('vary'));
        for (const name of ['x-outer', 'x-set', 'origin']) assert.ok(vary.includes(name), bytes);
        assert.equal(new Set(vary).size, vary.length, `each once: ${vary}`);
        assert.equal(response.field('access-control-allow-origin'), 'https://a.test');
      }
    });
  });

  add('keeps it with cors as the only middleware', async (driver) => {
    await withServer(driver, {}, plainRoutes, async ({ open }) => {
      const client = await open();
      for (const target of ['/set', '/append', '/same', '/ready', '/late', '/error']) {
        const response = await client.ask(get(target, ORIGIN));
        const vary = members(response.all('vary')).sort();
        assert.deepEqual(vary, ['accept', 'origin'], target);
      }
    });
  });

  add('the response of one request does not affect the next', async (driver) => {
    const own = (server: Server) => {
      server.get('/', (_request, response) => response.text('hello'));
      server.get('/set', (_request, response) => response.header('Vary', 'Accept').text('hello'));
    };
    await withServer(driver, {}, own, async ({ open }) => {
      const client = await open();
      assert.deepEqual((await client.ask(get('/set'))).all('vary'), ['Accept']);
      assert.deepEqual((await client.ask(get('/'))).all('vary'), []);
    });
  });
});
