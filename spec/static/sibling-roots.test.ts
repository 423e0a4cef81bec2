// A directory beside the root whose name begins with the root's is outside of it.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Server } from '../../src/server/server.ts';
import { serveStatic } from '../../src/static/serve-static.ts';
import { get } from '../../testing/raw-client.ts';
import { withSite } from '../../testing/virtual-site.ts';

const POSIX = { skip: process.platform === 'win32' ? 'links need a privilege there' : false };

test('links to a sibling with a longer name lead out of the root', POSIX, async (context) => {
  const base = mkdtempSync(join(tmpdir(), 'vibing-siblings-'));
  context.after(() => rmSync(base, { recursive: true }));
  for (const name of ['www', 'www-private']) {
    mkdirSync(join(base, name));
    writeFileSync(join(base, name, 'page.txt'), name);
  }
  symlinkSync('../www-private/page.txt', join(base, 'www', 'file'));
  symlinkSync('../www-private', join(base, 'www', 'folder'));
  symlinkSync('page.txt', join(base, 'www', 'inside'));
  const routes = (server: Server) => server.use(serveStatic(join(base, 'www')));
  await withSite(
    (server) => void routes(server),
    async ({ ask }) => {
      for (const path of ['/page.txt', '/inside']) assert.equal((await ask(get(path))).text, 'www');
      for (const path of ['/file', '/folder/page.txt', '/folder/', '/folder']) {
        assert.equal((await ask(get(path))).status, 404, path);
      }
    },
  );
});
