// proxy_protocol in a running server: the client that a PROXY header names, connections without
// one, peers that are not trusted, and timeouts.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { accessLog } from '../../src/middleware/access-log.ts';
import { trustProxy } from '../../src/middleware/trust-proxy.ts';
import type { ServerOptions } from '../../src/server/config/config.ts';
import type { Server } from '../../src/server/server.ts';
import { get, post } from '../../testing/raw-client.ts';
import { VirtualServer } from '../../testing/virtual-server.ts';
import { onEachDriver, withServer } from '../../testing/with-server.ts';

const REQUIRED: ServerOptions = { proxyProtocol: 'required' };
const TEXT = 'PROXY TCP4 192.0.2.7 192.0.2.2 4711 80\r\n';
const FIXED = '\r\n\r\n\0\r\nQUIT\n';
/** Addresses, ports, and an additional type with length 0. */
const BLOCK = '\xc0\x00\x02\x08\xc0\x00\x02\x02\x12\x68\x00\x50\x04\x00\x00';
const BINARY = `${FIXED}\x21\x11\x00\x0f${BLOCK}`;
const LOCAL = `${FIXED}\x20\x00\x00\x00`;
const REQUEST = get('/');

function routes(server: Server): void {
  server.get('/', ({ remoteAddress, remotePort }, response) =>
    response.text(`${remoteAddress} ${remotePort}`),
  );
  server.post('/', async (request, response) => response.text(await request.text()));
}

