// The diagnostics channels of a request: what they publish and when, the stores that run around a
// handler, and what proxy() passes on.

import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe, it } from 'node:test';
import type { RequestTrace } from '../../src/exchange/tracing.ts';
import { createServer } from '../../src/index.ts';
import { proxy } from '../../src/middleware/index.ts';
import { get } from '../../testing/raw-client.ts';
import { unlistenedServer } from '../../testing/unlistened-server.ts';
import { VirtualServer } from '../../testing/virtual-server.ts';
import { eventually, onEachDriver, oneDriver, withServer } from '../../testing/with-server.ts';

const NAMES = ['start', 'first-byte', 'end', 'error'];
const PARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const OWN = '00-4bf92f3577b34da6a3ce929d0e0e4736-00000000000000aa-01';

/** Runs `body` while all messages are recorded: name, and a copy as it was. */
async function recorded(
  body: (seen: [string, RequestTrace][], messages: Set<RequestTrace>) => Promise<void>,
): Promise<void> {
  const seen: [string, RequestTrace][] = [];
  const messages = new Set<RequestTrace>();
  const listeners = NAMES.map((name) => {
    const listener = (message: unknown): void => {
      messages.add(message as RequestTrace);
      seen.push([name, { ...(message as RequestTrace) }]);
    };
    subscribe(`vibing.request.${name}`, listener);
    return () => unsubscribe(`vibing.request.${name}`, listener);
  });
  try {
    await body(seen, messages);
  } finally {
    for (const stop of listeners) stop();
  }
}

