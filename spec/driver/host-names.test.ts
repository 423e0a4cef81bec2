// Host names: what a server listens on, and which of several addresses a load connects to.

import assert from 'node:assert/strict';
import dns from 'node:dns/promises';
import { EventEmitter, once } from 'node:events';
import { syncBuiltinESMExports } from 'node:module';
import net, { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, it, mock } from 'node:test';
import { findHost, firstOf } from '../../src/driver/find-host.ts';
import { resolveHost } from '../../src/driver/resolve.ts';

const LOOPBACK = '127.0.0.1';
/** Nothing listens there; elsewhere than on Linux it is no address of this machine. */
const OTHER = '127.0.0.2';

afterEach(() => mock.restoreAll());

/** The resolver knows `addresses` for every name; returns what it was asked. */
function resolvesTo(addresses: readonly string[]): unknown[][] {
  const asked: unknown[][] = [];
  mock.method(dns, 'lookup', async (...given: unknown[]) => {
    asked.push(given);
    const found = addresses.map((address) => ({ address, family: net.isIP(address) }));
    return given.length === 1 ? found[0] : found;
  });
  return asked;
}

function fails(error: Error): void {
  mock.method(dns, 'lookup', () => Promise.reject(error));
}

async function listening(): Promise<{ server: Server; port: number; clients: Socket[] }> {
  const clients: Socket[] = [];
  const server = createServer((client) => clients.push(client)).listen(0, LOOPBACK);
  await once(server, 'listening');
  return { server, port: (server.address() as net.AddressInfo).port, clients };
}

describe('a name to listen on', () => {
  it('is the first address of the resolver; an address is itself', async () => {
    const asked = resolvesTo(['192.0.2.7', '192.0.2.8']);
    for (const address of [LOOPBACK, '::1']) assert.equal(await resolveHost(address), address);
    assert.deepEqual(asked, []);
    assert.equal(await resolveHost('a.test'), '192.0.2.7');
    assert.deepEqual(asked, [['a.test']]);
    fails(new Error('ENOTFOUND'));
    await assert.rejects(resolveHost('a.test'), /ENOTFOUND/);
  });
});

describe('a name to connect to', () => {
  it('is the first address that accepts, and the probe of it ends', async () => {
    const asked = resolvesTo([OTHER, LOOPBACK, '192.0.2.1']);
    const { clients, port, server } = await listening();
    assert.equal(await findHost('a.test', port), LOOPBACK);
    assert.deepEqual(asked, [['a.test', { all: true }]]);
    if (clients.length === 0) await once(server, 'connection');
    const [client] = clients;
    client.resume();
    if (!client.destroyed) await once(client, 'close');
    server.close();
    // Nothing accepts there any more.
    assert.equal(await firstOf([OTHER, LOOPBACK], port), OTHER);
  });

  it('is its only address, which is not tried, and an address is itself', async () => {
    const { clients, port, server } = await listening();
    resolvesTo([LOOPBACK, LOOPBACK]);
    assert.equal(await findHost('a.test', port), LOOPBACK);
    mock.restoreAll();
    const asked = resolvesTo([]);
    assert.equal(await findHost(LOOPBACK, port), LOOPBACK);
    assert.equal(await findHost('::1', port), '::1');
    assert.deepEqual(asked, []);
    await new Promise((resolve) => server.close(resolve));
    assert.equal(clients.length, 0);
  });

  it('that cannot be found is an error, which says what to do', async () => {
    for (const [code, words] of [
      ['ENOTFOUND', 'no such host name; check the spelling, or use an IP address (ENOTFOUND)'],
      ['EAI_AGAIN', 'no name server responds; try again, or use an IP address (EAI_AGAIN)'],
      ['EOTHER', 'in the words of the resolver'],
      [undefined, 'in the words of the resolver'],
    ] as const) {
      fails(Object.assign(new Error('in the words of the resolver'), { code }));
      await assert.rejects(findHost('a.test', 1), { message: `cannot find a.test: ${words}` });
    }
  });

  it('that does not respond is given up after a while, and nothing is left', async () => {
    const sockets: ScriptedSocket[] = [];
    mock.method(net, 'connect', (target: unknown) => {
      const socket = new ScriptedSocket(target);
      sockets.push(socket);
      return socket;
    });
    syncBuiltinESMExports();
    try {
      const found = firstOf(['192.0.2.1', '192.0.2.2', '192.0.2.3'], 80);
      await new Promise(setImmediate);
      sockets[0].late();
      await new Promise(setImmediate);
      sockets[1].emit('error', new Error('ECONNREFUSED'));
      await new Promise(setImmediate);
      sockets[2].emit('connect');
      assert.equal(await found, '192.0.2.3');
      const targets = sockets.map(({ target }) => target);
      const hosts = ['192.0.2.1', '192.0.2.2', '192.0.2.3'];
      assert.deepEqual(
        targets,
        hosts.map((host) => ({ host, port: 80 })),
      );
      for (const { destroys, timeoutMs } of sockets) {
        assert.deepEqual([destroys, timeoutMs], [1, 3_000]);
      }
    } finally {
      mock.restoreAll();
      syncBuiltinESMExports();
    }
  });
});

class ScriptedSocket extends EventEmitter {
  readonly target: unknown;
  timeoutMs = 0;
  destroys = 0;
  late: () => void = assert.fail;

  constructor(target: unknown) {
    super();
    this.target = target;
  }

  setTimeout(timeoutMs: number, late: () => void): void {
    this.timeoutMs = timeoutMs;
    this.late = late;
  }

  destroy(): void {
    this.destroys += 1;
  }
}
