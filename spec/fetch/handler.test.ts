// fetchHandler(): how results, errors and mistakes of the function become responses.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RESPONSE_FIELDS_MAX } from '../../src/base/fixed-limits.ts';
import { HttpError } from '../../src/exchange/http-error.ts';
import { FetchContext, getConnInfo } from '../../src/fetch/context.ts';
import { fetchHandler } from '../../src/fetch/handler.ts';
import { sourceOf } from '../../src/fetch/native.ts';
import { LeanResponse } from '../../src/fetch/response.ts';
import { bodyLimit } from '../../src/middleware/body-limit.ts';
import type { InjectOptions } from '../../src/server/inject/options.ts';
import type { InjectedResponse } from '../../src/server/inject/response.ts';
import type { Server } from '../../src/server/server.ts';
import { get } from '../../testing/raw-client.ts';
import { unlistenedServer } from '../../testing/unlistened-server.ts';
import { eventually, onEachDriver, wait, withServer } from '../../testing/with-server.ts';
import { serving } from './fixtures/serving.ts';

const TIMEOUT_MS = 20_000;

const Lean = LeanResponse as unknown as typeof globalThis.Response;
/** Both kinds of Response have the same results. */
const KINDS = { "Node's": Response, lean: Lean } as const;

async function respond(run: () => unknown, request: InjectOptions = {}): Promise<InjectedResponse> {
  return await serving(run).server.inject(request);
}

