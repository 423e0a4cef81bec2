// serverTiming(): the grammar of the Server-Timing field, and what cannot be part of it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serverTiming, timing } from '../../src/middleware/server-timing.ts';
import type { Server } from '../../src/server/server.ts';
import { get } from '../../testing/raw-client.ts';
import { onEachDriver, oneDriver, wait, withServer } from '../../testing/with-server.ts';

const METRICS: readonly (readonly [Parameters<ReturnType<typeof timing>>, string])[] = [
  [['miss'], 'miss'],
  [['db', 53], 'db;dur=53'],
  [['db', 0], 'db;dur=0'],
  [['db', 1 / 3], 'db;dur=0.333'],
  [['db', 1e-9], 'db;dur=0'],
  [['db', 123_456_789.25], 'db;dur=123456789.25'],
  [['cache', undefined, 'Cache Read'], 'cache;desc="Cache Read"'],
  [['a', 1, 'say "hi" \\ bye'], 'a;dur=1;desc="say \\"hi\\" \\\\ bye"'],
  [['a', 1, ''], 'a;dur=1;desc=""'],
];

const INVALID: readonly (readonly unknown[])[] = [
  [''],
  ['a b'],
  ['a,b'],
  ['a;dur=1'],
  ['é'],
  [7],
  ['a', -1],
  ['a', Number.NaN],
  ['a', Number.POSITIVE_INFINITY],
  ['a', 1e15],
  ['a', '5'],
  ['a', 1, 'line\r\nX: y'],
  ['a', 1, 'é'],
  ['a', 1, 5],
];

onEachDriver(
  'serverTiming',
  (add) => {
    add('metrics are written by the grammar, in their order', async (driver) => {
      const routes = (server: Server) => {
        server.use(serverTiming({ total: false }));
        server.get('/', (request, response) => {
          for (const [call] of METRICS) timing(request)(...call);
          response.text('done');
        });
        server.get('/none', (_request, response) => response.text('done'));
      };
      await withServer(driver, {}, routes, async ({ open }) => {
        const client = await open();
        const response = await client.ask(get('/'));
        const expected = METRICS.map(([, text]) => text).join(', ');
        assert.equal(response.field('server-timing'), expected);
        assert.equal((await client.ask(get('/none'))).field('server-timing'), undefined);
      });
    });

    add('total is the time until the response', async (driver) => {
      const routes = (server: Server) => {
        server.use(serverTiming());
        server.get('/', async (request, response) => {
          await wait(20);
          timing(request)('end');
          await response.stream(['a']);
          timing(request)('late');
        });
      };
      await withServer(driver, {}, routes, async ({ open }) => {
        const response = await (await open()).ask(get('/'));
        const found = /^end, total;dur=(\d+(?:\.\d{1,3})?)$/.exec(
          response.field('server-timing') ?? '',
        );
        assert.ok(Number(found?.[1]) >= 15, response.field('server-timing'));
      });
    });

    add('an invalid metric throws, and adds nothing', async (driver) => {
      const routes = (server: Server) => {
        server.use(serverTiming({ total: false }));
        server.get('/', (request, response) => {
          const add = request.state['timing'] as (...values: readonly unknown[]) => void;
          for (const values of INVALID) assert.throws(() => add(...values), TypeError);
          for (let count = 0; count < 64; count++) add('m');
          assert.throws(() => add('m'), RangeError);
          response.text('done');
        });
      };
      await withServer(driver, {}, routes, async ({ open }) => {
        const response = await (await open()).ask(get('/'));
        assert.equal(response.status, 200, response.text);
        assert.equal(response.field('server-timing'), Array(64).fill('m').join(', '));
      });
    });

    add('metrics are added to those that a handler has set itself', async (driver) => {
      const routes = (server: Server) => {
        server.use(serverTiming({ total: false }));
        server.get('/', (request, response) => {
          timing(request)('db', 5);
          response.header('Server-Timing', 'own').text('done');
        });
      };
      await withServer(driver, {}, routes, async ({ open }) => {
        const response = await (await open()).ask(get('/'));
        assert.deepEqual(response.all('server-timing'), ['own', 'db;dur=5']);
      });
    });

    add('timing() without the middleware throws', async (driver) => {
      const routes = (server: Server) => {
        server.get('/', (request) => timing(request)('a'));
      };
      await withServer(driver, {}, routes, async ({ open, log }) => {
        assert.equal((await (await open()).ask(get('/'))).status, 500);
        assert.ok(log.some((line) => line.includes('serverTiming() does not run')));
      });
    });
  },
  oneDriver(),
);

test('timing() of what is no request throws', () => {
  for (const given of [undefined, null, 1, {}, 'GET']) {
    const call = () => timing(given as never);
    assert.throws(call, /^TypeError: timing\(\): its argument is the request, given /);
  }
});

test('invalid options throw', () => {
  assert.throws(() => serverTiming({ total: 'yes' as unknown as boolean }), /true or false/);
  assert.throws(() => serverTiming({ totals: true } as object), /did you mean total/);
});
