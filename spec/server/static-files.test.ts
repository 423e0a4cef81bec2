// The directories of a configuration: which one a path is looked up in first, what happens when it
// has no file there, and that all of them together use the configured memory.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { ServerOptions } from '../../src/server/config/config.ts';
import { get } from '../../testing/raw-client.ts';
import { unlistenedServer } from '../../testing/unlistened-server.ts';
import { withSite } from '../../testing/virtual-site.ts';

const root = mkdtempSync(join(tmpdir(), 'vibing-static-files-'));
after(() => rmSync(root, { recursive: true }));

const FILES: Readonly<Record<string, string>> = {
  'site/index.html': 'site',
  'site/one.txt': 'site one',
  'site/docs/one.txt': 'site docs one',
  'site/docs/deep/one.txt': 'site docs deep one',
  'site/docs/deep/site.txt': 'site alone',
  'docs/one.txt': 'docs one',
  'docs/.hidden': 'hidden',
  'docs/main.htm': 'main',
  'docs/data.gmi': 'gem',
  'docs/deep/one.txt': 'docs deep one',
  'docs/deep/docs.txt': 'docs alone',
  'deep/one.txt': 'deep one',
};
for (const [name, text] of Object.entries(FILES)) {
  mkdirSync(dirname(join(root, name)), { recursive: true });
  writeFileSync(join(root, name), text);
}

const SITE = { staticDir: join(root, 'site') };
const MOUNTS = { '/docs': join(root, 'docs'), '/docs/deep': join(root, 'deep') };

async function textOf(options: ServerOptions, target: string, method = 'GET'): Promise<string> {
  const { server } = unlistenedServer(options);
  const response = await server.inject({ method, target });
  const text = await response.text();
  await server.close();
  return `${response.status} ${text}`;
}

describe('a path is looked up', () => {
  it('below the longest prefix, then below the shorter ones, then in static_dir', async () => {
    const [shorter, longer] = Object.entries(MOUNTS);
    for (const entries of [
      [shorter, longer],
      [longer, shorter],
    ]) {
      const options = { ...SITE, mounts: Object.fromEntries(entries) };
      for (const [target, text] of [
        ['/docs/deep/one.txt', 'deep one'],
        ['/docs/deep/docs.txt', 'docs alone'],
        ['/docs/deep/site.txt', 'site alone'],
        ['/docs/one.txt', 'docs one'],
        ['/one.txt', 'site one'],
        ['/', 'site'],
      ]) {
        assert.equal(await textOf(options, target), `200 ${text}`, target);
      }
      assert.equal(await textOf(options, '/docs/deep/none.txt'), '404 Not Found\n');
    }
  });

  it('below the prefix of the only directory', async () => {
    const options = { mounts: { '/docs': join(root, 'docs') } };
    assert.equal(await textOf(options, '/docs/one.txt'), '200 docs one');
    assert.equal(await textOf(options, '/one.txt'), '404 Not Found\n');
    assert.equal(await textOf(options, '/docs/one.txt', 'DELETE'), '405 Method Not Allowed\n');
    assert.equal(await textOf(options, '/one.txt', 'DELETE'), '404 Not Found\n');
  });

  it('and an error of what follows all of them is that of the request', async () => {
    const { log, server } = unlistenedServer({ ...SITE, mounts: MOUNTS });
    server.notFound(async () => {
      await Promise.resolve();
      throw new Error('no page for this');
    });
    const response = await server.inject('/docs/deep/none.txt');
    assert.equal(response.status, 500);
    await server.close();
    assert.match(log.join('\n'), /GET \/docs\/deep\/none\.txt: Error: no page for this/);
  });
});

