// csrf(): which requests a page of another site cannot send, for every combination of the two
// fields by which browsers report the page.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { exchangeOf } from '../../src/exchange/request.ts';
import { type CsrfOptions, csrf } from '../../src/middleware/csrf.ts';
import type { Server } from '../../src/server/server.ts';
import { withSite } from '../../testing/virtual-site.ts';

let protocol: 'http' | 'https' = 'http';

function routes(options?: CsrfOptions): (server: Server) => void {
  return (server) => {
    server.use((request, _response, next) => {
      exchangeOf(request).forwarded = { protocol, host: null };
      return next();
    });
    server.use(csrf(options));
    server.all('/', (_request, response) => response.text('done'));
  };
}

function request(method: string, lines: readonly string[], host = 'a.test'): string {
  return `${[`${method} / HTTP/1.1`, `Host: ${host}`, ...lines].join('\r\n')}\r\n\r\n`;
}

type Row = readonly [method: string, lines: readonly string[], status: number, host?: string];

async function check(rows: readonly Row[], options?: CsrfOptions): Promise<void> {
  await withSite(routes(options), async ({ ask }) => {
    for (const [method, lines, status, host] of rows) {
      const response = await ask(request(method, lines, host));
      assert.equal(response.status, status, JSON.stringify([method, lines, host]));
    }
  });
}

const SITE = (value: string) => `Sec-Fetch-Site: ${value}`;
const ORIGIN = (value: string) => `Origin: ${value}`;

describe('csrf', () => {
  test('safe methods pass, unsafe and unknown ones are checked', async () => {
    const foreign = [SITE('cross-site'), ORIGIN('https://evil.test')];
    await check([
      ['GET', foreign, 200],
      ['HEAD', foreign, 200],
      ['OPTIONS', foreign, 200],
      ['POST', foreign, 403],
      ['PUT', foreign, 403],
      ['PATCH', foreign, 403],
      ['DELETE', foreign, 403],
      ['PROPFIND', foreign, 403],
      ['get', foreign, 403],
    ]);
  });

  test('Sec-Fetch-Site decides when it is there', async () => {
    await check([
      ['POST', [SITE('same-origin')], 200],
      ['POST', [SITE('none')], 200],
      ['POST', [SITE('same-site')], 403],
      ['POST', [SITE('cross-site')], 403],
      ['POST', [SITE('Same-Origin')], 403],
      ['POST', [SITE('')], 403],
      ['POST', [SITE('other')], 403],
      ['POST', [SITE('same-origin'), SITE('cross-site')], 403],
      ['POST', [SITE('cross-site'), ORIGIN('https://a.test')], 403],
      ['POST', [SITE('same-origin'), ORIGIN('https://elsewhere.test')], 200],
    ]);
  });

  test('without it, Origin must be the own one', async () => {
    protocol = 'http';
    await check([
      ['POST', [ORIGIN('http://a.test')], 200],
      ['POST', [ORIGIN('https://a.test')], 200],
      ['POST', [ORIGIN('http://a.test')], 200, 'A.Test'],
      ['POST', [ORIGIN('http://a.test')], 200, 'a.test:80'],
      ['POST', [ORIGIN('https://a.test')], 200, 'a.test:443'],
      ['POST', [ORIGIN('http://a.test:8080')], 200, 'a.test:8080'],
      ['POST', [ORIGIN('http://a.test:8080')], 403],
      ['POST', [ORIGIN('http://a.test')], 403, 'a.test:8080'],
      ['POST', [ORIGIN('http://a.test:81')], 403, 'a.test:80'],
      ['POST', [ORIGIN('https://a.test.evil.test')], 403],
      ['POST', [ORIGIN('https://evil.test')], 403],
      ['POST', [ORIGIN('https://evila.test')], 403],
      ['POST', [ORIGIN('https://sub.a.test')], 403],
      ['POST', [ORIGIN('ftp://a.test')], 403],
      ['POST', [ORIGIN('a.test')], 403],
      ['POST', [ORIGIN('null')], 403],
      ['POST', [ORIGIN('null')], 403, 'null'],
      ['POST', [ORIGIN('')], 403],
      ['POST', [ORIGIN('https://')], 403, ''],
      ['POST', [ORIGIN('https://a.test'), ORIGIN('https://a.test')], 403],
    ]);
  });

  test('behind a proxy with https, a page over http is of another site', async () => {
    protocol = 'https';
    await check([
      ['POST', [ORIGIN('https://a.test')], 200],
      ['POST', [ORIGIN('http://a.test')], 403],
    ]);
    protocol = 'http';
  });

  test('listed origins may send, whatever Sec-Fetch-Site says', async () => {
    const options = { origins: ['https://b.test', 'http://localhost:3000'] };
    await check(
      [
        ['POST', [SITE('cross-site'), ORIGIN('https://b.test')], 200],
        ['POST', [ORIGIN('http://localhost:3000')], 200],
        ['POST', [ORIGIN('https://b.test:444')], 403],
        ['POST', [ORIGIN('https://B.test')], 403],
        ['POST', [SITE('cross-site'), ORIGIN('https://c.test')], 403],
        ['POST', [SITE('cross-site')], 403],
      ],
      options,
    );
  });

  test('with neither field a request is no browser: allowed unless missing is reject', async () => {
    await check([['POST', [], 200]]);
    await check([['POST', [], 200]], { missing: 'allow' });
    await check(
      [
        ['POST', [], 403],
        ['POST', ['Referer: https://a.test/'], 403],
        ['GET', [], 200],
        ['POST', [SITE('same-origin')], 200],
      ],
      { missing: 'reject' },
    );
  });
});

test('options are checked', () => {
  const bad: readonly (readonly [unknown, RegExp])[] = [
    [{ origins: 'https://a.test' }, /origins is a list/],
    [{ origins: ['null'] }, /any page can have the origin 'null'/],
    [{ origins: ['*'] }, /must not contain '\*'/],
    [{ origins: ['https://a.test/'] }, /csrf: origins: .*did you mean "https:\/\/a\.test"/],
    [{ origins: ['https://*.a.test'] }, /csrf: origins/],
    [{ origins: [5] }, /csrf: origins: an origin must be a string/],
    [{ missing: true }, /missing is one of 'allow', 'reject'/],
    [{ origin: ['https://a.test'] }, /did you mean origins/],
  ];
  for (const [options, message] of bad) {
    assert.throws(() => csrf(options as CsrfOptions), { name: 'TypeError', message });
  }
});
