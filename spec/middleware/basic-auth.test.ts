// basicAuth() against RFC 7617: which credentials are accepted, what every other request gets, and
// which options are rejected.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HttpError } from '../../src/exchange/http-error.ts';
import { type BasicAuthOptions, basicAuth } from '../../src/middleware/basic-auth.ts';
import type { Server } from '../../src/server/server.ts';
import { get, post } from '../../testing/raw-client.ts';
import { withSite } from '../../testing/virtual-site.ts';
import { seeded } from './fixtures/seeded.ts';

const CHALLENGE = 'Basic realm="restricted", charset="UTF-8"';

function base64(text: string | Uint8Array): string {
  return Buffer.from(text as Uint8Array).toString('base64');
}

function authorized(text: string | Uint8Array): string {
  return get('/', `Authorization: Basic ${base64(text)}`);
}

function routes(options: BasicAuthOptions): (server: Server) => void {
  return (server) => {
    server.use(basicAuth(options));
    server.get('/', (request, response) => response.json({ user: request.state['user'] }));
    server.post('/', (_request, response) => response.text('changed'));
  };
}

const ALADDIN = { users: { Aladdin: 'open sesame', test: '123£', empty: '' } } as const;

describe('credentials', () => {
  test('those of RFC 7617 are accepted, the scheme in any case', async () => {
    await withSite(routes(ALADDIN), async ({ ask }) => {
      for (const scheme of ['Basic', 'basic', 'BASIC', 'Basic  ']) {
        const field = `Authorization: ${scheme} QWxhZGRpbjpvcGVuIHNlc2FtZQ==`;
        const response = await ask(get('/', field));
        assert.equal(response.status, 200, scheme);
        assert.deepEqual(JSON.parse(response.text), { user: 'Aladdin' });
        assert.equal(response.field('www-authenticate'), undefined);
      }
      // The example with charset: £ in UTF-8.
      const utf8 = await ask(get('/', 'Authorization: Basic dGVzdDoxMjPCow=='));
      assert.equal(utf8.status, 200);
      assert.equal((await ask(authorized('empty:'))).status, 200);
    });
  });

  test('a name without its password is in no state, from which logs take the user', async () => {
    const seen: unknown[] = [];
    const routesWithError = (server: Server): void => {
      server.onError((_error, request, response) => {
        seen.push(request.state['user']);
        response.status(401).text('no\n');
      });
      routes(ALADDIN)(server);
    };
    await withSite(routesWithError, async ({ ask }) => {
      for (const text of ['Aladdin:guess', 'test:', 'stranger:x']) await ask(authorized(text));
    });
    assert.deepEqual(seen, [undefined, undefined, undefined]);
  });

  test('a wrong name or password is 401, and never reaches the handler', async () => {
    const wrong = [
      'Aladdin:open sesam',
      'Aladdin:open sesame ',
      'Aladdin:Open sesame',
      'aladdin:open sesame',
      'Aladdin:',
      ':open sesame',
      ':',
      'stranger:open sesame',
      'constructor:',
      // A ligature is no accented letter: another name.
      'te\ufb06:123\u00a3',
      '__proto__:',
      'test:123',
    ];
    await withSite(routes(ALADDIN), async ({ ask }) => {
      for (const text of wrong) {
        const response = await ask(authorized(text));
        assert.equal(response.status, 401, text);
        assert.equal(response.field('www-authenticate'), CHALLENGE);
        assert.equal(response.text, 'Unauthorized\n');
      }
    });
  });

  test('what is malformed is 401', async () => {
    const fields = [
      'Basic',
      'Basic ',
      'Basic :',
      'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ', // No padding.
      'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=',
      'Basic QWxhZGRpbjpvcGVuIHNlc2FtZR==', // Other unused bits.
      'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ== ,',
      'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==, Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==',
      'Basic QWxhZGRpbjpv cGVuIHNlc2FtZQ==',
      'Basic *QWxhZGRpbjpvcGVuIHNlc2FtZQ==',
      'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==*',
      `Basic ${base64('Aladdin')}`,
      `Basic ${base64('Aladdin:open sesame\n')}`,
      `Basic ${base64('Aladdin:open sesame\0')}`,
      `Basic ${base64('Alad\x7fdin:open sesame')}`,
      `Basic ${base64(Buffer.from('test:123\xa3', 'latin1'))}`, // Latin-1.
      `Basic ${base64('\ufeffAladdin:open sesame')}`,
      'Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ==',
      'BasicQWxhZGRpbjpvcGVuIHNlc2FtZQ==',
      'Basic\tQWxhZGRpbjpvcGVuIHNlc2FtZQ==',
      '',
    ];
    await withSite(routes(ALADDIN), async ({ ask }) => {
      for (const field of fields) {
        const response = await ask(get('/', `Authorization: ${field}`));
        assert.equal(response.status, 401, field);
        assert.equal(response.field('www-authenticate'), CHALLENGE);
      }
      const twice = 'Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==';
      assert.equal((await ask(get('/', twice, twice))).status, 401);
      assert.equal((await ask(get('/'))).status, 401);
    });
  });

  test('random bytes after the scheme are never accepted, and never an error', async () => {
    await seeded(async (random) => {
      await withSite(routes(ALADDIN), async ({ ask, virtual }) => {
        for (let run = 0; run < 100; run++) {
          const length = random.below(40);
          const bytes = Buffer.from(Array.from({ length }, () => random.below(256)));
          const text = random.once(2) ? base64(bytes) : bytes.toString('latin1');
          const value = text.replace(/[^\t\x20-\x7e\x80-\xff]/g, '!');
          const response = await ask(get('/', `Authorization: Basic ${value}`));
          assert.equal(response.status, 401, value);
        }
        assert.equal(virtual.server.counters.handlerErrors, 0);
      });
    });
  });

  test('an accented letter may be composed or decomposed', async () => {
    const users = { 'Ren\u00e9': 'caf\u00e9', 'Zoe\u0308': 'nai\u0308ve' };
    await withSite(routes({ users }), async ({ ask }) => {
      for (const text of [
        'Ren\u00e9:caf\u00e9',
        'Rene\u0301:cafe\u0301',
        'Zo\u00eb:na\u00efve',
        'Zoe\u0308:nai\u0308ve',
      ]) {
        assert.equal((await ask(authorized(text))).status, 200, text);
      }
    });
  });

  test('a password may contain colons, a name may not', async () => {
    await withSite(routes({ users: { a: 'b:c', '': 'x' } }), async ({ ask }) => {
      assert.equal((await ask(authorized('a:b:c'))).status, 200);
      assert.equal((await ask(authorized('a:b'))).status, 401);
      assert.equal((await ask(authorized(':x'))).status, 200);
    });
  });
});

