// Handlers that return neither a response nor a promise: the log says so at once where that is
// certain, and after a second where a response may come later. No other handler is logged.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { NO_RESPONSE_NOTE_MS } from '../../src/base/fixed-limits.ts';
import type { Handler } from '../../src/exchange/handler.ts';
import type { Response } from '../../src/exchange/response.ts';
import { cannotRespond } from '../../src/server/no-response.ts';
import type { Server } from '../../src/server/server.ts';
import { get, post, request } from '../../testing/raw-client.ts';
import {
  eventually,
  oneDriver,
  type Running,
  wait,
  withServer,
} from '../../testing/with-server.ts';

const [DRIVER] = oneDriver();

/** Longer than the log waits. */
const PAST_MS = NO_RESPONSE_NOTE_MS + 100;

const warnings = ({ log }: Running) => log.filter((line) => line.startsWith('vibing warn'));

async function serve(
  own: (server: Server) => void,
  body: (running: Running) => Promise<void>,
): Promise<void> {
  await withServer(DRIVER, { shutdownTimeoutMs: 0 }, own, body);
}

describe('a handler that has no parameter for the response', { concurrency: true }, () => {
  test('is logged at once, with method, path, route and what to do, once', async () => {
    const own = (server: Server) => {
      server.get('/notes/:id', () => {});
      server.all('/other', (_request) => {});
    };
    await serve(own, async (running) => {
      const client = await running.open();
      void client.send(get('/notes/7?x=1'));
      await eventually('the line', () => warnings(running).length === 1);
      assert.equal(
        warnings(running)[0],
        'vibing warn: GET /notes/7 (route /notes/:id): the handler returned without a response, ' +
          'and has no parameter for one: write (req, res) => ..., and call a method of the ' +
          'response, such as res.text() or res.empty()',
      );
      const [second, other] = [await running.open(), await running.open()];
      void second.send(get('/notes/8'));
      void other.send(request('BREW', '/other'));
      await eventually('the other line', () => warnings(running).length === 2);
      assert.match(warnings(running)[1], /: BREW \/other \(route \/other\): the handler returned/);
    });
  });

  test('may have a middleware that responds: then the log waits', async () => {
    const own = (server: Server) => {
      server.use((_request, response, next) => {
        setTimeout(() => response.text('from middleware'), 20);
        return next();
      });
      server.get('/', () => {});
    };
    await serve(own, async (running) => {
      const client = await running.open();
      assert.equal((await client.ask(get('/'))).text, 'from middleware');
      await wait(PAST_MS);
      assert.deepEqual(warnings(running), []);
    });
  });

  const certain: readonly Handler[] = [
    () => {},
    (_request) => {},
    function named(_request) {},
    { method() {} }.method,
  ];
  const uncertain: readonly Handler[] = [
    (_request, _response) => {},
    (...given) => void given,
    (_request, response = {} as Response) => void response,
    ({ path: _path }, _response = undefined as never) => {},
    function () {
      // biome-ignore lint/complexity/noArguments: a handler reaches its response through it, too.
      void arguments;
    },
    function (this: unknown) {}.bind(null),
    new Proxy<Handler>(() => {}, {}),
  ];
  test('is known by its source', () => {
    for (const handler of certain) assert.equal(cannotRespond(handler), true, String(handler));
    for (const handler of uncertain) assert.equal(cannotRespond(handler), false, String(handler));
  });
});

describe('a handler that may respond later', { concurrency: true }, () => {
  test('is logged after a second without a response, once', async () => {
    const own = (server: Server) => {
      server.get('/forgets', (request, response) => {
        if (request.path === '/') response.text('never');
      });
    };
    await serve(own, async (running) => {
      const clients = [await running.open(), await running.open()];
      for (const client of clients) void client.send(get('/forgets'));
      await wait(NO_RESPONSE_NOTE_MS / 2);
      assert.deepEqual(warnings(running), []);
      await eventually('the line', () => warnings(running).length === 1);
      assert.equal(
        warnings(running)[0],
        'vibing warn: GET /forgets (route /forgets): no response 1000 ms after the handler ' +
          'returned: call a method of the response, such as res.text() or res.empty(); a handler ' +
          'that waits for something returns a promise, and is not logged',
      );
      void (await running.open()).send(get('/forgets'));
      await wait(PAST_MS);
      assert.equal(warnings(running).length, 1);
    });
  });

  test('is not logged when it does, reads a body, streams, or its client left', async () => {
    let hasRun = false;
    const own = (server: Server) => {
      server.get('/callback', (_request, response) => {
        setTimeout(() => response.text('later'), 20);
      });
      server.post('/body', (request, response) => {
        void request.text().then(
          (text) => response.text(text),
          () => {},
        );
      });
      server.get('/left', (request, response) => {
        hasRun = request.method !== '' && !response.sent;
      });
      server.get('/promise', () => new Promise(() => {}));
      server.get('/events', (_request, response) => void response.events());
      server.get('/write', (_request, response) => void response.write('begun'));
      server.get('/file', (_request, response) => void response.file('/missing'));
    };
    await serve(own, async (running) => {
      const client = await running.open();
      for (let count = 0; count < 3; count++) {
        assert.equal((await client.ask(get('/callback'))).text, 'later');
      }
      assert.equal((await client.ask(get('/file'))).status, 404);
      for (const bytes of [post('/body', '12').slice(0, -1), get('/promise'), get('/write')]) {
        void (await running.open()).send(bytes);
      }
      void (await running.open()).send(get('/events'));
      const left = await running.open();
      void left.send(get('/left'));
      await eventually('the handler runs', () => hasRun);
      left.reset();
      await wait(PAST_MS);
      assert.deepEqual(warnings(running), []);
    });
  });

  test('is logged when one of its later requests forgets it', async () => {
    const own = (server: Server) => {
      server.get('/:what', ({ params }, response) => {
        if (params['what'] === 'responds') setTimeout(() => response.text('later'), 2);
      });
    };
    await serve(own, async (running) => {
      const client = await running.open();
      assert.equal((await client.ask(get('/responds'))).text, 'later');
      await wait(PAST_MS);
      void client.send(get('/forgets'));
      await eventually('the line', () => warnings(running).length === 1);
      assert.match(warnings(running)[0], /GET \/forgets \(route \/:what\): no response 1000 ms/);
    });
  });
});
