// cors() with a function that decides about origins, synchronously or not, with the origin null,
// and with several cors() for one request.

import assert from 'node:assert/strict';
import { type CorsOptions, cors } from '../../src/middleware/cors.ts';
import type { Server } from '../../src/server/server.ts';
import { get, request } from '../../testing/raw-client.ts';
import { onEachDriver, type Running, wait, withServer } from '../../testing/with-server.ts';

const ORIGIN = 'Origin: https://a.test';
const ALLOW = 'access-control-allow-origin';
const CREDENTIALS = 'access-control-allow-credentials';

function preflight(origin: string, method = 'PUT', ...lines: string[]): string {
  const requested = `Access-Control-Request-Method: ${method}`;
  return request('OPTIONS', '/', [origin, requested, ...lines]);
}

function routes(...all: CorsOptions[]): (server: Server) => void {
  return (server) => {
    for (const options of all) server.use(cors(options));
    server.get('/', (_request, response) => response.text('hello'));
    server.get('/later', async (_request, response) => {
      await wait(1);
      response.text('later');
    });
    server.get('/error', () => {
      throw new Error('failed');
    });
  };
}

async function assertRejected({ open }: Running, origin: string, status = 200): Promise<void> {
  const client = await open();
  const response = await client.ask(get('/', origin));
  assert.equal(response.status, status, origin);
  assert.equal(response.field(ALLOW), undefined, origin);
  assert.equal(response.field(CREDENTIALS), undefined, origin);
  assert.equal(response.field('access-control-expose-headers'), undefined);
  assert.ok(response.all('vary').includes('Origin'), 'Vary lists Origin for caches');
  const before = await client.ask(preflight(origin));
  assert.equal(before.status, status === 200 ? 204 : status);
  for (const [name] of before.fields) assert.doesNotMatch(name, /^access-control-/i);
}

async function allows({ open }: Running, origin: string): Promise<void> {
  const client = await open();
  for (const bytes of [get('/', origin), get('/later', origin), preflight(origin)]) {
    const response = await client.ask(bytes);
    assert.equal(`Origin: ${response.field(ALLOW)}`, origin);
    assert.ok(response.all('vary').includes('Origin'));
  }
}

/** A thenable that is not a promise, and resolves with `value`. */
function thenableOf(value: unknown): object {
  const then = (done: (result: unknown) => void): void => done(value);
  return Object.defineProperty({}, 'then', { value: then });
}