describe('diagnostics channels', () => {
  it('publish one message of a request: its start, head, error and end', async () => {
    const { server } = unlistenedServer();
    server.get('/users/:id', (_request, response) => response.status(201).text('user'));
    server.get('/stream', (_request, response) => response.stream(['ab', 'cd']));
    const failure = new Error('on purpose');
    server.get('/throws', () => {
      throw failure;
    });
    await recorded(async (seen, messages) => {
      const headers = { traceparent: PARENT, tracestate: 'a=1' };
      await (await server.inject({ target: '/users/7?x=1', headers })).bytes();
      assert.deepEqual(
        seen.map(([name]) => name),
        ['start', 'first-byte', 'end'],
      );
      assert.equal(messages.size, 1);
      const [[, start], [, head], [, end]] = seen;
      assert.deepEqual(
        [start.method, start.target, start.route, start.remoteAddress, start.status],
        ['GET', '/users/7?x=1', '/users/:id', '127.0.0.1', 0],
      );
      assert.deepEqual(start.trace, {
        traceId: PARENT.slice(3, 35),
        parentId: PARENT.slice(36, 52),
        flags: 1,
        isSampled: true,
        state: 'a=1',
      });
      assert.deepEqual([start.firstByteMs, start.durationMs, start.isComplete], [-1, -1, false]);
      // The time of day, while the times of the response are counted from its start.
      assert.ok(Math.abs(start.startedMs - Date.now()) < 24 * 60 * 60 * 1000);
      assert.equal(head.status, 201);
      assert.ok(head.firstByteMs >= 0 && end.durationMs >= head.firstByteMs);
      assert.deepEqual([end.responseBytes, end.isComplete, end.error], [4, true, undefined]);
      assert.deepEqual([start.httpVersion, start.userAgent], ['1.1', null]);
      assert.equal(typeof start.host, 'string');

      seen.length = 0;
      for (const target of ['/stream', '/none', '/throws']) {
        await (await server.inject(target)).bytes();
      }
      assert.deepEqual(
        seen.map(([name, { status }]) => `${name} ${status}`),
        [
          ...['start 0', 'first-byte 200', 'end 200'],
          ...['start 0', 'first-byte 404', 'end 404'],
          ...['start 0', 'error 0', 'first-byte 500', 'end 500'],
        ],
      );
      assert.equal(seen.at(-1)?.[1].error, failure);
      assert.equal(seen[3][1].route, null);
      assert.equal(seen[3][1].trace, null);
    });
    await server.inject('/users/1');
    await server.close();
  });

  it('publish to a tracer of one channel alone, and know no host without Host', async () => {
    const { server } = unlistenedServer();
    server.get('/throws', () => {
      throw new Error('on purpose');
    });
    for (const name of NAMES) {
      const targets: string[] = [];
      const listener = (message: unknown): number => targets.push((message as RequestTrace).target);
      subscribe(`vibing.request.${name}`, listener);
      await (await server.inject('/throws')).bytes();
      unsubscribe(`vibing.request.${name}`, listener);
      assert.deepEqual(targets, ['/throws'], name);
    }
    await server.close();
    const life = new VirtualServer({}, (own) => {
      own.get('/', (_request, response) => response.text('old'));
    });
    await life.server.listen();
    await recorded(async (seen) => {
      const client = life.open();
      client.send('GET / HTTP/1.0\r\n\r\n');
      await life.rest();
      client.take();
      const [[name, { host, httpVersion }]] = seen;
      assert.deepEqual([name, host, httpVersion], ['start', null, '1.0']);
    });
    await life.end();
  });

  it('publish nothing of a request that no tracer saw begin', async (context) => {
    const { server } = unlistenedServer();
    const held: (() => void)[] = [];
    context.after(() => {
      for (const release of held) release();
    });
    server.get('/held', async (_request, response) => {
      await new Promise<void>((resolve) => held.push(resolve));
      response.text('held');
    });
    server.get('/', (_request, response) => response.text('done'));
    const first: ReturnType<typeof server.inject>[] = [];
    await recorded(async () => {
      // One request is traced until the end of the test.
      first.push(server.inject('/held'));
      await eventually('it is held', () => held.length === 1);
      for (let count = 0; count < 3; count++) await (await server.inject('/')).bytes();
    });
    const second = server.inject('/held');
    await eventually('it is held', () => held.length === 2);
    await recorded(async (seen) => {
      const names = (): string[] => seen.map(([name, { target }]) => `${name} ${target}`);
      held[1]();
      await (await second).bytes();
      assert.deepEqual(names(), []);
      held[0]();
      await (await first[0]).bytes();
      await eventually('its end', () => names().length >= 2);
      assert.deepEqual(names(), ['first-byte /held', 'end /held']);
    });
    await server.close();
  });

  it('run the handler in the stores that are bound to the start', async () => {
    const { server } = unlistenedServer();
    const spans = new AsyncLocalStorage<string>();
    const start = channel('vibing.request.start');
    start.bindStore(spans, (message) => `span of ${(message as RequestTrace).target}`);
    server.get('/:name', async (_request, response) => {
      await new Promise((resolve) => setImmediate(resolve));
      response.text(spans.getStore() ?? 'none');
    });
    try {
      const [one, other] = await Promise.all([server.inject('/one'), server.inject('/other')]);
      assert.equal(await one.text(), 'span of /one');
      assert.equal(await other.text(), 'span of /other');
    } finally {
      start.unbindStore(spans);
    }
    assert.equal(await (await server.inject('/x')).text(), 'none');
    await server.close();
  });

  it('give the trace of a request to its handler', async () => {
    const { server } = unlistenedServer();
    server.get('/', (request, response) => response.json(request.trace ?? null));
    const ask = async (headers: Record<string, string>): Promise<unknown> =>
      (await server.inject({ headers })).json();
    assert.deepEqual(await ask({}), null);
    assert.deepEqual(await ask({ traceparent: 'nonsense', tracestate: 'a=1' }), null);
    const trace = (await ask({ traceparent: PARENT, tracestate: 'b=2' })) as { state: string };
    assert.equal(trace.state, 'b=2');
    await server.close();
  });
});

