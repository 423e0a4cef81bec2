// trustProxy(): where the effective address, protocol and host come from, what spoofed fields can
// do, and that later middleware sees the result.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { accessLog } from '../../src/middleware/access-log.ts';
import { rateLimit } from '../../src/middleware/rate-limit.ts';
import { type TrustProxyOptions, trustProxy } from '../../src/middleware/trust-proxy.ts';
import type { Server } from '../../src/server/server.ts';
import { get } from '../../testing/raw-client.ts';
import { withSite } from '../../testing/virtual-site.ts';
import { onEachDriver, withServer } from '../../testing/with-server.ts';

const PROXIES = ['10.0.0.0/8', '2001:db8:ffff::/48'] as const;
const PEER = '10.0.0.1';

function routes(options?: TrustProxyOptions, proxies: readonly string[] = PROXIES) {
  return (server: Server): void => {
    server.use(trustProxy(proxies, options));
    server.get('/', ({ host, protocol, remoteAddress, remotePort }, response) =>
      response.json([remoteAddress, remotePort, protocol, host]),
    );
  };
}

type Seen = readonly [address: string, port: number, protocol: string, host: string] | number;

/** What a handler sees of requests of `peer` with these fields, or the status of the error. */
async function check(
  rows: readonly (readonly [lines: readonly string[], seen: Seen])[],
  options?: TrustProxyOptions,
  peer = PEER,
): Promise<void> {
  await withSite(routes(options), async ({ ask, virtual }) => {
    virtual.driver.peerAddress = peer;
    for (const [lines, expected] of rows) {
      const response = await ask(get('/', ...lines));
      const seen: unknown = response.status === 200 ? JSON.parse(response.text) : response.status;
      // The port of the peer itself follows from its slot.
      const ports = Array.isArray(seen) && seen[1] >= 1000 ? [seen[0], 1, seen[2], seen[3]] : seen;
      assert.deepEqual(ports, expected, JSON.stringify(lines));
    }
  });
}

const FOR = (value: string) => `X-Forwarded-For: ${value}`;
const PROTO = (value: string) => `X-Forwarded-Proto: ${value}`;
const HOST = (value: string) => `X-Forwarded-Host: ${value}`;
const FORWARDED = (value: string) => `Forwarded: ${value}`;
const ITSELF: Seen = [PEER, 1, 'http', 'a.test'];

describe('X-Forwarded', () => {
  test('the last untrusted hop is the client, whatever is before it', async () => {
    await check([
      [[], ITSELF],
      [[FOR('192.0.2.7')], ['192.0.2.7', 0, 'http', 'a.test']],
      [[FOR('192.0.2.7:500')], ['192.0.2.7', 500, 'http', 'a.test']],
      [[FOR('1.1.1.1, 192.0.2.7')], ['192.0.2.7', 0, 'http', 'a.test']],
      [[FOR('10.9.9.9, 192.0.2.7')], ['192.0.2.7', 0, 'http', 'a.test']],
      [[FOR('garbage, 192.0.2.7')], ['192.0.2.7', 0, 'http', 'a.test']],
      [[FOR('192.0.2.7, 10.0.0.2')], ['192.0.2.7', 0, 'http', 'a.test']],
      [[FOR('1.1.1.1, 192.0.2.7, 10.0.0.2')], ['192.0.2.7', 0, 'http', 'a.test']],
      [[FOR('192.0.2.7, 2001:db8:ffff::1, 10.0.0.2')], ['192.0.2.7', 0, 'http', 'a.test']],
      [[FOR('192.0.2.7, ::ffff:10.0.0.2')], ['192.0.2.7', 0, 'http', 'a.test']],
      [[FOR('10.0.0.3, 10.0.0.2')], ['10.0.0.3', 0, 'http', 'a.test']],
      [
        [FOR('1.1.1.1'), FOR('192.0.2.7')],
        ['192.0.2.7', 0, 'http', 'a.test'],
      ],
      [[FOR('2001:db8::7')], ['2001:db8::7', 0, 'http', 'a.test']],
    ]);
  });

  test('protocol and host of the hop of the client', async () => {
    await check([
      [
        [FOR('192.0.2.7'), PROTO('https'), HOST('b.test')],
        ['192.0.2.7', 0, 'https', 'b.test'],
      ],
      [
        [FOR('192.0.2.7'), PROTO('http, https')],
        ['192.0.2.7', 0, 'https', 'a.test'],
      ],
      [
        [FOR('192.0.2.7, 10.0.0.2'), PROTO('http, https, http')],
        ['192.0.2.7', 0, 'https', 'a.test'],
      ],
      [
        [FOR('192.0.2.7, 10.0.0.2'), PROTO('https'), HOST('b.test:8443')],
        ['192.0.2.7', 0, 'https', 'b.test:8443'],
      ],
      [
        [PROTO('https'), HOST('b.test')],
        [PEER, 1, 'https', 'b.test'],
      ],
      [
        [FOR('unknown'), PROTO('https')],
        [PEER, 1, 'https', 'a.test'],
      ],
      [
        [FOR('unknown, 10.0.0.2'), PROTO('https')],
        ['10.0.0.2', 0, 'https', 'a.test'],
      ],
    ]);
  });

  test('a malformed hop that a trusted proxy wrote is 400', async () => {
    await check([
      [[FOR('garbage')], 400],
      [[FOR('garbage, 10.0.0.2')], 400],
      [[FOR('192.0.2.7'), PROTO('gopher')], 400],
      [[FOR('192.0.2.7'), HOST('b.test/path')], 400],
      [[PROTO('gopher')], 400],
    ]);
  });

  test('fields of other peers, and Forwarded, are ignored', async () => {
    const spoofed = [FOR('10.0.0.9'), PROTO('https'), HOST('evil.test'), FORWARDED('for=10.0.0.9')];
    for (const peer of ['192.0.2.1', '11.0.0.1', '2001:db8:fffe::1', '']) {
      const port = 1;
      await check([[spoofed, [peer, port, 'http', 'a.test']]], undefined, peer);
      await check([[[FOR('garbage')], [peer, port, 'http', 'a.test']]], undefined, peer);
    }
    await check([[[FORWARDED('for=192.0.2.7;proto=https')], ITSELF]]);
  });
});

