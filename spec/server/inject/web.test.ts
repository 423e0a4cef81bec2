// server.fetch(): an injected request and its response as those of the Fetch standard.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Server } from '../../../src/server/server.ts';
import { unlistenedServer } from '../../../testing/unlistened-server.ts';
import { eventually } from '../../../testing/with-server.ts';

const TIMEOUT_MS = 20_000;

function echo(): Server {
  const { server } = unlistenedServer();
  server.get('/moved', (_req, res) => res.redirect('/'));
  server.get('/same', (_req, res) => res.empty(304));
  return server.all('/*', async (req, res) => {
    const body = Buffer.from(await req.bytes()).toString();
    res.appendHeader('Set-Cookie', 'a=1').appendHeader('Set-Cookie', 'b=2');
    res.json({
      method: req.method,
      target: req.target,
      fields: Object.fromEntries(req.headers()),
      body,
    });
  });
}

async function jsonOf(response: globalThis.Response): Promise<Record<string, unknown>> {
  assert.equal(response.status, 200);
  return (await response.json()) as Record<string, unknown>;
}

describe('server.fetch()', { timeout: TIMEOUT_MS }, () => {
  it('takes a path, a URL, and a Request', async () => {
    const path = await jsonOf(await echo().fetch('/a/../b?c=d e'));
    assert.deepEqual([path['method'], path['target']], ['GET', '/b?c=d%20e']);
    assert.equal((path['fields'] as Record<string, string>)['host'], 'localhost');
    const url = await jsonOf(await echo().fetch(new URL('http://example.org:81/x')));
    assert.equal((url['fields'] as Record<string, string>)['host'], 'example.org:81');
    const request = new Request('http://h/y', { method: 'PUT', body: 'text', headers: { a: 'b' } });
    const got = await jsonOf(await echo().fetch(request));
    const fields = got['fields'] as Record<string, string>;
    assert.deepEqual(
      [got['method'], got['target'], got['body'], fields['a']],
      ['PUT', '/y', 'text', 'b'],
    );
    assert.equal(fields['transfer-encoding'], 'chunked', 'its length is not known');
  });

  it('sends the length of a body that is given', async () => {
    const got = await jsonOf(await echo().fetch('/', { method: 'POST', body: 'text' }));
    const fields = got['fields'] as Record<string, string>;
    assert.deepEqual([fields['content-length'], got['body']], ['4', 'text']);
    assert.equal(fields['content-type'], 'text/plain;charset=UTF-8');
    const { server } = unlistenedServer();
    server.post('/', async (req, res) => res.json([...(await req.form()).entries()]));
    const body = new FormData();
    body.set('a', 'b');
    const form = await server.fetch('/', { method: 'POST', body });
    assert.deepEqual(await form.json(), [['a', 'b']]);
    const stream = new Blob(['streamed']).stream() as unknown as ReadableStream;
    const init = { method: 'POST', body: stream, duplex: 'half' } as RequestInit;
    assert.equal((await jsonOf(await echo().fetch('/', init)))['body'], 'streamed');
  });

  it('resolves with a Response', async () => {
    const response = await echo().fetch('/');
    assert.ok(response instanceof Response);
    assert.deepEqual(response.headers.getSetCookie(), ['a=1', 'b=2']);
    assert.ok(response.ok);
    const copy = response.clone();
    assert.deepEqual(await copy.json(), await response.json());
    const head = await echo().fetch('/', { method: 'HEAD' });
    assert.deepEqual([head.status, head.body], [200, null]);
    const same = await echo().fetch('/same');
    assert.deepEqual([same.status, same.body], [304, null]);
  });

  it('does not follow a redirect', async () => {
    const response = await echo().fetch('/moved');
    assert.deepEqual([response.status, response.headers.get('location')], [302, '/']);
  });

  it('rejects when its signal aborts', async () => {
    const { server } = unlistenedServer();
    server.get('/', () => new Promise(() => {}));
    const client = new AbortController();
    const pending = server.fetch('/', { signal: client.signal });
    await eventually('the handler runs', () => server.counters.requests === 1);
    client.abort(new Error('left'));
    await assert.rejects(pending, /left/);
  });
});