it('publish the end when the kernel has taken the last byte, or never will', async (context) => {
  let finish = (): void => {};
  const life = new VirtualServer({}, (server) => {
    server.get('/sent', async (_request, response) => {
      await response.header('Content-Length', 4).write('sent');
      return new Promise<void>((resolve) => {
        finish = () => resolve(void response.end());
      });
    });
    server.get('/large', (_request, response) => response.send(Buffer.alloc(300_000, 'x')));
    server.get('/late', (_request, response) => {
      setImmediate(() => response.text('late'));
      return new Promise<void>((resolve) => response.afterSend(() => resolve()));
    });
  });
  context.after(() => life.end());
  await life.server.listen();
  await recorded(async (seen) => {
    const reading = life.open();
    const leaving = life.open();
    for (const client of [reading, leaving]) {
      client.send(get('/large'));
      await life.rest();
    }
    const names = (): string[] => seen.map(([name]) => name);
    assert.deepEqual(names(), ['start', 'first-byte', 'start', 'first-byte']);
    life.pass(500);
    for (let round = 0; round < 200 && names().length === 4; round++) {
      reading.take();
      await life.rest();
    }
    assert.equal(names()[4], 'end');
    const [, end] = seen[4];
    assert.deepEqual([end.isComplete, end.responseBytes, end.requestBytes], [true, 300_000, 0]);
    assert.ok(end.durationMs >= 500, `${end.durationMs}`);
    life.driver.failSend(leaving.slot, -104);
    await life.rest();
    const [, cut] = seen[5];
    assert.equal(cut.isComplete, false);
    assert.ok(cut.responseBytes < 300_000);

    seen.length = 0;
    const client = life.open();
    client.send(get('/late', 'User-Agent: b'));
    for (let round = 0; round < 200 && names().length < 3; round++) {
      client.take();
      await life.rest();
    }
    assert.deepEqual(names(), ['start', 'first-byte', 'end']);
    assert.deepEqual([seen[0][1].userAgent, typeof seen[0][1].host], ['b', 'string']);
    assert.deepEqual([seen[2][1].isComplete, seen[2][1].responseBytes], [true, 4]);

    // All of it was sent before it ended: nothing else is sent that could be waited for.
    seen.length = 0;
    client.send(get('/sent'));
    for (let round = 0; round < 20; round++) {
      client.take();
      await life.rest();
    }
    assert.deepEqual(names(), ['start', 'first-byte']);
    finish();
    assert.deepEqual(names(), ['start', 'first-byte', 'end']);
  });
});

onEachDriver(
  'tracing',
  (add) => {
    add('a client that leaves ends its request, incomplete', async (driver) => {
      await recorded(async (seen) => {
        // What waits is bounded: an event that does not come is a failure.
        const own = (): [string, RequestTrace][] =>
          seen.filter(([, { target }]) => target === '/never');
        let isHandling = false;
        const routes = (server: ReturnType<typeof createServer>): void => {
          server.get('/never', (_request, _response) => {
            isHandling = true;
            return new Promise(() => {});
          });
        };
        await withServer(driver, { shutdownTimeoutMs: 20 }, routes, async ({ open }) => {
          const client = await open();
          await client.send(get('/never'));
          await eventually('the handler runs', () => isHandling);
          client.reset();
          await eventually('the request ends', () => own().length === 2);
          const [[start], [end, { isComplete, status }]] = own();
          assert.deepEqual([start, end, isComplete, status], ['start', 'end', false, 0]);
        });
      });
    });

    add('proxy() passes valid fields on, or those that a tracer has set', async (driver) => {
      const upstream = createServer({ port: 0, driver, logLevel: 'error' });
      upstream.get('/', (request, response) =>
        response.json([request.header('traceparent'), request.header('tracestate')]),
      );
      const { port } = await upstream.listen();
      const routes = (server: ReturnType<typeof createServer>): void => {
        server.use(proxy({ upstreams: [`http://127.0.0.1:${port}`] }));
      };
      await withServer(driver, {}, routes, async ({ open }) => {
        const client = await open();
        const ask = async (...fields: string[]): Promise<unknown> =>
          JSON.parse((await client.ask(get('/', ...fields))).text);
        const state = 'tracestate: a=1';
        assert.deepEqual(await ask(`traceparent: ${PARENT}`, state), [PARENT, 'a=1']);
        assert.deepEqual(await ask(`traceparent: ${PARENT}`, 'tracestate: A'), [PARENT, null]);
        assert.deepEqual(await ask('traceparent: 00-0-0-00', state), [null, null]);
        assert.deepEqual(await ask(state), [null, null]);
        const tracer = (message: unknown): void => {
          (message as RequestTrace).traceparent = OWN;
        };
        subscribe('vibing.request.start', tracer);
        try {
          assert.deepEqual(await ask(`traceparent: ${PARENT}`, state), [OWN, null]);
          assert.deepEqual(await ask(), [OWN, null]);
        } finally {
          unsubscribe('vibing.request.start', tracer);
          await upstream.close();
        }
      });
    });
  },
  oneDriver(),
);