describe('verify', () => {
  test('only true, or a promise of true, accepts', async () => {
    const results: unknown[] = [true, Promise.resolve(true)];
    const rejections: unknown[] = [
      false,
      1,
      'yes',
      {},
      null,
      undefined,
      Promise.resolve('true'),
      Promise.resolve(1),
    ];
    let result: unknown;
    const verify = (() => result) as unknown as BasicAuthOptions['verify'];
    await withSite(routes({ verify: verify ?? (() => false) }), async ({ ask }) => {
      for (const one of [...results, ...rejections]) {
        result = one;
        const wanted = results.includes(one) ? 200 : 401;
        assert.equal((await ask(authorized('a:b'))).status, wanted, String(one));
      }
    });
  });

  test('it is not asked about what is malformed', async () => {
    const seen: string[] = [];
    const verify = (user: string, password: string) => {
      seen.push(`${user}:${password}`);
      return true;
    };
    await withSite(routes({ verify }), async ({ ask }) => {
      for (const text of ['a:b\n', 'a\0:b', '\x7f:', 'a:\x1f', 'ab', '']) {
        assert.equal((await ask(authorized(text))).status, 401, JSON.stringify(text));
      }
      assert.equal((await ask(authorized('a: b'))).status, 200);
    });
    assert.deepEqual(seen, ['a: b']);
  });

  test('it gets name, password and request; its errors are those of a handler', async () => {
    const seen: unknown[] = [];
    const verify = async (user: string, password: string, request: { path: string }) => {
      seen.push([user, password, request.path]);
      if (user === 'down') throw new HttpError(503);
      if (user === 'bug') throw new Error('secret detail');
      return true;
    };
    await withSite(routes({ verify }), async ({ ask }) => {
      assert.equal((await ask(authorized('a:b'))).status, 200);
      assert.equal((await ask(authorized('down:b'))).status, 503);
      const failed = await ask(authorized('bug:b'));
      assert.equal(failed.status, 500);
      assert.doesNotMatch(failed.text, /secret/);
    });
    assert.deepEqual(seen[0], ['a', 'b', '/']);
  });
});

test('401 keeps the connection for a small body, and onError can replace its content', async () => {
  const site = (server: Server) => {
    routes({ ...ALADDIN, realm: 'the "back\\office"' })(server);
    server.onError((error, _request, response) => {
      assert.ok(error instanceof HttpError);
      response.status(error.status).html('<h1>log in</h1>');
    });
  };
  await withSite(site, async ({ ask }) => {
    const response = await ask(post('/', 'a body'));
    assert.equal(response.status, 401);
    assert.equal(response.text, '<h1>log in</h1>');
    const realm = 'Basic realm="the \\"back\\\\office\\"", charset="UTF-8"';
    assert.equal(response.field('www-authenticate'), realm);
    assert.equal(response.field('connection'), undefined);
  });
});

test('options are checked, and messages contain no password', () => {
  const bad: readonly (readonly [unknown, RegExp])[] = [
    [{}, /one of users and verify/],
    [{ users: { a: 'b' }, verify: () => true }, /one of users and verify/],
    [{ users: {} }, /empty/],
    [{ users: [['a', 'b']] }, /users is an object/],
    [{ users: new Map([['a', 'b']]) }, /users is an object/],
    [{ users: { 'a:b': 'c' } }, /no colon/],
    [{ users: { 'a\n': 'c' } }, /control/],
    [{ users: { a: 5 } }, /password of "a"/],
    [{ users: { a: 'hidden\n' } }, /password of "a" is text without control characters$/],
    [{ verify: true }, /verify is a function/],
    [{ users: { a: 'b' }, realm: 'caf\u00e9' }, /realm is printable ASCII/],
    [{ users: { a: 'b' }, realm: 'a\r\nb' }, /realm is printable ASCII/],
    [{ users: { a: 'b' }, relm: 'x' }, /did you mean realm/],
    [null, /plain object/],
  ];
  for (const [options, message] of bad) {
    const made = () => basicAuth(options as BasicAuthOptions);
    assert.throws(made, (error) => {
      assert.ok(error instanceof TypeError, JSON.stringify(options));
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /hidden/);
      return true;
    });
  }
});
