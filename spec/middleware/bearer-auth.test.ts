// bearerAuth() against RFC 6750: error codes and statuses, scopes, what a verify() may return.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HttpError } from '../../src/exchange/http-error.ts';
import { type BearerAuthOptions, bearerAuth } from '../../src/middleware/bearer-auth.ts';
import type { Server } from '../../src/server/server.ts';
import { get } from '../../testing/raw-client.ts';
import { unlistenedServer } from '../../testing/unlistened-server.ts';
import { withSite } from '../../testing/virtual-site.ts';

const CLAIMS = { sub: 'ann', scope: 'read write' } as const;

function routes(options: Partial<BearerAuthOptions> = {}): (server: Server) => void {
  return (server) => {
    const verify = (token: string) => (token === 'mF_9.B5f-4.1JqM' ? CLAIMS : false);
    server.use(bearerAuth({ verify, ...options }));
    server.get('/', (request, response) => response.json(request.state['claims']));
  };
}

function bearer(token: string): string {
  return get('/', `Authorization: Bearer ${token}`);
}

const VALID = bearer('mF_9.B5f-4.1JqM');

describe('responses', () => {
  test('a valid token leaves its claims, the scheme in any case', async () => {
    await withSite(routes(), async ({ ask }) => {
      for (const scheme of ['Bearer', 'bearer', 'BEARER', 'Bearer  ']) {
        const response = await ask(get('/', `Authorization: ${scheme} mF_9.B5f-4.1JqM`));
        assert.equal(response.status, 200, scheme);
        assert.deepEqual(JSON.parse(response.text), CLAIMS);
      }
    });
  });

  test('without a token 401 has no error code', async () => {
    await withSite(routes({ realm: 'api' }), async ({ ask }) => {
      const query = get('/?access_token=mF_9.B5f-4.1JqM');
      for (const bytes of [get('/'), get('/', 'Authorization: Basic QTpi'), query]) {
        const response = await ask(bytes);
        assert.equal(response.status, 401, bytes);
        assert.equal(response.field('www-authenticate'), 'Bearer realm="api"');
      }
    });
  });

  test('an invalid token is 401 invalid_token', async () => {
    await withSite(routes(), async ({ ask }) => {
      for (const token of ['x', 'mF_9.B5f-4.1JqN', 'mF_9.B5f-4.1JqM=', 'MF_9.b5f-4.1jQm']) {
        const response = await ask(bearer(token));
        assert.equal(response.status, 401, token);
        const challenge = 'Bearer realm="restricted", error="invalid_token"';
        assert.equal(response.field('www-authenticate'), challenge);
      }
    });
  });

  test('a malformed token is 400 invalid_request, and is not verified', async () => {
    let verified = 0;
    const verify = () => {
      verified += 1;
      return CLAIMS;
    };
    await withSite(routes({ verify }), async ({ ask }) => {
      for (const token of ['', 'a b', 'a,b', 'a, Bearer b', '=', 'a=b', '"a"', '\xe9', 'a;']) {
        const response = await ask(bearer(token));
        assert.equal(response.status, 400, token);
        const challenge = 'Bearer realm="restricted", error="invalid_request"';
        assert.equal(response.field('www-authenticate'), challenge);
      }
      const field = 'Authorization: Bearer a';
      assert.equal((await ask(get('/', field, field))).status, 400);
    });
    assert.equal(verified, 0);
  });

  test('two fields are 400, whatever they are', async () => {
    await withSite(routes(), async ({ ask }) => {
      const own = 'Authorization: Bearer mF_9.B5f-4.1JqM';
      for (const other of ['Authorization:', 'Authorization: Basic QTpi', own]) {
        for (const lines of [
          [own, other],
          [other, own],
        ]) {
          const response = await ask(get('/', ...lines));
          assert.equal(response.status, 400, String(lines));
          const challenge = 'Bearer realm="restricted", error="invalid_request"';
          assert.equal(response.field('www-authenticate'), challenge);
        }
      }
      assert.equal((await ask(get('/', 'Authorization: Digest a=b, c=d'))).status, 401);
    });
  });

  test('a token without all scopes is 403 insufficient_scope with those it needs', async () => {
    const scopes = ['read', 'admin'];
    await withSite(routes({ scopes }), async ({ ask }) => {
      const response = await ask(VALID);
      assert.equal(response.status, 403);
      const error = 'error="insufficient_scope", scope="read admin"';
      assert.equal(response.field('www-authenticate'), `Bearer realm="restricted", ${error}`);
      assert.equal((await ask(bearer('x'))).status, 401);
    });
  });

  test('scopes of claims are text or a list, and compared as whole words', async () => {
    const granted: readonly (readonly [unknown, number])[] = [
      ['read write', 200],
      ['write read other', 200],
      [['write', 'read'], 200],
      ['read', 403],
      ['readwrite', 403],
      ['READ WRITE', 403],
      ['read,write', 403],
      ['', 403],
      [undefined, 403],
      [null, 403],
      [{ read: true, write: true }, 403],
    ];
    for (const [scope, status] of granted) {
      const verify = () => ({ scope });
      await withSite(routes({ verify, scopes: ['read', 'write'] }), async ({ ask }) => {
        assert.equal((await ask(VALID)).status, status, JSON.stringify(scope));
      });
    }
  });
});

