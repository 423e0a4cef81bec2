// What a handler sets twice, at a limit, or in a rare form, and what the client gets of it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RESPONSE_FIELDS_MAX } from '../../src/base/fixed-limits.ts';
import { prepare } from '../../src/exchange/prepared.ts';
import type { Request } from '../../src/exchange/request.ts';
import type { Response } from '../../src/exchange/response.ts';
import { etag } from '../../src/middleware/etag.ts';
import type { Server } from '../../src/server/server.ts';
import { unlistenedServer } from '../../testing/unlistened-server.ts';

type Injected = Awaited<ReturnType<Server['inject']>>;
type Handle = (response: Response, request: Request) => unknown;

async function sent(handle: Handle, options: object = {}): Promise<Injected> {
  const { server } = unlistenedServer();
  server.all('/', (request, response) => {
    return handle(response, request) as Promise<void>;
  });
  const response = await server.inject({ target: '/', ...options });
  await response.bytes();
  await server.close();
  return response;
}

test('a status that was set stays where the way to respond has one of its own', async () => {
  for (const [handle, status] of [
    [(response: Response) => response.status(400).problem(), 400],
    [(response: Response) => response.status(399).problem(), 500],
    [(response: Response) => response.problem(), 500],
    [(response: Response) => response.status(409).problem({ status: 422 }), 422],
    [(response: Response) => response.empty(), 204],
    [(response: Response) => response.status(201).empty(), 201],
    [(response: Response) => response.status(404).empty(), 404],
    [(response: Response) => response.status(201).empty(202), 202],
  ] as const) {
    assert.equal((await sent(handle)).status, status, String(handle));
  }
});

test('the last word on a cookie, a tag or a lifetime counts', async () => {
  const cleared = await sent((response) => {
    response.cookie('a', '1').cookie('b', '2').clearCookie('a').empty();
  });
  const [kept, gone, ...more] = cleared.headers.getSetCookie();
  assert.match(kept, /^b=2;/);
  assert.match(gone, /^a=; Max-Age=0;/);
  assert.deepEqual(more, []);
  const computed = await sent((response) => response.etag('"own"').etag().text('text'));
  assert.match(computed.headers.get('etag') ?? '', /^"[0-9a-f]{32}"$/);
  const given = await sent((response) => response.etag().etag('"own"').text('text'));
  assert.equal(given.headers.get('etag'), '"own"');
  const streamed = await sent((response) => response.etag('"own"').etag().stream(['text']));
  assert.equal(streamed.headers.get('etag'), null);
  const events = await sent((response) => {
    response.header('Cache-Control', 'private').events().close();
  });
  assert.equal(events.headers.get('cache-control'), 'private');
  const usual = await sent((response) => response.events().close());
  assert.equal(usual.headers.get('cache-control'), 'no-store');
});

test('a prepared response adds to the lists of the handler, and replaces no field', async () => {
  const fields = { Vary: 'Accept', Link: '</a>; rel=next', 'Set-Cookie': 'a=1', 'X-One': 'own' };
  const prepared = prepare(200, fields, 'text');
  const response = await sent((given) => {
    given.beforeSend(() => {});
    given.header('Vary', 'Origin').header('Link', '</b>; rel=prev').header('X-One', 'given');
    given.cookie('b', '2').prepared(prepared);
  });
  assert.equal(response.headers.get('vary'), 'Origin, Accept');
  assert.equal(response.headers.get('link'), '</b>; rel=prev, </a>; rel=next');
  assert.equal(response.headers.getSetCookie().length, 2);
  assert.equal(response.headers.get('x-one'), 'given');
});

test('a prepared response has the tag that etag() makes', async () => {
  const prepared = prepare(200, {}, 'text');
  const { server } = unlistenedServer();
  server.use(etag());
  server.get('/', (_request, response) => response.prepared(prepared));
  server.get('/asked', (_request, response) => response.etag().prepared(prepared));
  for (const target of ['/', '/asked']) {
    const response = await server.inject(target);
    assert.match(response.headers.get('etag') ?? '', /^"[0-9a-f]{32}"$/, target);
  }
  await server.close();
});

test('trailers are bounded in number and in bytes', async () => {
  const faults: string[] = [];
  const limits = `at most ${RESPONSE_FIELDS_MAX} trailers`;
  await sent(async (response) => {
    await response.write('a');
    const add = (value: string): void => {
      try {
        response.trailer('X-T', value);
      } catch (error) {
        faults.push((error as Error).message);
      }
    };
    add('x'.repeat(1 << 20));
    for (let count = 0; count < RESPONSE_FIELDS_MAX; count++) add('');
    assert.equal(faults.length, 1);
    add('');
    response.end();
  });
  assert.equal(faults.length, 2);
  for (const message of faults) assert.ok(message.includes(limits), message);
});

test('HEAD and a declared length: none is sent that the content contradicts', async () => {
  const declared = (content?: string) => (response: Response) => {
    response.header('Content-Length', '5');
    if (content === undefined) response.end();
    else response.end(content);
  };
  const head = { method: 'HEAD' };
  const { status, headers } = await sent(declared(), head);
  assert.deepEqual([status, headers.get('content-length')], [200, '5']);
  assert.equal((await sent(declared('12345'), head)).status, 200);
  assert.equal((await sent(declared('1234'), head)).status, 500);
  assert.equal((await sent(declared('1234'))).status, 500);
});

test('rare forms of fields', async () => {
  const tab = await sent((response) => response.redirect('/a\tb\u00e9'));
  assert.equal(tab.headers.get('location'), '/a%09b%C3%A9');
  const close = await sent((response) => response.header('Connection', 'CLOSE').text('a'));
  assert.equal(close.headers.get('connection'), 'close');
  for (const refused of [
    (response: Response) => response.header('Content-Length', '1'.repeat(16)),
    (response: Response) => response.trailer('Vary', 'a'),
    (response: Response) => response.trailer('Set-Cookie', 'a=1'),
  ]) {
    const { status } = await sent((response) => {
      assert.throws(() => refused(response), TypeError);
      response.empty();
    });
    assert.equal(status, 204);
  }
  const names: unknown[] = [];
  const lines = [
    ['X-A', '1'],
    ['X-B', '2'],
    ['X-A', '3'],
  ];
  await sent(
    (response, request) => {
      names.push(request.header('X-A'), request.header('x-b'), request.header('x-c'));
      response.empty();
    },
    { headers: lines },
  );
  assert.deepEqual(names, ['1, 3', '2', undefined]);
});

test('what is no regular file is not opened', { skip: process.platform === 'win32' }, async () => {
  assert.equal((await sent((response) => response.file('/dev/null'))).status, 403);
  assert.equal((await sent((response) => response.file('/'))).status, 404);
});
