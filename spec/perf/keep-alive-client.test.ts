// The client of perf:reload: it keeps connections, notices that one closes, and reports why a
// request failed.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { type Failure, KeepAliveClient, reasonsText } from '../../perf/load/keep-alive-client.ts';
import { ResponseReader } from '../../perf/load/response-reader.ts';

const GOOD = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';
const CLOSING = GOOD.replace('\r\n', '\r\nConnection: close\r\n');
const PATIENCE_MS = 20_000;

describe('ResponseReader', () => {
  it('detects the end of a response, however it is split', () => {
    for (let cut = 1; cut < CLOSING.length; cut++) {
      const reader = new ResponseReader();
      assert.equal(reader.feed(Buffer.from(CLOSING.slice(0, cut))), null);
      assert.equal(reader.isBegun, true);
      assert.deepEqual(reader.feed(Buffer.from(CLOSING.slice(cut))), { status: 200, closes: true });
      assert.equal(reader.isBegun, false);
      assert.deepEqual(reader.feed(Buffer.from(GOOD)), { status: 200, closes: false });
    }
  });

  it('rejects what is no response', () => {
    const wrong = [`${GOOD}x`, 'HTTP/1.1 200 OK\r\n\r\n', 'x'.repeat(20_000), 'no\r\n\r\n'];
    for (const text of wrong) {
      assert.ok(new ResponseReader().feed(Buffer.from(text)) instanceof Error, text.slice(0, 40));
    }
  });
});

describe('KeepAliveClient', { timeout: 2 * PATIENCE_MS }, () => {
  it('keeps its connections, and opens new ones when the server closes them', async () => {
    const { client, connections } = await load((socket, nth) => {
      socket.write(nth === 10 ? CLOSING : GOOD);
      if (nth === 10) socket.end();
    });
    assert.deepEqual(client.takeFailures(), []);
    assert.equal(client.retried, 0);
    assert.ok(client.renewed > 0);
    assert.ok(connections <= client.renewed + 2, `${connections} connections`);
  });

  it('retries a request without a response on a kept connection, and counts that', async () => {
    const { client } = await load((socket, nth) => {
      if (nth > 3) socket.destroy();
      else socket.write(GOOD);
    });
    assert.ok(client.retried > 0);
    assert.deepEqual(client.takeFailures(), []);
  });

  it('counts it as failed without retries', async () => {
    const { client } = await load((socket, nth) => {
      if (nth > 3) socket.resetAndDestroy();
      else socket.write(GOOD);
    }, false);
    const failures = client.takeFailures();
    assert.ok(failures.length > 0);
    for (const { reason, port } of failures) {
      assert.match(reason, /^(closed|reset) before the response$/);
      assert.ok(port > 0);
    }
  });

  it('distinguishes a truncated response from a wrong one', async () => {
    const half = await load((socket) => void socket.end(GOOD.slice(0, -1)));
    const wrong = await load((socket) => void socket.write(GOOD.replace('200', '503')));
    const reasons = (failures: readonly Failure[]) => new Set(failures.map(({ reason }) => reason));
    assert.deepEqual(reasons(half.client.takeFailures()), new Set(['truncated response']));
    const failures = wrong.client.takeFailures();
    assert.deepEqual(reasons(failures), new Set(['wrong response']));
    assert.match(reasonsText(failures), /^\d+ wrong response \(status 503\)$/);
  });

  it('reports a refused connection', async () => {
    const server = createServer();
    const port = await listen(server);
    server.close();
    await once(server, 'close');
    const client = new KeepAliveClient({ port, paths: ['/'], connections: 1, retries: true });
    client.start();
    const failures = await failed(client);
    await client.stop();
    assert.equal(failures[0]?.reason, 'refused');
  });
});

interface Loaded {
  readonly client: KeepAliveClient;
  readonly connections: number;
}

/** Runs two clients for a while; `respond` responds to the nth request of a connection. */
async function load(
  respond: (socket: Socket, nth: number) => void,
  retries = true,
): Promise<Loaded> {
  let connections = 0;
  let asked = 0;
  const server = createServer((socket) => {
    let nth = 0;
    connections += 1;
    socket.on('error', () => {});
    socket.on('data', () => {
      asked += 1;
      nth += 1;
      respond(socket, nth);
    });
  });
  const port = await listen(server);
  const client = new KeepAliveClient({ port, paths: ['/', '/a'], connections: 2, retries });
  client.start();
  await until(() => asked > 24);
  await client.stop();
  server.close();
  return { client, connections };
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
}

async function failed(client: KeepAliveClient): Promise<readonly Failure[]> {
  let failures: readonly Failure[] = [];
  await until(() => {
    failures = client.takeFailures();
    return failures.length > 0;
  });
  return failures;
}

async function until(done: () => boolean): Promise<void> {
  const untilMs = performance.now() + PATIENCE_MS;
  while (!done()) {
    assert.ok(performance.now() < untilMs, 'it came about');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