describe('verify', () => {
  test('what is neither claims nor false is an error, and does not reach the handler', async () => {
    let result: unknown;
    const verify = (() => result) as unknown as BearerAuthOptions['verify'];
    await withSite(routes({ verify }), async ({ ask, virtual }) => {
      for (const one of [true, undefined, null, 'ann', 1, [], Promise.resolve(true)]) {
        result = one;
        const response = await ask(VALID);
        assert.equal(response.status, 500, String(one));
        assert.doesNotMatch(response.text, /ann/);
      }
      for (const one of [false, Promise.resolve(false)]) {
        result = one;
        assert.equal((await ask(VALID)).status, 401);
      }
      for (const one of [{}, Promise.resolve({})]) {
        result = one;
        assert.equal((await ask(VALID)).status, 200);
      }
      assert.match(virtual.asyncIo.log.join('\n'), /verify\(\) returns claims or false/);
    });
  });

  test('its errors are those of a handler', async () => {
    const verify = async (token: string) => {
      throw token === 'down' ? new HttpError(503) : new Error('bug');
    };
    await withSite(routes({ verify }), async ({ ask }) => {
      assert.equal((await ask(bearer('down'))).status, 503);
      assert.equal((await ask(bearer('bug'))).status, 500);
    });
  });
});

test('options are checked', () => {
  const verify = () => false as const;
  const bad: readonly (readonly [unknown, RegExp])[] = [
    [{}, /verify is missing/],
    [{ verify: 'x' }, /verify is a function/],
    [{ verify, scopes: 'read' }, /scopes is a list/],
    [{ verify, scopes: ['read write'] }, /scopes is a list/],
    [{ verify, scopes: ['"read"'] }, /scopes is a list/],
    [{ verify, scopes: [''] }, /scopes is a list/],
    [{ verify, realm: 'a\nb' }, /realm is printable/],
    [{ verify, scope: ['read'] }, /did you mean scopes/],
    [verify, /plain object/],
  ];
  for (const [options, message] of bad) {
    const made = () => bearerAuth(options as BearerAuthOptions);
    assert.throws(made, { name: 'TypeError', message });
  }
});

test('scopes that the program removes from its list later are still required', async () => {
  const scopes = ['write'];
  const { server } = unlistenedServer();
  server.use(bearerAuth({ verify: () => ({ scope: 'read' }), scopes }));
  server.get('/', (_request, response) => response.text('secret'));
  const ask = () => server.inject({ target: '/', headers: { authorization: 'Bearer a' } });
  assert.equal((await ask()).status, 403);
  scopes.pop();
  assert.equal((await ask()).status, 403);
  await server.close();
});
