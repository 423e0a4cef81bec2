// The lean Request: it has what Node's own has, member by member, and it has the URL whose path
// routes and middleware see.

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { fetchHandler } from '../../src/fetch/handler.ts';
import { LeanRequest, nodeAcceptsLean } from '../../src/fetch/request.ts';
import { routePath } from '../../src/http/target.ts';
import type { ServerOptions } from '../../src/server/config/config.ts';
import type { InjectOptions } from '../../src/server/inject/options.ts';
import { Random } from '../../testing/random.ts';
import { unlistenedServer } from '../../testing/unlistened-server.ts';
import { wait } from '../../testing/with-server.ts';

const TIMEOUT_MS = 20_000;
const SEED = Number(process.env['VIBING_SEED'] ?? randomInt(1, 2 ** 31));
const RANDOM_TARGETS = 400;

/** Node 20 has bytes(), its types do not. */
type WebRequest = globalThis.Request & { bytes(): Promise<Uint8Array> };

/** Runs `body` with the Request of an injected request; resolves with what it returns. */
async function within<T>(
  options: InjectOptions,
  body: (request: WebRequest) => T | Promise<T>,
  config: ServerOptions = {},
): Promise<T> {
  const { server } = unlistenedServer(config);
  const results: T[] = [];
  server.all(
    '/*',
    fetchHandler(async (request) => {
      results.push(await body(request as WebRequest));
      return new Response();
    }),
  );
  const response = await server.inject(options);
  assert.equal(response.status, 200, await response.text());
  return results[0];
}

/** Node's own Request of a lean one. */
function nativeOf(request: globalThis.Request): globalThis.Request {
  if (!(request instanceof LeanRequest)) return request;
  return LeanRequest.toNative(request as unknown as LeanRequest);
}

const FORM_TYPE = 'application/x-www-form-urlencoded';
const PUT = { method: 'PUT', target: '/a?b', headers: { 'X-A': 'b' }, body: 'té xt' } as const;

