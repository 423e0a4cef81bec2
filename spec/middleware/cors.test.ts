// cors() in a running server: which origins may read responses, what a preflight allows, and the
// Vary field for caches.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HttpError } from '../../src/exchange/http-error.ts';
import { prepare } from '../../src/exchange/prepared.ts';
import { type CorsOptions, cors } from '../../src/middleware/cors.ts';
import type { Server } from '../../src/server/server.ts';
import { get, request } from '../../testing/raw-client.ts';
import type { RawResponse } from '../../testing/raw-response.ts';
import { unlistenedServer } from '../../testing/unlistened-server.ts';
import { type DriverName, onEachDriver, withServer } from '../../testing/with-server.ts';

const ORIGIN = 'Origin: https://a.test';
const ready = prepare(200, { Vary: 'Accept' }, 'ready');

function routes(options: CorsOptions | undefined): (server: Server) => void {
  return (server) => {
    server.use(cors(options));
    server.get('/', (_request, response) => response.text('hello'));
    server.get('/ready', (_request, response) => response.prepared(ready));
    server.get('/error', () => {
      throw new Error('failed');
    });
    server.get('/http-error', () => {
      throw new HttpError(403);
    });
    server.delete('/', (_request, response) => response.empty());
  };
}

async function ask(
  driver: DriverName,
  options: CorsOptions | undefined,
  bytes: string,
): Promise<RawResponse> {
  let response: RawResponse | undefined;
  await withServer(driver, {}, routes(options), async ({ open }) => {
    response = await (await open()).ask(bytes);
  });
  assert.ok(response !== undefined);
  return response;
}

function preflight(...lines: string[]): string {
  return request('OPTIONS', '/', [ORIGIN, 'Access-Control-Request-Method: DELETE', ...lines]);
}

const ALLOW = 'access-control-allow-origin';

