// Which group a request without a route belongs to, and what is seen of a route that is hidden from
// other clients.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Handler } from '../../src/exchange/handler.ts';
import type { ServerOptions } from '../../src/server/config/config.ts';
import type { Server } from '../../src/server/server.ts';
import { unlistenedServer } from '../../testing/unlistened-server.ts';

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
