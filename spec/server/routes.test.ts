// Which group a request without a route belongs to, and what is seen of a route that is hidden from
// other clients.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { whenBegins } from '../../src/exchange/begins.ts';
import type { Handler } from '../../src/exchange/handler.ts';
import type { ServerOptions } from '../../src/server/config/config.ts';
import { Routes } from '../../src/server/routes.ts';
import type { Server } from '../../src/server/server.ts';
import { get } from '../../testing/raw-client.ts';
import { unlistenedServer } from '../../testing/unlistened-server.ts';
import { withSite } from '../../testing/virtual-site.ts';

async function textOf(site: (server: Server) => void, target: string): Promise<string> {
  const { server } = unlistenedServer();
  site(server);
  const text = await (await server.inject(target)).text();
  await server.close();
  return text;
}

type Named = { notFound(handler: Handler): unknown };

/** Responds with the name, in a group or a server. */
function name(group: Named, text: string): void {
  group.notFound((_request, response) => response.text(text));
}

describe('a path without a route', () => {
  it('belongs to the group with the longest prefix, in whatever order they are added', async () => {
    const groups = ['/a', '/a/b', '/a/:x/c', '/other'];
    for (let first = 0; first < groups.length; first++) {
      const ordered = [...groups.slice(first), ...groups.slice(0, first)];
      const site = (server: Server) => {
        name(server, 'server');
        for (const prefix of ordered) server.group(prefix, (group) => name(group, prefix));
      };
      for (const [target, text] of [
        ['/none', 'server'],
        ['/a', '/a'],
        ['/a/none', '/a'],
        ['/a/b', '/a/b'],
        ['/a/b/none', '/a/b'],
        ['/a/b/c/none', '/a/:x/c'],
        ['/ab', 'server'],
        ['/other/none', '/other'],
      ]) {
        assert.equal(await textOf(site, target), text, `${target}, ${first}`);
      }
    }
  });

  it('belongs to the innermost of the groups with equally long prefixes', async () => {
    for (const isOuterFirst of [true, false]) {
      const site = (server: Server) => {
        const flat = () => server.group('/a/b', (group) => name(group, 'flat'));
        if (isOuterFirst) flat();
        server.group('/a', (outer) => outer.group('/b', (inner) => name(inner, 'inner')));
        if (!isOuterFirst) flat();
      };
      assert.equal(await textOf(site, '/a/b/none'), 'inner');
    }
  });
});

describe('a route that some clients may not find', () => {
  const statusOf = async (options: ServerOptions, target: string, more: object) => {
    const { server } = unlistenedServer({ metrics: true, ...options });
    const { headers, status } = await server.inject({ target, ...more });
    await server.close();
    return `${status} ${headers.get('allow')}`;
  };

  it('is there for others, also with another method', async () => {
    for (const [options, target] of [
      [{}, '/metrics'],
      [{ trailingSlash: 'ignore' }, '/metrics'],
      [{ trailingSlash: 'ignore' }, '/metrics/'],
      [{ trailingSlash: 'redirect' }, '/metrics/'],
    ] as const) {
      for (const method of ['POST', 'DELETE', 'PATCH']) {
        const own = await statusOf(options, target, { method, remoteAddress: '127.0.0.1' });
        assert.equal(own, '405 GET, HEAD, OPTIONS', `${method} ${target}`);
        const other = await statusOf(options, target, { method, remoteAddress: '192.0.2.7' });
        assert.equal(other, '404 null', `${method} ${target}`);
      }
      const asked = await statusOf(options, target, { method: 'OPTIONS' });
      assert.equal(asked, '204 GET, HEAD, OPTIONS');
      const other = { method: 'OPTIONS', remoteAddress: '192.0.2.7' };
      assert.equal(await statusOf(options, target, other), '404 null');
    }
  });

  it('is not found in another spelling either, and leaves nothing of it', async () => {
    for (const trailingSlash of ['strict', 'ignore', 'redirect'] as const) {
      const { server } = unlistenedServer({ metrics: true, trailingSlash });
      server.notFound(({ params, route = 'none' }, response) => response.json([params, route]));
      for (const target of ['/metrics', '/metrics/', '//metrics', '/%6detrics', '/x/../metrics']) {
        const response = await server.inject({ target, remoteAddress: '192.0.2.7' });
        const seen = [response.status, await response.text()];
        assert.deepEqual(seen, [404, '[{},"none"]'], `${trailingSlash} ${target}`);
      }
      await server.close();
    }
  });
});

describe('what is registered', () => {
  it('later is not for a request without a route that is being handled', async () => {
    const { server } = unlistenedServer();
    const ran: string[] = [];
    server.use((_request, _response, next) => {
      ran.push('first');
      server.use((_other, _reply, further) => {
        ran.push('later');
        return further();
      });
      return next();
    });
    assert.equal((await server.inject('/none')).status, 404);
    assert.deepEqual(ran, ['first']);
    assert.equal((await server.inject('/none')).status, 404);
    assert.deepEqual(ran, ['first', 'first', 'later']);
    await server.close();
  });

  it('hears of the beginning also as the handler of a route', () => {
    const routes = new Routes();
    const [begins, other] = [() => {}, () => {}];
    const handler = whenBegins((_request, response) => response.empty(), begins) as Handler;
    const before = whenBegins((_request, _response, next) => next(), other);
    const added = { method: 'GET', pattern: '/', place: '', handler, middleware: [before] };
    routes.add(routes.root, added);
    assert.deepEqual(routes.begins, new Set([begins, other]));
  });

  it('is one handler for paths without a route, and no group that comes later', async () => {
    const { server } = unlistenedServer();
    server.group('/a', (group) => {
      name(group, 'a');
      assert.throws(() => name(group, 'b'), /^TypeError: notFound\(\): a handler was set before/);
    });
    const late = (() => Promise.reject(new Error('late'))) as unknown as () => void;
    assert.throws(() => server.group('/b', late), /its function returned a promise: wait before/);
    // A rejection that nothing handles would fail this test.
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(await (await server.inject('/a/none')).text(), 'a');
    await server.close();
  });
});

it('a connection is closed behind a CONNECT, whose tunnel it would be', async () => {
  await withSite(
    (server) => server.get('/', (_request, response) => response.text('a')),
    async ({ ask }) => {
      const refused = await ask('CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n');
      assert.deepEqual([refused.status, refused.field('connection')], [501, 'close']);
      assert.equal((await ask(get('/'))).field('connection'), undefined);
    },
  );
});
