// What a 304 and a 412 of content in memory keep of the fields of a 200.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unlistenedServer } from '../../testing/unlistened-server.ts';

const KEPT = ['cache-control', 'expires', 'x-own'] as const;
const DROPPED = ['content-language', 'content-disposition', 'last-modified'] as const;

test('a 304 has the fields of a version, a 412 has none of them', async () => {
  const { server } = unlistenedServer();
  server.get('/', (_request, response) => {
    for (const name of [...KEPT, ...DROPPED]) {
      response.header(name, name === 'last-modified' ? 'Thu, 01 Jan 1970 00:00:00 GMT' : 'x');
    }
    response.etag('"v1"').text('content');
  });
  const same = await server.inject({ headers: { 'If-None-Match': 'W/"v1"' } });
  assert.equal(same.status, 304);
  assert.equal(same.headers.get('etag'), '"v1"');
  for (const name of KEPT) assert.equal(same.headers.get(name), 'x', name);
  for (const name of DROPPED) assert.equal(same.headers.get(name), null, name);
  const other = await server.inject({ headers: { 'If-Match': '"v2"' } });
  assert.deepEqual([other.status, await other.text()], [412, 'Precondition Failed\n']);
  assert.equal(other.headers.get('x-own'), 'x');
  for (const name of ['etag', 'cache-control', 'expires', ...DROPPED]) {
    assert.equal(other.headers.get(name), null, name);
  }
  await server.close();
});

test('a Last-Modified of the handler decides where no tags do', async () => {
  const date = (second: number) => `Sat, 01 Jan 2000 00:00:0${second} GMT`;
  const { server } = unlistenedServer();
  server.get('/', (_request, response) => {
    response.etag().header('Last-Modified', date(5)).text('content');
  });
  server.get('/odd', (_request, response) => {
    response.etag().header('Last-Modified', 'today').text('content');
  });
  for (const [headers, status, target] of [
    [{ 'If-Modified-Since': date(4) }, 200, '/'],
    [{ 'If-Modified-Since': date(5) }, 304, '/'],
    [{ 'If-Modified-Since': date(5), 'If-None-Match': '"other"' }, 200, '/'],
    [{ 'If-Modified-Since': 'garbage' }, 200, '/'],
    [{ 'If-Unmodified-Since': date(4) }, 412, '/'],
    [{ 'If-Unmodified-Since': date(5) }, 200, '/'],
    [{ 'If-Unmodified-Since': date(4), 'If-Match': '*' }, 200, '/'],
    [{ 'If-Modified-Since': date(5) }, 200, '/odd'],
    [{ 'If-Unmodified-Since': date(4) }, 200, '/odd'],
  ] as const) {
    const { status: seen } = await server.inject({ target, headers });
    assert.equal(seen, status, `${target} ${JSON.stringify(headers)}`);
  }
  await server.close();
});
