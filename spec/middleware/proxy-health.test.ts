// Active health checks of proxy(): an upstream that fails them is avoided until it passes again.

import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { type ProxyOptions, proxy } from '../../src/middleware/proxy.ts';
import type { ProxyHealth } from '../../src/middleware/proxy-health.ts';
import type { Server } from '../../src/server/server.ts';
import { get } from '../../testing/raw-client.ts';
import { unlistenedServer } from '../../testing/unlistened-server.ts';
import { eventually, oneDriver, withServer } from '../../testing/with-server.ts';
import { withRawUpstream, withUpstream } from './fixtures/upstream-server.ts';

const HEALTH = { path: '/healthz?deep', intervalMs: 5, timeoutMs: 5_000 };

/** An upstream with a name, whose health is set by the test. */
class Backend {
  status = 200;
  checks = 0;
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  readonly listener: RequestListener = ({ headers, method, url }, response) => {
    if (url !== HEALTH.path) {
      response.end(this.name);
      return;
    }
    this.checks += 1;
    assert.equal(method, 'GET');
    assert.match(headers.host ?? '', /^127\.0\.0\.1:\d+$/);
    response.writeHead(this.status).end('x'.repeat(100_000));
  };

  /** Resolves after so many more checks. */
  async checked(count: number): Promise<void> {
    const wanted = this.checks + count;
    await eventually('more checks', () => this.checks >= wanted);
  }
}

test('an upstream that fails its checks gets no request until it passes them', async () => {
  const [one, two] = [new Backend('one'), new Backend('two')];
  await withUpstream(one.listener, async ({ url: first }) => {
    await withUpstream(two.listener, async ({ url: second }) => {
      const options: ProxyOptions = { upstreams: [first, second], health: HEALTH };
      const routes = (server: Server) => void server.use(proxy(options));
      await withServer(oneDriver()[0], {}, routes, async ({ open }) => {
        const names = async (): Promise<string> => {
          const seen = new Set<string>();
          for (let request = 0; request < 4; request++) {
            const client = await open();
            void client.send(get('/'));
            seen.add((await client.nextResponse()).text);
          }
          return [...seen].sort().join();
        };
        await one.checked(3);
        assert.equal(await names(), 'one,two');
        one.status = 503;
        await one.checked(6);
        assert.equal(await names(), 'two');
        // With none healthy, all are tried.
        two.status = 500;
        await two.checked(6);
        assert.equal(await names(), 'one,two');
        [one.status, two.status] = [204, 200];
        await one.checked(6);
        await two.checked(6);
        assert.equal(await names(), 'one,two');
      });
    });
  });
  const { checks } = one;
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(one.checks, checks, 'no check comes after the server has closed');
});

test('no response in time, a reset and no connection are failed checks', async () => {
  let checks = 0;
  const respond = (socket: Socket): void => {
    checks += 1;
    if (checks > 3) socket.destroy();
  };
  await withRawUpstream(respond, async ({ url }) => {
    const health: ProxyHealth = { ...HEALTH, timeoutMs: 20 };
    const upstreams = [url, 'http://127.0.0.1:1'];
    const routes = (server: Server) => void server.use(proxy({ upstreams, health }));
    await withServer(oneDriver()[0], {}, routes, async ({ log }) => {
      for (const upstream of upstreams) {
        const line = `proxy: ${upstream} is avoided: its health check fails: `;
        await eventually(line, () => log.some((one) => one.includes(line)));
      }
      await eventually('a check that is reset', () => checks > 4);
    });
  });
});

test('a check has a connection of its own, which may be closed behind it', async () => {
  let checks = 0;
  const respond = (socket: Socket): void => {
    checks += 1;
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    // A kept connection is reset by the next request.
    socket.removeAllListeners('data').once('data', () => socket.resetAndDestroy());
  };
  await withRawUpstream(respond, async (upstream) => {
    const routes = (server: Server) =>
      void server.use(proxy({ upstreams: [upstream.url], health: { ...HEALTH, unhealthy: 1 } }));
    await withServer(oneDriver()[0], {}, routes, async ({ log }) => {
      await eventually('more checks', () => checks >= 5);
      assert.deepEqual(log, []);
      assert.ok(upstream.connections >= checks);
    });
    assert.match(upstream.received, /\r\nConnection: close\r\n/);
  });
});