test('Forwarded: the same by RFC 7239, and then the X-Forwarded fields are ignored', async () => {
  await check(
    [
      [[], ITSELF],
      [[FORWARDED('for=192.0.2.7;proto=https;host=b.test')], ['192.0.2.7', 0, 'https', 'b.test']],
      [[FORWARDED('for=1.1.1.1, for=192.0.2.7')], ['192.0.2.7', 0, 'http', 'a.test']],
      [
        [FORWARDED('for=192.0.2.7;proto=https, for=10.0.0.2;proto=http')],
        ['192.0.2.7', 0, 'https', 'a.test'],
      ],
      [
        [FORWARDED('for=192.0.2.7'), FORWARDED('for=10.0.0.2')],
        ['192.0.2.7', 0, 'http', 'a.test'],
      ],
      [[FORWARDED('for="[2001:db8::7]"')], ['2001:db8::7', 0, 'http', 'a.test']],
      [[FORWARDED('for=_hidden;proto=https, for=10.0.0.2')], ['10.0.0.2', 0, 'https', 'a.test']],
      [[FORWARDED('proto=https')], [PEER, 1, 'https', 'a.test']],
      [[FORWARDED('for=a.test, for=192.0.2.7')], ['192.0.2.7', 0, 'http', 'a.test']],
      [[FORWARDED('for=a.test')], 400],
      [[FORWARDED('for=192.0.2.7;proto=gopher')], 400],
      [[FORWARDED('for="192.0.2.7')], 400],
      [[FOR('192.0.2.7'), PROTO('https'), HOST('b.test')], ITSELF],
    ],
    { fields: 'forwarded' },
  );
});