for (const [kind, Kind] of Object.entries(KINDS)) {
  describe(`the response to ${kind} Response`, { timeout: TIMEOUT_MS }, () => {
    it('has its status, fields and content', async () => {
      for (const later of [false, true]) {
        const run = (): unknown => {
          const headers = { 'Content-Type': 'text/x', 'X-A': 'b' };
          const response = new Kind('texté', { status: 201, headers });
          return later ? Promise.resolve(response) : response;
        };
        const response = await respond(run);
        assert.equal(response.status, 201);
        assert.equal(response.headers.get('content-type'), 'text/x');
        assert.equal(response.headers.get('x-a'), 'b');
        assert.equal(response.headers.get('content-length'), '6');
        assert.equal(await response.text(), 'texté');
      }
    });

    it('has each of its fields once, whatever its content is', async () => {
      for (const body of [
        'text',
        null,
        new Uint8Array(2),
        new Blob(['b']),
        new URLSearchParams('a=b'),
      ]) {
        const headers: [string, string][] = [
          ['Set-Cookie', 'a=1'],
          ['X-A', 'b'],
          ['Set-Cookie', 'c=2'],
        ];
        const response = await respond(() => new Kind(body as string, { headers }));
        assert.deepEqual(response.headers.getSetCookie(), ['a=1', 'c=2'], String(body));
        assert.equal(response.headers.get('x-a'), 'b', String(body));
      }
    });

    it('has any content', async () => {
      const bytes = new Uint8Array([1, 2, 255]);
      const file = new Blob(['blob'], { type: 'text/b' });
      const form = new FormData();
      form.set('a', 'b');
      const cases: [body: unknown, type: string | RegExp | null, text: string][] = [
        ['', 'text/plain;charset=UTF-8', ''],
        [null, null, ''],
        [undefined, null, ''],
        [bytes, null, '\x01\x02ÿ'],
        [bytes.buffer, null, '\x01\x02ÿ'],
        [new DataView(bytes.buffer, 1), null, '\x02ÿ'],
        [file, 'text/b', 'blob'],
        [new URLSearchParams({ a: 'b' }), 'application/x-www-form-urlencoded;charset=UTF-8', 'a=b'],
        [form, /^multipart\/form-data; boundary=/, ''],
        [5, 'text/plain;charset=UTF-8', '5'],
        ['x'.repeat(100_000), 'text/plain;charset=UTF-8', 'x'.repeat(100_000)],
        [Buffer.alloc(100_000, 'y'), null, 'y'.repeat(100_000)],
      ];
      for (const [body, type, text] of cases) {
        const response = await respond(() => new Kind(body as string));
        const got = response.headers.get('content-type');
        if (type instanceof RegExp) assert.match(got ?? '', type);
        else assert.equal(got, type);
        const content = Buffer.from(await response.bytes());
        if (body !== form) assert.equal(content.toString('latin1'), text);
        else assert.match(content.toString(), /name="a"\r\n\r\nb/);
        // The stream of a Blob may take longer than that of text.
        const length = response.headers.get('content-length');
        if (body !== form && body !== file) assert.equal(length, String(content.length));
      }
    });

    it('has every cookie, and fields of one name in one or more lines', async () => {
      const headers = new Headers({ a: '1' });
      headers.append('a', '2');
      headers.append('Set-Cookie', 'c=1; Path=/');
      headers.append('Set-Cookie', 'd=2');
      for (const given of [headers, [...headers]]) {
        const response = await respond(() => new Kind(null, { headers: given }));
        assert.deepEqual(response.headers.getSetCookie(), ['c=1; Path=/', 'd=2']);
        assert.equal(response.headers.get('a'), '1, 2');
      }
      const pairs: [string, string][] = [
        ['x', '1'],
        ['X', '2'],
        ['y', '3'],
      ];
      const response = await respond(() => new Kind('', { headers: pairs }));
      assert.equal(response.headers.get('x'), '1, 2');
    });

    it('has fields that were changed after it was made', async () => {
      const response = await respond(() => {
        const made = new Kind('text', { headers: { a: '1', b: '2' } });
        made.headers.set('a', '3');
        made.headers.delete('b');
        made.headers.append('content-type', 'x/y');
        return made;
      });
      const { headers } = response;
      assert.deepEqual([headers.get('a'), headers.get('b')], ['3', null]);
      assert.equal(headers.get('content-type'), 'text/plain;charset=UTF-8, x/y');
    });

    it('has no content after HEAD, and no wrong length', async () => {
      const head = { method: 'HEAD' } as const;
      const full = await respond(() => new Kind('four'), head);
      const isKnown = Kind === Lean || sourceOf(new Response('x')) !== null;
      const length = full.headers.get('content-length');
      assert.deepEqual([length, await full.text()], [isKnown ? '4' : null, '']);
      const none = await respond(() => new Kind(null), head);
      assert.equal(none.headers.get('content-length'), null);
      const declared = { headers: { 'content-length': '7' } };
      const given = await respond(() => new Kind(null, declared), head);
      assert.equal(given.headers.get('content-length'), '7');
      let cancelled = 0;
      const endless = (): ReadableStream =>
        new ReadableStream({
          cancel() {
            cancelled += 1;
          },
        });
      const stream = await respond(() => new Kind(endless()), head);
      assert.deepEqual([stream.status, await stream.text(), cancelled], [200, '', 1]);
    });

    it('has no content with a status that has none', async () => {
      for (const status of [204, 205, 304]) {
        for (const method of ['GET', 'HEAD']) {
          const headers = status === 304 ? { etag: '"a"' } : { a: 'b' };
          const response = await respond(() => new Kind(null, { status, headers }), { method });
          assert.equal(response.status, status);
          assert.equal(response.headers.get('transfer-encoding'), null);
          const length = status === 205 ? '0' : null;
          assert.equal(response.headers.get('content-length'), length);
        }
      }
    });

    it('does not obey fields that frame a message', async () => {
      const response = await respond(
        () =>
          new Kind('four', {
            headers: {
              'Transfer-Encoding': 'chunked',
              'Keep-Alive': 'timeout=5',
              Upgrade: 'x',
              Trailer: 'y',
              'Proxy-Connection': 'z',
            },
          }),
      );
      assert.equal(await response.text(), 'four');
      for (const name of ['transfer-encoding', 'keep-alive', 'upgrade', 'trailer']) {
        assert.equal(response.headers.get(name), null, name);
      }
      const closing = await respond(() => new Kind('', { headers: { connection: 'close' } }));
      assert.equal(closing.headers.get('connection'), 'close');
    });

    it('is a 500 when its Content-Length is wrong', async () => {
      const { server, log } = serving(
        () => new Kind('four', { headers: { 'content-length': '5' } }),
      );
      assert.equal((await server.inject()).status, 500);
      assert.match(log.join('\n'), /Content-Length is 5, the content has 4 bytes/);
      const bad = serving(() => new Kind('four', { headers: { 'content-length': 'x' } }));
      assert.equal((await bad.server.inject()).status, 500);
      assert.match(bad.log.join('\n'), /not a length: "x"/);
    });

    it('is a 500 when its body was read, sent or locked before', async () => {
      const used = serving(async () => {
        const response = new Kind('text');
        await response.text();
        return response;
      });
      const kept = new Kind('again');
      const twice = serving(() => kept);
      const locked = serving(() => {
        const response = new Kind(new Blob(['x']).stream() as unknown as ReadableStream);
        response.body?.getReader();
        return response;
      });
      assert.equal(await (await twice.server.inject()).text(), 'again');
      for (const { server, log } of [used, twice, locked]) {
        const before = log.length;
        assert.equal((await server.inject()).status, 500);
        assert.match(log.slice(before).join('\n'), /make a new Response|locked/);
      }
      const empty = new Kind(null, { status: 204 });
      const { server } = serving(() => empty);
      assert.deepEqual(
        [(await server.inject()).status, (await server.inject()).status],
        [204, 204],
      );
    });

    it('may be made by the static methods', async () => {
      const json = await respond(() => Kind.json({ a: 'é' }, { status: 202 }));
      assert.deepEqual([json.status, await json.json()], [202, { a: 'é' }]);
      assert.equal(json.headers.get('content-type'), 'application/json');
      const typed = await respond(() => Kind.json(1, { headers: { 'content-type': 'a/b' } }));
      assert.equal(typed.headers.get('content-type'), 'a/b');
      const redirect = await respond(() => Kind.redirect('http://a/b', 307));
      assert.deepEqual([redirect.status, redirect.headers.get('location')], [307, 'http://a/b']);
      const { server, log } = serving(() => Kind.error());
      assert.equal((await server.inject()).status, 500);
      assert.match(log.join('\n'), /Response\.error\(\)/);
    });

    it('may be a clone', async () => {
      const response = await respond(async () => {
        const first = new Kind('text', { headers: { a: 'b' } });
        first.headers.set('c', 'd');
        const second = first.clone();
        assert.equal(await first.text(), 'text');
        return second;
      });
      assert.deepEqual([await response.text(), response.headers.get('c')], ['text', 'd']);
    });
  });
}

