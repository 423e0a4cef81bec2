// Requests that no route takes: what notFound() and onError() see of them, what middleware sees,
// and that their default responses stay.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { HttpError } from '../../src/exchange/http-error.ts';
import { createServer } from '../../src/index.ts';
import type { ServerOptions } from '../../src/server/config/config.ts';
import type { Server } from '../../src/server/server.ts';
import { get, post, request } from '../../testing/raw-client.ts';
import type { RawResponse } from '../../testing/raw-response.ts';
import {
  onEachDriver,
  oneDriver,
  type Running,
  wait,
  withServer,
} from '../../testing/with-server.ts';

function routes(server: Server): void {
  server.get('/', (_request, response) => response.text('hello'));
  server.get('/throw', () => {
    throw new HttpError(404, 'no such note');
  });
}

/** Responds with what the error handler got. */
function reports(server: Server): void {
  server.onError((error, { path }, response) => {
    assert.ok(error instanceof HttpError);
    response.status(error.status).json([error.status, error.message, path]);
  });
}

const UNROUTED = [
  ['a path without a route', get('/missing'), 404, 'Not Found', undefined],
  ['a HEAD of one', request('HEAD', '/missing'), 404, 'Not Found', undefined],
  ['a route with another method', post('/', ''), 405, 'Method Not Allowed', 'GET, HEAD, OPTIONS'],
  ['an unknown method', request('BREW', '/'), 501, 'Not Implemented', 'GET, HEAD, OPTIONS'],
  ['a path that cannot be decoded', get('/%'), 400, 'Bad Request', undefined],
  ['CONNECT', request('CONNECT', 'a.test:443'), 501, 'Not Implemented', undefined],
] as const;

/** What a server with these handlers responds to one request. */
async function ask(
  bytes: string,
  own: (server: Server) => void,
  options: ServerOptions = {},
  after: (running: Running) => void = () => {},
): Promise<RawResponse> {
  const [driver] = oneDriver();
  let response: RawResponse | null = null;
  const prepare = (server: Server) => {
    routes(server);
    own(server);
  };
  await withServer(driver, options, prepare, async (running) => {
    const client = await running.open();
    response = await client.ask(bytes);
    after(running);
  });
  assert.ok(response !== null);
  return response;
}

describe('without handlers of its own the server responds', () => {
  for (const [what, bytes, status, phrase, allow] of UNROUTED) {
    test(`to ${what}: ${status}`, async () => {
      const response = await ask(bytes, () => {});
      assert.equal(response.status, status);
      assert.equal(response.field('allow'), allow);
      assert.equal(response.field('content-type'), 'text/plain; charset=utf-8');
      assert.equal(response.text, bytes.startsWith('HEAD') ? '' : `${phrase}\n`);
    });
  }
});

