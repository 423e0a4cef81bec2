// Handlers that fail, in every way, and onError: the client gets a complete response, or sees that
// it is incomplete; never a stack, and never no response at all.

import assert from 'node:assert/strict';
import { HttpError } from '../../src/exchange/http-error.ts';
import type { Response } from '../../src/exchange/response.ts';
import { timeout } from '../../src/middleware/index.ts';
import type { Server } from '../../src/server/server.ts';
import { get, post } from '../../testing/raw-client.ts';
import { eventually, onEachDriver, wait, withServer } from '../../testing/with-server.ts';

const NO_RESPONSE =
  'the handler finished without a response: call a method of the response, such as res.text() or ' +
  'res.empty(); a value that it returns is not sent';

function routes(server: Server): void {
  server.get('/', (_request, response) => response.text('hello'));
  server.get('/throw', () => {
    throw new Error('secret words');
  });
  server.get('/reject', async () => {
    await null;
    throw new Error('secret words');
  });
  server.get('/throw-value', () => {
    throw 'secret words' as unknown as Error;
  });
  server.get('/reject-undefined', () => Promise.reject(undefined));
  server.get('/no-response', async () => {
    await null;
  });
  // @ts-expect-error: a handler returns nothing.
  server.get('/value', async () => ({ id: 1 }));
  server.get('/http-error', () => {
    throw new HttpError(404, 'no such user');
  });
  server.get('/http-error-later', async () => {
    await null;
    throw new HttpError(409);
  });
  server.get('/http-error-500', () => {
    throw new HttpError(500, 'shown on purpose');
  });
  server.get('/twice', (_request, response) => {
    response.text('first');
    response.text('second');
  });
  server.get('/twice-later', async (_request, response) => {
    response.text('first');
    await wait(1);
    response.json(2);
  });
  server.get('/respond-throw', (_request, response) => {
    response.text('first');
    throw new Error('secret words');
  });
  server.get('/respond-reject', async (_request, response) => {
    response.text('first');
    await null;
    throw new Error('secret words');
  });
  server.get('/fields-throw', (_request, response) => {
    response.status(201).header('Content-Type', 'image/png').header('ETag', '"1"');
    response.header('Content-Length', 99).header('X-Kept', 'yes');
    throw new Error('secret words');
  });
  server.get('/write-throw', async (_request, response) => {
    await response.write('part of ');
    throw new Error('secret words');
  });
  server.get('/write-throw-later', async (_request, response) => {
    await response.write('part of ');
    await wait(20);
    throw new HttpError(404);
  });
  server.get('/stream-first', (_request, response) =>
    response.stream(
      (async function* () {
        yield* [];
        throw new Error('secret words');
      })(),
    ),
  );
  server.get('/stream-later', (_request, response) =>
    response.stream(
      (async function* () {
        yield 'part of ';
        await wait(20);
        throw new Error('secret words');
      })(),
    ),
  );
  server.get('/short', async (_request, response) => {
    response.header('Content-Length', 10);
    await response.write('part of ');
    response.end();
  });
  server.get('/long', async (_request, response) => {
    response.header('Content-Length', 10);
    await response.write('part of ');
    await response.write('more than 10');
    response.end();
  });
  server.post('/', async (request, response) => response.send(await request.bytes()));
}

const SECRET = /secret|at |\.ts|\.js|Error:/;