describe('a lean Request', { timeout: TIMEOUT_MS }, () => {
  it("has the members of Node's own", async () => {
    const own = new Request('http://localhost/a?b', {
      method: 'PUT',
      headers: { host: 'localhost', 'x-a': 'b', 'content-type': 'text/plain;charset=UTF-8' },
      body: 'té xt',
    });
    const names = Object.getOwnPropertyNames(Request.prototype).filter(
      (name) => !['headers', 'signal', 'body', 'constructor', 'attribute'].includes(name),
    );
    assert.ok(names.length > 15, String(names));
    await within(PUT, (request) => {
      if (nodeAcceptsLean()) assert.ok(request instanceof LeanRequest);
      assert.ok(request instanceof Request);
      assert.equal(request.constructor.name, 'Request');
      assert.equal(Object.prototype.toString.call(request), '[object Request]');
      for (const name of names) {
        const found: unknown = Reflect.get(request, name);
        const wanted: unknown = Reflect.get(own, name);
        if (typeof wanted === 'function') assert.equal(typeof found, 'function', name);
        else assert.deepEqual(found, wanted, name);
      }
      assert.ok(request.signal instanceof AbortSignal);
      assert.equal(request.signal, request.signal);
      assert.ok(request.body instanceof ReadableStream);
      assert.match(inspect(request), /url: 'http:\/\/localhost\/a\?b'/);
    });
  });

  it('reads its body once, in every way', async () => {
    const bytes = Buffer.from('té xt');
    assert.equal(await within(PUT, (request) => request.text()), 'té xt');
    const buffer = await within(PUT, (request) => request.arrayBuffer());
    assert.ok(buffer instanceof ArrayBuffer);
    assert.deepEqual(Buffer.from(buffer), bytes);
    const view = await within(PUT, (request) => request.bytes());
    assert.deepEqual(Buffer.from(view), bytes);
    const blob = await within(PUT, (request) => request.blob());
    assert.deepEqual([await blob.text(), blob.type], ['té xt', 'text/plain;charset=utf-8']);
    const json = { ...PUT, body: '{"a":[1]}' };
    assert.deepEqual(await within(json, (request) => request.json()), { a: [1] });
    const stream = await within(PUT, async (request) => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of request.body ?? []) chunks.push(chunk as Uint8Array);
      assert.ok(request.bodyUsed);
      return Buffer.concat(chunks).toString();
    });
    assert.equal(stream, 'té xt');
    for (const call of ['text', 'json', 'bytes', 'arrayBuffer', 'blob', 'formData'] as const) {
      await within(PUT, async (request) => {
        assert.equal(request.bodyUsed, false);
        await request.text();
        assert.equal(request.bodyUsed, true);
        await assert.rejects(async () => request[call](), TypeError, call);
        assert.throws(() => request.clone(), TypeError);
      });
    }
  });

  it("has the errors and conversions of Node's own", async () => {
    await within({ ...PUT, body: 'no json' }, (request) =>
      assert.rejects(() => request.json(), SyntaxError),
    );
    const invalid = { ...PUT, body: new Uint8Array([0xef, 0xbb, 0xbf, 0x61, 0xff]) };
    assert.equal(await within(invalid, (request) => request.text()), 'a\ufffd', 'as in browsers');
    await within(PUT, async (request) => {
      const reader = request.body?.getReader();
      assert.equal(request.bodyUsed, false);
      await assert.rejects(() => request.text(), TypeError, 'locked');
      await reader?.cancel();
      assert.equal(request.bodyUsed, true);
    });
  });

  it('has no body where the standard has none', async () => {
    for (const options of [
      { method: 'GET', body: 'ignored' },
      { method: 'HEAD' },
      { method: 'POST' },
      { method: 'DELETE' },
    ]) {
      await within(options, async (request) => {
        assert.equal(request.body, null, options.method);
        assert.equal(await request.text(), '');
        assert.equal(await request.text(), '', 'as often as one likes');
        assert.equal(request.bodyUsed, false);
      });
    }
  });

  it('reads forms within the limits of the server', async () => {
    const body = new FormData();
    body.set('a', 'b');
    body.set('file', new File(['content'], 'n.txt', { type: 'text/x' }));
    const options = { method: 'POST', body } as const;
    const form = await within(options, (request) => request.formData());
    const file = form.get('file') as File;
    assert.deepEqual([form.get('a'), file.name, file.type], ['b', 'n.txt', 'text/x']);
    assert.equal(await file.text(), 'content');
    const url = { method: 'POST', body: 'a=b+c', headers: { 'content-type': FORM_TYPE } };
    assert.equal((await within(url, (request) => request.formData())).get('a'), 'b c');
    const cloned = await within(options, async (request) => request.clone().formData());
    assert.equal(cloned.get('a'), 'b');
    await within(options, (request) => assert.rejects(() => request.formData(), { status: 413 }), {
      formPartsMax: 1,
    });
    await within(PUT, (request) => assert.rejects(() => request.formData(), { status: 415 }));
  });

  it('rejects a body over body_bytes_max with an error that frameworks know', async () => {
    const limits = { bodyBytesMax: 4 };
    for (const read of ['text', 'json', 'arrayBuffer', 'bytes', 'blob'] as const) {
      const response = await within(
        PUT,
        async (request) => {
          const error: unknown = await request[read]().catch((reason: unknown) => reason);
          return (error as { getResponse(): globalThis.Response }).getResponse();
        },
        limits,
      );
      assert.deepEqual(
        [response.status, await response.text()],
        [413, 'Content Too Large\n'],
        read,
      );
    }
    for (const make of [
      (request: WebRequest) => request.clone(),
      (request: WebRequest) => nativeOf(request),
      (request: WebRequest) => {
        assert.ok(request.body instanceof ReadableStream);
        return request;
      },
    ]) {
      for (const read of ['text', 'json', 'arrayBuffer', 'blob', 'formData'] as const) {
        const headers = { 'content-type': FORM_TYPE };
        await within(
          { ...PUT, headers },
          (request) => assert.rejects(() => make(request)[read](), { status: 413 }, read),
          limits,
        );
      }
    }
    // Not caught, it is the response, as everywhere.
    const { server } = unlistenedServer(limits);
    server.all(
      '/*',
      fetchHandler(async (request) => new Response(await request.text())),
    );
    assert.equal((await server.inject(PUT)).status, 413);
  });

  it("becomes Node's own wherever that is wanted", async () => {
    assert.equal(nodeAcceptsLean(), Number(process.versions.node.split('.')[0]) < 24);
    await within(PUT, async (request) => {
      const copy = new Request(request, { headers: { c: 'd' } });
      assert.deepEqual([copy.method, copy.url], ['PUT', 'http://localhost/a?b']);
      assert.deepEqual([copy.headers.get('c'), copy.headers.get('x-a')], ['d', null]);
      assert.equal(await copy.text(), 'té xt');
      assert.ok(request.bodyUsed);
    });
    await within(PUT, async (request) => {
      const moved = new Request('http://other/', request);
      assert.deepEqual([moved.method, moved.headers.get('x-a')], ['PUT', 'b']);
      assert.equal(await moved.text(), 'té xt');
    });
    await within(PUT, async (request) => {
      const clone = request.clone();
      assert.equal(await clone.text(), 'té xt');
      assert.equal(clone.headers.get('x-a'), 'b');
      assert.equal(request.bodyUsed, false);
      assert.equal(await request.text(), 'té xt');
      assert.ok(request.bodyUsed);
      await assert.rejects(() => request.text(), TypeError);
    });
    await within({}, (request) => {
      const copy = new Request(request);
      assert.equal(copy.body, null);
      assert.equal(new Request(copy, { method: 'POST' }).method, 'POST');
    });
  });

  it('may be kept for ever', async () => {
    const { server } = unlistenedServer();
    const kept: globalThis.Request[] = [];
    server.all(
      '/*',
      fetchHandler((request) => {
        kept.push(request);
        return new Response();
      }),
    );
    for (const id of ['1', '2', '3']) {
      await server.inject({ target: `/${id}`, headers: { 'x-id': id }, method: 'POST', body: id });
    }
    assert.deepEqual(
      kept.map((request) => [request.url, request.headers.get('x-id'), request.signal.aborted]),
      ['1', '2', '3'].map((id) => [`http://localhost/${id}`, id, false]),
    );
    // Its rejection comes late, and does not keep the process alive.
    const [error] = await Promise.all([kept[0].text().catch((reason: Error) => reason), wait(50)]);
    assert.match(String(error), /this request is over/);
  });
});

