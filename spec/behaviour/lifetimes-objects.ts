// What a handler may keep: a test for each row of the first table of docs/lifetimes.md.

import assert from 'node:assert/strict';
import type { Outgoing, Summary } from '../../src/exchange/callbacks.ts';
import type { EventStream } from '../../src/exchange/event-stream.ts';
import type { Next } from '../../src/exchange/handler.ts';
import { prepare } from '../../src/exchange/prepared.ts';
import type { Request } from '../../src/exchange/request.ts';
import type { Response } from '../../src/exchange/response.ts';
import { get, post } from '../../testing/raw-client.ts';
import { type DriverTest, eventually, wait, withServer } from '../../testing/with-server.ts';

export const OBJECT_ROWS: ReadonlyMap<string, DriverTest> = new Map<string, DriverTest>([
  [
    "req, of a request whose response was sent within the handler's own call",
    async (driver) => {
      const kept: Request[] = [];
      await withServer(
        driver,
        {},
        (server) => {
          server.get('/:id', (request, response) => {
            kept.push(request);
            response.text(request.path);
          });
        },
        async ({ open }) => {
          const client = await open();
          await client.ask(get('/first', 'Cookie: secret'));
          for (let count = 0; count < 100; count++) await client.ask(get('/other'));
          assert.throws(() => kept[0].path, /is over/);
          assert.throws(() => kept[0].header('cookie'), /is over/);
          await assert.rejects(kept[0].bytes(), /is over/);
        },
      );
    },
  ],
  [
    'req, of a request that was handled later (a promise, a timer, a stream)',
    async (driver) => {
      const kept: Request[] = [];
      await withServer(
        driver,
        {},
        (server) => {
          server.post('/:id', async (request, response) => {
            kept.push(request);
            response.text(await request.text());
          });
        },
        async ({ open }) => {
          const client = await open();
          await client.ask(post('/first', 'one', 'Cookie: mine'));
          for (let count = 0; count < 100; count++) await client.ask(post('/other', 'two'));
          assert.deepEqual([kept[0].path, kept[0].header('cookie')], ['/first', 'mine']);
          assert.equal(kept[0].params['id'], 'first');
          await assert.rejects(kept[0].text(), Error);
        },
      );
    },
  ],
  [
    'res',
    async (driver) => {
      const kept: Response[] = [];
      await withServer(
        driver,
        {},
        (server) => {
          server.get('/', (_request, response) => {
            kept.push(response);
            response.text('hello');
          });
        },
        async ({ open, server }) => {
          const client = await open();
          await client.ask(get('/'));
          const response = client.ask(get('/'));
          kept[0].status(500).header('X-Late', 'yes').send('late');
          await kept[0].write('late');
          assert.deepEqual([kept[0].sent, kept[0].closed], [true, true]);
          const { status, text } = await response;
          assert.deepEqual([status, text], [200, 'hello']);
          assert.equal(server.counters.lateWrites, 4);
        },
      );
    },
  ],
  [
    'next',
    async (driver) => {
      const kept: Next[] = [];
      let calls = 0;
      await withServer(
        driver,
        {},
        (server) => {
          server.use((request, response, next) => {
            kept.push(next);
            if (request.path === '/no') response.status(401).text('no');
            else void next();
          });
          server.get('/*', (_request, response) => {
            calls += 1;
            response.text('hello');
          });
        },
        async ({ open }) => {
          const client = await open();
          await client.ask(get('/yes'));
          await client.ask(get('/no'));
          for (const next of kept) await assert.rejects(next(), /next\(\) was called/);
          assert.equal((await client.ask(get('/no'))).status, 401);
          assert.equal(calls, 1);
        },
      );
    },
  ],
  [
    'req.query, req.params, req.state, values of header()',
    async (driver) => {
      const kept: unknown[] = [];
      await withServer(
        driver,
        {},
        (server) => {
          server.get('/:id', (request, response) => {
            request.state['id'] = request.params['id'];
            kept.push([request.query.get('q'), request.params, request.state, request.header('a')]);
            response.text('hello');
          });
        },
        async ({ open }) => {
          const client = await open();
          for (const id of ['1', '2', '3']) await client.ask(get(`/${id}?q=${id}`, `A: ${id}`));
          const shown = JSON.parse(JSON.stringify(kept)) as unknown;
          assert.deepEqual(
            shown,
            ['1', '2', '3'].map((id) => [id, { id }, { id }, id]),
          );
        },
      );
    },
  ],
  [
    'the iterator of req.headers()',
    async (driver) => {
      const kept: Iterator<[string, string]>[] = [];
      await withServer(
        driver,
        {},
        (server) => {
          server.get('/', (request, response) => {
            const iterator = request.headers();
            iterator.next();
            kept.push(iterator);
            response.text('hello');
          });
        },
        async ({ open }) => {
          const client = await open();
          await client.ask(get('/', 'A: 1'));
          await client.ask(get('/', 'A: 2'));
          assert.throws(() => kept[0].next(), /is over/);
        },
      );
    },
  ],
  [
    'the iterator of req.body, and its chunks',
    async (driver) => {
      const bodies: AsyncIterable<Uint8Array>[] = [];
      const iterators: AsyncIterator<Uint8Array>[] = [];
      const pieces: Uint8Array[] = [];
      await withServer(
        driver,
        {},
        (server) => {
          server.post('/kept', (request, response) => {
            bodies.push(request.body);
            response.text('kept');
          });
          server.post('/begun', async (request, response) => {
            const iterator = request.body[Symbol.asyncIterator]();
            iterators.push(iterator);
            const { value } = (await iterator.next()) as { value: Uint8Array };
            pieces.push(value);
            response.text('begun');
          });
          server.post('/read', async (request, response) => response.text(await request.text()));
        },
        async ({ open }) => {
          const client = await open();
          await client.ask(post('/kept', 'first'));
          await client.ask(post('/begun', 'second'));
          const response = client.ask(post('/read', 'secret'));
          const late = bodies[0][Symbol.asyncIterator]();
          await assert.rejects(late.next(), /is over/);
          const rest = await iterators[0].next().catch(() => ({ done: true }));
          assert.equal(rest.done, true);
          assert.equal((await response).text, 'secret');
          assert.equal(Buffer.from(pieces[0]).toString(), 'second');
        },
      );
    },
  ],
  [
    'req.signal',
    async (driver) => {
      const signals: AbortSignal[] = [];
      await withServer(
        driver,
        {},
        (server) => {
          server.get('/at-once', (request, response) => {
            signals.push(request.signal);
            response.text('hello');
          });
          server.get('/never', (request) => {
            signals.push(request.signal);
          });
        },
        async ({ open, server }) => {
          const client = await open();
          await client.ask(get('/at-once'));
          await client.send(get('/never'));
          await eventually('the handler runs', () => server.counters.requests === 2);
          client.reset();
          await eventually('its signal aborts', () => signals[1].aborted);
          assert.equal(signals[0].aborted, false);
        },
      );
    },
  ],
  [
    'res.events()',
    async (driver) => {
      const kept: EventStream[] = [];
      await withServer(
        driver,
        {},
        (server) => {
          server.get('/', async (_request, response) => {
            const events = response.events();
            kept.push(events);
            await events.send(String(kept.length));
            await wait(20);
            events.close();
          });
        },
        async ({ open }) => {
          const client = await open();
          await client.ask(get('/'));
          const response = client.ask(get('/'));
          await wait(10);
          await kept[0].send('late');
          kept[0].close();
          assert.equal(kept[0].closed, true);
          assert.equal((await response).text, 'data: 2\n\n');
        },
      );
    },
  ],
  [
    'outgoing of beforeSend()',
    async (driver) => {
      const kept: Outgoing[] = [];
      await withServer(
        driver,
        {},
        (server) => {
          server.get('/', (_request, response) => {
            response.beforeSend((outgoing) => kept.push(outgoing));
            response.text('hello');
          });
        },
        async ({ open }) => {
          const client = await open();
          await client.ask(get('/'));
          assert.throws(() => kept[0].status, /was sent/);
          assert.throws(() => kept[0].header('date'), /was sent/);
          kept[0].status = 500;
          kept[0].setHeader('X-Late', 'yes');
          kept[0].appendHeader('X-Late', 'yes');
          kept[0].removeHeader('content-type');
          const { status, fields } = await client.ask(get('/'));
          assert.equal(status, 200);
          const names = fields.map(([name]) => name.toLowerCase());
          assert.ok(names.includes('content-type') && !names.includes('x-late'));
        },
      );
    },
  ],
  [
    'the summary of afterSend()',
    async (driver) => {
      const kept: Summary[] = [];
      await withServer(
        driver,
        {},
        (server) => {
          server.get('/:length', (request, response) => {
            response.afterSend((summary) => kept.push(summary));
            response.text('x'.repeat(Number(request.params['length'])));
          });
        },
        async ({ open }) => {
          const client = await open();
          for (const length of [1, 2, 3]) await client.ask(get(`/${length}`));
          await eventually('all are told', () => kept.length === 3);
          assert.deepEqual(
            kept.map(({ bytes }) => bytes),
            [1, 2, 3],
          );
        },
      );
    },
  ],
  [
    'bytes passed to send(), write(), end(), stream()',
    async (driver) => {
      const shared = Buffer.alloc(50_000);
      await withServer(
        driver,
        {},
        (server) => {
          server.get('/send/:letter', (request, response) => {
            response.send(shared.fill(request.params['letter']));
            shared.fill('!');
          });
          server.get('/write/:letter', (request, response) => {
            void response.write(shared.fill(request.params['letter']));
            response.end(shared);
            shared.fill('!');
          });
          server.get('/stream/:letter', async (request, response) => {
            await response.stream([shared.fill(request.params['letter'])]);
            shared.fill('!');
          });
        },
        async ({ open }) => {
          const client = await open();
          for (const [way, times] of [
            ['send', 1],
            ['write', 2],
            ['stream', 1],
          ] as const) {
            for (const letter of ['a', 'b']) {
              const { text } = await client.ask(get(`/${way}/${letter}`));
              assert.ok(text === letter.repeat(50_000 * times), `${way} ${letter}`);
            }
          }
        },
      );
    },
  ],
  [
    'prepare() results',
    async (driver) => {
      const prepared = prepare(200, { 'X-A': '1' }, 'hello');
      await withServer(
        driver,
        {},
        (server) => {
          server.get('/', (_request, response) => response.prepared(prepared));
          server.get('/forged', (_request, response) => {
            response.prepared({ status: 200, headers: [] } as unknown as typeof prepared);
          });
        },
        async ({ open }) => {
          const client = await open();
          prepared.body.fill(33);
          assert.throws(() => Object.assign(prepared, { status: 500 }), TypeError);
          assert.throws(() => Object.assign(prepared.headers[0], ['X-B']), TypeError);
          assert.equal((await client.ask(get('/'))).text, 'hello');
          assert.equal((await client.ask(get('/forged'))).status, 500);
        },
      );
    },
  ],
]);