describe('onError() gets an HttpError', () => {
  for (const [what, bytes, status, phrase, allow] of UNROUTED) {
    test(`for ${what}: ${status}`, async () => {
      const response = await ask(bytes, reports, {}, ({ log, server }) => {
        assert.deepEqual(log, [], 'a request without a route is no error of the program');
        assert.equal(server.counters.handlerErrors, 0);
      });
      assert.equal(response.status, status);
      assert.equal(response.field('allow'), allow);
      assert.match(response.field('content-type') ?? '', /json/);
      if (bytes.startsWith('HEAD')) assert.equal(response.text, '');
      else assert.deepEqual(JSON.parse(response.text).slice(0, 2), [status, phrase]);
    });
  }

  for (const isLater of [false, true]) {
    const when = isLater ? 'later' : 'at once';
    test(`and leaves the response to the server, ${when}`, async () => {
      let calls = 0;
      const own = (server: Server) => {
        server.onError(() => {
          calls += 1;
          return isLater ? wait(2) : undefined;
        });
      };
      const response = await ask(post('/', ''), own);
      assert.equal(response.status, 405);
      assert.equal(response.field('allow'), 'GET, HEAD, OPTIONS');
      assert.equal(response.text, 'Method Not Allowed\n');
      assert.equal(calls, 1);
    });

    test(`and fails, ${when}: 500`, async () => {
      const own = (server: Server) => {
        server.onError(async () => {
          if (isLater) await wait(2);
          throw new Error('broken');
        });
      };
      const response = await ask(get('/missing'), own, {}, ({ log, server }) => {
        assert.match(log.join('\n'), /GET \/missing: Error: broken/);
        assert.equal(server.counters.handlerErrors, 1);
      });
      assert.equal(response.status, 500);
      assert.equal(response.text, 'Internal Server Error\n');
    });
  }

  test('and throws another one: its response', async () => {
    const own = (server: Server) => {
      server.onError(() => {
        throw new HttpError(410, 'it was here');
      });
    };
    const response = await ask(get('/missing'), own);
    assert.deepEqual([response.status, response.text], [410, 'it was here\n']);
  });

  test('but not for OPTIONS, which has a response', async () => {
    const response = await ask(request('OPTIONS', '/'), reports);
    assert.deepEqual([response.status, response.field('allow')], [204, 'GET, HEAD, OPTIONS']);
  });
});

describe('notFound()', () => {
  test('responds to a path without a route, with 404 unless it sets another status', async () => {
    const own = (server: Server) => {
      reports(server);
      server.notFound(({ method, path }, response) => {
        if (path === '/old') response.status(410);
        response.json([method, path]);
      });
    };
    const missing = await ask(get('/a/b'), own);
    assert.deepEqual([missing.status, missing.text], [404, '["GET","/a/b"]']);
    const posted = await ask(post('/a', 'body'), own);
    assert.deepEqual([posted.status, posted.text], [404, '["POST","/a"]']);
    const old = await ask(get('/old'), own);
    assert.deepEqual([old.status, old.text], [410, '["GET","/old"]']);
  });

  test('is not called for another method, nor for a 404 that a handler throws', async () => {
    const own = (server: Server) => {
      reports(server);
      server.notFound((_request, response) => response.text('not found'));
    };
    const wrong = await ask(post('/', ''), own);
    assert.equal(wrong.text, '[405,"Method Not Allowed","/"]');
    assert.equal(wrong.field('allow'), 'GET, HEAD, OPTIONS');
    assert.equal((await ask(get('/throw'), own)).text, '[404,"no such note","/throw"]');
  });

  const WAYS: readonly (readonly [string, (server: Server) => void, RegExp])[] = [
    [
      'in a promise',
      (server) =>
        server.notFound(async (_request, response) => {
          await wait(2);
          response.text('later');
        }),
      /^later$/,
    ],
    [
      'from a callback',
      (server) =>
        server.notFound((_request, response) => {
          setTimeout(() => response.text('later'), 2);
        }),
      /^later$/,
    ],
    [
      'with an error',
      (server) =>
        server.notFound(() => {
          throw new HttpError(404, 'thrown');
        }),
      /^thrown\n$/,
    ],
    [
      'with an error for onError()',
      (server) => {
        reports(server);
        server.notFound(async () => {
          throw new HttpError(404, 'rejected');
        });
      },
      /^\[404,"rejected","\/missing"\]$/,
    ],
  ];
  for (const [how, own, expected] of WAYS) {
    for (const staticDir of [undefined, tmpdir()]) {
      const where = staticDir === undefined ? '' : ', behind a directory of files';
      test(`responds ${how}${where}`, async () => {
        const response = await ask(get('/missing'), own, { staticDir });
        assert.match(response.text, expected);
        assert.equal(response.status, 404);
      });
    }
  }

  test('that does not respond is a 500, as a handler', async () => {
    const response = await ask(get('/missing'), (server) => server.notFound(async () => {}));
    assert.equal(response.status, 500);
  });

  test('is a function, given once', () => {
    const server = createServer();
    assert.throws(
      () => server.notFound('no' as never),
      /notFound\(\): it takes \(request, response\)/,
    );
    assert.throws(() => server.notFound(undefined as never), /notFound\(\): it takes/);
    assert.throws(() => server.notFound(class {} as never), /notFound\(\): given a class/);
    assert.equal(
      server.notFound(() => {}),
      server,
    );
    assert.throws(() => server.notFound(() => {}), /notFound\(\): a handler was set before/);
  });
});