describe('fields of a Response and those of middleware', { timeout: TIMEOUT_MS }, () => {
  it('are replaced, except cookies and Vary', async () => {
    for (const Kind of Object.values(KINDS)) {
      const { server } = unlistenedServer();
      server.use((_req, res, next) => {
        res.header('X-A', 'old').header('X-B', 'kept').header('Vary', 'Origin');
        res.appendHeader('Set-Cookie', 'm=1');
        return next();
      });
      const headers: [string, string][] = [
        ['x-a', 'new'],
        ['Vary', 'Accept'],
        ['set-cookie', 'r=2'],
      ];
      server.get(
        '/',
        fetchHandler(() => new Kind('', { headers })),
      );
      const response = await server.inject();
      assert.deepEqual(
        [response.headers.get('x-a'), response.headers.get('x-b'), response.headers.get('vary')],
        ['new', 'kept', 'Origin, Accept'],
      );
      assert.deepEqual(response.headers.getSetCookie(), ['m=1', 'r=2']);
    }
  });
});

describe('a function that does not respond', { timeout: TIMEOUT_MS }, () => {
  it('and returns something else is a 500 with a clear log', async () => {
    const results: [unknown, string][] = [
      [undefined, 'undefined'],
      [null, 'null'],
      ['text', '"text"'],
      [{ status: 200 }, 'an object'],
      [{ status: 200, headers: {}, body: null }, 'an object'],
      [{ status: 99, headers: new Map(), body: null }, 'an object'],
      [Promise.resolve(7), '7'],
    ];
    for (const [result, text] of results) {
      const { server, log } = serving(() => result);
      assert.equal((await server.inject()).status, 500);
      const wanted = 'the function returns a Response, or a promise of one';
      assert.ok(
        log.join('\n').includes(`fetchHandler(): ${wanted}, given ${text}`),
        log.join('\n'),
      );
    }
  });

  it('and throws is handled like any handler', async () => {
    for (const later of [false, true]) {
      const fail = (error: unknown) => (): unknown => {
        if (later) return Promise.reject(error);
        throw error;
      };
      const { server, log } = serving(fail(new Error('oops')));
      assert.equal((await server.inject('/x')).status, 500);
      assert.match(log.join('\n'), /GET \/x: Error: oops/);
      const teapot = await serving(fail(new HttpError(418, 'short'))).server.inject();
      assert.deepEqual([teapot.status, await teapot.text()], [418, 'short\n']);
      const handled = serving(fail(new Error('mine')));
      handled.server.onError((error, _req, res) => res.status(503).text(String(error)));
      const response = await handled.server.inject();
      assert.deepEqual([response.status, await response.text()], [503, 'Error: mine']);
    }
  });

  it('in time gets a 503, and its Response is cancelled', async () => {
    let cancelled = false;
    let late = (): void => {};
    const { server } = serving(
      () =>
        new Promise((resolve) => {
          late = () => {
            const body = new ReadableStream({
              cancel() {
                cancelled = true;
              },
            });
            resolve(new Response(body));
          };
        }),
      { handlerTimeoutMs: 20 },
    );
    assert.equal((await server.inject()).status, 503);
    late();
    await eventually('the body is cancelled', () => cancelled);
  });

  it('before middleware did has no effect', async () => {
    const { server, log } = unlistenedServer();
    let cancelled = false;
    server.use(async (_req, res, next) => {
      const rest = next();
      res.text('first');
      await rest;
    });
    const body = (): ReadableStream =>
      new ReadableStream({
        cancel() {
          cancelled = true;
        },
      });
    server.get(
      '/',
      fetchHandler(async () => new Response(await Promise.resolve(body()))),
    );
    assert.equal(await (await server.inject()).text(), 'first');
    await eventually('the second one is cancelled', () => cancelled);
    assert.match(log.join('\n'), /fetchHandler\(\) had no effect: the response has ended/);
  });
});

