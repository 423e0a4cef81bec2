// Applications of hono and itty-router, and of frameworks in the manner of SvelteKit and Remix, run
// unchanged: what their documentation shows, with Node's Response and with the lean one.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Hono } from 'hono';
import { basicAuth } from 'hono/basic-auth';
import { getCookie, setCookie } from 'hono/cookie';
import { cors } from 'hono/cors';
import { etag } from 'hono/etag';
import { HTTPException } from 'hono/http-exception';
import { stream, streamSSE, streamText } from 'hono/streaming';
import { AutoRouter, error, json, StatusError } from 'itty-router';
import { type FetchContext, getConnInfo } from '../../src/fetch/context.ts';
import { fetchHandler } from '../../src/fetch/handler.ts';
import { NativeResponse } from '../../src/fetch/native.ts';
import type { ServerOptions } from '../../src/server/config/config.ts';
import type { InjectOptions } from '../../src/server/inject/options.ts';
import type { InjectedResponse } from '../../src/server/inject/response.ts';
import type { Server } from '../../src/server/server.ts';
import { unlistenedServer } from '../../testing/unlistened-server.ts';

const TIMEOUT_MS = 20_000;

function honoApplication(): Hono<{ Bindings: FetchContext }> {
  const app = new Hono<{ Bindings: FetchContext }>();
  app.use('/api/*', cors({ origin: 'http://a.test', credentials: true }));
  app.use('/etag/*', etag());
  app.use('/auth/*', basicAuth({ username: 'hono', password: 'acoolproject' }));
  app.get('/', (c) => c.text('Hello Hono!'));
  app.get('/users/:id{[0-9]+}', (c) => c.json({ id: c.req.param('id'), q: c.req.query('q') }));
  app.get('/files/*', (c) => c.text(c.req.path));
  app.get('/api/hello', (c) => {
    c.header('X-Custom', 'Thank you');
    c.status(201);
    return c.json({ ok: true, message: 'Hello Hono!' });
  });
  app.get('/view', (c) => c.html(`<h1>${c.req.header('user-agent') ?? ''}</h1>`));
  app.get('/etag/abc', (c) => c.text('Hono is cool'));
  app.get('/auth/page', (c) => c.text('You are authorized'));
  app.get('/cookie', (c) => {
    setCookie(c, 'delicious', 'macha', { httpOnly: true });
    setCookie(c, 'second', '2');
    return c.text(getCookie(c, 'yummy') ?? 'no cookie');
  });
  app.get('/streamText', (c) =>
    streamText(c, async (out) => {
      await out.writeln('Hello');
      await out.sleep(5);
      await out.write('Hono!');
    }),
  );
  app.get('/stream', (c) =>
    stream(c, async (out) => {
      await out.write(new Uint8Array([0x48, 0x65]));
      await out.pipe(new Blob(['llo']).stream() as unknown as ReadableStream);
    }),
  );
  app.get('/sse', (c) =>
    streamSSE(c, async (out) => {
      for (let id = 0; id < 2; id++)
        await out.writeSSE({ data: `m${id}`, event: 'tick', id: `${id}` });
    }),
  );
  app.post('/upload', async (c) => {
    const body = await c.req.parseBody();
    const file = body['file'] as File;
    return c.json({ name: file.name, size: file.size, text: await file.text(), tag: body['tag'] });
  });
  app.post('/json', async (c) => c.json({ got: await c.req.json() }));
  app.put('/posts', (c) => c.redirect('/posts/1', 303));
  app.get('/ip', (c) => c.text(getConnInfo(c).remote.address ?? ''));
  app.get('/teapot', () => {
    throw new HTTPException(418, { message: 'short and stout' });
  });
  app.get('/oops', () => {
    throw new Error('oops');
  });
  app.onError((cause, c) => {
    if (cause instanceof HTTPException) return cause.getResponse();
    return c.text(`failed: ${cause.message}`, 500);
  });
  app.notFound((c) => c.text('Custom 404', 404));
  const book = new Hono();
  book.get('/:id', (c) => c.text(`book ${c.req.param('id')}`));
  app.route('/book', book);
  app.mount('/mounted', (request) => new Response(new URL(request.url).pathname));
  return app;
}

type Inject = (target: string, options?: InjectOptions) => Promise<InjectedResponse>;

function injecting(mount: (server: Server) => void, config: ServerOptions = {}): Inject {
  const { server } = unlistenedServer(config);
  mount(server);
  return (target, options = {}) => server.inject({ target, ...options });
}

