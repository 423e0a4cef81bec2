// Whose requests find the metrics, by their address and their fields, as they come from the socket.

import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Exchange } from '../../src/exchange/exchange.ts';
import { exchangeOf } from '../../src/exchange/request.ts';
import { isLocal, isNotRebound } from '../../src/server/metrics-guard.ts';
import { VirtualServer } from '../../testing/virtual-server.ts';

const LOCAL = '127.0.0.1';
const OTHER = '192.0.2.7';

type Ask = (lines: readonly string[], address?: string, unix?: boolean) => Promise<string>;

/** Asks both guards; the result names those that allow a request. */
async function guards(context: TestContext): Promise<Ask> {
  let isUnix = false;
  const life = new VirtualServer({}, (server) => {
    server.get('/', (request, response) => {
      const exchange = exchangeOf(request);
      const { services } = exchange;
      const seen: Exchange = isUnix
        ? Object.create(exchange, { services: { value: { ...services, unixSocket: true } } })
        : exchange;
      response.text(`${isLocal(seen) ? 'local ' : ''}${isNotRebound(seen) ? 'named' : ''}`);
    });
  });
  context.after(() => life.end());
  await life.server.listen();
  return async (lines, address = LOCAL, unix = false) => {
    isUnix = unix;
    life.driver.peerAddress = address;
    const output = await life.open().ask(`${['GET / HTTP/1.1', ...lines].join('\r\n')}\r\n\r\n`);
    assert.match(output, /^HTTP\/1\.1 200 OK\r\n/);
    return output.slice(output.indexOf('\r\n\r\n') + 4);
  };
}

describe('a request for metrics', () => {
  it('names this machine, in any case, with a port or without', async (context) => {
    const ask = await guards(context);
    for (const host of [
      ...[
        'localhost',
        'LocalHost',
        'localhost:',
        'localhost:8080',
        'app.localhost',
        'a.b.LOCALHOST',
      ],
      ...['app.localhost:1', '127.0.0.1', '127.255.0.9:65535', '[::1]', '[::1]:8080', '[::1]:'],
    ]) {
      assert.equal(await ask([`Host: ${host}`]), 'local named', host);
    }
    for (const host of [
      ...['xlocalhost', 'localhost.', 'localhost.example', '.localhost'],
      ...[
        '127.1',
        '127.0.1',
        '127.0.0.1.example',
        '127.0.0.1.1',
        '128.0.0.1',
        '[::2]',
        '0.0.0.0',
        'rebound',
      ],
    ]) {
      assert.equal(await ask([`Host: ${host}`]), '', host);
      assert.equal(await ask([`Host: ${host}`], OTHER), 'named', `${host}, from elsewhere`);
    }
    // A client of HTTP/1.0 names no host; a browser always does.
    assert.equal(await ask(['Host: localhost'], OTHER), 'named');
  });

  it('is judged by its socket, whatever address a proxy has reported before', async (context) => {
    const seen: boolean[] = [];
    const life = new VirtualServer({}, (server) => {
      server.get('/', (request, response) => {
        const exchange = exchangeOf(request);
        exchange.peer = { address: life.driver.peerAddress === LOCAL ? OTHER : LOCAL, port: 1 };
        seen.push(isLocal(exchange), isNotRebound(exchange));
        response.empty();
      });
    });
    context.after(() => life.end());
    await life.server.listen();
    for (const address of [LOCAL, OTHER]) {
      life.driver.peerAddress = address;
      await life.open().ask('GET / HTTP/1.1\r\nHost: rebound\r\n\r\n');
      await life.open().ask('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    }
    assert.deepEqual(seen, [false, false, true, true, false, true, false, true]);
  });

  it('may name no host with HTTP/1.0', async (context) => {
    const life = new VirtualServer({ metrics: true }, () => {});
    context.after(() => life.end());
    await life.server.listen();
    life.driver.peerAddress = LOCAL;
    assert.match(await life.open().ask('GET /metrics HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 200 /);
  });

  it('has no field of a proxy, wherever it stands', async (context) => {
    const ask = await guards(context);
    const host = 'Host: localhost';
    for (const name of [
      ...['Forwarded', 'Via', 'X-Forwarded', 'X-Forwarded-For', 'X-Forwarded-Proto', 'X-Real-IP'],
      ...['X-Forwarded-Host', 'x-forwarded-anything', 'X-Client-IP', 'CF-Connecting-IP'],
      ...['True-Client-IP', 'VIA', 'x-real-ip', 'fORWARDED'],
    ]) {
      const field = `${name}: 127.0.0.1`;
      assert.equal(await ask([field, host]), 'named', `${name} first`);
      assert.equal(await ask([host, 'A: b', field]), 'named', `${name} last`);
    }
    for (const name of ['X-Forwarded_', 'XForwarded', 'Via-X', 'My-Via', 'X-Real-IP-2']) {
      assert.equal(await ask([host, `${name}: 1`]), 'local named', name);
    }
  });

  it('comes from this machine, or through a unix socket', async (context) => {
    const ask = await guards(context);
    const host = 'Host: localhost';
    for (const address of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1']) {
      assert.equal(await ask([host], address), 'local named', address);
    }
    for (const address of [OTHER, '128.0.0.1', '126.255.255.255', '::2', '::ffff:128.0.0.1']) {
      assert.equal(await ask([host], address), 'named', address);
    }
    assert.equal(await ask([host], '', true), 'local named');
    assert.equal(await ask(['Host: rebound.example'], '', true), '');
    assert.equal(await ask([host], '', false), 'named', 'an address that is not known');
  });
});
