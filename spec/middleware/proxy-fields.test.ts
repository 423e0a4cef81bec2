// Option `fields` of proxy(): what the upstream receives on the wire, and values that no request
// may have.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ProxyOptions, proxy } from '../../src/middleware/proxy.ts';
import { requestId } from '../../src/middleware/request-id.ts';
import type { Server } from '../../src/server/server.ts';
import { get, post } from '../../testing/raw-client.ts';
import { withSite } from '../../testing/virtual-site.ts';
import { echo, withRawUpstream, withUpstream } from './fixtures/upstream-server.ts';

type Fields = NonNullable<ProxyOptions['fields']>;

function routes(url: string, fields: Fields): (server: Server) => void {
  return (server) => {
    server.use(requestId());
    server.use(proxy({ upstreams: [url], fields }));
  };
}

test('fields replace those of the client and of the proxy, undefined removes them', async () => {
  const fields: Fields = ({ state }) => ({
    'X-Request-Id': state['requestId'],
    'X-User': 7,
    'X-Zero': 0,
    'X-Empty': '',
    'x-forwarded-for': '198.51.100.7',
    'X-Forwarded-Host': undefined,
    Authorization: undefined,
    'X-Absent': undefined,
  });
  await withUpstream(echo, async ({ url }) => {
    await withSite(routes(url, fields), async ({ ask }) => {
      const lines = [
        'X-Request-Id: chosen',
        'x-user: 1',
        // For servers that make variables of fields this is the same one.
        'X_User: 1',
        'Authorization: Basic eA==',
        'X-Kept: one',
      ];
      const response = await ask(get('/', ...lines));
      const { headers, rawHeaders } = JSON.parse(response.text);
      assert.deepEqual(headers, {
        'x-kept': 'one',
        host: 'a.test',
        via: '1.1 vibing',
        'x-forwarded-proto': 'http',
        'x-request-id': response.field('x-request-id'),
        'x-user': '7',
        'x-zero': '0',
        'x-empty': '',
        'x-forwarded-for': '198.51.100.7',
        connection: 'keep-alive',
      });
      const names = rawHeaders.filter((_text: string, index: number) => index % 2 === 0);
      assert.equal(new Set(names).size, names.length, 'no field is there twice');
    });
  });
});

test('a promise is awaited, once for all attempts, and the body is whole', async () => {
  let calls = 0;
  const fields: Fields = async (request) => {
    calls += 1;
    await new Promise((resolve) => setImmediate(resolve));
    return { 'X-Path': request.path };
  };
  await withUpstream(echo, async ({ url }) => {
    await withSite(routes(url, fields), async ({ ask }) => {
      const { body, headers } = JSON.parse((await ask(post('/a', 'body'))).text);
      assert.deepEqual([body, headers['x-path'], headers['content-length']], ['body', '/a', '4']);
    });
    assert.equal(calls, 1);
    const upstreams = ['http://127.0.0.1:1', url];
    const site = (server: Server) => void server.use(proxy({ upstreams, fields }));
    await withSite(site, async ({ ask }) => assert.equal((await ask(get('/'))).status, 200));
    assert.equal(calls, 2);
  });
});

test('what no request can have is 500, and the upstream gets no byte', async () => {
  let result: unknown;
  const fields = (() => result) as Fields;
  const cases: readonly (readonly [unknown, RegExp])[] = [
    [{ 'X-A': 'b\r\nX-C: d' }, /value of field X-A cannot contain character 13/],
    [{ 'X-A': 'b\nX-C: d' }, /cannot contain character 10/],
    [{ 'X-A': 'b\0' }, /cannot contain character 0/],
    [{ 'X-A': '\u{1f600}' }, /cannot contain character 55357/],
    [{ 'X-A\r\nX-C': 'd' }, /a field name must be an HTTP token/],
    [{ '': 'd' }, /a field name must be an HTTP token/],
    [{ 'X-A': ['b', 'c'] }, /X-A is text, a number or undefined, given an array/],
    [{ 'X-A': null }, /X-A is text, a number or undefined, given null/],
    [{ 'Content-Length': 5 }, /content-length, which the proxy sets itself/],
    [{ Content_Length: 5 }, /content_length, which the proxy sets itself/],
    [{ 'Transfer-Encoding': undefined }, /transfer-encoding, which the proxy sets itself/],
    [{ Connection: 'x-user' }, /connection, which the proxy sets itself/],
    [{ Upgrade: 'websocket' }, /upgrade, which the proxy sets itself/],
    [{ Expect: '100-continue' }, /expect, which the proxy sets itself/],
    [{ Host: 'b.test' }, /host, which the proxy sets itself/],
    [undefined, /fields\(\) returns a plain object, returned undefined/],
    [new Map([['X-A', 'b']]), /returns a plain object, returned an object/],
    [Promise.resolve('text'), /returns a plain object, returned "text"/],
  ];
  const respond = () => assert.fail('the upstream got a byte');
  await withRawUpstream(respond, async (upstream) => {
    await withSite(routes(upstream.url, fields), async ({ ask, errors }) => {
      for (const [given, message] of cases) {
        result = given;
        assert.equal((await ask(get('/'))).status, 500);
        assert.match(errors().at(-1) ?? '', message);
      }
    });
    assert.deepEqual([upstream.connections, upstream.received], [0, '']);
  });
  const upstreams = ['http://127.0.0.1:3000'];
  const bad = { upstreams, fields: { 'X-A': 'b' } } as unknown as ProxyOptions;
  assert.throws(() => proxy(bad), /proxy: fields is a function, given an object/);
});

test('"__proto__" is a field like another', async () => {
  const fields: Fields = () => JSON.parse('{"__proto__": "a"}');
  await withUpstream(echo, async ({ url }) => {
    await withSite(routes(url, fields), async ({ ask }) => {
      const { rawHeaders } = JSON.parse((await ask(get('/'))).text);
      assert.equal(rawHeaders[rawHeaders.indexOf('__proto__') + 1], 'a');
    });
  });
});