onEachDriver('proxy_protocol', (add) => {
  add('the client is the one in the header, for all requests of a connection', async (driver) => {
    await withServer(driver, REQUIRED, routes, async ({ open, server }) => {
      for (const [header, expected] of [
        [TEXT, '192.0.2.7 4711'],
        [BINARY, '192.0.2.8 4712'],
      ] as const) {
        const client = await open();
        const first = await client.ask(Buffer.from(header + REQUEST, 'latin1'));
        assert.equal(first.text, expected);
        assert.equal((await client.ask(REQUEST)).text, expected);
        assert.equal((await client.ask(post('/', 'body'))).text, 'body');
      }
      for (const header of [LOCAL, 'PROXY UNKNOWN\r\n']) {
        const client = await open();
        await client.send(header);
        assert.match((await client.ask(REQUEST)).text, /^127\.0\.0\.1 \d+$/);
      }
      assert.equal(server.counters.faults, 0);
    });
  });

  add('a header and a request in any two parts', async (driver) => {
    await withServer(driver, REQUIRED, routes, async ({ open }) => {
      for (const header of [TEXT, BINARY]) {
        const bytes = header + REQUEST;
        for (const cut of [1, 7, 12, 13, 15, 16, header.length - 1, header.length]) {
          const client = await open();
          await client.send(bytes.slice(0, cut));
          await new Promise((resolve) => setImmediate(resolve));
          assert.match((await client.ask(bytes.slice(cut))).text, /^192\.0\.2\.[78] 471[12]$/);
        }
      }
    });
  });

  add('a connection without a valid header closes without a response', async (driver) => {
    await withServer(driver, REQUIRED, routes, async ({ open, server }) => {
      const streams = [
        REQUEST,
        'PROXY TCP4 192.0.2.7 192.0.2.2 4711\r\n',
        `PROXY ${'x'.repeat(200)}`,
        `${FIXED}\x22`,
        '\0',
      ];
      for (const stream of streams) {
        const client = await open();
        await client.send(stream);
        assert.equal(await client.ending(), 'end');
        assert.equal(client.receivedBytes, 0, JSON.stringify(stream));
        client.half();
      }
      assert.equal(server.counters.faults, streams.length);
      assert.equal(server.counters.requests, 0);
      const incomplete = await open();
      await incomplete.send('PROXY TCP4 192.0.2.7');
      incomplete.half();
      await incomplete.endsCleanly();
      assert.equal(server.counters.faults, streams.length + 1);
      // A check of health: it sends nothing.
      const silent = await open();
      silent.half();
      await silent.endsCleanly();
      assert.equal(server.counters.faults, streams.length + 1);
    });
  });

  add('a peer that is not trusted is closed, and the log says so once', async (driver) => {
    const options = { ...REQUIRED, proxyProtocolFrom: ['10.0.0.0/8', 'unix'] };
    await withServer(driver, options, routes, async ({ open, log, server }) => {
      for (let count = 0; count < 3; count++) {
        const client = await open();
        await client.send(TEXT + REQUEST);
        assert.equal(await client.ending(), 'end');
        assert.equal(client.receivedBytes, 0);
        client.half();
      }
      assert.equal(server.counters.faults, 3);
      const warnings = log.filter(
        (line) => line.includes('proxy_protocol_from') && !/debug/.test(line),
      );
      assert.equal(warnings.length, 1, log.join('\n'));
      assert.match(warnings[0], /connections of 127\.0\.0\.1 are closed/);
    });
  });

  add('on a unix socket, from unix', async (driver, context) => {
    if (process.platform === 'win32') {
      context.skip('there are no unix sockets here');
      return;
    }
    const folder = mkdtempSync(join(tmpdir(), 'vibing-proxy-'));
    const options = { ...REQUIRED, socket: join(folder, 'socket') };
    try {
      await withServer(driver, options, routes, async ({ open }) => {
        assert.equal((await (await open()).ask(TEXT + REQUEST)).text, '192.0.2.7 4711');
      });
      const others = { ...options, proxyProtocolFrom: ['0.0.0.0/0', '::/0'] };
      await withServer(driver, others, routes, async ({ open }) => {
        const client = await open();
        await client.send(TEXT + REQUEST);
        await client.endsCleanly();
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  add('off: a header is a malformed request', async (driver) => {
    await withServer(driver, {}, routes, async ({ open }) => {
      assert.equal((await (await open()).ask(TEXT + REQUEST)).status, 400);
    });
  });
});

const TIMES = { connectionTimeoutMs: 1_000, headTimeoutMs: 300, keepAliveTimeoutMs: 500 } as const;

async function inVirtualTime(body: (life: VirtualServer) => Promise<void>): Promise<void> {
  const options = { ...REQUIRED, ...TIMES, connectionsMax: 8, blockCount: 32 };
  const life = new VirtualServer({ ...options, proxyProtocolFrom: ['192.0.2.0/24'] }, routes);
  await life.server.listen();
  try {
    await body(life);
  } finally {
    await life.end();
  }
}

test('a peer whose address is not known any more is no peer of a unix socket', async () => {
  const options = { ...REQUIRED, connectionsMax: 8, blockCount: 32 };
  for (const [address, isServed] of [
    ['', false],
    ['10.0.0.1', true],
  ] as const) {
    const life = new VirtualServer(
      { ...options, proxyProtocolFrom: ['10.0.0.0/8', 'unix'] },
      routes,
    );
    await life.server.listen();
    life.driver.peerAddress = address;
    const client = life.open();
    client.send(TEXT + REQUEST);
    await life.rest();
    assert.equal(client.take().endsWith('192.0.2.7 4711'), isServed, address);
    await life.end();
  }
});

describe('proxy_protocol and time', () => {
  test('every byte alone, and no more time for a slow header', async () => {
    await inVirtualTime(async (life) => {
      for (const header of [TEXT, BINARY]) {
        const client = life.open();
        for (const byte of header + REQUEST) client.send(byte);
        await life.rest();
        assert.match(client.take(), /192\.0\.2\.[78] 471[12]$/);
        client.finish();
      }
      const slow = life.open();
      // A byte every 20 ms: the time counts from the first one.
      for (const byte of TEXT.slice(0, 14)) {
        slow.send(byte);
        life.pass(20);
      }
      assert.equal(slow.isEnded, false);
      life.pass(60);
      assert.equal(slow.isEnded, true);
      assert.equal(slow.take(), '', 'it closes without a response');
      assert.equal(life.server.counters.timeouts, 1);
    });
  });

  test('a connection that sends nothing, and one that sends a header only', async () => {
    await inVirtualTime(async (life) => {
      const silent = life.open();
      life.pass(990);
      assert.equal(silent.isEnded, false);
      // Timeouts that are extended may pass a little later.
      life.pass(200);
      assert.equal(silent.isEnded, true);
      const opened = life.open();
      opened.send(TEXT.slice(0, 5));
      opened.send(TEXT.slice(5));
      // Longer than a head may take: it is idle, as between two requests.
      life.pass(490);
      assert.equal(opened.isEnded, false);
      assert.match(await opened.ask(REQUEST), /192\.0\.2\.7 4711$/);
      const idle = life.open();
      idle.send(TEXT);
      life.pass(700);
      assert.equal(idle.isEnded, true);
      assert.equal(idle.take(), '');
    });
  });

  test('after the header a slow head has its own time, and gets 408', async () => {
    await inVirtualTime(async (life) => {
      const client = life.open();
      client.send(TEXT.slice(0, 10));
      life.pass(200);
      client.send(`${TEXT.slice(10)}GET /`);
      life.pass(290);
      assert.equal(life.server.counters.timeouts, 0);
      life.pass(20);
      assert.equal(life.server.counters.timeouts, 1);
      assert.match(client.take(), /^HTTP\/1\.1 408 /);
    });
  });
});

test('trustProxy() and the access log see the client of the header', async () => {
  const lines: string[] = [];
  const site = (server: Server) => {
    server.use(trustProxy(['192.0.2.7']));
    server.use(accessLog({ format: 'common', write: (line) => lines.push(line) }));
    routes(server);
  };
  await withServer('net', REQUIRED, site, async ({ open }) => {
    const forwarded = get('/', 'X-Forwarded-For: 198.51.100.1');
    await (await open()).ask(TEXT + forwarded);
    await (await open()).ask(Buffer.from(BINARY + forwarded, 'latin1'));
  });
  assert.deepEqual(
    lines.map((line) => line.split(' ', 1)[0]),
    ['198.51.100.1', '192.0.2.8'],
  );
});