for (const overrideGlobalObjects of [false, true]) {
  const options = { overrideGlobalObjects };
  describe(`hono, overrideGlobalObjects: ${overrideGlobalObjects}`, { timeout: TIMEOUT_MS }, () => {
    const serve = (server: Server): void => {
      server.all('/*', fetchHandler(honoApplication().fetch, options));
    };
    let inject: Inject;
    const text = async (target: string, given?: InjectOptions): Promise<string> =>
      (await inject(target, given)).text();

    before(() => {
      inject = injecting(serve, { bodyBytesMax: 1_000 });
    });

    after(() => {
      globalThis.Response = NativeResponse;
    });

    it('routes', async () => {
      assert.equal(await text('/'), 'Hello Hono!');
      assert.equal(await text('/users/7?q=a%20b'), '{"id":"7","q":"a b"}');
      assert.equal(await text('/files/a/b.txt'), '/files/a/b.txt');
      assert.equal(await text('/book/9'), 'book 9');
      assert.equal(await text('/mounted/deep/path'), '/deep/path');
      const missing = await inject('/users/x');
      assert.deepEqual([missing.status, await missing.text()], [404, 'Custom 404']);
      const redirect = await inject('/posts', { method: 'PUT' });
      assert.deepEqual([redirect.status, redirect.headers.get('location')], [303, '/posts/1']);
    });

    it('responds with fields, statuses and types', async () => {
      const response = await inject('/api/hello');
      assert.deepEqual([response.status, response.headers.get('x-custom')], [201, 'Thank you']);
      assert.deepEqual(await response.json(), { ok: true, message: 'Hello Hono!' });
      const view = await inject('/view', { headers: { 'User-Agent': 'me' } });
      assert.equal(view.headers.get('content-type'), 'text/html; charset=UTF-8');
      assert.equal(await view.text(), '<h1>me</h1>');
      assert.equal(await text('/ip'), '127.0.0.1');
    });

    it('handles HEAD and OPTIONS', async () => {
      const head = await inject('/view', { method: 'HEAD' });
      assert.deepEqual([head.status, await head.text()], [200, '']);
      assert.equal(head.headers.get('content-type'), 'text/html; charset=UTF-8');
      assert.notEqual(head.headers.get('content-length'), '0');
      const headers = { Origin: 'http://a.test', 'Access-Control-Request-Method': 'PUT' };
      const preflight = await inject('/api/hello', { method: 'OPTIONS', headers });
      assert.equal(preflight.status, 204);
      assert.match(preflight.headers.get('access-control-allow-methods') ?? '', /PUT/);
    });

    it('runs its middleware: CORS, ETag, basic authentication', async () => {
      const cors = await inject('/api/hello', { headers: { Origin: 'http://a.test' } });
      assert.equal(cors.headers.get('access-control-allow-origin'), 'http://a.test');
      assert.equal(cors.headers.get('access-control-allow-credentials'), 'true');
      const first = await inject('/etag/abc');
      const tag = first.headers.get('etag') ?? '';
      assert.match(tag, /^"[0-9a-f]+"$/);
      assert.equal(await first.text(), 'Hono is cool');
      const second = await inject('/etag/abc', { headers: { 'If-None-Match': tag } });
      assert.deepEqual([second.status, await second.text()], [304, '']);
      const refused = await inject('/auth/page');
      assert.equal(refused.status, 401);
      assert.match(refused.headers.get('www-authenticate') ?? '', /^Basic realm=/);
      const credentials = Buffer.from('hono:acoolproject').toString('base64');
      const headers = { Authorization: `Basic ${credentials}` };
      assert.equal(await text('/auth/page', { headers }), 'You are authorized');
    });

    it('has cookies', async () => {
      const response = await inject('/cookie', { headers: { Cookie: 'yummy=choco; b=c' } });
      assert.equal(await response.text(), 'choco');
      assert.deepEqual(response.headers.getSetCookie(), [
        'delicious=macha; Path=/; HttpOnly',
        'second=2; Path=/',
      ]);
    });

    it('streams', async () => {
      const response = await inject('/streamText');
      assert.equal(response.headers.get('transfer-encoding'), 'chunked');
      assert.equal(await response.text(), 'Hello\nHono!');
      assert.equal(await text('/stream'), 'Hello');
      const events = await inject('/sse');
      assert.equal(events.headers.get('content-type'), 'text/event-stream');
      const wanted = 'event: tick\ndata: m0\nid: 0\n\nevent: tick\ndata: m1\nid: 1\n\n';
      assert.equal(await events.text(), wanted);
    });

    it('reads forms with files, and JSON', async () => {
      const body = new FormData();
      body.set('file', new File(['the content'], 'a.txt'));
      body.set('tag', 'x');
      const upload = await inject('/upload', { method: 'POST', body });
      const wanted = { name: 'a.txt', size: 11, text: 'the content', tag: 'x' };
      assert.deepEqual(await upload.json(), wanted);
      const post = { method: 'POST' } as const;
      assert.equal(await text('/json', { ...post, json: { a: 1 } }), '{"got":{"a":1}}');
      const invalid = await inject('/json', { ...post, body: '{' });
      assert.equal(invalid.status, 500);
      const long = await inject('/json', { ...post, json: 'x'.repeat(2_000) });
      assert.match(await long.text(), /Content Too Large/);
    });

    it('handles errors', async () => {
      const teapot = await inject('/teapot');
      assert.deepEqual([teapot.status, await teapot.text()], [418, 'short and stout']);
      const oops = await inject('/oops');
      assert.deepEqual([oops.status, await oops.text()], [500, 'failed: oops']);
    });

    it('responds 413 by its own error handler', async () => {
      const app = new Hono();
      app.post('/', async (c) => c.text(await c.req.text()));
      const limited = injecting((server) => server.all('/*', fetchHandler(app.fetch, options)), {
        bodyBytesMax: 4,
      });
      assert.equal((await limited('/', { method: 'POST', body: 'four' })).status, 200);
      assert.equal((await limited('/', { method: 'POST', body: 'fives' })).status, 413);
    });
  });

  describe(`itty-router, overrideGlobalObjects: ${overrideGlobalObjects}`, () => {
    after(() => {
      globalThis.Response = NativeResponse;
    });

    it('routes, reads and fails', async () => {
      const router = AutoRouter();
      router
        .get('/hello/:name', ({ params }) => `Hello, ${params['name']}!`)
        .get('/todos', ({ query }) => [{ id: 1, q: query['q'] }])
        .get('/secret', () => error(403, 'no'))
        .get('/missing', () => {
          throw new StatusError(404, 'gone');
        })
        .post('/todos', async (request: Request) => json(await request.json(), { status: 201 }));
      const inject = injecting((server) => server.all('/*', fetchHandler(router.fetch, options)));
      assert.equal(await (await inject('/hello/Ann')).json(), 'Hello, Ann!');
      assert.deepEqual(await (await inject('/todos?q=x')).json(), [{ id: 1, q: 'x' }]);
      const created = await inject('/todos', { method: 'POST', json: { id: 2 } });
      assert.deepEqual([created.status, await created.json()], [201, { id: 2 }]);
      assert.deepEqual((await (await inject('/secret')).json()) as unknown, {
        status: 403,
        error: 'no',
      });
      assert.equal((await inject('/missing')).status, 404);
      assert.equal((await inject('/nowhere')).status, 404);
    });
  });

  describe(`a framework that makes Requests of Requests, ${overrideGlobalObjects}`, () => {
    after(() => {
      globalThis.Response = NativeResponse;
    });

    it('runs', async () => {
      const inject = injecting((server) => server.all('/*', fetchHandler(framework, options)));
      assert.equal(await (await inject('/load')).text(), 'loaded /load for guest');
      const headers = { Cookie: 'session=ann' };
      const form = new FormData();
      form.set('title', 'a b');
      const action = await inject('/action', { method: 'POST', body: form, headers });
      assert.equal(action.status, 303);
      assert.equal(action.headers.get('location'), '/notes/a%20b');
      assert.deepEqual(action.headers.getSetCookie(), ['flash=saved', 'session=ann']);
      const thrown = await inject('/private');
      assert.deepEqual([thrown.status, await thrown.text()], [401, 'log in first']);
      const nested = await inject('/nested', { headers });
      assert.equal(await nested.text(), 'loaded /load for ann');
    });
  });
}