describe('the Headers of a lean Request', { timeout: TIMEOUT_MS }, () => {
  const headers: [string, string][] = [
    ['X-One', ' spaced out '],
    ['x-two', 'a'],
    ['X-Two', 'b'],
    ['Cookie', 'a=1'],
    ['cookie', 'b=2'],
    ['x-empty', ''],
    ['x-latin', 'é'],
  ];

  it("have the members of Node's own", async () => {
    const own = new Headers([['host', 'localhost'], ...headers]);
    await within({ headers }, ({ headers: lean }) => {
      assert.ok(lean instanceof Headers);
      for (const name of ['x-one', 'X-TWO', 'cookie', 'x-empty', 'x-latin', 'host', 'none']) {
        assert.equal(lean.get(name), own.get(name), name);
        assert.equal(lean.has(name), own.has(name), name);
      }
      assert.deepEqual([...lean], [...own]);
      assert.deepEqual([...lean.keys()], [...own.keys()]);
      assert.deepEqual([...lean.values()], [...own.values()]);
      assert.deepEqual([...lean.entries()], [...own.entries()]);
      const seen: string[] = [];
      lean.forEach((value, name) => {
        seen.push(`${name}=${value}`);
      });
      assert.equal(seen.length, [...own].length);
      assert.deepEqual(lean.getSetCookie(), []);
      assert.deepEqual([...new Headers(lean)], [...own]);
      assert.deepEqual([...new Request('http://a/', { headers: lean }).headers], [...own]);
    });
  });

  it('throw for what is no name', async () => {
    await within({ headers }, ({ headers: lean }) => {
      for (const name of ['', 'a b', 'é', 'a:']) {
        assert.throws(() => lean.get(name), TypeError, name);
        assert.throws(() => lean.has(name), TypeError, name);
      }
    });
  });

  it('can be changed, also for what is made of the Request', async () => {
    await within({ headers }, (request) => {
      request.headers.set('x-two', 'c');
      request.headers.append('x-new', 'd');
      request.headers.delete('x-one');
      const { headers: lean } = request;
      assert.deepEqual([lean.get('x-two'), lean.get('X-New'), lean.get('x-one')], ['c', 'd', null]);
      assert.equal(lean.has('x-one'), false);
      assert.equal(request.clone().headers.get('x-new'), 'd');
    });
  });
});

