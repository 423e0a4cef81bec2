// A request whose method changes on its way: it gets all middleware of its new route, each once,
// and nothing of the route that it had.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Middleware } from '../../src/exchange/handler.ts';
import { exchangeOf } from '../../src/exchange/request.ts';
import { methodOverride } from '../../src/middleware/method-override.ts';
import type { Server } from '../../src/server/server.ts';
import { unlistenedServer } from '../../testing/unlistened-server.ts';
import { seriesOf, shownJson } from '../metrics/fixtures/shown.ts';

const AS_PUT = { 'x-http-method-override': 'PUT' };

/** The texts that `site` notes for a POST that is handled as a PUT. */
async function notedOf(
  site: (server: Server, note: (text: string) => void) => void,
  target: string,
): Promise<string[]> {
  const { log, server } = unlistenedServer();
  const noted: string[] = [];
  site(server, (text) => noted.push(text));
  const response = await server.inject({ method: 'POST', target, headers: AS_PUT });
  noted.push(`${response.status} ${await response.text()}`);
  await server.close();
  assert.deepEqual(log, []);
  return noted;
}

describe('a POST that is handled as a PUT', () => {
  it('gets middleware of a group that is before what has run', async () => {
    const site = (server: Server, note: (text: string) => void) => {
      const noted: Middleware = (request, _response, next) => {
        note(request.path);
        return next();
      };
      server.group('/a', (group) => {
        // The same function, once for the group and once for all: each is a step of its own.
        group.use(noted);
        server.use(noted);
        server.use(methodOverride());
        group.put('/x', (_request, response) => response.text('put'));
      });
      server.post('/a/x', (_request, response) => response.text('post'));
    };
    assert.deepEqual(await notedOf(site, '/a/x'), ['/a/x', '/x', '200 put']);
  });

  it('gets each of several guards of its group, and no step twice', async () => {
    const site = (server: Server, note: (text: string) => void) => {
      const step =
        (name: string): Middleware =>
        (_request, _response, next) => {
          note(name);
          return next();
        };
      server.group('/a', (group) => {
        group.use(step('group 1'));
        server.use(step('all 1'));
        group.use('/x', step('group 2'));
        server.use(step('all 2'));
        server.use(methodOverride());
        group.use(step('group 3'));
        server.use('/other', step('other'));
        server.use('/a/x', step('all 3'));
        group.put('/:name', step('own'), (_request, response) => response.text('put'));
      });
      server.post('/a/x', (_request, response) => response.text('post'));
    };
    assert.deepEqual(await notedOf(site, '/a/x'), [
      ...['all 1', 'all 2', 'group 1', 'group 2', 'group 3', 'all 3', 'own'],
      '200 put',
    ]);
  });

  it('has the methods, the pattern and the error handler of its new route', async () => {
    const site = (server: Server) => {
      server.use(methodOverride());
      server.onError((_error, request, response) => response.text(`server ${request.route}`));
      server.group('/a', (group) => {
        group.onError((_error, request, response) => response.text(`group ${request.route}`));
        group.post('/:name', (_request, response) => response.text('post'));
        group.put('/b', () => {
          throw new Error('expected');
        });
      });
    };
    const { server } = unlistenedServer();
    site(server);
    const ask = async (target: string) => {
      const response = await server.inject({ method: 'POST', target, headers: AS_PUT });
      return `${response.status} ${await response.text()} ${response.headers.get('allow')}`;
    };
    assert.equal(await ask('/a/b'), '200 group /a/b null');
    // No route has the new method here.
    assert.equal(await ask('/a/c'), '200 group undefined OPTIONS, POST');
    await server.close();
  });

  it('counts for its new route, or for none', async () => {
    const { server } = unlistenedServer({ metrics: true });
    server.use(methodOverride());
    server.post('/a', (_request, response) => response.text('post'));
    server.put('/b', (_request, response) => response.text('put'));
    server.post('/b', (_request, response) => response.text('post'));
    for (const [target, headers] of [
      ['/a', {}],
      ['/a', AS_PUT],
      ['/b', AS_PUT],
    ] as const) {
      await (await server.inject({ method: 'POST', target, headers })).text();
    }
    const shown = await shownJson(server);
    const counts = seriesOf(shown, 'http_server_request_duration_seconds')
      .filter(({ count = 0 }) => count > 0)
      .map(
        ({ labels, count }) =>
          `${labels['http_route'] ?? ''} ${labels['http_request_method']} ${count}`,
      );
    assert.deepEqual(
      counts.filter((line) => !line.includes('GET')).sort(),
      [' PUT 1', '/a POST 1', '/b PUT 1'].sort(),
    );
    await server.close();
  });

  it('may be one again, as often as a middleware says so', async () => {
    const { server } = unlistenedServer();
    let runs = 0;
    server.use((request, _response, next) => {
      runs += 1;
      exchangeOf(request).services.reroute(exchangeOf(request));
      return next();
    });
    server.use((request, _response, next) => {
      exchangeOf(request).services.reroute(exchangeOf(request));
      exchangeOf(request).services.reroute(exchangeOf(request));
      return next();
    });
    server.get('/:name', (request, response) => response.json(request.params));
    assert.equal(await (await server.inject('/x')).text(), '{"name":"x"}');
    assert.equal(runs, 1);
    await server.close();
  });
});