describe('each directory', () => {
  it('has the options of the configuration', async () => {
    if (process.platform !== 'win32') {
      symlinkSync(join(root, 'docs/one.txt'), join(root, 'docs/link.txt'));
    }
    for (const [options, target, without, withOption] of [
      [{ dotfiles: true }, '/docs/.hidden', 404, 200],
      [{ listing: true }, '/docs/deep/', 404, 200],
      [{ index: 'main.htm' }, '/docs/', 404, 200],
      [{ extensions: ['txt'] }, '/docs/one', 404, 200],
      [{ spa: 'one.txt' }, '/docs/none', 404, 200],
      ...(process.platform === 'win32'
        ? []
        : [[{ symlinks: 'none' }, '/docs/link.txt', 200, 404] as const]),
    ] as const) {
      const ask = async (more: ServerOptions): Promise<number> => {
        const { server } = unlistenedServer({ mounts: { '/docs': join(root, 'docs') }, ...more });
        const { status } = await server.inject({ target, headers: { accept: 'text/html' } });
        await server.close();
        return status;
      };
      const what = JSON.stringify(options);
      assert.deepEqual([await ask({}), await ask(options)], [without, withOption], what);
    }
    const { server } = unlistenedServer({
      mounts: { '/docs': join(root, 'docs') },
      cacheControl: { '*.gmi': 'max-age=7' },
      headers: { '*.gmi': { 'X-Kind': 'gem' } },
      mimeTypes: { gmi: 'text/gemini' },
    });
    const { headers } = await server.inject('/docs/data.gmi');
    const names = ['cache-control', 'content-type', 'x-kind'];
    assert.deepEqual(
      names.map((name) => headers.get(name)),
      ['max-age=7', 'text/gemini', 'gem'],
    );
    await server.close();
  });

  it('has an equal share of the memory for files', async () => {
    // Its record takes 10 KB and more, so it does not fit into a half of the memory.
    const large = 'x'.repeat(4_500);
    for (const name of ['site', 'docs']) writeFileSync(join(root, name, 'large.txt'), large);
    const mounts = { '/docs': join(root, 'docs') };
    for (const [directories, target, opened] of [
      [SITE, '/large.txt', 1],
      [{ mounts }, '/docs/large.txt', 1],
      [{ ...SITE, mounts }, '/large.txt', 3],
      [{ ...SITE, mounts }, '/docs/large.txt', 3],
      [{ mounts: { ...mounts, '/more': join(root, 'site') } }, '/docs/large.txt', 3],
    ] as const) {
      const options = { ...directories, fileCacheBytesMax: 16_000 };
      await withSite(
        () => {},
        async ({ ask, virtual }) => {
          virtual.driver.wallMs = Date.now() + 60_000;
          for (let count = 0; count < 3; count++) {
            const { body, status } = await ask(get(target));
            assert.deepEqual([status, body.length], [200, large.length]);
          }
          assert.equal(virtual.asyncIo.opened, opened, JSON.stringify(directories));
        },
        options,
      );
    }
  });
});

describe('a file', () => {
  it('is kept in memory up to exactly the configured size', async () => {
    for (const [bytes, isKept] of [
      [999, true],
      [1_000, true],
      [1_001, false],
    ] as const) {
      writeFileSync(join(root, 'site', 'sized.txt'), 'x'.repeat(bytes));
      const options = { ...SITE, fileCacheEntryBytesMax: 1_000 };
      await withSite(
        () => {},
        async ({ ask, virtual }) => {
          virtual.driver.wallMs = Date.now() + 60_000;
          for (let count = 0; count < 2; count++) {
            assert.equal((await ask(get('/sized.txt'))).body.length, bytes);
          }
          assert.equal(virtual.asyncIo.opened === 1, isKept, `${bytes} bytes`);
        },
        options,
      );
    }
  });

  it('is closed after a request with a method that it does not have', async () => {
    for (const [directories, target, status] of [
      [SITE, '/one.txt', 405],
      [{ ...SITE, mounts: MOUNTS }, '/docs/one.txt', 405],
      [SITE, '/docs/', 404],
      [SITE, '/', 405],
      [SITE, '/none.txt', 404],
    ] as const) {
      await withSite(
        () => {},
        async ({ ask, virtual }) => {
          for (const method of ['PUT', 'DELETE']) {
            const response = await ask(`${method} ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
            assert.equal(response.status, status, `${method} ${target}`);
          }
          assert.equal(virtual.asyncIo.opened > 0, status === 405, target);
          assert.equal(virtual.asyncIo.closed, virtual.asyncIo.opened, target);
        },
        directories,
      );
    }
  });
});
