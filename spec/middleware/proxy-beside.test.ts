// proxy() beside other middleware: what it sends and responds when they have changed the request or
// the response.

import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { decompress } from '../../src/middleware/decompress.ts';
import { proxy } from '../../src/middleware/proxy.ts';
import { securityHeaders } from '../../src/middleware/security-headers.ts';
import type { Server } from '../../src/server/server.ts';
import { get, post } from '../../testing/raw-client.ts';
import { withSite } from '../../testing/virtual-site.ts';
import { echo, withUpstream } from './fixtures/upstream-server.ts';

function routes(url: string): (server: Server) => void {
  return (server) => void server.use(proxy({ upstreams: [url] }));
}

describe('beside other middleware', () => {
  test('a decoded body has a framing of its own, and no coding', async () => {
    await withUpstream(echo, async (upstream) => {
      const decoding = (server: Server) => {
        server.use(decompress());
        routes(upstream.url)(server);
      };
      await withSite(decoding, async ({ ask }) => {
        // By the length of the encoded bytes, the rest would be a request of its own.
        const smuggled = 'GET /admin HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(50);
        const bytes = gzipSync(smuggled).toString('latin1');
        const response = await ask(post('/api', bytes, 'Content-Encoding: gzip'));
        const { body, headers, url } = JSON.parse(response.text);
        assert.deepEqual([url, body], ['/api', smuggled]);
        assert.equal(headers['content-encoding'], undefined);
        assert.equal(headers['content-length'], undefined);
        assert.equal(headers['transfer-encoding'], 'chunked');
        assert.equal(upstream.connections, 1);
      });
    });
  });

  test('fields of the upstream replace those that middleware has set', async () => {
    const listener: RequestListener = (_request, response) => {
      const fields = ['X-Frame-Options', 'DENY', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2'];
      response.writeHead(200, [...fields, 'X-Twice', 'one', 'X-Twice', 'two', 'Vary', 'Cookie']);
      response.end('text');
    };
    await withUpstream(listener, async ({ url }) => {
      const secured = (server: Server) => {
        server.use(securityHeaders());
        server.use((_request, response, next) => {
          response.appendHeader('Vary', 'Origin').appendHeader('Set-Cookie', 'own=0');
          return next();
        });
        routes(url)(server);
      };
      await withSite(secured, async ({ ask }) => {
        const response = await ask(get('/'));
        assert.deepEqual(response.all('x-frame-options'), ['DENY']);
        assert.deepEqual(response.all('set-cookie'), ['own=0', 'a=1', 'b=2']);
        assert.deepEqual(response.all('x-twice'), ['one', 'two']);
        assert.deepEqual(response.all('vary').join(', ').split(', '), ['Origin', 'Cookie']);
      });
    });
  });

  test('it is one more hop, both ways: Via grows, fields of one connection go', async () => {
    const listener: RequestListener = (request, response) => {
      const fields = ['Via', '1.0 inner', 'Connection', 'X-Hop, close', 'X-Hop', 'secret'];
      response.writeHead(200, [...fields, 'X-Via', request.headers.via ?? '', 'X-Kept', 'yes']);
      response.end();
    };
    await withUpstream(listener, async ({ url }) => {
      await withSite(routes(url), async ({ ask }) => {
        const response = await ask(get('/', 'Via: 1.0 outer', 'Via: 1.1 middle'));
        assert.equal(response.field('x-via'), '1.0 outer, 1.1 middle, 1.1 vibing');
        assert.equal(response.all('via').join(', '), '1.0 inner, 1.1 vibing');
        assert.deepEqual(response.all('x-hop'), []);
        assert.equal(response.field('x-kept'), 'yes');
      });
    });
  });

  test('a name that only differs by underscores is no field of the proxy', async () => {
    await withUpstream(echo, async ({ url }) => {
      await withSite(routes(url), async ({ ask }) => {
        const lines = ['X_Forwarded_For: 10.9.9.9', 'X-Forwarded_Host: evil.test', 'A_B: kept'];
        const { headers } = JSON.parse((await ask(get('/', ...lines))).text);
        const names = Object.keys(headers).filter((name) => name.includes('_'));
        assert.deepEqual(names, ['a_b']);
      });
    });
  });
});