onEachDriver('handler errors', (add) => {
  for (const target of ['/throw', '/reject', '/throw-value', '/reject-undefined', '/no-response']) {
    add(
      `${target}: 500, the client sees nothing of the error, the connection stays open`,
      async (driver) => {
        await withServer(driver, {}, routes, async ({ open, server, log }) => {
          const client = await open();
          const response = await client.ask(get(target));
          assert.equal(response.status, 500);
          assert.equal(response.text, 'Internal Server Error\n');
          assert.equal(response.field('content-type'), 'text/plain; charset=utf-8');
          assert.doesNotMatch(response.raw.toString('latin1'), SECRET);
          assert.equal(response.field('connection'), undefined);
          assert.equal((await client.ask(get('/'))).text, 'hello');
          assert.equal(server.counters.handlerErrors, 1);
          assert.ok(log[0].startsWith(`vibing error: GET ${target}: `), log.join('\n'));
        });
      },
    );
  }

  add('the log has the stack of an error', async (driver) => {
    await withServer(driver, {}, routes, async ({ open, log }) => {
      const client = await open();
      await client.ask(get('/throw'));
      assert.match(log.join('\n'), /secret words\n\s+at .*handler-errors/);
    });
  });

  add(
    'HttpError sends its status and its message, and is not counted or logged',
    async (driver) => {
      await withServer(driver, {}, routes, async ({ open, server, log }) => {
        const client = await open();
        const response = await client.ask(get('/http-error'));
        assert.equal(response.status, 404);
        assert.equal(response.text, 'no such user\n');
        const later = await client.ask(get('/http-error-later'));
        assert.equal(later.status, 409);
        assert.equal(later.text, 'Conflict\n');
        assert.equal((await client.ask(get('/http-error-500'))).text, 'shown on purpose\n');
        assert.equal((await client.ask(get('/'))).text, 'hello');
        assert.equal(server.counters.handlerErrors, 0);
        assert.deepEqual(log, []);
      });
    },
  );

  add('HttpError accepts only error statuses', async () => {
    for (const status of [0, 99, 200, 302, 399, 600, 404.5, Number.NaN]) {
      assert.throws(() => new HttpError(status), RangeError);
    }
  });

  for (const target of ['/twice', '/twice-later', '/respond-throw', '/respond-reject']) {
    add(`${target}: the first response is sent, the error is logged`, async (driver) => {
      await withServer(driver, {}, routes, async ({ open, server }) => {
        const client = await open();
        assert.equal((await client.ask(get(target))).text, 'first');
        assert.equal((await client.ask(get('/'))).text, 'hello');
        await eventually('the error is counted', () => server.counters.handlerErrors === 1);
        assert.equal(server.counters.responses, 2);
      });
    });
  }

  add('the fields of an error are not sent with the next one', async (driver) => {
    const challenged = (server: Server): void => {
      server.get('/', (_request, response) => {
        response.header('X-Kept', 'yes');
        throw new HttpError(401, '', { headers: { 'WWW-Authenticate': 'Basic', 'X-First': '1' } });
      });
      server.onError((error, request) => {
        if (request.query.get('again') !== null) throw error;
        throw new HttpError(503, '', { headers: { 'Retry-After': '7' } });
      });
    };
    await withServer(driver, {}, challenged, async ({ open }) => {
      const client = await open();
      const second = await client.ask(get('/'));
      assert.deepEqual([second.status, second.field('retry-after')], [503, '7']);
      assert.equal(second.field('www-authenticate'), undefined);
      assert.equal(second.field('x-first'), undefined);
      assert.equal(second.field('x-kept'), 'yes');
      const same = await client.ask(get('/?again'));
      assert.deepEqual([same.status, same.field('www-authenticate')], [401, 'Basic']);
    });
  });

  add('the fields of an error are not sent when its handler takes too long', async (driver) => {
    const stuck = (server: Server): void => {
      server.use('/limited', timeout(50));
      server.use((_request, response, next) => {
        response.header('X-Both', 'of middleware');
        return next();
      });
      const headers = { 'WWW-Authenticate': 'Basic', 'X-First': '1', 'X-Both': 'of the error' };
      const challenge = (_request: unknown, response: Response): void => {
        response.header('X-Kept', 'yes');
        throw new HttpError(401, '', { headers });
      };
      server.get('/', challenge);
      server.get('/limited', challenge);
      server.onError(() => new Promise(() => {}));
    };
    await withServer(driver, { handlerTimeoutMs: 100 }, stuck, async ({ open }) => {
      for (const target of ['/', '/limited']) {
        const late = await (await open()).ask(get(target));
        assert.deepEqual([late.status, late.field('x-kept')], [503, 'yes'], target);
        assert.equal(late.field('www-authenticate'), undefined);
        assert.equal(late.field('x-first'), undefined);
        assert.equal(late.field('x-both'), 'of middleware');
      }
    });
  });

  add('content fields that a failed handler set are dropped, other fields stay', async (driver) => {
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      const response = await client.ask(get('/fields-throw'));
      assert.equal(response.status, 500);
      assert.equal(response.field('content-type'), 'text/plain; charset=utf-8');
      assert.equal(response.field('etag'), undefined);
      assert.equal(response.field('x-kept'), 'yes');
      assert.equal(response.text, 'Internal Server Error\n');
    });
  });

  add('a stream that fails before its first chunk is a 500', async (driver) => {
    await withServer(driver, {}, routes, async ({ open, server }) => {
      const client = await open();
      assert.equal((await client.ask(get('/stream-first'))).status, 500);
      assert.equal((await client.ask(get('/'))).text, 'hello');
      assert.equal(server.counters.handlerErrors, 1);
    });
  });

  const cut = ['/write-throw', '/write-throw-later', '/stream-later', '/short', '/long'];
  for (const target of cut) {
    add(`${target}: the client sees that the response is incomplete`, async (driver) => {
      await withServer(driver, {}, routes, async ({ open }) => {
        const client = await open();
        void client.send(get(target) + get('/'));
        await assert.rejects(client.nextResponse(), /no complete response/);
        await client.ending();
        assert.doesNotMatch(client.rest.toString('latin1'), /hello/);
      });
    });

    add(`${target}: HTTP/1.0, where the end delimits the content, is reset`, async (driver) => {
      await withServer(driver, {}, routes, async ({ open }) => {
        const client = await open();
        void client.send(`GET ${target} HTTP/1.0\r\n\r\n`);
        const how = await client.ending();
        // A Content-Length already shows that the content is truncated.
        if (target !== '/short') assert.equal(how, 'reset');
      });
    });
  }

  for (const target of ['/write-throw', '/stream-later', '/short', '/long']) {
    add(
      `${target}: the error is logged and counted though the response had begun`,
      async (driver) => {
        await withServer(driver, {}, routes, async ({ open, server, log }) => {
          const client = await open();
          void client.send(get(target));
          await client.ending();
          client.half();
          await eventually('the connection is closed', () => server.counters.closed === 1);
          assert.equal(server.counters.handlerErrors, 1);
          assert.ok(
            log.some((line) => line.startsWith(`vibing error: GET ${target}: `)),
            log.join('\n'),
          );
        });
      },
    );
  }

  add(
    'a body truncated by a reset rejects, and is not counted as a handler error',
    async (driver) => {
      await withServer(driver, {}, routes, async ({ open, server, log }) => {
        const client = await open();
        await client.send(post('/', 'a body').slice(0, -1));
        await eventually('the handler runs', () => server.counters.requests === 1);
        client.reset();
        await eventually('the connection is closed', () => server.counters.closed === 1);
        assert.equal(server.counters.resets, 1);
        assert.equal(server.counters.handlerErrors, 0, log.join('\n'));
      });
    },
  );
});