describe('a Response of another implementation', { timeout: TIMEOUT_MS }, () => {
  it('is sent', async () => {
    class Other {
      readonly status = 206;
      readonly headers: Map<string, string> = new Map([['x-other', '1']]);
      readonly body: ReadableStream<Uint8Array>;
      readonly bodyUsed = false;

      constructor(text: string) {
        this.body = new Blob([text]).stream() as unknown as ReadableStream<Uint8Array>;
      }
    }
    const response = await respond(() => new Other('theirs'));
    assert.deepEqual([response.status, await response.text()], [206, 'theirs']);
    assert.equal(response.headers.get('x-other'), '1');
    const empty = await respond(() => ({ status: 200, headers: new Map(), body: null }));
    assert.deepEqual([empty.status, await empty.text()], [200, '']);
  });

  it('that fetch() made has the fields of what it decoded', async () => {
    const made = (headers: Record<string, string>): unknown => {
      const response = new Response('decoded', { headers });
      Object.defineProperty(response, 'url', { value: 'http://upstream/' });
      return response;
    };
    for (const coding of ['gzip', 'br', 'GZIP, deflate']) {
      const response = await respond(() =>
        made({ 'content-encoding': coding, 'content-length': '3', a: 'b' }),
      );
      assert.equal(await response.text(), 'decoded');
      assert.equal(response.headers.get('content-encoding'), null);
      assert.equal(response.headers.get('a'), 'b');
    }
    const unknown = await respond(() => made({ 'content-encoding': 'x-own' }));
    assert.equal(unknown.headers.get('content-encoding'), 'x-own');
    const own = await respond(() => new Response('x', { headers: { 'content-encoding': 'gzip' } }));
    assert.equal(own.headers.get('content-encoding'), 'gzip');
  });
});

describe('what a function gets', { timeout: TIMEOUT_MS }, () => {
  it('is a Request, and the handles of the server', async () => {
    const { server } = unlistenedServer();
    server.use((req, _res, next) => {
      req.state['user'] = 'me';
      return next();
    });
    server.get(
      '/users/:id',
      fetchHandler((request, context) => {
        assert.ok(request instanceof Request);
        assert.ok(context instanceof FetchContext);
        const { params, state } = context.request;
        context.response.header('X-Before', '1');
        const { remote } = getConnInfo({ env: context });
        return Response.json([
          request.url,
          params['id'],
          state['user'],
          context.remotePort,
          remote,
        ]);
      }),
    );
    const response = await server.inject('/users/7?x');
    assert.equal(response.headers.get('x-before'), '1');
    const remote = { address: '127.0.0.1', port: 50_000, addressType: 'IPv4', transport: 'tcp' };
    assert.deepEqual(await response.json(), [
      'http://localhost/users/7?x',
      '7',
      'me',
      50_000,
      remote,
    ]);
  });

  it('says who the client is', async () => {
    const seen: unknown[] = [];
    const { server } = serving((_request, context) => {
      seen.push([context.remoteAddress, getConnInfo({ env: context }).remote.addressType]);
      return new Response();
    });
    for (const remoteAddress of ['::1', '10.0.0.1', '']) await server.inject({ remoteAddress });
    assert.deepEqual(seen, [
      ['::1', 'IPv6'],
      ['10.0.0.1', 'IPv4'],
      ['', undefined],
    ]);
    assert.throws(() => getConnInfo({ env: {} }), /context\.env is no FetchContext/);
  });

  it('may be given to a method of an object', async () => {
    const { server } = unlistenedServer();
    const application = {
      name: 'mine',
      fetch(request: globalThis.Request): globalThis.Response {
        return new Response(`${this.name} ${request.method}`);
      },
    };
    server.all('/*', fetchHandler(application));
    assert.equal(await (await server.inject({ method: 'PUT' })).text(), 'mine PUT');
  });

  it('has the scheme that the options say', async () => {
    const url = (request: globalThis.Request): globalThis.Response => new Response(request.url);
    const secure = serving(url, {}, { scheme: 'https' });
    assert.equal(await (await secure.server.inject('/a')).text(), 'https://localhost/a');
    const proxied = serving(
      url,
      {},
      { scheme: (req) => (req.header('x-forwarded-proto') === 'https' ? 'https' : 'http') },
    );
    const { server } = proxied;
    const headers = { 'X-Forwarded-Proto': 'https' };
    assert.equal(await (await server.inject({ headers })).text(), 'https://localhost/');
    assert.equal(await (await server.inject()).text(), 'http://localhost/');
    const plain = await serving(url).server.inject({ headers });
    assert.equal(await plain.text(), 'http://localhost/', 'a client is not believed');
  });

  it('is never a request with a method that the standard forbids', async () => {
    const { server } = serving(() => new Response('handled'));
    for (const method of ['TRACE', 'TRACK', 'track']) {
      assert.equal((await server.inject({ method })).status, 501, method);
    }
    assert.equal((await server.inject({ method: 'PURGE' })).status, 200);
  });
});

