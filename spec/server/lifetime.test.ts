// How long a request and its response mean something: until the answer is sent, and no longer. What
// comes later throws, or is counted and dropped where the client is to blame.

import assert from 'node:assert/strict';
import type { Request } from '../../src/exchange/request.ts';
import type { Response } from '../../src/exchange/response.ts';
import type { Server } from '../../src/server/server.ts';
import { get, post } from './raw-client.ts';
import { eventually, Gate, onEachDriver, wait, withServer } from './with-server.ts';

interface Kept {
  readonly request: Request;
  readonly response: Response;
}

const USES: readonly (readonly [what: string, use: (kept: Kept) => unknown])[] = [
  ['method', ({ request }) => request.method],
  ['target', ({ request }) => request.target],
  ['path', ({ request }) => request.path],
  ['query', ({ request }) => request.query],
  ['params', ({ request }) => request.params],
  ['header()', ({ request }) => request.header('host')],
  ['headers()', ({ request }) => [...request.headers()]],
  ['httpVersion', ({ request }) => request.httpVersion],
  ['remoteAddress', ({ request }) => request.remoteAddress],
  ['remotePort', ({ request }) => request.remotePort],
  ['signal', ({ request }) => request.signal],
  ['state', ({ request }) => request.state],
  ['body', ({ request }) => request.body],
  ['trailers()', ({ request }) => request.trailers()],
  ['status()', ({ response }) => response.status(200)],
  ['statusCode', ({ response }) => response.statusCode],
  ['header()', ({ response }) => response.header('A', 'b')],
  ['appendHeader()', ({ response }) => response.appendHeader('A', 'b')],
  ['getHeader()', ({ response }) => response.getHeader('A')],
  ['sent', ({ response }) => response.sent],
  ['send()', ({ response }) => response.send('x')],
  ['text()', ({ response }) => response.text('x')],
  ['html()', ({ response }) => response.html('x')],
  ['json()', ({ response }) => response.json('x')],
  ['empty()', ({ response }) => response.empty()],
  ['redirect()', ({ response }) => response.redirect('/')],
  ['write()', ({ response }) => response.write('x')],
  ['end()', ({ response }) => response.end()],
  ['events()', ({ response }) => response.events()],
  ['trailer()', ({ response }) => response.trailer('A', 'b')],
  ['beforeSend()', ({ response }) => response.beforeSend(() => {})],
  ['afterSend()', ({ response }) => response.afterSend(() => {})],
];

const LATER_USES: readonly (readonly [what: string, use: (kept: Kept) => Promise<unknown>])[] = [
  ['bytes()', ({ request }) => request.bytes()],
  ['text()', ({ request }) => request.text()],
  ['json()', ({ request }) => request.json()],
  ['form()', ({ request }) => request.form()],
  ['file()', ({ response }) => response.file('x')],
  ['stream()', ({ response }) => response.stream(['x'])],
];

async function assertOver(kept: Kept): Promise<void> {
  for (const [what, use] of USES) {
    assert.throws(() => use(kept), /is over/, what);
  }
  for (const [what, use] of LATER_USES) {
    await assert.rejects(use(kept), /is over/, what);
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

onEachDriver('lifetime', (add) => {
  for (const debug of [false, true]) {
    for (const target of ['/sync', '/async', '/callback', '/stream', '/throws']) {
      add(`kept after ${target} everything throws, debug ${debug}`, async (driver) => {
        const kept: Kept[] = [];
        await withServer(driver, { debug }, keeping(kept), async ({ open, port }) => {
          assert.ok(port > 0);
          const client = await open();
          await client.ask(get(target));
          await assertOver(kept[0]);
          await client.ask(get(target));
          await assertOver(kept[0]);
          await assertOver(kept[1]);
        });
      });
    }

    add(`kept while an unread body is still skipped, debug ${debug}`, async (driver) => {
      const kept: Kept[] = [];
      await withServer(driver, { debug }, keeping(kept), async ({ open }) => {
        const client = await open();
        const bytes = post('/sync', 'x'.repeat(50_000));
        void client.send(bytes.slice(0, 1_000));
        assert.equal((await client.answer('POST')).text, 'hello');
        await assertOver(kept[0]);
        void client.send(bytes.slice(1_000));
        assert.equal((await client.ask(get('/sync'))).text, 'hello');
        await assertOver(kept[0]);
      });
    });
  }

  add('with debug: true nothing kept ever comes back to life', async (driver) => {
    const kept: Kept[] = [];
    await withServer(driver, { debug: true }, keeping(kept), async ({ open }) => {
      const client = await open();
      const first = 300;
      for (let index = 0; index < first; index++) await client.ask(get('/sync'));
      // Uses them from within a later request, when a reused one would be valid.
      const inside = kept.splice(0);
      const results: string[] = [];
      kept.push = (...items: Kept[]) => {
        for (const one of [...inside, ...items]) {
          try {
            results.push(one.request.method);
          } catch {
            results.push('over');
          }
        }
        return 0;
      };
      await client.ask(get('/sync'));
      assert.equal(results.pop(), 'GET', 'the current one lives');
      assert.equal(results.length, first);
      assert.deepEqual(new Set(results), new Set(['over']));
    });
  });

  add('requests that were answered later are never used again', async (driver) => {
    const kept: Kept[] = [];
    await withServer(driver, {}, keeping(kept), async ({ open }) => {
      const client = await open();
      await client.ask(get('/async'));
      const { request } = kept[0];
      for (let index = 0; index < 300; index++) await client.ask(get('/sync'));
      assert.throws(() => request.method, /is over/);
      assert.ok(!kept.slice(1).some((one) => one.request === request));
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
      await eventually('the server noticed', () => server.counters.closed === 1);
      assert.equal(server.counters.resets, 1);
      gate.open();
      await eventually('the handler ends', () => finished);
      assert.equal(server.counters.lateWrites, 4);
      assert.equal(server.counters.handlerErrors, 0, log.join('\n'));
      assert.equal(server.counters.answers, 0);
    });
  });

  add('a stream ends when the client goes, and its source is closed', async (driver) => {
    let closed = false;
    let pieces = 0;
    const endless = (server: Server) => {
      server.get('/', (_request, response) =>
        response.stream(
          (async function* () {
            try {
              for (;;) {
                pieces += 1;
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
      assert.ok(pieces >= 5);
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

  add('the signal does not abort on an end, nor after an answer', async (driver) => {
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
      assert.equal((await client.answer()).text, 'false');
      await client.endsCleanly();
      const other = await open();
      assert.equal((await other.ask(get('/'))).text, 'false');
      other.reset();
      await eventually('both are gone', () => server.counters.closed === 2);
      assert.deepEqual(
        signals.map((signal) => signal.aborted),
        [false, false],
      );
    });
  });

  add('a signal asked for after the reset is aborted already', async (driver) => {
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
      await eventually('the server noticed', () => server.counters.closed === 1);
      gate.open();
      await eventually('the handler ends', () => seen.length === 1);
      assert.deepEqual(seen, [true]);
    });
  });

  add('remoteAddress and remotePort are the client\u2019s, also after it went', async (driver) => {
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
      const answer = await client.ask(get('/'));
      assert.deepEqual(JSON.parse(answer.text), ['127.0.0.1', client.socket.localPort]);
      await client.send(get('/wait'));
      await eventually('the handler runs', () => server.counters.requests === 2);
      client.reset();
      await eventually('the server noticed', () => server.counters.closed === 1);
      gate.open();
      await eventually('the handler ends', () => seen.length === 2);
      assert.deepEqual(seen, ['127.0.0.1', '127.0.0.1']);
    });
  });
});
