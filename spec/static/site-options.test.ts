// The options of serveStatic over sockets: pages in place of a 404, omitted extensions, several
// index files, fields and types by path, links.

import assert from 'node:assert/strict';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import type { ServerOptions } from '../../src/server/config/config.ts';
import type { Server } from '../../src/server/server.ts';
import type { StaticOptions } from '../../src/static/options.ts';
import { oneDriver } from '../../testing/with-server.ts';
import {
  makeServer,
  makeTree,
  posixOnly,
  type RawResponse,
  SECRET,
  Site,
} from './fixtures/site.ts';

const FILES: Readonly<Record<string, string>> = {
  'index.html': 'home',
  'app.html': 'app',
  'about.html': 'about',
  'both.html': 'page',
  'both/index.html': 'folder',
  'only/index.htm': 'second',
  'two/index.htm': 'second',
  'two/index.html': 'first',
  'errors/404.html': 'missing',
  'notes.txt': 'notes',
  'notes.txt.html': 'not asked for',
  'style.css': 'p{}',
  'assets/app.3f9a1c2b.js': 'js',
  'data.gmi': 'gem',
  'data.tar.gmi': 'packed',
  'old.pdf': 'pdf',
};

const HTML = { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
const JSON_ONLY = { Accept: 'application/json' };

for (const driver of oneDriver()) {
  const withSite = async (
    options: StaticOptions,
    use: (site: Site) => Promise<void>,
    behind: (server: Server) => void = () => {},
  ): Promise<void> => {
    const site = await Site.open({ driver, files: FILES, static: options, behind });
    try {
      await use(site);
    } finally {
      await site.close();
    }
  };
  const shown = async (site: Site, path: string, headers = {}): Promise<string> => {
    const { status, body } = await site.ask(path, { headers });
    return `${status} ${body}`;
  };

  describe('a single-page application', () => {
    const behind = (server: Server): void => {
      server.get('/api/items/:id', (_request, response) => response.json({}));
      server.post('/form', (_request, response) => response.text('posted'));
    };

    it('is sent for paths without a file and a route, again and again', async () => {
      await withSite(
        { spa: 'app.html' },
        async (site) => {
          for (let round = 0; round < 3; round++) {
            for (const path of ['/x', '/users/7', '/users/7/', '/only/', '/a%20b', '/.hidden/x']) {
              assert.equal(await shown(site, path, HTML), '200 app', path);
              assert.equal(await shown(site, path), '200 app', path);
            }
          }
          const { headers } = await site.ask('/x', { headers: HTML });
          assert.equal(headers.get('content-type'), 'text/html; charset=utf-8');
          assert.equal(headers.get('cache-control'), 'no-cache');
          const etag = headers.get('etag') ?? '';
          const again = await site.ask('/y', { headers: { ...HTML, 'If-None-Match': etag } });
          assert.equal(again.status, 304);
          const head = await site.ask('/x', { method: 'HEAD', headers: HTML });
          assert.deepEqual([head.status, head.headers.get('content-length')], [200, '3']);
        },
        behind,
      );
    });

    it('takes the place of neither assets, data, routes nor other methods', async () => {
      await withSite(
        { spa: true },
        async (site) => {
          assert.equal(await shown(site, '/', HTML), '200 home');
          assert.equal(await shown(site, '/x', HTML), '200 home');
          assert.equal(await shown(site, '/notes.txt', HTML), '200 notes');
          for (const path of ['/missing.js', '/assets/x.css', '/x/logo.3f9a1c2b.png']) {
            assert.equal((await site.ask(path, { headers: HTML })).status, 404, path);
          }
          assert.equal((await site.ask('/x', { headers: JSON_ONLY })).status, 404);
          assert.equal((await site.ask('/x', { method: 'POST', headers: HTML })).status, 404);
          assert.equal((await site.ask('/form', { headers: HTML })).status, 405);
          assert.equal(await shown(site, '/api/items/1', HTML), '200 {}');
          assert.equal(await shown(site, '/api/other', HTML), '200 home');
        },
        behind,
      );
    });

    it('is a 404 while its page does not exist, and begins when it does', async () => {
      await withSite({ spa: 'late.html' }, async (site) => {
        assert.equal((await site.ask('/x', { headers: HTML })).status, 404);
        writeFileSync(site.at('late.html'), 'late');
        await new Promise((resolve) => setTimeout(resolve, 10));
        assert.equal(await shown(site, '/x', HTML), '200 late');
      });
    });
  });

  describe('a page for missing paths', () => {
    it('has status 404 and no validators', async () => {
      await withSite({ notFound: 'errors/404.html' }, async (site) => {
        for (let round = 0; round < 3; round++) {
          for (const headers of [{}, HTML, { 'If-None-Match': '*' }, { Range: 'bytes=0-1' }]) {
            const response = await site.ask('/x/missing.js', { headers });
            assert.equal(response.status, 404);
            assert.equal(response.body.toString(), 'missing');
            assert.equal(response.headers.get('content-type'), 'text/html; charset=utf-8');
            for (const name of ['etag', 'last-modified']) assert.ok(!response.headers.has(name));
          }
        }
        const head = await site.ask('/x', { method: 'HEAD' });
        assert.deepEqual([head.status, head.headers.get('content-length')], [404, '7']);
        assert.equal(await shown(site, '/errors/404.html'), '200 missing');
        assert.equal(await shown(site, '/x', { 'If-None-Match': '"x"' }), '404 missing');
      });
    });

    it('may be too large for memory', async () => {
      await withSite({ notFound: 'errors/404.html', cacheEntryBytesMax: 3 }, async (site) => {
        for (let round = 0; round < 2; round++) {
          assert.equal(await shown(site, '/x'), '404 missing');
          assert.equal(await shown(site, '/errors/404.html'), '200 missing');
        }
      });
    });

    it('comes after the page of an application', async () => {
      await withSite({ notFound: 'errors/404.html', spa: 'app.html' }, async (site) => {
        assert.equal(await shown(site, '/x', HTML), '200 app');
        assert.equal(await shown(site, '/x', JSON_ONLY), '404 missing');
        assert.equal(await shown(site, '/x.js', HTML), '404 missing');
      });
    });

    it('is plain text while it does not exist', async () => {
      await withSite({ notFound: 'none.html' }, async (site) => {
        assert.equal(await shown(site, '/x'), '404 Not Found\n');
      });
    });
  });

  describe('paths without their extension', () => {
    it('find the file with it, when no file has the path itself', async () => {
      await withSite({ extensions: ['htm', 'html'] }, async (site) => {
        assert.equal(await shown(site, '/about'), '200 about');
        assert.equal(await shown(site, '/about.html'), '200 about');
        assert.equal(await shown(site, '/notes.txt'), '200 notes');
        assert.equal(await shown(site, '/only/index'), '200 second');
        assert.equal(await shown(site, '/both'), '200 page');
        assert.equal(await shown(site, '/both/'), '200 folder');
        for (const path of ['/about/', '/abou', '/about.', '/x/about']) {
          assert.equal((await site.ask(path)).status, 404, path);
        }
        assert.equal((await site.ask('/about', { method: 'POST' })).status, 405);
      });
    });

    it('find a file with the path itself as soon as there is one', async () => {
      await withSite({ extensions: ['html'] }, async (site) => {
        await new Promise((resolve) => setTimeout(resolve, 50));
        for (let round = 0; round < 3; round++) {
          assert.equal(await shown(site, '/about'), '200 about');
        }
        writeFileSync(site.at('about'), 'itself');
        await new Promise((resolve) => setTimeout(resolve, 10));
        assert.equal(await shown(site, '/about'), '200 itself');
      });
    });
  });

  it('the first index that exists is sent', async () => {
    await withSite({ index: ['index.html', 'index.htm'] }, async (site) => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      assert.equal(await shown(site, '/two/'), '200 first');
      for (let round = 0; round < 3; round++) {
        assert.equal(await shown(site, '/only/'), '200 second');
      }
      writeFileSync(site.at('only/index.html'), 'new');
      await new Promise((resolve) => setTimeout(resolve, 10));
      assert.equal(await shown(site, '/only/'), '200 new');
      rmSync(site.at('only/index.html'));
      await new Promise((resolve) => setTimeout(resolve, 10));
      assert.equal(await shown(site, '/only/'), '200 second');
    });
  });

  describe('fields by path', () => {
    const fields = async (site: Site, path: string): Promise<RawResponse['headers']> => {
      return (await site.ask(path)).headers;
    };

    it('Cache-Control follows from the name', async () => {
      await withSite({}, async (site) => {
        for (let round = 0; round < 2; round++) {
          const control = async (path: string) => (await fields(site, path)).get('cache-control');
          assert.equal(await control('/'), 'no-cache');
          const asset = await control('/assets/app.3f9a1c2b.js');
          assert.equal(asset, 'public, max-age=31536000, immutable');
          assert.equal(await control('/style.css'), undefined);
        }
      });
    });

    it('Cache-Control is what the option says', async () => {
      const cacheControl = {
        '/index.html': false,
        'assets/**': 'no-store',
        '*.css': 'max-age=60',
      } as const;
      await withSite({ cacheControl }, async (site) => {
        const control = async (path: string) => (await fields(site, path)).get('cache-control');
        assert.equal(await control('/'), undefined);
        assert.equal(await control('/about.html'), 'no-cache');
        assert.equal(await control('/assets/app.3f9a1c2b.js'), 'no-store');
        assert.equal(await control('/style.css'), 'max-age=60');
      });
      await withSite({ cacheControl: false }, async (site) => {
        assert.equal((await fields(site, '/')).get('cache-control'), undefined);
      });
      await withSite({ cacheControl: 'private' }, async (site) => {
        assert.equal((await fields(site, '/style.css')).get('cache-control'), 'private');
        const etag = (await fields(site, '/style.css')).get('etag') ?? '';
        const again = await site.ask('/style.css', { headers: { 'If-None-Match': etag } });
        assert.deepEqual([again.status, again.headers.get('cache-control')], [304, 'private']);
      });
    });

    it('all patterns that match add their fields, the last one replaces', async () => {
      const headers = {
        '**': { 'X-Frame-Options': 'DENY', 'X-One': '1' },
        '*.pdf': { 'X-One': '2', 'Content-Type': 'application/x-pdf', 'Cache-Control': 'no-store' },
      };
      await withSite({ headers }, async (site) => {
        const pdf = await fields(site, '/old.pdf');
        assert.equal(pdf.get('x-frame-options'), 'DENY');
        assert.equal(pdf.get('x-one'), '2');
        assert.equal(pdf.get('content-type'), 'application/x-pdf');
        assert.equal(pdf.get('cache-control'), 'no-store');
        assert.equal((await fields(site, '/notes.txt')).get('x-one'), '1');
        assert.equal((await fields(site, '/missing')).get('x-one'), undefined);
      });
    });

    it('media types by the longest extension', async () => {
      const mimeTypes = {
        gmi: 'text/gemini',
        'tar.gmi': 'application/x-packed',
        CSS: 'text/x-css',
      };
      await withSite({ mimeTypes }, async (site) => {
        const type = async (path: string) => (await fields(site, path)).get('content-type');
        assert.equal(await type('/data.gmi'), 'text/gemini');
        assert.equal(await type('/data.tar.gmi'), 'application/x-packed');
        assert.equal(await type('/style.css'), 'text/x-css');
        assert.equal(await type('/notes.txt'), 'text/plain; charset=utf-8');
      });
    });
  });

  describe('symbolic links', posixOnly, () => {
    const linked = async (
      options: StaticOptions,
      expected: Readonly<Record<string, string>>,
    ): Promise<void> => {
      await withSite(options, async (site) => {
        mkdirSync(site.at('real'));
        writeFileSync(site.at('real/file.txt'), 'file');
        symlinkSync('real', site.at('folder'));
        symlinkSync('real/file.txt', site.at('file'));
        symlinkSync('../secret.txt', site.at('outside'));
        symlinkSync('/dev/null', site.at('device'));
        for (let round = 0; round < 2; round++) {
          for (const [path, text] of Object.entries(expected)) {
            assert.equal(await site.text(path), text, path);
          }
        }
      });
    };

    it('to targets inside the root are followed by default', async () => {
      await linked({}, { '/file': 'file', '/folder/file.txt': 'file', '/outside': '404' });
    });

    it("are not followed with 'none'", async () => {
      const none = {
        '/file': '404',
        '/folder/file.txt': '404',
        '/outside': '404',
        '/folder': '404',
      };
      await linked({ symlinks: 'none' }, { ...none, '/real/file.txt': 'file', '/': 'home' });
    });

    it("are followed anywhere with 'all', to regular files", async () => {
      const all = { '/file': 'file', '/folder/file.txt': 'file', '/outside': SECRET };
      await linked({ symlinks: 'all' }, { ...all, '/device': '403' });
    });
  });

  describe('mounts of a configuration', () => {
    const withServer = async (
      options: (root: string) => ServerOptions,
      use: (site: Site) => Promise<void>,
    ): Promise<void> => {
      const root = makeTree({
        'site/index.html': 'site',
        'site/docs/only.txt': 'below',
        ...MOUNTED,
      });
      const server = makeServer(driver, options(root));
      server.get('/docs/route', (_request, response) => response.text('route'));
      const site = await Site.open({ driver, files: {} });
      const { port } = site;
      try {
        site.port = (await server.listen()).port;
        await use(site);
      } finally {
        site.port = port;
        await site.close();
        await server.close();
        rmSync(dirname(root), { recursive: true });
      }
    };
    const MOUNTED = {
      'docs/index.html': 'docs',
      'docs/page.html': 'page',
      'deep/index.html': 'deep',
      'docs/404.html': 'no document',
    };
    const mounts = (root: string) => ({
      '/docs': join(root, 'docs'),
      '/docs/deep/': join(root, 'deep'),
    });

    it('have their files below their prefix, the longest first', async () => {
      await withServer(
        (root) => ({ staticDir: join(root, 'site'), mounts: mounts(root), extensions: ['html'] }),
        async (site) => {
          assert.equal(await site.text('/'), 'site');
          assert.equal(await site.text('/docs/'), 'docs');
          assert.equal(await site.text('/docs/page'), 'page');
          assert.equal(await site.text('/docs/deep/'), 'deep');
          assert.equal((await site.ask('/docs')).headers.get('location'), '/docs/');
          assert.equal(await site.text('/docs/only.txt'), 'below', 'also in static_dir');
          assert.equal(await site.text('/docs/route'), 'route');
          for (const path of ['/docsx', '/docs/../page.html', '/page', '/docs/none']) {
            assert.equal((await site.ask(path)).status, 404, path);
          }
          assert.equal((await site.ask('/docs/page', { method: 'PUT' })).status, 405);
        },
      );
    });

    it('work without static_dir, with pages of their own', async () => {
      await withServer(
        (root) => ({ mounts: mounts(root), notFound: '404.html' }),
        async (site) => {
          assert.equal(await site.text('/docs/page.html'), 'page');
          assert.equal((await site.ask('/docs/none')).body.toString(), 'no document');
          assert.equal((await site.ask('/none')).body.toString(), 'Not Found\n');
        },
      );
    });

    it('must exist', async () => {
      const server = makeServer(driver, { mounts: { '/docs': '/nowhere' } });
      await assert.rejects(server.listen(), /mounts: \/docs is not a directory: \/nowhere/);
    });
  });
}
