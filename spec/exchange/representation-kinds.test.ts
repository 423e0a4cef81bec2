// Representations of rare kinds, without a socket: of another coding, without a time, with fields
// of a handler, and what may be sent as a file that several requests share.

import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { multipartOf } from '../../src/exchange/multipart.ts';
import {
  prepareFileHead,
  prepareNotModified,
  type Representation,
  sendContent,
  sendNotModified,
  sendSharedFile,
} from '../../src/exchange/representation.ts';
import { exchangeOf, type Request as OwnRequest } from '../../src/exchange/request.ts';
import type { Response as OwnResponse } from '../../src/exchange/response.ts';
import { unlistenedServer } from '../../testing/unlistened-server.ts';

const CONTENT = Buffer.from('0123456789');
const PLAIN: Representation = {
  ...{ bytes: CONTENT.length, etag: '"a"', modifiedMs: Date.UTC(2020, 0, 29), type: 'text/x' },
  ...{ coding: null, vary: null, cacheControl: null, fields: [] },
};

type Asked = Record<string, string>;

/** The response with a representation, of which the handler has set fields. */
async function sent(
  representation: Representation,
  headers: Asked = {},
  prepare: (response: OwnResponse) => void = () => {},
) {
  const { server } = unlistenedServer();
  server.get('/', (request, response) => {
    prepare(response);
    sendContent(exchangeOf(request), representation, CONTENT);
  });
  const response = await server.inject({ headers });
  const body = await response.text();
  await server.close();
  return { response, body, field: (name: string) => response.headers.get(name) };
}

describe('a representation', () => {
  it('adds its Vary to that of the handler, and no other field that is there', async () => {
    const varies = { ...PLAIN, vary: 'Accept-Encoding', cacheControl: 'no-cache' };
    const { field } = await sent(varies, {}, (response) => {
      response.header('Vary', 'Origin').header('Cache-Control', 'private');
    });
    assert.equal(field('vary'), 'Origin, Accept-Encoding');
    assert.equal(field('cache-control'), 'private');
  });

  it('of a content coding has one range, but no parts', async () => {
    for (const [range, plain, coded] of [
      ['bytes=1-2', 206, 206],
      ['bytes=1-2,4-5', 206, 200],
    ] as const) {
      assert.equal((await sent(PLAIN, { range })).response.status, plain);
      const { body, response } = await sent({ ...PLAIN, coding: 'br' }, { range });
      assert.equal(response.status, coded);
      if (coded === 200) assert.equal(body, String(CONTENT));
    }
  });

  it('without a time has no Last-Modified, and is not conditional by one', async () => {
    const timeless = { ...PLAIN, modifiedMs: Number.NaN };
    const since = { 'if-modified-since': 'Wed, 29 Jan 2020 00:00:00 GMT' };
    const { field, response } = await sent(timeless, since);
    assert.deepEqual([response.status, field('last-modified')], [200, null]);
    assert.equal((await sent(PLAIN, since)).response.status, 304);
    const { field: known } = await sent(PLAIN);
    assert.equal(known('last-modified'), 'Wed, 29 Jan 2020 00:00:00 GMT');
  });
});

describe('a file that requests share', () => {
  it('is sent to a GET without conditions, of a response that nothing has changed', async () => {
    const { server } = unlistenedServer();
    const head = prepareFileHead(PLAIN, Date.now());
    const empty = prepareFileHead({ ...PLAIN, bytes: 0 }, Date.now());
    let isShared: readonly boolean[] = [];
    server.all('/', (request, response) => {
      const exchange = exchangeOf(request);
      const send = mock.method(exchange.transport, 'sendFile', () => true);
      isShared = [head, empty].map((each) => sendSharedFile(exchange, each, {} as never));
      assert.equal(send.mock.callCount(), isShared.filter(Boolean).length);
      send.mock.restore();
      response.text('done');
    });
    const cases: readonly (readonly [string, Asked, boolean])[] = [
      ['GET', {}, true],
      ['HEAD', {}, false],
      ['POST', {}, false],
      ['GET', { range: 'bytes=0-1' }, false],
      ['GET', { 'if-none-match': '"a"' }, false],
    ];
    for (const [method, headers, wanted] of cases) {
      await (await server.inject({ method, headers })).text();
      assert.deepEqual(isShared, [wanted, false], `${method} ${JSON.stringify(headers)}`);
    }
    await server.close();
  });

  it('is not sent, nor a prepared 304, once something has changed the response', async () => {
    const { server } = unlistenedServer();
    const now = Date.now();
    const future = { ...PLAIN, modifiedMs: now + 86_400_000 };
    const changes: readonly (readonly [string, (response: OwnResponse) => unknown, boolean])[] = [
      ['nothing', () => {}, true],
      ['a status', (response) => response.status(203), false],
      ['a field', (response) => response.header('X-A', 'b'), false],
      ['a callback', (response) => response.beforeSend(() => {}), false],
      ['an entity tag', (response) => response.etag('"own"'), false],
    ];
    let run: (request: OwnRequest, response: OwnResponse) => void = () => {};
    server.get('/', (request, response) => run(request, response));
    for (const [what, change, isFit] of changes) {
      for (const matched of ['"other"', '"a"']) {
        const seen: boolean[] = [];
        run = (request, response) => {
          const exchange = exchangeOf(request);
          const { transport } = exchange;
          const sends = [
            mock.method(transport, 'sendFile', () => true),
            mock.method(transport, 'sendPrepared', () => {}),
          ];
          change(response);
          const asked = matched === '"a"';
          const [file, prepared] = [prepareFileHead(PLAIN, now), prepareNotModified(PLAIN, now)];
          if (!asked) seen.push(sendSharedFile(exchange, file, {} as never));
          seen.push(sendNotModified(exchange, PLAIN, prepared) === (asked && isFit));
          seen.push(!sendNotModified(exchange, future, prepared));
          for (const send of sends) send.mock.restore();
          response.text('done');
        };
        const headers: Asked = matched === '"a"' ? { 'if-none-match': matched } : {};
        await (await server.inject({ headers })).text();
        assert.deepEqual(seen, matched === '"a"' ? [true, true] : [isFit, true, true], what);
      }
    }
    await server.close();
  });
});

it('parts without a type have only their ranges', () => {
  const ranges = [
    { from: 0, to: 2 },
    { from: 4, to: 5 },
  ];
  const { bytes, join } = multipartOf(ranges, 'b', null, 10);
  const text = join(CONTENT).toString();
  assert.equal(
    text,
    '--b\r\nContent-Range: bytes 0-1/10\r\n\r\n01\r\n' +
      '--b\r\nContent-Range: bytes 4-4/10\r\n\r\n4\r\n--b--\r\n',
  );
  assert.equal(bytes, text.length);
});