describe('arguments of fetchHandler()', () => {
  it('are a function, or an object with one, and known options', () => {
    const make = fetchHandler as (...given: unknown[]) => unknown;
    for (const given of [undefined, null, {}, 'x', { fetch: 1 }]) {
      assert.throws(() => make(given), /fetchHandler\(\): its argument is a function/);
    }
    const run = (): void => {};
    assert.throws(() => make(run, { schema: 'https' }), /did you mean scheme\?/);
    assert.throws(() => make(run, { scheme: 'ftp' }), /scheme is 'http', 'https' or a function/);
    assert.throws(() => make(run, { overrideGlobalObjects: 1 }), /is true or false/);
  });
});

describe('the head of a request', { timeout: TIMEOUT_MS }, () => {
  onEachDriver('an empty line before it', (add) => {
    add('is none of its fields', async (driver) => {
      const routes = (server: Server) => {
        server.all(
          '/*',
          fetchHandler((request) => Response.json([...request.headers])),
        );
      };
      await withServer(driver, {}, routes, async ({ open }) => {
        const response = await (await open()).ask(`\r\n${get('/', 'X-A: b')}`);
        assert.deepEqual(JSON.parse(response.text), [
          ['host', 'a.test'],
          ['x-a', 'b'],
        ]);
      });
    });
  });
});

describe('fields whose iterator has no end', { timeout: TIMEOUT_MS }, () => {
  it('are a 500, and block nothing', async () => {
    let taken = 0;
    const headers = {
      *[Symbol.iterator]() {
        for (;;) {
          // The test ends even if nothing else does.
          if (taken === 1_000_000) return;
          taken += 1;
          yield ['x-a', 'b'];
        }
      },
    };
    for (const url of ['', 'http://upstream/']) {
      taken = 0;
      const response = await respond(() => ({ status: 200, headers, body: null, url }));
      assert.equal(response.status, 500);
      assert.equal(taken, RESPONSE_FIELDS_MAX + 1);
    }
  });
});

describe('beside middleware', { timeout: TIMEOUT_MS }, () => {
  it('bodyLimit() is the limit of copies of the request, too', async () => {
    const { server } = unlistenedServer({ bodyBytesMax: 100 });
    server.use(bodyLimit(1_000));
    server.all(
      '/*',
      fetchHandler(async (request) => new Response(await request.clone().text())),
    );
    const body = 'x'.repeat(1_000);
    const within = await server.inject({ method: 'POST', body });
    assert.deepEqual([within.status, await within.text()], [200, body]);
    assert.equal((await server.inject({ method: 'POST', body: `${body}x` })).status, 413);
  });

  it('a stream is cancelled when a callback before its head throws', async () => {
    let cancelled = 0;
    const { server } = unlistenedServer();
    server.use((_request, response, next) => {
      response.beforeSend(() => {
        throw new Error('before');
      });
      return next();
    });
    server.all(
      '/*',
      fetchHandler(() => {
        const pull = (controller: ReadableStreamDefaultController) =>
          wait(1).then(() => controller.enqueue(new Uint8Array(1)));
        const cancel = () => {
          cancelled += 1;
        };
        return new Response(new ReadableStream({ pull, cancel }));
      }),
    );
    await server.inject({}).catch(() => {});
    await eventually('it is cancelled', () => cancelled === 1);
  });
});