/** A handle() around a resolve(), as SvelteKit has it; loaders that throw Responses, as Remix. */
async function framework(request: globalThis.Request): Promise<globalThis.Response> {
  const url = new URL(request.url);
  const session = /session=(\w+)/.exec(request.headers.get('cookie') ?? '')?.[1] ?? 'guest';
  let response: globalThis.Response;
  try {
    response = await resolve(request.clone(), url, session);
  } catch (thrown) {
    if (!(thrown instanceof Response)) throw thrown;
    response = thrown;
  }
  const { status, statusText } = response;
  const headers = new Headers(response.headers);
  headers.append('set-cookie', `session=${session}`);
  return new Response(response.body, { status, statusText, headers });
}

async function resolve(
  request: globalThis.Request,
  url: URL,
  session: string,
): Promise<globalThis.Response> {
  switch (url.pathname) {
    case '/load':
      return new Response(`loaded ${url.pathname} for ${session}`);
    case '/action': {
      const form = await request.formData();
      const location = `/notes/${encodeURIComponent(String(form.get('title')))}`;
      return new Response(null, {
        status: 303,
        headers: { location, 'set-cookie': 'flash=saved' },
      });
    }
    case '/nested':
      // Like the fetch() of a load function: a Request made of the one before.
      return framework(new Request(new URL('/load', url), request));
    default:
      throw new Response('log in first', { status: 401 });
  }
}
