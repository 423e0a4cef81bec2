// proxy() with several upstreams, or with one that fails: whose turn it is, how long one that
// failed is avoided, and what the log says of it. Time is virtual, upstreams are real.

import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import type { Socket } from 'node:net';
import { describe, test } from 'node:test';
import { ERRNO } from '../../src/base/errno.ts';
import type { Request } from '../../src/exchange/request.ts';
import { type ProxyOptions, proxy } from '../../src/middleware/proxy.ts';
import type { Server } from '../../src/server/server.ts';
import { get, post, request } from '../../testing/raw-client.ts';
import type { VirtualServer } from '../../testing/virtual-server.ts';
import { withSite } from '../../testing/virtual-site.ts';
import { eventually } from '../../testing/with-server.ts';
import { echo, withRawUpstream, withUpstream } from './fixtures/upstream-server.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const FAILED_MS = 1_000;

function routes(upstreams: readonly string[], options: Partial<ProxyOptions> = {}) {
  return (server: Server): void => {
    server.use(proxy({ upstreams, failedMs: FAILED_MS, ...options }));
  };
}

async function deadUrl(): Promise<string> {
  let dead = '';
  await withUpstream(echo, async ({ url }) => {
    dead = url;
  });
  return dead;
}

/** The lines of the log about upstreams that failed. */
function failures({ asyncIo }: VirtualServer): readonly string[] {
  return asyncIo.log.filter((line) => line.includes('proxy: '));
}

describe('turns', () => {
  test('of those that serve are equal, while one is avoided', async () => {
    const counts = [0, 0];
    const count = (index: number) => (socket: Socket) => {
      counts[index] += 1;
      socket.write(OK);
    };
    await withRawUpstream(count(0), async (one) => {
      await withRawUpstream(count(1), async (other) => {
        const urls = [await deadUrl(), one.url, other.url];
        await withSite(routes(urls), async ({ ask, virtual }) => {
          for (let turn = 0; turn < 9; turn++) assert.equal((await ask(get('/'))).status, 200);
          assert.equal(failures(virtual).length, 1);
          assert.deepEqual(counts.toSorted(), [4, 5]);
        });
      });
    });
  });

  test('one that failed is avoided for failedMs, and not longer', async () => {
    const dead = await deadUrl();
    await withUpstream(echo, async ({ url }) => {
      await withSite(routes([dead, url]), async ({ ask, virtual }) => {
        const askTwice = async (): Promise<void> => {
          for (let turn = 0; turn < 2; turn++) assert.equal((await ask(get('/'))).status, 200);
        };
        await askTwice();
        assert.equal(failures(virtual).length, 1);
        virtual.driver.nowMs += FAILED_MS - 1;
        await askTwice();
        assert.equal(failures(virtual).length, 1, 'it was not asked');
        virtual.driver.nowMs += 1;
        await askTwice();
        assert.equal(failures(virtual).length, 2, 'it was asked again');
        virtual.driver.nowMs += FAILED_MS - 1;
        await askTwice();
        assert.equal(failures(virtual).length, 2, 'it is avoided anew');
      });
    });
  });

  test('one that serves again is avoided no more: its next failure is logged', async () => {
    let isBroken = true;
    const respond = (socket: Socket): void => {
      if (isBroken) socket.destroy();
      else socket.end(OK.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
    };
    await withRawUpstream(respond, async ({ url }) => {
      await withSite(routes([url]), async ({ ask, virtual }) => {
        const statuses: number[] = [];
        for (const broken of [true, true, false, true]) {
          isBroken = broken;
          statuses.push((await ask(post('/', ''))).status);
        }
        assert.deepEqual(statuses, [502, 502, 200, 502]);
        assert.equal(failures(virtual).length, 2, failures(virtual).join('\n'));
      });
    });
  });
});

test('a connection that was kept and has been closed is no failure of the upstream', async () => {
  let sockets = 0;
  const seen = new WeakSet<Socket>();
  const respond = (socket: Socket): void => {
    if (!seen.has(socket)) sockets += 1;
    // It closes a connection instead of a second response.
    if (seen.has(socket)) socket.destroy();
    else socket.write(OK);
    seen.add(socket);
  };
  await withRawUpstream(respond, async ({ url }) => {
    await withSite(routes([url]), async ({ ask, virtual }) => {
      for (let turn = 0; turn < 4; turn++) assert.equal((await ask(get('/'))).status, 200);
      assert.ok(sockets >= 2, `${sockets} connections`);
      assert.deepEqual(failures(virtual), []);
    });
  });
});

test('the connection of a body that the upstream has not read is free again', async () => {
  const respond = (socket: Socket): void => void socket.write(OK);
  await withRawUpstream(respond, async ({ url }) => {
    await withSite(routes([url], { connectionsMax: 1 }), async ({ ask, virtual }) => {
      const client = virtual.open();
      client.send(`${request('POST', '/', ['Transfer-Encoding: chunked'])}1\r\nx\r\n`);
      await eventually('a response', () => {
        virtual.turn();
        return client.take().endsWith('ok');
      });
      assert.equal((await ask(get('/'))).status, 200);
    });
  });
});

test('a 204 has no length, whatever the upstream says', async () => {
  const respond = (socket: Socket): void => {
    socket.end('HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n');
  };
  await withRawUpstream(respond, async ({ url }) => {
    await withSite(routes([url]), async ({ ask }) => {
      const response = await ask(get('/'));
      assert.equal(response.status, 204);
      assert.equal(response.field('content-length'), undefined);
    });
  });
});

test('content that breaks off is logged as an error, and is no 502', async () => {
  const respond = (socket: Socket): void => {
    socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
  };
  await withRawUpstream(respond, async ({ url }) => {
    await withSite(routes([url]), async ({ errors, virtual }) => {
      const client = virtual.open();
      client.send(get('/'));
      await eventually('the response ends', () => {
        virtual.turn();
        client.take();
        return client.isEnded;
      });
      assert.match(client.take(), /^HTTP\/1\.1 200 [\s\S]*hello$/);
      await virtual.rest();
      assert.equal(virtual.server.counters.handlerErrors, 1);
      assert.match(errors().join('\n'), /GET \/.*aborted/);
    });
  });
});

test('a client that leaves is no failure of the upstream, and nothing waits for it', async () => {
  const requests: Request[] = [];
  const site = (url: string) => (server: Server) => {
    server.use((request, _response, next) => {
      requests.push(request);
      return next();
    });
    routes([url])(server);
  };
  let isSilent = true;
  let received = 0;
  const respond = (socket: Socket): void => {
    received += 1;
    if (!isSilent) socket.write(OK);
  };
  await withRawUpstream(respond, async ({ url }) => {
    await withSite(site(url), async ({ ask, errors, virtual }) => {
      const client = virtual.open();
      client.send(get('/'));
      await eventually('the request arrives', () => {
        virtual.turn();
        return received === 1;
      });
      virtual.driver.finish(client.slot, -ERRNO.ECONNRESET);
      await virtual.rest();
      isSilent = false;
      assert.equal((await ask(get('/'))).status, 200);
      assert.deepEqual([...failures(virtual), ...errors()], []);
      const signal = requests.at(-1)?.signal ?? assert.fail('a request was made');
      assert.equal(getEventListeners(signal, 'abort').length, 0);
    });
  });
});
