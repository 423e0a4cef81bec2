// Cookies: which pairs of a Cookie field are read, what res.cookie() sets and what it rejects, and
// that every value comes back as it was set.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  COOKIE_ATTRIBUTE_BYTES_MAX,
  COOKIE_BYTES_MAX,
  COOKIES_MAX,
} from '../../src/base/fixed-limits.ts';
import { RequestCookies } from '../../src/exchange/request-cookies.ts';
import type { Response } from '../../src/exchange/response.ts';
import {
  addSetCookie,
  type CookieOptions,
  clearCookieText,
  setCookieText,
} from '../../src/exchange/set-cookie.ts';
import { ResponseFields } from '../../src/http/response-fields.ts';
import type { Server } from '../../src/server/server.ts';
import { get } from '../../testing/raw-client.ts';
import { withSite } from '../../testing/virtual-site.ts';

function pairs(text: string): [string, string][] {
  return [...new RequestCookies(text)];
}

test('a long field without cookies takes no more time than its length', () => {
  // With work for each pair of separators the test would not end.
  assert.deepEqual([...new RequestCookies(`${';'.repeat(4_000_000)}=`)], []);
  assert.deepEqual(
    [...new RequestCookies(`${';'.repeat(500_000)}a=b;=;c=d`)],
    [
      ['a', 'b'],
      ['c', 'd'],
    ],
  );
});

/** The years that a cookie may expire in. */
const FIRST = new Date(Date.UTC(1601, 0));
const LAST = new Date(Date.UTC(9999, 11, 31));
const DAY_MS = 24 * 60 * 60 * 1000;

describe('the Cookie field', () => {
  const cases: readonly (readonly [string, readonly (readonly [string, string])[]])[] = [
    ['', []],
    ['a=1', [['a', '1']]],
    [
      'a=1; b=2',
      [
        ['a', '1'],
        ['b', '2'],
      ],
    ],
    [
      'a=1;b=2;',
      [
        ['a', '1'],
        ['b', '2'],
      ],
    ],
    [
      ' a\t=\t1 ;\tb = 2 ',
      [
        ['a', '1'],
        ['b', '2'],
      ],
    ],
    ['a=', [['a', '']]],
    ['a=b=c', [['a', 'b=c']]],
    [
      'A=1; a=2',
      [
        ['A', '1'],
        ['a', '2'],
      ],
    ],
    [
      'a="1 2"; b="; c=""; d="x',
      [
        ['a', '1 2'],
        ['b', '"'],
        ['c', ''],
        ['d', '"x'],
      ],
    ],
    ['a=%41%C3%A9', [['a', 'Aé']]],
    [
      'a=100%; b=%E9; c=%',
      [
        ['a', '100%'],
        ['b', '%E9'],
        ['c', '%'],
      ],
    ],
    ['%41=1', [['%41', '1']]],
    // What has no name is no cookie.
    ['=1; ; ;; a; b=2; =; c', [['b', '2']]],
    ['a', []],
    [';;;', []],
    [
      '__proto__=1; constructor=2',
      [
        ['__proto__', '1'],
        ['constructor', '2'],
      ],
    ],
    ['a,b=1', [['a,b', '1']]],
    ['a=\xe9', [['a', '\xe9']]],
  ];
  for (const [text, expected] of cases) {
    test(JSON.stringify(text), () => assert.deepEqual(pairs(text), expected));
  }

  test('get() returns the first of a name, getAll() each, all() an object', () => {
    const cookies = new RequestCookies('a=1; b=%32; a=3; __proto__=4; toString=5');
    assert.equal(cookies.get('a'), '1');
    assert.equal(cookies.get('b'), '2');
    assert.deepEqual(cookies.getAll('a'), ['1', '3']);
    assert.deepEqual(cookies.getAll('none'), []);
    assert.deepEqual(
      [cookies.has('a'), cookies.has('none'), cookies.has('A')],
      [true, false, false],
    );
    assert.equal(cookies.get('none'), undefined);
    assert.equal(cookies.get('hasOwnProperty'), undefined);
    const all = cookies.all();
    assert.equal(Object.getPrototypeOf(all), null);
    assert.deepEqual(Object.entries(all), [
      ['a', '1'],
      ['b', '2'],
      ['__proto__', '4'],
      ['toString', '5'],
    ]);
  });

  test('has a bounded number of cookies that are read, however long it is', () => {
    for (const one of ['a=1;', ';a=1;;', ' a = 1 ; b', ' a="%";']) {
      assert.equal(pairs(one.repeat(60_000)).length, COOKIES_MAX, one);
    }
    assert.equal(pairs('a=1;'.repeat(COOKIES_MAX)).length, COOKIES_MAX);
    assert.deepEqual(pairs(';'.repeat(250_000)), []);
    assert.deepEqual(pairs('a;'.repeat(125_000)), []);
    assert.deepEqual(pairs(`a=${'%'.repeat(250_000)}`), [['a', '%'.repeat(250_000)]]);
  });

  test('is read through req.cookies, once for each request, also from several lines', async () => {
    const seen: unknown[] = [];
    const routes = (server: Server) => {
      server.use('/m', async (request, _response, next) => {
        seen.push(request.cookies.get('a'));
        await next();
      });
      server.all('/*', (request, response) => {
        assert.equal(request.cookies, request.cookies);
        response.json(request.cookies.all());
      });
    };
    await withSite(routes, async ({ ask }) => {
      const response = await ask(get('/m', 'Cookie: a=1', 'Cookie: b=2;a=3'));
      assert.equal(response.text, '{"a":"1","b":"2"}');
      assert.deepEqual(seen, ['1']);
      assert.equal((await ask(get('/'))).text, '{}');
      assert.equal((await ask(get('/', 'Cookie: b=2'))).text, '{"b":"2"}');
    });
  });
});

