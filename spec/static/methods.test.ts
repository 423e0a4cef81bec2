// Methods of static files: a request that is neither GET nor HEAD continues to later handlers, and
// when none responds, Allow lists the methods of the files and routes of its path.

import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { DriverName } from '../../src/driver/choose.ts';
import type { ServerOptions } from '../../src/server/config/config.ts';
import type { Server } from '../../src/server/server.ts';
import { serveStatic } from '../../src/static/serve-static.ts';
import { get, post, RawClient, request } from '../../testing/raw-client.ts';
import type { RawResponse } from '../../testing/raw-response.ts';
import { DRIVERS, makeServer, makeTree } from './fixtures/site.ts';

const FILES = { 'file.txt': 'file', 'taken.txt': 'file', 'sub/index.html': 'index', 'bare/x': '' };

interface Place {
  readonly what: string;
  readonly prefix: string;
  readonly options: (root: string) => ServerOptions;
  readonly files: (server: Server, root: string) => void;
  /** Whether a file takes precedence over a route of GET. */
  readonly filesFirst: boolean;
}

const PLACES: readonly Place[] = [
  {
    what: 'use(serveStatic)',
    prefix: '',
    options: () => ({}),
    files: (server, root) => server.use(serveStatic(root)),
    filesFirst: true,
  },
  {
    what: "use('/files', serveStatic)",
    prefix: '/files',
    options: () => ({}),
    files: (server, root) => server.use('/files', serveStatic(root)),
    filesFirst: true,
  },
  {
    what: 'static_dir',
    prefix: '',
    options: (root) => ({ staticDir: root }),
    files: () => {},
    filesFirst: false,
  },
  {
    what: 'static_dir below a mount of the same files',
    prefix: '',
    options: (root) => ({ staticDir: root }),
    files: (server, root) => server.use('/', serveStatic(root)),
    filesFirst: true,
  },
];

class Site {
  readonly root = makeTree(FILES);
  readonly server: Server;
  readonly seen: string[] = [];
  client: RawClient | null = null;

  constructor(driver: DriverName, place: Place) {
    const { prefix } = place;
    this.server = makeServer(driver, place.options(this.root));
    const { server, seen } = this;
    server.use((incoming, _response, next) => {
      seen.push(incoming.path);
      return next();
    });
    place.files(server, this.root);
    // After the files, whatever the order of the calls that add routes.
    server.use(`${prefix}/behind`, (_request, response) => response.text('behind'));
    server.get(`${prefix}/taken.txt`, (_request, response) => response.text('route'));
    server.post(`${prefix}/taken.txt`, async (incoming, response) => {
      response.text(`posted ${await incoming.text()}`);
    });
    server.delete(`${prefix}/sub/`, (_request, response) => response.text('deleted'));
    server.options(`${prefix}/bare`, (_request, response) => response.text('own options'));
    server.put(`${prefix}/put/:name`, (_request, response) => response.text('put'));
    server.on('PURGE', `${prefix}/purge`, (_request, response) => response.text('purged'));
  }

  async ask(text: string): Promise<RawResponse> {
    this.client ??= await RawClient.open((await this.server.listen()).port);
    return this.client.ask(text);
  }

  async close(): Promise<void> {
    this.client?.reset();
    await this.server.close();
    rmSync(dirname(this.root), { recursive: true, force: true });
  }
}

function allows(response: RawResponse, methods: string, what: string): void {
  assert.equal(response.status, 405, what);
  assert.equal(response.field('allow'), methods, what);
  assert.equal(response.text, 'Method Not Allowed\n', what);
}

function assertAllow(response: RawResponse, methods: string, what: string): void {
  assert.equal(response.status, 204, what);
  assert.equal(response.field('allow'), methods, what);
}

for (const driver of DRIVERS) {
  for (const place of PLACES) {
    const { prefix } = place;
    describe(`methods of files: ${place.what}, driver ${driver}`, () => {
      let site: Site;
      before(() => {
        site = new Site(driver, place);
      });
      after(() => site.close());

      it('a route of another method is reached, also where a file exists', async () => {
        const response = await site.ask(post(`${prefix}/taken.txt`, 'body'));
        assert.equal(response.status, 200);
        assert.equal(response.text, 'posted body');
        assert.equal((await site.ask(request('DELETE', `${prefix}/sub/`))).text, 'deleted');
        assert.equal((await site.ask(request('OPTIONS', `${prefix}/bare`))).text, 'own options');
        assert.equal((await site.ask(request('PUT', `${prefix}/put/x`))).text, 'put');
        assert.equal((await site.ask(request('PURGE', `${prefix}/purge`))).text, 'purged');
      });

      it('middleware after the files is reached', async () => {
        assert.equal((await site.ask(post(`${prefix}/behind`, ''))).text, 'behind');
      });

      it('GET and HEAD are served by the file when it takes precedence', async () => {
        const response = await site.ask(get(`${prefix}/taken.txt`));
        assert.equal(response.text, place.filesFirst ? 'file' : 'route');
        assert.equal((await site.ask(get(`${prefix}/file.txt`))).text, 'file');
        assert.equal((await site.ask(request('HEAD', `${prefix}/file.txt`))).status, 200);
        assert.equal((await site.ask(get(`${prefix}/sub/`))).text, 'index');
      });

      it('a file alone allows its methods', async () => {
        for (const target of ['/file.txt', '/sub', '/%66ile.txt', '/x/../file.txt']) {
          for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'PURGE', 'BREW']) {
            const response = await site.ask(request(method, prefix + target));
            allows(response, 'GET, HEAD, OPTIONS', `${method} ${target}`);
          }
          const options = await site.ask(request('OPTIONS', prefix + target));
          assertAllow(options, 'GET, HEAD, OPTIONS', target);
        }
      });

      it('a file and a route allow the methods of both', async () => {
        const taken = `${prefix}/taken.txt`;
        allows(await site.ask(request('PUT', taken)), 'GET, HEAD, OPTIONS, POST', taken);
        assertAllow(await site.ask(request('OPTIONS', taken)), 'GET, HEAD, OPTIONS, POST', taken);
        const folder = `${prefix}/sub/`;
        allows(await site.ask(post(folder, '')), 'DELETE, GET, HEAD, OPTIONS', folder);
        assertAllow(
          await site.ask(request('OPTIONS', folder)),
          'DELETE, GET, HEAD, OPTIONS',
          folder,
        );
      });

      it('a route without a file allows its methods', async () => {
        const put = `${prefix}/put/x`;
        allows(await site.ask(post(put, '')), 'OPTIONS, PUT', put);
        allows(await site.ask(get(put)), 'OPTIONS, PUT', put);
        assertAllow(await site.ask(request('OPTIONS', put)), 'OPTIONS, PUT', put);
        assert.equal((await site.ask(request('BREW', put))).status, 501);
      });

      it('without a file and a route the status is 404', async () => {
        for (const target of ['/missing', '/sub%2f', '/file.txt//', '/%2ffile.txt', '/bare/']) {
          for (const method of ['POST', 'OPTIONS', 'BREW', 'GET']) {
            const { status } = await site.ask(request(method, prefix + target));
            assert.equal(status, 404, `${method} ${target}`);
          }
        }
      });

      it('each request runs the middleware before the files once', () => {
        const { seen } = site;
        const passed = seen.filter((path) => path === `${prefix}/taken.txt`).length;
        assert.equal(passed, 4);
      });
    });
  }
}