onEachDriver('onError', (add) => {
  add('responds instead of the server, with the error, at once and later', async (driver) => {
    for (const isLater of [false, true]) {
      const own = (server: Server) => {
        routes(server);
        server.onError((error, request, response) => {
          const respond = () => {
            const message = error instanceof Error ? error.message : String(error);
            response.status(418).json([request.path, message]);
          };
          if (!isLater) return respond();
          return wait(2).then(respond);
        });
      };
      await withServer(driver, {}, own, async ({ open }) => {
        const client = await open();
        for (const [target, message] of [
          ['/throw', 'secret words'],
          ['/reject', 'secret words'],
          ['/http-error', 'no such user'],
          ['/no-response', NO_RESPONSE],
          ['/value', NO_RESPONSE],
          ['/fields-throw', 'secret words'],
        ] as const) {
          const response = await client.ask(get(target));
          assert.equal(response.status, 418);
          assert.deepEqual(JSON.parse(response.text), [target, message]);
          assert.equal(response.field('content-type'), 'application/json; charset=utf-8');
        }
        assert.equal((await client.ask(get('/'))).text, 'hello');
      });
    }
  });

  const broken: readonly (readonly [what: string, run: (server: Server) => void])[] = [
    [
      'throws',
      (server) =>
        server.onError(() => {
          throw new Error('broken, too');
        }),
    ],
    [
      'rejects',
      (server) =>
        server.onError(async () => {
          await wait(1);
          throw new Error('broken, too');
        }),
    ],
  ];
  for (const [what, run] of broken) {
    add(`that ${what} gets the usual 500, both errors are logged`, async (driver) => {
      const own = (server: Server) => {
        routes(server);
        run(server);
      };
      await withServer(driver, {}, own, async ({ open, server, log }) => {
        const client = await open();
        const response = await client.ask(get('/throw'));
        assert.equal(response.status, 500);
        assert.equal(response.text, 'Internal Server Error\n');
        assert.equal((await client.ask(get('/'))).text, 'hello');
        assert.equal(server.counters.handlerErrors, 2);
        assert.match(log.join('\n'), /secret words[\s\S]*broken, too/);
      });
    });
  }

  add('that does not respond leaves it to the server', async (driver) => {
    for (const isLater of [false, true]) {
      const seen: unknown[] = [];
      const own = (server: Server) => {
        routes(server);
        server.onError((error) => {
          seen.push((error as Error).message);
          return isLater ? wait(2) : undefined;
        });
      };
      await withServer(driver, {}, own, async ({ open }) => {
        const client = await open();
        assert.equal((await client.ask(get('/throw'))).status, 500);
        assert.equal((await client.ask(get('/reject'))).status, 500);
        const known = await client.ask(get('/http-error'));
        assert.equal(known.status, 404);
        assert.equal(known.text, 'no such user\n');
        assert.deepEqual(seen, ['secret words', 'secret words', 'no such user']);
      });
    }
  });

  const begun: readonly (readonly [what: string, begin: (response: Response) => unknown])[] = [
    ['a file that is missing', (response) => response.file('/missing/page.html')],
    ['a file without a path', (response) => response.file('')],
    [
      'a stream that fails',
      (response) =>
        response.stream({
          [Symbol.asyncIterator]: () => ({
            next: () => Promise.reject(new Error('broken, too')),
          }),
        }),
    ],
  ];
  for (const [what, begin] of begun) {
    add(`that begins ${what} and does not await it runs once`, async (driver) => {
      const calls: string[] = [];
      const own = (server: Server) => {
        routes(server);
        server.onError((_error, _request, response) => {
          calls.push('outer');
          if (calls.length < 100) void begin(response);
        });
        server.group('/in', (group) => {
          group.onError((_error, _request, response) => {
            calls.push('inner');
            if (calls.length < 100) void begin(response);
          });
          group.get('/throw', () => {
            throw new Error('secret words');
          });
        });
      };
      await withServer(driver, {}, own, async ({ open }) => {
        const client = await open();
        const expected = what.includes('missing') ? 404 : 500;
        for (let round = 0; round < 2; round++) {
          for (const [target, ran] of [
            ['/throw', ['outer']],
            ['/nowhere', ['outer']],
            ['/in/throw', ['inner', 'outer']],
          ] as const) {
            calls.length = 0;
            assert.equal((await client.ask(get(target))).status, expected, target);
            assert.deepEqual(calls, ran, target);
          }
        }
        assert.equal((await client.ask(get('/'))).text, 'hello');
      });
    });
  }

  add('that throws an HttpError gets its response', async (driver) => {
    const own = (server: Server) => {
      routes(server);
      server.onError(() => {
        throw new HttpError(502, 'behind us');
      });
    };
    await withServer(driver, {}, own, async ({ open, server }) => {
      const client = await open();
      const response = await client.ask(get('/throw'));
      assert.equal(response.status, 502);
      assert.equal(response.text, 'behind us\n');
      assert.equal(server.counters.handlerErrors, 1);
    });
  });

  add('that never settles ends in 503', async (driver) => {
    const own = (server: Server) => {
      routes(server);
      server.onError(() => new Promise(() => {}));
    };
    await withServer(driver, { handlerTimeoutMs: 50 }, own, async ({ open }) => {
      const client = await open();
      assert.equal((await client.ask(get('/throw'))).status, 503);
      await client.endsCleanly();
    });
  });

  add('is not called once the response has begun', async (driver) => {
    let calls = 0;
    const own = (server: Server) => {
      routes(server);
      server.onError(() => {
        calls += 1;
      });
    };
    await withServer(driver, {}, own, async ({ open }) => {
      const client = await open();
      assert.equal((await client.ask(get('/respond-throw'))).text, 'first');
      void client.send(get('/write-throw'));
      await client.ending();
      assert.equal(calls, 0);
    });
  });

  add('accepts only a function', async () => {
    const { createServer } = await import('../../src/index.ts');
    assert.throws(() => createServer().onError('no' as never), TypeError);
  });
});