describe('Set-Cookie', () => {
  const day = new Date('2026-02-03T04:05:06.789Z');
  const cases: readonly (readonly [string, string, CookieOptions, string])[] = [
    ['a', '1', {}, 'a=1; Path=/'],
    ['a', '', {}, 'a=; Path=/'],
    ["!#$%&'*+-.^_`|~0Az", '1', {}, "!#$%&'*+-.^_`|~0Az=1; Path=/"],
    ['a', 'a=b/c+d:e', {}, 'a=a=b/c+d:e; Path=/'],
    ['a', ' ";,\\%é\r\n\0', {}, 'a=%20%22%3B%2C%5C%25%C3%A9%0D%0A%00; Path=/'],
    ['a', '1', { path: '/x y' }, 'a=1; Path=/x y'],
    ['a', '1', { domain: 'Example.com' }, 'a=1; Domain=Example.com; Path=/'],
    ['a', '1', { domain: '.example.com', path: '/a' }, 'a=1; Domain=.example.com; Path=/a'],
    ['a', '1', { maxAgeSeconds: 60 }, 'a=1; Max-Age=60; Path=/'],
    ['a', '1', { maxAge: 60 }, 'a=1; Max-Age=60; Path=/'],
    ['a', '1', { maxAge: 60, maxAgeSeconds: 60 }, 'a=1; Max-Age=60; Path=/'],
    ['a', '1', { maxAgeSeconds: 0 }, 'a=1; Max-Age=0; Path=/'],
    ['a', '1', { maxAgeSeconds: -1 }, 'a=1; Max-Age=-1; Path=/'],
    ['a', '1', { expires: day }, 'a=1; Expires=Tue, 03 Feb 2026 04:05:06 GMT; Path=/'],
    ['a', '1', { expires: FIRST }, 'a=1; Expires=Mon, 01 Jan 1601 00:00:00 GMT; Path=/'],
    ['a', '1', { expires: LAST }, 'a=1; Expires=Fri, 31 Dec 9999 00:00:00 GMT; Path=/'],
    ['a', '1', { httpOnly: true, secure: true }, 'a=1; Path=/; Secure; HttpOnly'],
    ['a', '1', { httpOnly: false, secure: false, partitioned: false }, 'a=1; Path=/'],
    ['a', '1', { sameSite: 'lax' }, 'a=1; Path=/; SameSite=Lax'],
    ['a', '1', { sameSite: 'strict' }, 'a=1; Path=/; SameSite=Strict'],
    ['a', '1', { sameSite: 'none', secure: true }, 'a=1; Path=/; Secure; SameSite=None'],
    ['a', '1', { partitioned: true, secure: true }, 'a=1; Path=/; Secure; Partitioned'],
    ['a', '1', { priority: 'high' }, 'a=1; Path=/; Priority=High'],
    [
      '__Secure-a',
      '1',
      { secure: true, domain: 'a.b' },
      '__Secure-a=1; Domain=a.b; Path=/; Secure',
    ],
    ['__Host-a', '1', { secure: true }, '__Host-a=1; Path=/; Secure'],
    ['__Host-a', '1', { secure: true, path: '/' }, '__Host-a=1; Path=/; Secure'],
    ['__Hosta', '1', {}, '__Hosta=1; Path=/'],
  ];
  for (const [name, value, options, expected] of cases) {
    test(expected, () => assert.equal(setCookieText(name, value, options), expected));
  }

  const rejected: readonly (readonly [string, unknown, unknown, object, RegExp])[] = [
    ['a name', '', '1', {}, /a name is an HTTP token, given ""/],
    ['a name with =', 'a=b', '1', {}, /a name is an HTTP token/],
    ['a name with ;', 'a;b', '1', {}, /a name is an HTTP token/],
    ['a name with a space', 'a b', '1', {}, /a name is an HTTP token/],
    ['a name with a line end', 'a\r\nb', '1', {}, /a name is an HTTP token/],
    ['a name that is not ASCII', 'é', '1', {}, /a name is an HTTP token/],
    ['no name', undefined, '1', {}, /a name is an HTTP token/],
    ['a value that is no string', 'a', 7, {}, /a value is a string, given 7/],
    ['half a pair', 'a', 'x\ud800', {}, /half a surrogate pair/],
    ['an unknown option', 'a', '1', { httponly: true }, /did you mean httpOnly\?/],
    ['a path without /', 'a', '1', { path: 'x' }, /path is a path from "\/"/],
    ['an empty path', 'a', '1', { path: '' }, /path is a path from/],
    ['a path with ;', 'a', '1', { path: '/;Domain=x' }, /path is a path from/],
    ['a path with a line end', 'a', '1', { path: '/\n' }, /path is a path from/],
    ['a path with CR LF', 'a', '1', { path: '/\r\nX: y' }, /path is a path from/],
    ['a path that is not ASCII', 'a', '1', { path: '/é' }, /path is a path from/],
    ['a domain with ;', 'a', '1', { domain: 'a.b;Path=/x' }, /domain is the name of a host/],
    ['an empty domain', 'a', '1', { domain: '' }, /domain is the name of a host/],
    ['a URL as a domain', 'a', '1', { domain: 'http://a.b' }, /domain is the name of a host/],
    ['a domain with a port', 'a', '1', { domain: 'a.b:80' }, /domain is the name of a host/],
    ['a label that ends in -', 'a', '1', { domain: 'a-.b' }, /domain is the name of a host/],
    ['a label that begins so', 'a', '1', { domain: 'a.-b' }, /domain is the name of a host/],
    ['a domain with ..', 'a', '1', { domain: 'a..b' }, /domain is the name of a host/],
    ['a domain with a line end', 'a', '1', { domain: 'a.b\n' }, /domain is the name of a host/],
    ['half a second', 'a', '1', { maxAgeSeconds: 0.5 }, /whole number of seconds, given 0.5/],
    ['no number', 'a', '1', { maxAge: '60' }, /maxAge is a whole number of seconds/],
    ['infinite time', 'a', '1', { maxAge: Number.POSITIVE_INFINITY }, /whole number of seconds/],
    ['two ages', 'a', '1', { maxAge: 1, maxAgeSeconds: 2 }, /are the same option, given both/],
    ['an invalid date', 'a', '1', { expires: new Date(Number.NaN) }, /expires is a Date from/],
    ['a day too late', 'a', '1', { expires: new Date(+LAST + DAY_MS) }, /Date from 1601 to 9999/],
    ['a day too early', 'a', '1', { expires: new Date(+FIRST - DAY_MS) }, /Date from 1601/],
    ['a year too late', 'a', '1', { expires: new Date(1e15) }, /expires is a Date from/],
    ['a year too early', 'a', '1', { expires: new Date(-1e14) }, /expires is a Date from/],
    ['a time that is no Date', 'a', '1', { expires: 7 }, /expires is a Date from/],
    ['another sameSite', 'a', '1', { sameSite: true }, /sameSite is one of 'strict', 'lax'/],
    ['none without secure', 'a', '1', { sameSite: 'none' }, /sameSite: 'none' needs secure: true/],
    ['partitioned alone', 'a', '1', { partitioned: true }, /partitioned: true needs secure/],
    ['__Secure- alone', '__Secure-a', '1', {}, /the prefix of __Secure-a needs secure: true/],
    ['__secure- alone', '__secure-a', '1', { secure: false }, /prefix of __secure-a needs secure/],
    ['__Host- alone', '__Host-a', '1', {}, /the prefix of __Host-a needs secure: true/],
    [
      '__Host- with a path',
      '__Host-a',
      '1',
      { secure: true, path: '/a' },
      /needs path '\/' and no/,
    ],
    ['__HOST- with a domain', '__HOST-a', '1', { secure: true, domain: 'a.b' }, /and no domain/],
  ];
  for (const [what, name, value, options, message] of rejected) {
    test(`throws for ${what}`, () => {
      assert.throws(() => setCookieText(name as string, value as string, options), message);
    });
  }

  test('has limits of size: those of browsers', () => {
    const most = 'x'.repeat(COOKIE_BYTES_MAX - 1);
    assert.ok(setCookieText('a', most, {}).length > COOKIE_BYTES_MAX);
    for (const value of [`${most}x`, `${most.slice(2)}é`, 'é'.repeat(COOKIE_BYTES_MAX / 6 + 1)]) {
      assert.throws(() => setCookieText('a', value, {}), RangeError);
    }
    const path = `/${'x'.repeat(COOKIE_ATTRIBUTE_BYTES_MAX - 1)}`;
    assert.ok(setCookieText('a', '', { path }).includes(path));
    assert.throws(() => setCookieText('a', '', { path: `${path}x` }), RangeError);
    const domain = `${'a.'.repeat(COOKIE_ATTRIBUTE_BYTES_MAX / 2)}b`;
    assert.throws(() => setCookieText('a', '', { domain }), RangeError);
  });

  test('is read as it was set, whatever the value is', () => {
    const unit = fc.oneof(
      fc.constantFrom('"', '%', ';', ',', '=', ' ', '\\', '\r', '\n', '\0', 'é', '😀', '%41'),
      fc.string({ unit: 'grapheme', maxLength: 3 }),
    );
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 50 }), (units) => {
        const value = units.join('');
        const text = setCookieText('a', value, {});
        assert.match(text, /^a=[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*; Path=\/$/);
        const sent = text.slice(0, text.indexOf(';'));
        assert.deepEqual(pairs(`x=1; ${sent}; y=2`)[1], ['a', value]);
      }),
    );
  });

  test('clearCookie() has the attributes by which the cookie is found', () => {
    const past = 'Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT';
    assert.equal(clearCookieText('a', {}), `a=; ${past}; Path=/`);
    assert.equal(
      clearCookieText('a', { path: '/x', domain: 'a.b', secure: true, sameSite: 'none' }),
      `a=; ${past}; Domain=a.b; Path=/x; Secure; SameSite=None`,
    );
    assert.throws(
      () => clearCookieText('a', { maxAge: 7 } as object),
      /clearCookie\(\): there is no/,
    );
    assert.throws(() => clearCookieText('__Host-a', {}), /clearCookie\(\): the prefix of __Host-a/);
  });
});