onEachDriver('cors, functions', (add) => {
  const rejecting: readonly (readonly [string, unknown])[] = [
    ['false', () => false],
    ['undefined', () => {}],
    ['1', () => 1],
    ['a string', (origin: string) => origin],
    ['an object', () => ({})],
    ['a function', () => () => true],
    ['a promise of false', async () => false],
    ['a promise of 1', async () => 1],
    ['a promise of a string', async (origin: string) => origin],
    ['a promise of nothing', async () => {}],
    ['a thenable of false', () => thenableOf(false)],
  ];
  for (const [what, origin] of rejecting) {
    add(`one that returns ${what} rejects`, async (driver) => {
      for (const credentials of [false, true]) {
        const options = { origin, credentials, exposedHeaders: ['X-A'] } as CorsOptions;
        await withServer(driver, {}, routes(options), (running) => assertRejected(running, ORIGIN));
      }
    });
  }

  const allowing: readonly (readonly [string, unknown])[] = [
    ['true', (origin: string) => origin === 'https://a.test'],
    ['a promise of true', async (origin: string) => origin === 'https://a.test'],
    ['true later', () => wait(2).then(() => true)],
    ['a thenable of true', () => thenableOf(true)],
  ];
  for (const [what, origin] of allowing) {
    add(`one that returns ${what} allows`, async (driver) => {
      const options = { origin, credentials: true } as CorsOptions;
      await withServer(driver, {}, routes(options), (running) => allows(running, ORIGIN));
    });
  }

  const failing: readonly (readonly [string, CorsOptions['origin']])[] = [
    [
      'throws',
      () => {
        throw new Error('no origins today');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no origins today'))],
    ['rejects later', () => wait(2).then(() => Promise.reject(new Error('no origins today')))],
  ];
  for (const [what, origin] of failing) {
    add(`one that ${what} rejects, and is an error like that of a handler`, async (driver) => {
      const options = { origin, credentials: true } as CorsOptions;
      await withServer(driver, {}, routes(options), async (running) => {
        await assertRejected(running, ORIGIN, 500);
        assert.equal(running.server.counters.handlerErrors, 2);
        assert.match(running.log.join('\n'), /GET \/: Error: no origins today/);
      });
    });
  }

  add('is not called without an Origin, nor for an invalid one', async (driver) => {
    const requested: string[] = [];
    const options = {
      origin: (origin: string) => {
        requested.push(origin);
        return origin.endsWith('.a.test');
      },
    };
    await withServer(driver, {}, routes(options), async (running) => {
      await assertRejected(running, 'X: y');
      for (const origin of [
        'https://b.test/.a.test',
        'https://b.test, https://www.a.test',
        'https://b.test#.a.test',
        'https://b.test?.a.test',
        'https://user@www.a.test',
        'www.a.test',
        '*',
        '',
      ]) {
        await assertRejected(running, `Origin: ${origin}`);
      }
      assert.deepEqual(requested, []);
      await allows(running, 'Origin: https://www.a.test');
      assert.deepEqual(new Set(requested), new Set(['https://www.a.test']));
    });
  });

  add('a client that disconnects while the function runs has no effect', async (driver) => {
    const options = { origin: () => wait(20).then(() => true) };
    await withServer(driver, {}, routes(options), async (running) => {
      const client = await running.open();
      await client.send(get('/', ORIGIN));
      await wait(5);
      client.reset();
      await wait(30);
      await allows(running, ORIGIN);
    });
  });
});

onEachDriver('cors, the origin null', (add) => {
  add('is only allowed when it is listed', async (driver) => {
    for (const credentials of [false, true]) {
      for (const origin of ['https://a.test', ['https://a.test'], () => true, async () => true]) {
        const options: CorsOptions = { origin, credentials };
        await withServer(driver, {}, routes(options), (it) => assertRejected(it, 'Origin: null'));
      }
      for (const origin of ['null', ['https://a.test', 'null']]) {
        const options: CorsOptions = { origin, credentials };
        await withServer(driver, {}, routes(options), (it) => allows(it, 'Origin: null'));
      }
    }
  });
});

onEachDriver('cors, twice', (add) => {
  add('the inner one decides', async (driver) => {
    const outer = { origin: '*', exposedHeaders: ['X-A'] };
    const inner = { origin: ['https://a.test'], credentials: true };
    await withServer(driver, {}, routes(outer, inner), async ({ open }) => {
      const client = await open();
      const wrong = await client.ask(get('/', 'Origin: https://b.test'));
      for (const [name] of wrong.fields) assert.doesNotMatch(name, /^access-control-/i);
      const right = await client.ask(get('/', ORIGIN));
      assert.deepEqual(right.all(ALLOW), ['https://a.test']);
      assert.deepEqual(right.all(CREDENTIALS), ['true']);
      assert.deepEqual(right.all('access-control-expose-headers'), []);
    });
    await withServer(driver, {}, routes(inner, outer), async ({ open }) => {
      const client = await open();
      const right = await client.ask(get('/', ORIGIN));
      assert.deepEqual(right.all(ALLOW), ['*']);
      assert.deepEqual(right.all(CREDENTIALS), []);
    });
  });
});

onEachDriver('cors, preflights', (add) => {
  const METHODS = 'access-control-allow-methods';
  const HEADERS = 'access-control-allow-headers';

  add('a method that is not listed is rejected', async (driver) => {
    const options = { methods: ['GET', 'PUT'], allowedHeaders: ['X-A'], maxAgeSeconds: 9 };
    await withServer(driver, {}, routes(options), async ({ open }) => {
      const client = await open();
      for (const method of ['DELETE', 'put', 'PUTS', 'P UT', 'GET, DELETE', '*']) {
        const response = await client.ask(preflight(ORIGIN, method));
        assert.equal(response.status, 204);
        const permitted = (response.field(METHODS) ?? '').split(', ');
        assert.ok(!permitted.includes(method) && !permitted.includes('*'), method);
      }
      // Browsers permit these whatever is listed: only a rejected origin prevents them.
      for (const method of ['POST', 'HEAD']) {
        const response = await client.ask(
          preflight(ORIGIN, method, 'Access-Control-Request-Headers: x-a'),
        );
        assert.equal(response.status, 204);
        for (const [name] of response.fields) assert.doesNotMatch(name, /^access-control-/i);
      }
      assert.equal((await client.ask(preflight(ORIGIN, 'PUT'))).field(METHODS), 'GET, PUT');
    });
  });

  add('only tokens are allowed as fields', async (driver) => {
    await withServer(driver, {}, routes({}), async ({ open }) => {
      const client = await open();
      for (const [requested, names] of [
        ['x-a', 'x-a'],
        ['x-a,content-type', 'x-a, content-type'],
        [' x-a ,\t x-b', 'x-a, x-b'],
        ['x-a,,x-b,', 'x-a, x-b'],
        ['authorization', 'authorization'],
        ['*', undefined],
        ['x-a, *', undefined],
        ['x a', undefined],
        ['x-a, y:z', undefined],
        ['"x"', undefined],
        ['x-\xe9', undefined],
        ['', undefined],
      ] as const) {
        const line = `Access-Control-Request-Headers: ${requested}`;
        const response = await client.ask(preflight(ORIGIN, 'PUT', line));
        assert.equal(response.status, 204);
        assert.equal(response.field(HEADERS), names, JSON.stringify(requested));
        assert.ok(response.all('vary').includes('Access-Control-Request-Headers'));
      }
    });
  });

  add('* allows everything without credentials', async (driver) => {
    const options = {
      methods: ['*'],
      allowedHeaders: ['*', 'Authorization'],
      exposedHeaders: ['*'],
    };
    await withServer(driver, {}, routes(options), async ({ open }) => {
      const client = await open();
      for (const method of ['PURGE', 'POST']) {
        const response = await client.ask(preflight(ORIGIN, method));
        assert.equal(response.field(METHODS), '*');
        assert.equal(response.field(HEADERS), '*, Authorization');
        assert.equal(response.field(CREDENTIALS), undefined);
      }
      const response = await client.ask(get('/', ORIGIN));
      assert.equal(response.field('access-control-expose-headers'), '*');
    });
  });

  add('empty lists allow nothing, and cause no empty fields', async (driver) => {
    const options = { methods: [], allowedHeaders: [], exposedHeaders: [] };
    await withServer(driver, {}, routes(options), async ({ open }) => {
      const client = await open();
      const line = 'Access-Control-Request-Headers: x-a';
      for (const method of ['PUT', 'GET']) {
        const response = await client.ask(preflight(ORIGIN, method, line));
        assert.equal(response.field(METHODS), undefined);
        assert.equal(response.field(HEADERS), undefined);
      }
    });
  });
});
