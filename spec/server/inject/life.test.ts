// server.inject() and the life of a server: several requests at once, limits and timeouts, before
// listen(), beside a listener, while the server closes; and a process that exits by itself.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { accessLog } from '../../../src/middleware/access-log.ts';
import type { Server } from '../../../src/server/server.ts';
import { run } from '../../../testing/program.ts';
import { unlistenedServer } from '../../../testing/unlistened-server.ts';
import { eventually, onEachDriver, withServer } from '../../../testing/with-server.ts';

const TIMEOUT_MS = 20_000;

describe('injected requests', { timeout: TIMEOUT_MS }, () => {
  it('run at the same time', async () => {
    const { server } = unlistenedServer();
    let running = 0;
    let most = 0;
    server.get('/:id', async (req, res) => {
      running += 1;
      most = Math.max(most, running);
      await sleep(5);
      running -= 1;
      res.text(req.params['id'] ?? '');
    });
    const ids = Array.from({ length: 100 }, (_, index) => String(index));
    const texts = await Promise.all(ids.map(async (id) => (await server.inject(`/${id}`)).text()));
    assert.deepEqual(texts, ids);
    assert.ok(most > 50, `${most} at once`);
    await eventually('every connection is closed', () => server.counters.closed === 100);
  });

  it('pass through middleware, error handlers and the access log', async () => {
    const { server, out, log } = unlistenedServer();
    server.use(accessLog({ format: 'common' }));
    server.use(async (_req, res, next) => {
      await next();
      res.beforeSend((outgoing) => outgoing.setHeader('X-Late', '1'));
    });
    server.onError((error, _req, res) => res.status(418).text(String(error)));
    server.get('/fails', () => {
      throw new Error('oops');
    });
    const response = await server.inject('/fails');
    assert.equal(response.status, 418);
    assert.equal(await response.text(), 'Error: oops');
    assert.match(log.join('\n'), /GET \/fails: Error: oops/);
    await eventually('the access log has its line', () => out.length > 0);
    assert.match(out.join('\n'), /^127\.0\.0\.1 - - \[.*\] "GET \/fails HTTP\/1\.1" 418 11$/);
  });

  it('have the limits of the server', async () => {
    const limits = { handlerTimeoutMs: 30, bodyBytesMax: 4, connectionsMax: 1, overloadWaitMs: 20 };
    const { server } = unlistenedServer(limits);
    server.post('/', async (req, res) => res.send(await req.bytes()));
    server.get('/never', () => new Promise(() => {}));
    assert.equal((await server.inject({ method: 'POST', body: '12345' })).status, 413);
    await eventually('its connection is closed', () => server.counters.closed === 1);
    const [first, second] = await Promise.all([server.inject('/never'), server.inject('/never')]);
    assert.deepEqual([first.status, second.status], [503, 503]);
    assert.equal(server.counters.turnedAway, 1, 'one waited for a connection in vain');
  });

  it('have the timeouts of the server', async () => {
    const { server } = unlistenedServer({ bodyTimeoutMs: 30 });
    server.post('/', async (req, res) => res.send(await req.bytes()));
    async function* never(): AsyncGenerator<string> {
      yield 'a';
      await new Promise(() => {});
    }
    assert.equal((await server.inject({ method: 'POST', body: never() })).status, 408);
  });

  it('need no listener, and go on after one', async () => {
    const { server } = unlistenedServer();
    server.get('/', (_req, res) => res.text('here'));
    assert.equal(await (await server.inject('/')).text(), 'here');
    const { port } = await server.listen();
    assert.equal(await (await server.inject('/')).text(), 'here');
    assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'here');
    await server.close();
    assert.equal(await (await server.inject('/')).text(), 'here');
    await server.close();
    assert.equal(server.counters.requests, 4);
  });

  it('in flight are finished by close()', async () => {
    const { server } = unlistenedServer();
    server.get('/', async (_req, res) => {
      await sleep(30);
      res.text('done');
    });
    server.get('/events', async (_req, res) => {
      const events = res.events();
      await events.send('first');
      await new Promise((resolve) => server.closing.addEventListener('abort', resolve));
      events.close();
    });
    const pending = server.inject('/');
    const stream = await server.inject('/events');
    await eventually('both handlers run', () => server.counters.requests === 2);
    await server.close();
    const response = await pending;
    assert.deepEqual([response.status, await response.text()], [200, 'done']);
    assert.equal(response.headers.get('connection'), 'close');
    assert.equal(await stream.text(), 'data: first\n\n');
    assert.ok(server.closing.aborted);
  });

  it('in flight are finished by the close() of a listening server', async () => {
    const { server } = unlistenedServer();
    server.get('/', async (_req, res) => {
      await sleep(50);
      res.text('done');
    });
    await server.listen();
    const pending = server.inject('/');
    await eventually('the handler runs', () => server.counters.requests === 1);
    let isClosed = false;
    const closed = server.close().then(() => {
      isClosed = true;
    });
    assert.equal(await (await pending).text(), 'done');
    assert.equal(isClosed, false, 'it waits for the handler');
    await closed;
  });

  it('do not delay close() when their responses have been received', async () => {
    const { server } = unlistenedServer();
    server.get('/', (_req, res) => res.text('all'));
    await (await server.inject('/')).text();
    await server.close();
    await server.close();
    assert.equal(server.closing.aborted, false, 'there was nothing to close');
  });
});

describe('a process that injects requests', { timeout: TIMEOUT_MS }, () => {
  it('exits by itself, and waits for a response', async () => {
    const path = fileURLToPath(new URL('programs/one-injection.js', import.meta.url));
    const { code, out, problems } = await run(path, []);
    assert.deepEqual([code, out, problems], [0, 'hello\n503\n200\n', '']);
  });
});

onEachDriver('a listening server', (add) => {
  add('serves sockets and injected requests together', async (driver) => {
    const routes = (server: Server): void => {
      server.get('/', (req, res) => res.text(req.header('x-from') ?? 'socket'));
    };
    await withServer(driver, {}, routes, async ({ server, port }) => {
      const injected = server.inject({ headers: { 'X-From': 'memory' } });
      const fetched = fetch(`http://127.0.0.1:${port}/`);
      assert.equal(await (await injected).text(), 'memory');
      assert.equal(await (await fetched).text(), 'socket');
    });
  });
});
