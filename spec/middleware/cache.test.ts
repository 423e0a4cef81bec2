// cache(): Cache-Control and Vary by the options, and which responses get them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CacheOptions, cache } from '../../src/middleware/cache.ts';
import type { Server } from '../../src/server/server.ts';
import { get, post, request } from '../../testing/raw-client.ts';
import { unlistenedServer } from '../../testing/unlistened-server.ts';
import { onEachDriver, oneDriver, withServer } from '../../testing/with-server.ts';

const VALUES: readonly (readonly [CacheOptions, string | undefined, string?])[] = [
  [{ maxAgeSeconds: 60 }, 'max-age=60'],
  [{ maxAgeSeconds: 0, mustRevalidate: true }, 'max-age=0, must-revalidate'],
  [{ public: true, sharedMaxAgeSeconds: 5 }, 'public, s-maxage=5'],
  [{ private: true, maxAgeSeconds: 1 }, 'private, max-age=1'],
  [{ noStore: true }, 'no-store'],
  [{ noStore: true, noTransform: true, public: false }, 'no-store, no-transform'],
  [{ noCache: true }, 'no-cache'],
  [{ maxAgeSeconds: 2_147_483_647, immutable: true }, 'max-age=2147483647, immutable'],
  [
    { maxAgeSeconds: 1, staleWhileRevalidateSeconds: 2, staleIfErrorSeconds: 3 },
    'max-age=1, stale-while-revalidate=2, stale-if-error=3',
  ],
  [{ maxAgeSeconds: 0, immutable: true }, 'max-age=0, immutable'],
  [{ vary: 'Accept' }, undefined, 'Accept'],
  [{ vary: ['Accept', 'Cookie'], noCache: true }, 'no-cache', 'Accept, Cookie'],
];

onEachDriver(
  'cache',
  (add) => {
    for (const [options, value, vary] of VALUES) {
      add(JSON.stringify(options), async (driver) => {
        const routes = (server: Server) => {
          server.use(cache(options));
          server.get('/', (_request, response) => response.text('hello'));
        };
        await withServer(driver, {}, routes, async ({ open }) => {
          const response = await (await open()).ask(get('/'));
          assert.equal(response.field('cache-control'), value);
          assert.equal(response.field('vary'), vary);
        });
      });
    }

    const routes = (server: Server) => {
      server.use(cache({ maxAgeSeconds: 60, private: true }));
      server.use('/narrow', cache({ noStore: true }));
      server.get('/', (_request, response) => response.etag('"v"').text('hello'));
      server.post('/', (_request, response) => response.text('hello'));
      server.get('/narrow', (_request, response) => response.text('hello'));
      server.get('/own', (_request, response) => {
        response.header('Cache-Control', 'no-cache').text('hello');
      });
      server.get('/stream', (_request, response) => response.stream(['a', 'b']));
      server.get('/moved', (_request, response) => response.redirect('/', 301));
      server.get('/status/:status', (request, response) => {
        response.status(Number(request.params['status'])).text('hello');
      });
      server.get('/error', () => {
        throw new Error('failed');
      });
    };
    const CASES = [
      ['an error has no freshness', get('/missing'), 404, 'private'],
      ['the least status of an error has none', get('/status/400'), 400, 'private'],
      ['the one before it has freshness', get('/status/399'), 399, 'private, max-age=60'],
      ['an error of a handler has none', get('/error'), 500, 'private'],
      ['a POST has none', post('/', 'x'), 200, 'private'],
      ['HEAD is as GET', request('HEAD', '/'), 200, 'private, max-age=60'],
      ['304 has the field', get('/', 'If-None-Match: "v"'), 304, 'private, max-age=60'],
      ['a stream has it', get('/stream'), 200, 'private, max-age=60'],
      ['a redirect has it', get('/moved'), 301, 'private, max-age=60'],
      ['a handler takes precedence', get('/own'), 200, 'no-cache'],
      ['a narrower prefix takes precedence', get('/narrow'), 200, 'no-store'],
    ] as const;
    for (const [name, bytes, status, value] of CASES) {
      add(name, async (driver) => {
        await withServer(driver, {}, routes, async ({ open }) => {
          const response = await (await open()).ask(bytes);
          assert.equal(response.status, status);
          assert.equal(response.field('cache-control'), value);
        });
      });
    }
  },
  oneDriver(),
);

test('options that are invalid, contradict each other or set nothing throw', () => {
  const cases: readonly (readonly [object, RegExp])[] = [
    [{}, /no option is set/],
    [{ noStore: false }, /no option is set/],
    [{ maxAge: 5 }, /no option "maxAge"/],
    [{ maxAgeSeconds: -1 }, /whole number of seconds/],
    [{ maxAgeSeconds: 1.5 }, /whole number of seconds/],
    [{ maxAgeSeconds: '5' }, /whole number of seconds/],
    [{ maxAgeSeconds: 2_147_483_648 }, /whole number of seconds/],
    [{ maxAgeSeconds: Number.NaN }, /whole number of seconds/],
    [{ private: 'yes' }, /true or false/],
    [{ vary: '*' }, /field name/],
    [{ vary: '' }, /field name/],
    [{ vary: 'a b' }, /field name/],
    [{ vary: [] }, /field name/],
    [{ vary: ['Accept\r\nX: y'] }, /field name/],
    [{ noStore: true, maxAgeSeconds: 0 }, /maxAgeSeconds has no effect/],
    [{ noStore: true, private: true }, /private has no effect/],
    [{ public: true, private: true }, /not both/],
    [{ private: true, sharedMaxAgeSeconds: 1 }, /shared cache/],
    [{ immutable: true }, /immutable has no effect/],
  ];
  for (const [options, reason] of cases) {
    assert.throws(
      () => cache(options as CacheOptions),
      (error) => error instanceof TypeError && reason.test(error.message),
      JSON.stringify(options),
    );
  }
});

test('Vary is added to that of other middleware', async () => {
  const { server } = unlistenedServer();
  server.use((_request, response, next) => {
    response.header('Vary', 'Origin');
    return next();
  });
  server.use(cache({ vary: ['Accept', 'Cookie'] }));
  server.get('/', (_request, response) => response.appendHeader('Vary', 'X-Own').text('hello'));
  const { headers } = await server.inject('/');
  assert.equal(headers.get('vary'), 'Origin, Accept, Cookie, X-Own');
  await server.close();
});

test('an option that is undefined is not set', () => {
  for (const options of [
    { noStore: true, maxAgeSeconds: undefined, public: undefined },
    { private: true, sharedMaxAgeSeconds: undefined, maxAgeSeconds: 1 },
  ]) {
    assert.doesNotThrow(() => cache(options as object), JSON.stringify(options));
  }
});

test('no shared cache has a private response, for 0 seconds neither', () => {
  for (const sharedMaxAgeSeconds of [0, 1]) {
    assert.throws(() => cache({ private: true, sharedMaxAgeSeconds }), /no shared cache stores/);
  }
});
