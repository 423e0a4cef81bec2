// All middleware with input that is meant to harm: requests that try to inject fields, evade limits
// or be taken for others, and functions of the program that fail in every way.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Middleware } from '../../src/exchange/handler.ts';
import { fetchHandler } from '../../src/fetch/index.ts';
import * as all from '../../src/middleware/index.ts';
import type { Server } from '../../src/server/server.ts';
import type { Random } from '../../testing/random.ts';
import { get, request } from '../../testing/raw-client.ts';
import { withSite } from '../../testing/virtual-site.ts';
import { seeded } from './fixtures/seeded.ts';

const ORIGIN = 'https://app.test';
const EVIL = 'https://evil.test';

/** Every middleware that lets requests of anyone pass, in one chain. */
function everything(server: Server): void {
  for (const middleware of [
    all.requestId({ trustIncoming: true }),
    all.serverTiming(),
    all.trustProxy(['10.0.0.0/8']),
    all.accessLog(),
    all.securityHeaders(),
    all.cache({ noStore: true }),
    all.cors({ origin: [ORIGIN], credentials: true }),
    all.csrf(),
    all.methodOverride(),
    all.timeout(10_000),
    all.bodyLimit(10_000),
    all.decompress(),
    all.compress({ threshold: 0 }),
    all.etag(),
  ]) {
    server.use(middleware);
  }
  server.get('/reflect', (req, res) => {
    const value = req.query.get('value') ?? '';
    res.cookie('value', value);
    res.json({ value, cookies: req.cookies.all(), host: req.host, address: req.remoteAddress });
  });
  server.get('/location', (req, res) => res.redirect(req.query.get('value') ?? '/'));
  server.get('/field', (req, res) => {
    res.header('X-Value', req.query.get('value') ?? '');
    res.text('sent');
  });
  server.post('/form', async (req, res) => res.text(String([...(await req.form()).keys()].length)));
}

/** What a client would use to begin a field or a response of its own. */
const INJECTIONS = [
  '%0d%0aSet-Cookie:%20evil=1',
  '%0aSet-Cookie:%20evil=1',
  '%0dSet-Cookie:%20evil=1',
  '%E5%98%8A%E5%98%8DSet-Cookie:%20evil=1',
  '%0d%0a%0d%0aHTTP/1.1%20200%20OK%0d%0aSet-Cookie:%20evil=1',
  '%00',
  '%C4%8D%C4%8ASet-Cookie:%20evil=1',
  '%7f%1b[31m',
];

test('no value of a request becomes a field of its response', async () => {
  await withSite(everything, async ({ ask }) => {
    for (const value of INJECTIONS) {
      for (const path of ['/reflect', '/location', '/field']) {
        const response = await ask(get(`${path}?value=${value}`));
        const expected = path === '/reflect' ? [200] : path === '/location' ? [302] : [200, 500];
        assert.ok(expected.includes(response.status), `${path} ${value}: ${response.status}`);
        const cookies = response.fields.filter(([name]) => name.toLowerCase() === 'set-cookie');
        assert.equal(cookies.length, path === '/reflect' ? 1 : 0, value);
        for (const [, text] of response.fields) assert.match(text, /^[\t\x20-\x7e\x80-\xff]*$/);
      }
    }
  });
});

test('random fields get one response, without an error of the server', async () => {
  await seeded(checkRandom);
});

async function checkRandom(random: Random): Promise<void> {
  const pick = <T>(values: readonly T[]): T => values[random.below(values.length)];
  const names = [
    ...['Origin', 'Cookie', 'Authorization', 'X-Forwarded-For', 'Forwarded', 'X-Request-Id'],
    ...['Accept-Encoding', 'If-None-Match', 'If-Modified-Since', 'Range', 'Traceparent'],
    ...['X-HTTP-Method-Override', 'Access-Control-Request-Headers', 'Content-Encoding'],
    ...['Access-Control-Request-Method', 'Sec-Fetch-Site', 'Content-Type', 'X-Forwarded-Host'],
  ];
  const parts = ['null', '*', 'a', '"', '\\', ';', ',', '=', '%', '\t', ' ', '\xe9', '\xff', '://'];
  const value = () => {
    const length = pick([0, 1, 5, 40, 1_000]);
    return Array.from({ length }, () => pick(parts))
      .join('')
      .trim();
  };
  await withSite(everything, async ({ ask, errors }) => {
    for (let round = 0; round < 60; round++) {
      const lines = Array.from({ length: 4 }, () => `${pick(names)}: ${value()}`);
      const method = pick(['GET', 'HEAD', 'OPTIONS', 'POST', 'DELETE']);
      const text = request(method, pick(['/reflect', '/form', '/none']), lines);
      const response = await ask(text);
      assert.ok(response.status < 500, `${response.status}: ${text}`);
      assert.notEqual(response.field('access-control-allow-origin'), '*');
      assert.ok([undefined, ORIGIN].includes(response.field('access-control-allow-origin')));
    }
    assert.deepEqual(errors(), []);
  });
}

test('another origin is never reflected, however it is spelled', async () => {
  await withSite(everything, async ({ ask }) => {
    for (const origin of [
      EVIL,
      'null',
      `${ORIGIN}.evil.test`,
      `${ORIGIN}:443`,
      `${ORIGIN}/`,
      `${ORIGIN}@evil.test`,
      `${ORIGIN}, ${EVIL}`,
      'https://evil.test#app.test',
      'https://APP.test\xa0',
      'http://app.test',
      'https://xapp.test',
    ]) {
      const response = await ask(get('/reflect', `Origin: ${origin}`));
      assert.equal(response.field('access-control-allow-origin'), undefined, origin);
      assert.equal(response.field('access-control-allow-credentials'), undefined, origin);
      assert.match(response.all('vary').join(), /origin/i);
    }
    const twice = await ask(get('/reflect', `Origin: ${ORIGIN}`, `Origin: ${EVIL}`));
    assert.equal(twice.field('access-control-allow-origin'), undefined);
  });
});