describe('several Set-Cookie fields', () => {
  function added(...texts: string[]): readonly string[] {
    const fields = new ResponseFields();
    fields.append('X-A', 'x-a', '1');
    for (const text of texts) addSetCookie(fields, text);
    fields.append('X-B', 'x-b', '2');
    assert.deepEqual([fields.get('x-a'), fields.get('x-b')], ['1', '2']);
    return fields.values
      .slice(0, fields.count)
      .filter((_, at) => fields.names[at] === 'Set-Cookie');
  }

  test('have one for each cookie: the last one that was set', () => {
    assert.deepEqual(added('a=1; Path=/', 'b=2; Path=/'), ['a=1; Path=/', 'b=2; Path=/']);
    assert.deepEqual(added('a=1; Path=/', 'b=2; Path=/', 'a=3; Path=/; Secure'), [
      'b=2; Path=/',
      'a=3; Path=/; Secure',
    ]);
    assert.deepEqual(added('a=1; Path=/', 'a=1; Path=/'), ['a=1; Path=/']);
  });

  test('another path, domain or case of the name is another cookie', () => {
    for (const other of [
      'a=2; Path=/x',
      'a=2; Domain=a.b; Path=/',
      'A=2; Path=/',
      'ab=2; Path=/',
    ]) {
      assert.equal(added('a=1; Path=/', other).length, 2, other);
    }
    assert.equal(added('a=1; Domain=A.b; Path=/', 'a=2; Domain=.a.B; Path=/').length, 1);
    assert.equal(added('a=1;path=/;httponly', 'a=2; Path=/').length, 1);
  });

  test('are lines of their own in the response', async () => {
    const send = (response: Response) =>
      response
        .cookie('a', '1')
        .cookie('b', 'x y', { httpOnly: true })
        .cookie('a', '2')
        .appendHeader('Set-Cookie', 'raw=1')
        .clearCookie('c')
        .text('sent');
    const routes = (server: Server) => {
      server.get('/', (_request, response) => send(response));
      server.get('/late', (_request, response) => {
        response.text('sent');
        assert.throws(() => response.cookie('a', '1'), /the call was made before|has ended/);
      });
    };
    await withSite(routes, async ({ ask, errors }) => {
      assert.deepEqual((await ask(get('/'))).all('set-cookie'), [
        'b=x%20y; Path=/; HttpOnly',
        'a=2; Path=/',
        'raw=1',
        'c=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/',
      ]);
      const late = await ask(get('/late'));
      assert.deepEqual([late.text, late.all('set-cookie')], ['sent', []]);
      // A call that does not throw is an error of the handler.
      assert.deepEqual(errors(), []);
    });
  });
});