test('a check in flight ends when the server closes', async () => {
  let isClosed = false;
  const stay = (socket: Socket): void => void socket.once('close', () => (isClosed = true));
  await withRawUpstream(stay, async (upstream) => {
    const health: ProxyHealth = { ...HEALTH, timeoutMs: 24 * 60 * 60 * 1000 };
    const routes = (server: Server) =>
      void server.use(proxy({ upstreams: [upstream.url], health }));
    await withServer(oneDriver()[0], {}, routes, async ({ log }) => {
      await eventually('a check', () => upstream.received !== '');
      assert.equal(isClosed, false);
      assert.deepEqual(log, []);
    });
    await eventually('the end of the check', () => isClosed);
  });
});

test('a check that is over leaves no timer', async (context) => {
  const timers = new Set<object>();
  const { clearTimeout: clear, setTimeout: set } = globalThis;
  const timeoutMs = 7_654_321;
  context.mock.method(globalThis, 'setTimeout', (run: () => void, ms: number) => {
    const timer = set(run, ms);
    if (ms === timeoutMs) timers.add(timer);
    return timer;
  });
  context.mock.method(globalThis, 'clearTimeout', (timer: NodeJS.Timeout) => {
    timers.delete(timer);
    clear(timer);
  });
  const backend = new Backend('one');
  await withUpstream(backend.listener, async ({ url }) => {
    const health: ProxyHealth = { ...HEALTH, timeoutMs };
    const routes = (server: Server) => void server.use(proxy({ upstreams: [url], health }));
    await withServer(oneDriver()[0], {}, routes, async () => {
      await backend.checked(10);
      assert.ok(timers.size <= 4, `${timers.size} timers`);
    });
    await eventually('no timer', () => timers.size === 0);
  });
});

test('the handler of routes checks too, once for all; an injected request does not', async () => {
  const one = new Backend('one');
  await withUpstream(one.listener, async ({ url }) => {
    const run = proxy({ upstreams: [url], health: { ...HEALTH, intervalMs: 60_000 } });
    const routes = (server: Server) => void server.get('/a', run).post('/b', run);
    const { server } = unlistenedServer();
    routes(server);
    assert.equal(await (await server.inject('/a')).text(), 'one');
    assert.equal(await (await server.inject('/a')).text(), 'one');
    await server.close();
    assert.equal(one.checks, 0);
    await withServer(oneDriver()[0], {}, routes, async ({ open }) => {
      await one.checked(1);
      const client = await open();
      for (let request = 0; request < 3; request++) {
        assert.equal((await client.ask(get('/a'))).text, 'one');
      }
      assert.equal(one.checks, 1);
    });
  });
});

test('bad options are rejected when the proxy is made', () => {
  const upstreams = ['http://127.0.0.1:1'];
  for (const [health, message] of [
    [{}, /^proxy: health: path is missing/],
    [{ path: 'healthz' }, /^proxy: health: path is a target such as/],
    [{ path: '/a b' }, /^proxy: health: path is a target such as/],
    [{ path: '/', interval: 5 }, /did you mean intervalMs\?/],
    [{ path: '/', intervalMs: 0 }, /^proxy: health: intervalMs is a whole number/],
    [{ path: '/', healthy: 0 }, /^proxy: health: healthy is a whole number/],
    ['/healthz', /^proxy: health is an object such as/],
  ] as const) {
    const make = () => proxy({ upstreams, health: health as unknown as ProxyHealth });
    assert.throws(
      make,
      (error: Error) => error instanceof TypeError && message.test(error.message),
    );
  }
});