describe('the URL of a lean Request', { timeout: TIMEOUT_MS }, () => {
  const urlOf = (options: InjectOptions): Promise<string> => within(options, ({ url }) => url);

  it('is that of its target and its host, normalized', async () => {
    const cases: [target: string, host: string, url: string][] = [
      ['/', 'a.test', 'http://a.test/'],
      ['/a?b=c&d', 'A.Test:80', 'http://a.test/a?b=c&d'],
      ['/a', 'a.test:8080', 'http://a.test:8080/a'],
      ['/a', '[::1]:8080', 'http://[::1]:8080/a'],
      ['/%41/%zz'.replace('/%zz', ''), 'a', 'http://a/%41'],
      ['/a/../b/./c', 'a', 'http://a/b/c'],
      ['/a/%2E%2e/b', 'a', 'http://a/b'],
      ["/a'b", 'a', "http://a/a'b"],
      ["/a?b='c'|\\", 'a', 'http://a/a?b=%27c%27|\\'],
      ['/a|b', 'a', 'http://a/a|b'],
      ['//b/c', 'a', 'http://a//b/c'],
      ['//b/../c', 'a', 'http://a/c'],
      ['/a//../b', 'a', 'http://a/b'],
      ['/a\\b', 'a', 'http://a/a%5Cb'],
      ['/x\\..\\admin', 'a', 'http://a/x%5C..%5Cadmin'],
      ['http://other:81/x?y', 'a', 'http://other:81/x?y'],
      ['http://other', 'a', 'http://other/'],
      ['http://other?y', 'a', 'http://other/?y'],
    ];
    for (const [target, host, url] of cases) {
      assert.equal(await urlOf({ target, headers: { host } }), url, `${target} of ${host}`);
      assert.equal(new URL(url).href, url, 'as the standard writes it');
    }
  });

  it('changes with the host', async () => {
    const { server } = unlistenedServer();
    server.all(
      '/*',
      fetchHandler((request) => new Response(request.url)),
    );
    for (const host of ['a', 'b', 'a', 'b:1']) {
      const response = await server.inject({ headers: { host } });
      assert.equal(await response.text(), `http://${host}/`);
    }
  });

  it('is a 400 when there is none', async () => {
    const { server } = unlistenedServer();
    server.all(
      '/*',
      fetchHandler((request) => new Response(request.url)),
    );
    for (const host of ['1.2.3.4.5', '%00', '1.2.3.256']) {
      assert.equal((await server.inject({ headers: { host } })).status, 400, host);
    }
    assert.equal((await server.inject()).status, 200);
  });

  it(`has the path that routes see, seed ${SEED}`, async () => {
    const random = new Random(SEED);
    const parts = ['/', '/', '//', '.', '..', '%2e', '%2E%2e', '%2f', '%5c', '\\', 'a', 'b', '%61'];
    const { server } = unlistenedServer();
    const seen: [target: string, path: string, url: string][] = [];
    server.all(
      '/*',
      fetchHandler((request, { request: own }) => {
        seen.push([own.target, own.path, request.url]);
        return new Response();
      }),
    );
    for (let count = 0; count < RANDOM_TARGETS; count++) {
      const length = random.between(1, 8);
      const target = `/${Array.from({ length }, () => random.pick(parts)).join('')}`;
      await server.inject(random.chance(0.2) ? `${target}?x=/../y` : target);
    }
    assert.ok(seen.length > RANDOM_TARGETS / 2);
    for (const [target, path, url] of seen) {
      const bytes = Buffer.from(new URL(url).pathname);
      const out = new Uint8Array(bytes.length + 1);
      const length = routePath(bytes, 0, bytes.length, out);
      const found = Buffer.from(out.subarray(0, length)).toString().replaceAll('\0', '%2F');
      assert.equal(found, path, `${target} is ${url}`);
      assert.doesNotMatch(new URL(url).search, /%5C/);
    }
  });
});
