// proxy() to upstream servers with TLS: whose certificate is accepted, and that nothing is sent to
// any other.

import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { describe, test } from 'node:test';
import tls, { type SecureContext, type TLSSocket } from 'node:tls';
import { type ProxyOptions, proxy } from '../../src/middleware/proxy.ts';
import type { Server } from '../../src/server/server.ts';
import { get, post } from '../../testing/raw-client.ts';
import { withSite } from '../../testing/virtual-site.ts';
import { AUTHORITY, EXPIRED, OTHER_NAME, VALID } from './fixtures/certificates.ts';
import { echo, withTlsUpstream, withUpstream } from './fixtures/upstream-server.ts';

function routes(options: ProxyOptions) {
  return (server: Server): void => void server.use(proxy(options));
}

/** Responds with the name that the client has sent as SNI; '-' for none. */
const sniOf: RequestListener = ({ socket }, response) => {
  const { servername } = socket as TLSSocket & { readonly servername: string | false };
  response.end(servername === false ? '-' : servername);
};

describe('an https upstream', () => {
  test('with a valid certificate gets requests with their bodies', async () => {
    await withTlsUpstream(VALID, echo, async (upstream) => {
      await withSite(routes({ upstreams: [upstream.url], ca: AUTHORITY }), async ({ ask }) => {
        for (const sent of ['first', 'second']) {
          const response = await ask(post('/path', sent));
          assert.equal(response.status, 200);
          const { body, headers, url } = JSON.parse(response.text);
          assert.deepEqual([url, body], ['/path', sent]);
          assert.equal(headers['x-forwarded-proto'], 'http');
        }
        assert.equal(upstream.connections, 1, 'its connection is kept');
      });
    });
  });

  test('is known by its own name, whatever Host the client sends', async () => {
    await withTlsUpstream(VALID, sniOf, async ({ url }) => {
      await withSite(routes({ upstreams: [url], ca: AUTHORITY }), async ({ ask }) => {
        const response = await ask(get('/', 'Host: other.test').replace('Host: a.test\r\n', ''));
        assert.deepEqual([response.status, response.text], [200, '-']);
      });
      const named = { upstreams: [url], ca: [AUTHORITY], servername: 'app.test' };
      await withSite(routes(named), async ({ ask }) => {
        assert.equal((await ask(get('/'))).text, 'app.test');
      });
    });
    await withTlsUpstream(OTHER_NAME, echo, async ({ url }) => {
      await withSite(routes({ upstreams: [url], ca: AUTHORITY }), async ({ ask }) => {
        const response = await ask(get('/', 'Host: other.test').replace('Host: a.test\r\n', ''));
        assert.equal(response.status, 502, 'a client cannot choose which name is accepted');
      });
    });
  });

  for (const [what, cert, options, reason] of [
    ['an expired certificate', EXPIRED, { ca: AUTHORITY }, /expired/],
    ['a certificate for another name', OTHER_NAME, { ca: AUTHORITY }, /IP: 127\.0\.0\.1/],
    ['a name that is not wanted', VALID, { ca: AUTHORITY, servername: 'db.test' }, /db\.test/],
    ['an unknown authority', VALID, {}, /unable to (get|verify)|self[- ]signed/],
  ] as const) {
    test(`with ${what} gets no request: 502`, async () => {
      const seen: string[] = [];
      const listener: RequestListener = (request, response) => {
        seen.push(request.url ?? '');
        response.end();
      };
      await withTlsUpstream(cert, listener, async ({ url }) => {
        await withSite(routes({ upstreams: [url], ...options }), async ({ ask, errors }) => {
          assert.equal((await ask(get('/secret'))).status, 502);
          assert.match(errors().join('\n'), reason);
        });
      });
      assert.deepEqual(seen, []);
    });
  }

  test('that speaks no TLS is a 502; one with TLS behind http:// as well', async () => {
    await withUpstream(echo, async ({ url }) => {
      const upstreams = [url.replace('http:', 'https:')];
      await withSite(routes({ upstreams, ca: AUTHORITY }), async ({ ask }) => {
        assert.equal((await ask(get('/'))).status, 502);
      });
    });
    await withTlsUpstream(VALID, echo, async ({ url }) => {
      await withSite(routes({ upstreams: [url.replace('https:', 'http:')] }), async ({ ask }) => {
        assert.equal((await ask(get('/'))).status, 502);
      });
    });
  });
});

test('the versions of TLS are limited whatever Node has as default', (context) => {
  const set = tls.DEFAULT_MIN_VERSION;
  context.after(() => {
    tls.DEFAULT_MIN_VERSION = set;
  });
  tls.DEFAULT_MIN_VERSION = 'TLSv1';
  const made: SecureContext[] = [];
  const create = tls.createSecureContext;
  context.mock.method(tls, 'createSecureContext', (options: object) => {
    made.push(create(options));
    return made[0];
  });
  proxy({ upstreams: ['https://a.test', 'https://b.test'], health: { path: '/' } });
  const minOf = ({ context: own }: SecureContext): number =>
    (own as { getMinProto(): number }).getMinProto();
  assert.equal(minOf(create({})), 0x0301, 'the default of this test');
  assert.equal(made.length, 1, 'one for all upstreams and their checks');
  assert.equal(minOf(made[0]), 0x0303);
});

test('bad options are rejected when the proxy is made', () => {
  const upstreams = ['https://127.0.0.1:1'];
  const broken = AUTHORITY.replace(/\n[^\n]{10}/, '\nAAAAAAAAAA');
  for (const [options, message] of [
    [{ upstreams, ca: 'garbage' }, /^proxy: ca: it has no certificate in PEM format/],
    [{ upstreams, ca: broken }, /^proxy: ca: a certificate in it cannot be read/],
    [{ upstreams, ca: 5 }, /^proxy: ca is certificates as PEM text/],
    [{ upstreams, servername: 'a b' }, /^proxy: servername is a name such as/],
    [{ upstreams, servername: '10.0.0.1' }, /^proxy: servername is a name such as/],
    [{ upstreams: ['http://a'], ca: AUTHORITY }, /^proxy: ca has no effect/],
    [{ upstreams: ['http://a'], servername: 'a' }, /^proxy: servername has no effect/],
    [{ upstreams: ['https://a/path'] }, /is not "http:\/\/host:port", "https:/],
  ] as const) {
    const make = () => proxy(options as unknown as ProxyOptions);
    assert.throws(
      make,
      (error: Error) => error instanceof TypeError && message.test(error.message),
    );
  }
});