test('where a file has the path, Allow has its methods', async (context) => {
  const staticDir = mkdtempSync(join(tmpdir(), 'vibing-unrouted-'));
  context.after(() => rmSync(staticDir, { recursive: true }));
  writeFileSync(join(staticDir, 'a.txt'), 'file');
  const response = await ask(post('/a.txt', ''), reports, { staticDir });
  assert.equal(response.text, '[405,"Method Not Allowed","/a.txt"]');
  assert.equal(response.field('allow'), 'GET, HEAD, OPTIONS');
  const missing = await ask(post('/b.txt', ''), reports, { staticDir });
  assert.equal(missing.text, '[404,"Not Found","/b.txt"]');
});

onEachDriver(
  'middleware',
  (add) => {
    for (const isLater of [false, true]) {
      const when = isLater ? 'later' : 'at once';
      add(`around a request without a route sees its response, sent ${when}`, async (driver) => {
        const seen: unknown[] = [];
        const own = (server: Server) => {
          server.use(async (_request, response, next) => {
            response.header('X-Around', 'yes').header('Cache-Control', 'max-age=60');
            response.afterSend(({ status }) => seen.push(`status ${status}`));
            await next();
            seen.push(response.sent);
          });
          routes(server);
          server.onError(async (error, _request, response) => {
            if (isLater) await wait(2);
            response.status((error as HttpError).status).text('onError');
          });
          server.notFound(async (_request, response) => {
            if (isLater) await wait(2);
            response.text('notFound');
          });
        };
        await withServer(driver, {}, own, async ({ open }) => {
          const client = await open();
          for (const [bytes, status, text] of [
            [get('/missing'), 404, 'notFound'],
            [post('/', ''), 405, 'onError'],
          ] as const) {
            const response = await client.ask(bytes);
            assert.deepEqual([response.status, response.text], [status, text]);
            assert.equal(response.field('x-around'), 'yes');
            // Fields that describe content do not belong to an error.
            const cacheControl = text === 'onError' ? undefined : 'max-age=60';
            assert.equal(response.field('cache-control'), cacheControl);
          }
          assert.equal((await client.ask(get('/'))).text, 'hello');
          assert.deepEqual(
            seen.filter((one) => one === true),
            [true, true, true],
          );
          assert.ok(seen.includes('status 404') && seen.includes('status 405'));
        });
      });
    }

    add('that responds, too, within its own call throws', async (driver) => {
      const seen: unknown[] = [];
      const own = (server: Server) => {
        server.use((_request, response, next) => {
          void next();
          try {
            response.text('second');
          } catch (error) {
            seen.push((error as Error).message);
          }
        });
        routes(server);
        reports(server);
      };
      await withServer(driver, {}, own, async ({ open, server }) => {
        const client = await open();
        for (const bytes of [get('/missing'), post('/', ''), get('/')]) await client.ask(bytes);
        assert.deepEqual(seen, Array(3).fill('text(): the response has ended'));
        assert.equal(server.counters.lateWrites, 0);
      });
    });

    add('that fails after next() leaves the response', async (driver) => {
      const own = (server: Server) => {
        routes(server);
        reports(server);
        server.use(async (_request, _response, next) => {
          await next();
          throw new Error('too late');
        });
      };
      await withServer(driver, {}, own, async ({ open, log }) => {
        const client = await open();
        assert.equal((await client.ask(get('/missing'))).text, '[404,"Not Found","/missing"]');
        assert.match(log.join('\n'), /too late/);
      });
    });
  },
  oneDriver(),
);