onEachDriver('cors', (add) => {
  add('by default every origin may read, and responses do not depend on it', async (driver) => {
    for (const bytes of [
      get('/', ORIGIN),
      get('/'),
      get('/missing', ORIGIN),
      get('/error', ORIGIN),
    ]) {
      const response = await ask(driver, undefined, bytes);
      assert.equal(response.field(ALLOW), '*');
      assert.deepEqual(response.all('vary'), []);
      assert.equal(response.field('access-control-allow-credentials'), undefined);
    }
  });

  add('a preflight gets a response before the routes', async (driver) => {
    const response = await ask(driver, undefined, preflight());
    assert.equal(response.status, 204);
    assert.equal(response.field(ALLOW), '*');
    assert.ok(response.all('vary').includes('Access-Control-Request-Method'));
    const methods = 'GET, HEAD, PUT, PATCH, POST, DELETE';
    assert.equal(response.field('access-control-allow-methods'), methods);
    assert.equal(response.field('access-control-allow-headers'), undefined);
    assert.equal(response.field('allow'), undefined);
    const missing = request('OPTIONS', '/missing', [ORIGIN, 'Access-Control-Request-Method: PUT']);
    assert.equal((await ask(driver, undefined, missing)).status, 204);
  });

  add('a preflight gets the fields it requests, and Vary lists that', async (driver) => {
    const requested = preflight('Access-Control-Request-Headers: x-a, content-type');
    const response = await ask(driver, undefined, requested);
    assert.equal(response.field('access-control-allow-headers'), 'x-a, content-type');
    assert.ok(response.all('vary').includes('Access-Control-Request-Headers'));
  });

  add('OPTIONS that is not a preflight continues to the routes', async (driver) => {
    for (const lines of [[ORIGIN], ['Access-Control-Request-Method: PUT'], []]) {
      const response = await ask(driver, undefined, request('OPTIONS', '/', lines));
      assert.equal(response.status, 204);
      assert.equal(response.field('allow'), 'DELETE, GET, HEAD, OPTIONS');
      assert.equal(response.field('access-control-allow-methods'), undefined);
    }
  });

  add('one origin: allowed by its name, Vary in any case', async (driver) => {
    const options = { origin: 'https://a.test' };
    const right = await ask(driver, options, get('/', ORIGIN));
    assert.equal(right.field(ALLOW), 'https://a.test');
    assert.deepEqual(right.all('vary'), ['Origin']);
    for (const lines of [
      ['Origin: https://b.test'],
      ['Origin: https://a.test.b'],
      ['Origin: null'],
      [],
    ]) {
      const wrong = await ask(driver, options, get('/', ...lines));
      assert.equal(wrong.text, 'hello');
      assert.equal(wrong.field(ALLOW), undefined, String(lines));
      assert.deepEqual(wrong.all('vary'), ['Origin']);
    }
  });

  add('a list of origins, or a function', async (driver) => {
    const choices = [
      ['https://a.test', 'https://c.test'],
      (origin: string) => origin.endsWith('a.test') || origin.endsWith('c.test'),
    ];
    for (const origin of choices) {
      for (const [requested, allowed] of [
        ['https://a.test', 'https://a.test'],
        ['https://c.test', 'https://c.test'],
        ['https://b.test', undefined],
      ] as const) {
        const response = await ask(driver, { origin }, get('/', `Origin: ${requested}`));
        assert.equal(response.field(ALLOW), allowed);
        assert.deepEqual(response.all('vary'), ['Origin']);
      }
    }
  });

  add('a preflight of another origin gets no fields', async (driver) => {
    const options = { origin: 'https://b.test', credentials: true, maxAgeSeconds: 5 };
    const response = await ask(driver, options, preflight('Access-Control-Request-Headers: x'));
    assert.equal(response.status, 204);
    for (const [name] of response.fields) {
      assert.doesNotMatch(name, /^access-control-/i);
    }
    assert.deepEqual(response.all('vary'), ['Origin']);
  });

  add('credentials: the field has the origin, never *', async (driver) => {
    const named = (origin: string) => origin === 'https://a.test';
    for (const origin of ['https://a.test', ['https://a.test'], named]) {
      const options = { origin, credentials: true };
      for (const bytes of [get('/', ORIGIN), preflight()]) {
        const response = await ask(driver, options, bytes);
        assert.equal(response.field(ALLOW), 'https://a.test');
        assert.equal(response.field('access-control-allow-credentials'), 'true');
        assert.ok(response.all('vary').includes('Origin'));
      }
      const none = await ask(driver, options, get('/'));
      assert.equal(none.field(ALLOW), undefined);
      assert.equal(none.field('access-control-allow-credentials'), undefined);
    }
  });

  add('lists of methods and fields, and the maximum age', async (driver) => {
    const options: CorsOptions = {
      methods: ['GET', 'PURGE'],
      allowedHeaders: ['X-A', 'X-B'],
      exposedHeaders: ['X-C', 'ETag'],
      maxAgeSeconds: 600,
    };
    const response = await ask(driver, options, preflight('Access-Control-Request-Headers: x-z'));
    assert.equal(response.field('access-control-allow-methods'), 'GET, PURGE');
    assert.equal(response.field('access-control-allow-headers'), 'X-A, X-B');
    assert.equal(response.field('access-control-max-age'), '600');
    assert.equal(response.field('access-control-expose-headers'), undefined);
    const simple = await ask(driver, options, get('/', ORIGIN));
    assert.equal(simple.field('access-control-expose-headers'), 'X-C, ETag');
    assert.equal(simple.field('access-control-max-age'), undefined);
  });

  add('error responses can be read, too, and keep their Vary', async (driver) => {
    const options = { origin: ['https://a.test'], credentials: true };
    for (const [target, status] of [
      ['/error', 500],
      ['/http-error', 403],
      ['/missing', 404],
    ] as const) {
      const response = await ask(driver, options, get(target, ORIGIN));
      assert.equal(response.status, status);
      assert.equal(response.field(ALLOW), 'https://a.test');
      assert.deepEqual(response.all('vary'), ['Origin']);
    }
  });

  add('a prepared response with its own Vary keeps both', async (driver) => {
    const options = { origin: 'https://a.test' };
    const response = await ask(driver, options, get('/ready', ORIGIN));
    assert.equal(response.text, 'ready');
    assert.equal(response.field(ALLOW), 'https://a.test');
    const vary = response.all('vary').join(', ');
    assert.deepEqual(vary.split(', ').sort(), ['Accept', 'Origin']);
  });
});

test('a preflight never continues to the routes, whether it is allowed or not', async () => {
  const { server } = unlistenedServer();
  let calls = 0;
  server.use(cors({ origin: 'https://a.test', maxAgeSeconds: 0, exposedHeaders: ['X-A'] }));
  server.use((_request, _response, next) => {
    calls += 1;
    return next();
  });
  server.options('/', (_request, response) => response.text('route'));
  for (const [origin, allowed] of [
    ['https://a.test', '0'],
    ['https://b.test', null],
  ] as const) {
    const headers = { Origin: origin, 'Access-Control-Request-Method': 'DELETE' };
    const response = await server.inject({ method: 'OPTIONS', headers });
    assert.equal(response.status, 204);
    assert.equal(response.headers.get('access-control-max-age'), allowed);
    assert.equal(response.headers.get('access-control-expose-headers'), null);
  }
  assert.equal(calls, 0);
  assert.equal(server.counters.lateWrites, 0);
  await server.close();
});