describe('later middleware', () => {
  test('sees the client: the access log, rate limits, and a second trustProxy()', async () => {
    const lines: string[] = [];
    const site = (server: Server) => {
      server.use(trustProxy(PROXIES));
      server.use(trustProxy(['192.0.2.0/24']));
      server.use(accessLog({ format: 'common', write: (line) => lines.push(line) }));
      server.use(rateLimit({ limit: 1, windowMs: 60_000 }));
      server.get('/', async ({ remoteAddress }, response) => response.text(remoteAddress));
    };
    await withSite(site, async ({ ask, virtual }) => {
      virtual.driver.peerAddress = PEER;
      const found: unknown[] = [];
      for (const client of ['192.0.2.7', '192.0.2.8', '192.0.2.7']) {
        const response = await ask(get('/', FOR(`1.1.1.1, ${client}`)));
        found.push([response.status, response.status === 200 ? response.text : '']);
      }
      assert.deepEqual(found, [
        [200, '192.0.2.7'],
        [200, '192.0.2.8'],
        [429, ''],
      ]);
    });
    assert.deepEqual(
      lines.map((line) => line.split(' ', 1)[0]),
      ['192.0.2.7', '192.0.2.8', '192.0.2.7'],
    );
  });

  test('it does not outlive the request, and survives the response', async () => {
    const late: string[] = [];
    const site = (server: Server) => {
      server.use('/behind', trustProxy(PROXIES));
      server.all('/*', async (request, response) => {
        const before = `${request.remoteAddress} ${request.protocol} ${request.host}`;
        await new Promise((resolve) => setImmediate(resolve));
        response.text(before);
        late.push(`${request.remoteAddress} ${request.protocol} ${request.host}`);
      });
    };
    await withSite(site, async ({ virtual }) => {
      virtual.driver.peerAddress = PEER;
      const client = virtual.open();
      const lines = [FOR('192.0.2.7'), PROTO('https'), HOST('b.test')];
      await client.ask(get('/behind/x', ...lines));
      const output = await client.ask(get('/other', ...lines));
      const expected = ['192.0.2.7 https b.test', `${PEER} http a.test`];
      for (const text of expected) assert.ok(output.includes(text), output);
      assert.deepEqual(late, expected);
    });
  });

  test('a record that is used again for the next request has nothing of it', async () => {
    const site = (server: Server) => {
      server.use('/behind', trustProxy(PROXIES));
      server.all('/*', ({ host, protocol, remoteAddress }, response) =>
        response.text(`${remoteAddress} ${protocol} ${host};`),
      );
    };
    await withSite(site, async ({ virtual }) => {
      virtual.driver.peerAddress = PEER;
      const client = virtual.open();
      const lines = [FOR('192.0.2.7'), PROTO('https'), HOST('b.test')];
      const output = await client.ask(get('/behind', ...lines) + get('/other', ...lines));
      assert.deepEqual(output.match(/[0-9.]+ https? [a-z.]+;/g), [
        '192.0.2.7 https b.test;',
        `${PEER} http a.test;`,
      ]);
    });
  });

  test('the host of a request itself: Host, the target, or none', async () => {
    await withSite(routes(), async ({ ask }) => {
      const host = async (text: string) => JSON.parse((await ask(text)).text)[3];
      assert.equal(await host('GET / HTTP/1.1\r\nHost: A.test:80\r\n\r\n'), 'A.test:80');
      assert.equal(await host('GET http://b.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n'), 'b.test');
      assert.equal(await host('GET / HTTP/1.0\r\n\r\n'), '');
    });
  });
});

test('the proxies and options are checked', () => {
  const bad: readonly (readonly [unknown, unknown, RegExp])[] = [
    [undefined, {}, /the proxies are a list/],
    ['10.0.0.0/8', {}, /the proxies are a list/],
    [[], {}, /the proxies are a list/],
    [true, {}, /the proxies are a list/],
    [['10.0.0.1/8'], {}, /bits beyond its prefix/],
    [['a.test'], {}, /"a\.test" is not an address/],
    [['10.0.0.0/8', 5], {}, /5 is not an address/],
    [['unix'], { fields: 'all' }, /fields is one of 'x-forwarded', 'forwarded'/],
    [['unix'], { field: 'forwarded' }, /did you mean fields/],
  ];
  for (const [proxies, options, message] of bad) {
    const made = () => trustProxy(proxies as string[], options as TrustProxyOptions);
    assert.throws(made, { name: 'TypeError', message });
  }
});

onEachDriver('trustProxy', (add) => {
  add('a peer on a unix socket is trusted by its name only', async (driver, context) => {
    if (process.platform === 'win32') {
      context.skip('there are no unix sockets here');
      return;
    }
    const folder = mkdtempSync(join(tmpdir(), 'vibing-trust-'));
    const socket = join(folder, 'socket');
    try {
      for (const [proxies, expected] of [
        [['unix'], '192.0.2.7'],
        [['0.0.0.0/0', '::/0'], ''],
      ] as const) {
        await withServer(driver, { socket }, routes(undefined, proxies), async ({ open }) => {
          const response = await (await open()).ask(get('/', FOR('192.0.2.7')));
          assert.equal(JSON.parse(response.text)[0], expected);
        });
      }
      await withServer(driver, {}, routes(undefined, ['unix']), async ({ open }) => {
        const response = await (await open()).ask(get('/', FOR('192.0.2.7')));
        assert.equal(JSON.parse(response.text)[0], '127.0.0.1');
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
