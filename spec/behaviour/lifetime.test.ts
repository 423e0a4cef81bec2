// How long a request and its response may be used. A late call reads nothing of another request and
// has no effect: it is counted and logged.

import assert from 'node:assert/strict';
import { prepare } from '../../src/exchange/prepared.ts';
import type { Request } from '../../src/exchange/request.ts';
import type { Response } from '../../src/exchange/response.ts';
import type { Server } from '../../src/server/server.ts';
import { get, post } from '../../testing/raw-client.ts';
import { eventually, Gate, onEachDriver, wait, withServer } from '../../testing/with-server.ts';

interface Kept {
  readonly request: Request;
  readonly response: Response;
}

type Use = readonly [what: string, use: (kept: Kept) => unknown];

/** What reads a request or its response. */
const READS: readonly Use[] = [
  ['method', ({ request }) => request.method],
  ['target', ({ request }) => request.target],
  ['path', ({ request }) => request.path],
  ['query', ({ request }) => request.query],
  ['params', ({ request }) => request.params],
  ['header()', ({ request }) => request.header('host')],
  ['headers()', ({ request }) => [...request.headers()]],
  ['cookies', ({ request }) => request.cookies.all()],
  ['httpVersion', ({ request }) => request.httpVersion],
  ['remoteAddress', ({ request }) => request.remoteAddress],
  ['remotePort', ({ request }) => request.remotePort],
  ['signal', ({ request }) => request.signal],
  ['state', ({ request }) => request.state],
  ['body', ({ request }) => request.body],
  ['trailers()', ({ request }) => request.trailers()],
  ['statusCode', ({ response }) => response.statusCode],
  ['getHeader()', ({ response }) => response.getHeader('A')],
];

const BODY_READS: readonly (readonly [what: string, use: (kept: Kept) => Promise<unknown>])[] = [
  ['bytes()', ({ request }) => request.bytes()],
  ['text()', ({ request }) => request.text()],
  ['json()', ({ request }) => request.json()],
  ['form()', ({ request }) => request.form()],
];

/** What would change or send a response. */
const CALLS: readonly Use[] = [
  ['status()', ({ response }) => response.status(500)],
  ['header()', ({ response }) => response.header('A', 'late')],
  ['appendHeader()', ({ response }) => response.appendHeader('A', 'late')],
  ['cookie()', ({ response }) => response.cookie('a', 'late')],
  ['clearCookie()', ({ response }) => response.clearCookie('a')],
  ['problem()', ({ response }) => response.problem({ status: 500 })],
  ['problem() without a status', ({ response }) => response.problem()],
  ['send()', ({ response }) => response.send('late')],
  ['text()', ({ response }) => response.text('late')],
  ['html()', ({ response }) => response.html('late')],
  ['json()', ({ response }) => response.json('late')],
  ['empty()', ({ response }) => response.empty()],
  ['redirect()', ({ response }) => response.redirect('/late')],
  ['prepared()', ({ response }) => response.prepared(LATE)],
  ['write()', ({ response }) => response.write('late')],
  ['end()', ({ response }) => response.end('late')],
  ['events()', ({ response }) => response.events().send('late')],
  ['trailer()', ({ response }) => response.trailer('A', 'late')],
  ['beforeSend()', ({ response }) => response.beforeSend(() => {})],
  ['afterSend()', ({ response }) => response.afterSend(() => {})],
  ['file()', ({ response }) => response.file('late')],
  ['stream()', ({ response }) => response.stream(['late'])],
];
const LATE = prepare(500, {}, 'late');

/** Other requests use the pooled record: nothing of them can be read. */
async function assertUnreadable(kept: Kept): Promise<void> {
  for (const [what, use] of READS) assert.throws(() => use(kept), /is over/, what);
  for (const [what, use] of BODY_READS) await assert.rejects(use(kept), /is over/, what);
}

/** A request that was handled later owns its head. */
async function assertReadable(kept: Kept, target: string): Promise<void> {
  assert.equal(kept.request.target, target);
  for (const [, use] of READS) use(kept);
  for (const [what, use] of BODY_READS) await assert.rejects(use(kept), Error, what);
}

/** Has no effect, and throws nothing where no handler could catch it. */
async function assertWithoutEffect(kept: Kept): Promise<void> {
  assert.equal(kept.response.sent, true);
  assert.equal(kept.response.closed, true);
  for (const [what, use] of CALLS) {
    const result = use(kept);
    if (result instanceof Promise) await result;
    else assert.ok(result === undefined || result === kept.response, what);
  }
}