test('a client cannot evade a limit by claiming other addresses', async () => {
  const site = (server: Server) => {
    server.use(all.trustProxy(['10.0.0.0/8']));
    server.use(all.rateLimit({ limit: 5, windowMs: 3_600_000 }));
    server.get('/', (req, res) => res.text(req.remoteAddress));
  };
  await withSite(site, async ({ ask }) => {
    const statuses: number[] = [];
    for (let round = 0; round < 20; round++) {
      const claimed = `203.0.113.${round}`;
      const lines = [
        `X-Forwarded-For: ${claimed}`,
        `Forwarded: for=${claimed}`,
        `X-Real-IP: ${claimed}`,
        `CF-Connecting-IP: ${claimed}`,
        `True-Client-IP: ${claimed}`,
      ];
      const response = await ask(get('/', ...lines));
      if (response.status === 200) assert.notEqual(response.text, claimed);
      statuses.push(response.status);
    }
    assert.deepEqual(statuses, [...Array(5).fill(200), ...Array(15).fill(429)]);
  });
});

test('cookies as large as a head may be are read in bounded number, or refused', async () => {
  await withSite(everything, async ({ ask, errors }) => {
    for (const [cookies, status] of [
      [`a=${'x'.repeat(7_000)}`, 200],
      ['a=1; '.repeat(1_000), 200],
      ['='.repeat(3_000), 200],
      [`${'%41'.repeat(2_000)}=1`, 200],
      [`__proto__=1; constructor=2; a=${'%00'.repeat(1_000)}`, 200],
      [`a=${'x'.repeat(1_000_000)}`, 431],
    ] as const) {
      const response = await ask(get('/reflect', `Cookie: ${cookies}`));
      assert.equal(response.status, status, cookies.slice(0, 40));
      assert.ok(response.text.length < 20_000);
    }
    assert.equal((Object.prototype as { constructor?: unknown }).constructor, Object);
    assert.deepEqual(errors(), []);
  });
});

describe('a function of the program', () => {
  type Fails = () => never;
  const makers: Readonly<Record<string, (fails: Fails) => Middleware>> = {
    'basicAuth verify': (verify) => all.basicAuth({ verify }),
    'bearerAuth verify': (verify) => all.bearerAuth({ verify }),
    'rateLimit key': (key) => all.rateLimit({ limit: 5, windowMs: 1_000, key }),
    'cors origin': (origin) => all.cors({ origin }),
    'requestId generate': (generate) => all.requestId({ generate }),
    'proxy rewrite': (rewrite) => all.proxy({ upstreams: ['http://127.0.0.1:1'], rewrite }),
  };
  const hostile = new Proxy(
    {},
    {
      get() {
        throw new Error('expected');
      },
      getPrototypeOf() {
        throw new Error('expected');
      },
    },
  );
  const failures: Readonly<Record<string, Fails>> = {
    'throws an error': () => {
      throw new Error('expected\nvibing error: forged');
    },
    'throws null': () => {
      const nothing: unknown = null;
      throw nothing;
    },
    'throws a hostile object': () => {
      throw hostile;
    },
    rejects: (() => Promise.reject(new Error('expected'))) as unknown as Fails,
  };
  for (const [name, make] of Object.entries(makers)) {
    const fields = {
      basicAuth: 'Authorization: Basic YTpi',
      bearerAuth: 'Authorization: Bearer abc',
      cors: `Origin: ${EVIL}`,
      requestId: 'X-A: b',
    } as Readonly<Record<string, string>>;
    const line = fields[name.split(' ')[0]] ?? 'X-A: b';
    test(`${name} that fails in any way is a 500, and nothing behind it runs`, async () => {
      for (const [what, fails] of Object.entries(failures)) {
        let reached = 0;
        const site = (server: Server) => {
          server.use(make(fails));
          server.get('/', (_req, res) => {
            reached += 1;
            res.text('secret');
          });
        };
        await withSite(site, async ({ ask, errors }) => {
          const response = await ask(get('/', line));
          assert.equal(response.status, 500, what);
          assert.doesNotMatch(response.text, /secret|expected/);
          assert.equal(reached, 0, what);
          assert.equal(errors().length, 1, errors().join('\n'));
        });
      }
    });
  }
});

test('an asynchronous write() of the access log that rejects is a line in the log', async () => {
  const write = (): Promise<void> => Promise.reject(new Error('disk full'));
  const site = (server: Server) => {
    server.use(all.accessLog({ write }));
    server.get('/', (_req, res) => res.text('sent'));
  };
  await withSite(site, async ({ ask, errors, virtual }) => {
    assert.equal((await ask(get('/'))).text, 'sent');
    await virtual.rest(1);
    assert.match(errors().join(), /disk full/);
  });
});

test('a scheme() of fetchHandler() that is async is a 500', async () => {
  const scheme = (): never => Promise.reject(new Error('expected')) as never;
  const site = (server: Server) => {
    server.get(
      '/',
      fetchHandler(() => new globalThis.Response('secret'), { scheme }),
    );
  };
  await withSite(site, async ({ ask, errors }) => {
    assert.equal((await ask(get('/'))).status, 500);
    assert.match(errors()[0], /scheme\(\) returns one of http, https, returned/);
  });
});