function keeping(kept: Kept[]): (server: Server) => void {
  return (server) => {
    server.get('/sync', (request, response) => {
      kept.push({ request, response });
      response.text('hello');
    });
    server.get('/async', async (request, response) => {
      kept.push({ request, response });
      await wait(1);
      response.text('hello');
    });
    server.get('/callback', (request, response) => {
      kept.push({ request, response });
      setTimeout(() => response.text('hello'), 1);
    });
    server.get('/stream', async (request, response) => {
      kept.push({ request, response });
      await response.write('hel');
      response.end('lo');
    });
    server.get('/throws', (request, response) => {
      kept.push({ request, response });
      throw new Error('hello');
    });
    server.post('/sync', (request, response) => {
      kept.push({ request, response });
      response.text('hello');
    });
  };
}

/** Their handlers respond within their own call, or later. */
const AT_ONCE = ['/sync', '/throws'];
const LATER = ['/async', '/callback', '/stream'];

onEachDriver('lifetime', (add) => {
  for (const debug of [false, true]) {
    for (const target of [...AT_ONCE, ...LATER]) {
      add(`objects kept after ${target} are harmless, debug ${debug}`, async (driver) => {
        const kept: Kept[] = [];
        await withServer(driver, { debug }, keeping(kept), async ({ open, server }) => {
          const client = await open();
          const first = await client.ask(get(target));
          await wait(5);
          for (const one of [0, 0, 1]) {
            if (AT_ONCE.includes(target)) await assertUnreadable(kept[one] ?? kept[0]);
            else await assertReadable(kept[one] ?? kept[0], target);
            const { lateWrites } = server.counters;
            await assertWithoutEffect(kept[one] ?? kept[0]);
            assert.ok(server.counters.lateWrites >= lateWrites + CALLS.length, 'they are counted');
            const again = await client.ask(get(target));
            assert.deepEqual([again.status, again.text], [first.status, first.text]);
            assert.ok(!JSON.stringify([again.text, again.fields]).includes('late'));
          }
        });
      });
    }

    add(`kept while an unread body is still skipped, debug ${debug}`, async (driver) => {
      const kept: Kept[] = [];
      await withServer(driver, { debug }, keeping(kept), async ({ open }) => {
        const client = await open();
        const bytes = post('/sync', 'x'.repeat(50_000));
        void client.send(bytes.slice(0, 1_000));
        assert.equal((await client.nextResponse('POST')).text, 'hello');
        await assertUnreadable(kept[0]);
        await assertWithoutEffect(kept[0]);
        void client.send(bytes.slice(1_000));
        assert.equal((await client.ask(get('/sync'))).text, 'hello');
        await assertUnreadable(kept[0]);
      });
    });
  }

  add('kept objects stay unusable, however many requests follow', async (driver) => {
    const kept: Kept[] = [];
    await withServer(driver, {}, keeping(kept), async ({ open }) => {
      const client = await open();
      await client.ask(get('/sync'));
      const [first] = kept;
      kept.push = () => 0;
      const batch = Buffer.concat(Array.from({ length: 64 }, () => Buffer.from(get('/sync'))));
      for (let sent = 0; sent < 8_192 + 128; sent += 64) {
        void client.send(batch);
        for (let count = 0; count < 64; count++) {
          assert.equal((await client.nextResponse()).text, 'hello');
          assert.throws(() => first.request.header('host'), /is over/);
        }
      }
      await assertUnreadable(first);
      await assertWithoutEffect(first);
      assert.equal((await client.ask(get('/sync'))).text, 'hello');
    });
  });

  add('late writes after a reset are counted and dropped', async (driver) => {
    const gate = new Gate();
    let finished = false;
    const late = (server: Server) => {
      server.get('/', async (request, response) => {
        const { signal } = request;
        await gate.opened;
        assert.equal(signal.aborted, true);
        response.status(201).header('A', 'b');
        response.text('too late');
        response.json({});
        await response.write('x');
        response.end();
        finished = true;
      });
    };
    await withServer(driver, {}, late, async ({ open, server, log }) => {
      const client = await open();
      await client.send(get('/'));
      await eventually('the handler runs', () => server.counters.requests === 1);
      client.reset();
      await eventually('the connection is closed', () => server.counters.closed === 1);
      assert.equal(server.counters.resets, 1);
      gate.open();
      await eventually('the handler ends', () => finished);
      assert.equal(server.counters.lateWrites, 4);
      assert.equal(server.counters.handlerErrors, 0, log.join('\n'));
      assert.equal(server.counters.responses, 0);
    });
  });

  add('a stream ends when the client disconnects, and its source is closed', async (driver) => {
    let closed = false;
    let chunks = 0;
    const endless = (server: Server) => {
      server.get('/', (_request, response) =>
        response.stream(
          (async function* () {
            try {
              for (;;) {
                chunks += 1;
                yield Buffer.alloc(10_000);
                await wait(1);
              }
            } finally {
              closed = true;
            }
          })(),
        ),
      );
    };
    await withServer(driver, {}, endless, async ({ open, server }) => {
      const client = await open();
      void client.send(get('/'));
      await client.hasReceived(50_000);
      client.reset();
      await eventually('the source is closed', () => closed);
      assert.ok(chunks >= 5);
      assert.equal(server.counters.resets, 1);
      assert.equal(server.counters.handlerErrors, 0);
    });
  });

  add('the signal aborts on a reset, while waiting and while streaming', async (driver) => {
    const aborted: string[] = [];
    const watching = (server: Server) => {
      server.get('/wait', (request) => {
        request.signal.addEventListener('abort', () => aborted.push('wait'));
      });
      server.get('/stream', async (request, response) => {
        request.signal.addEventListener('abort', () => aborted.push('stream'));
        await response.write('begun');
      });
      server.post('/body', async (request) => {
        request.signal.addEventListener('abort', () => aborted.push('body'));
        await request.bytes();
      });
    };
    await withServer(driver, {}, watching, async ({ open, server }) => {
      for (const bytes of [get('/wait'), get('/stream'), post('/body', 'xy').slice(0, -1)]) {
        const { requests } = server.counters;
        const client = await open();
        await client.send(bytes);
        await eventually('the handler runs', () => server.counters.requests > requests);
        client.reset();
        await eventually('it aborts', () => aborted.length === server.counters.requests);
      }
      assert.deepEqual(aborted, ['wait', 'stream', 'body']);
      assert.equal(server.counters.handlerErrors, 0);
    });
  });

  add('the signal does not abort on a half-close, nor after a response', async (driver) => {
    const signals: AbortSignal[] = [];
    const watching = (server: Server) => {
      server.get('/', async (request, response) => {
        signals.push(request.signal);
        await wait(20);
        response.text(String(request.signal.aborted));
      });
    };
    await withServer(driver, {}, watching, async ({ open, server }) => {
      const client = await open();
      void client.send(get('/'));
      client.half();
      assert.equal((await client.nextResponse()).text, 'false');
      await client.endsCleanly();
      const other = await open();
      assert.equal((await other.ask(get('/'))).text, 'false');
      other.reset();
      await eventually('both connections are closed', () => server.counters.closed === 2);
      assert.deepEqual(
        signals.map((signal) => signal.aborted),
        [false, false],
      );
    });
  });

  add('a signal that is first read after the reset is already aborted', async (driver) => {
    const gate = new Gate();
    const seen: boolean[] = [];
    const watching = (server: Server) => {
      server.get('/', async (request) => {
        await gate.opened;
        seen.push(request.signal.aborted);
      });
    };
    await withServer(driver, {}, watching, async ({ open, server }) => {
      const client = await open();
      await client.send(get('/'));
      await eventually('the handler runs', () => server.counters.requests === 1);
      client.reset();
      await eventually('the connection is closed', () => server.counters.closed === 1);
      gate.open();
      await eventually('the handler ends', () => seen.length === 1);
      assert.deepEqual(seen, [true]);
    });
  });

  add(
    'remoteAddress and remotePort are the client\u2019s, also after it disconnected',
    async (driver) => {
      const gate = new Gate();
      const seen: unknown[] = [];
      const asking = (server: Server) => {
        server.get('/', (request, response) => {
          response.json([request.remoteAddress, request.remotePort]);
        });
        server.get('/wait', async (request) => {
          const before = request.remoteAddress;
          await gate.opened;
          seen.push(before, request.remoteAddress);
        });
      };
      await withServer(driver, {}, asking, async ({ open, server }) => {
        const client = await open();
        const response = await client.ask(get('/'));
        assert.deepEqual(JSON.parse(response.text), ['127.0.0.1', client.socket.localPort]);
        await client.send(get('/wait'));
        await eventually('the handler runs', () => server.counters.requests === 2);
        client.reset();
        await eventually('the connection is closed', () => server.counters.closed === 1);
        gate.open();
        await eventually('the handler ends', () => seen.length === 2);
        assert.deepEqual(seen, ['127.0.0.1', '127.0.0.1']);
      });
    },
  );
});
