// The pages in place of a 404, requested without a socket: which paths get them, and pages that
// are no files.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createServer } from '../../src/index.ts';
import type { StaticOptions } from '../../src/static/options.ts';
import { serveStatic } from '../../src/static/serve-static.ts';

const HTML = { accept: 'text/html' };
const LARGE = 'x'.repeat(3_000);

interface Seen {
  readonly status: number;
  readonly text: string;
  readonly etag: string | null;
  readonly modified: string | null;
  readonly vary: string | null;
}

describe('a page in place of a 404', () => {
  let root: string;

  before(() => {
    root = mkdtempSync(join(tmpdir(), 'vibing-pages-'));
    mkdirSync(join(root, 'sub'));
    for (const [name, text] of Object.entries({
      'app.html': 'the app',
      '404.html': 'not here',
      'large.html': LARGE,
      'sub/index.html': 'an index',
    })) {
      writeFileSync(join(root, name), text);
    }
  });
  after(() => rmSync(root, { recursive: true }));

  async function ask(
    options: StaticOptions,
    target: string,
    headers: Readonly<Record<string, string>> = HTML,
    method = 'GET',
  ): Promise<Seen> {
    const server = createServer({ logLevel: 'silent' });
    server.get('/api', (_req, res) => {
      res.text('api');
    });
    server.use('/', serveStatic(root, options));
    const response = await server.inject({ target, method, headers });
    const { status } = response;
    const text = await response.text();
    const field = (name: string) => response.headers.get(name);
    const [etag, modified, vary] = [field('etag'), field('last-modified'), field('vary')];
    return { status, text, etag, modified, vary };
  }

  it('of an application is sent for paths without an extension, to who accepts HTML', async () => {
    const options = { spa: 'app.html' };
    for (const target of ['/some/path', '/.x', '/a.b/c', '/a.', '/a..b']) {
      const seen = await ask(options, target);
      assert.deepEqual([seen.status, seen.text], [200, 'the app'], target);
    }
    for (const target of ['/a.js', '/some/a.b']) {
      assert.equal((await ask(options, target)).status, 404, target);
    }
    assert.equal((await ask(options, '/some/path', { accept: 'image/png' })).status, 404);
    assert.equal((await ask(options, '/api')).text, 'api');
    assert.equal((await ask(options, '/app.html')).text, 'the app');
  });

  it('that depends on Accept says so, in its 404 as well', async () => {
    const options = { spa: 'app.html' };
    const etag = (await ask(options, '/some/path')).etag ?? '';
    for (const [target, headers, status, vary] of [
      ['/some/path', HTML, 200, 'Accept'],
      ['/some/path', { ...HTML, 'if-none-match': etag }, 304, 'Accept'],
      ['/some/path', { accept: 'image/png' }, 404, 'Accept'],
      ['/some/path', { accept: 'TEXT/HTML;Q=0.1' }, 200, 'Accept'],
      ['/some/path', { accept: '*/*, Text/Html;Q=0' }, 404, 'Accept'],
      ['/some/path.js', HTML, 404, null],
      ['/app.html', HTML, 200, null],
      ['/api', HTML, 200, null],
    ] as const) {
      const seen = await ask(options, target, headers);
      assert.deepEqual([seen.status, seen.vary], [status, vary], target);
    }
    const both = { spa: 'app.html', notFound: '404.html' };
    const missing = await ask(both, '/some/path', { accept: 'image/png' });
    assert.deepEqual([missing.status, missing.text, missing.vary], [404, 'not here', 'Accept']);
    assert.equal((await ask({ notFound: '404.html' }, '/none')).vary, null);
  });

  it('has status 404, no validators, and no condition is true of it', async () => {
    const options = { notFound: '404.html' };
    for (let round = 0; round < 2; round++) {
      const missing = await ask(options, '/none.js', { 'if-none-match': '*' });
      assert.deepEqual(missing, {
        status: 404,
        text: 'not here',
        etag: null,
        modified: null,
        vary: null,
      });
    }
    const itself = await ask(options, '/404.html');
    assert.deepEqual([itself.status, itself.text], [200, 'not here']);
    assert.notEqual(itself.etag, null);
    assert.notEqual(itself.modified, null);
    assert.deepEqual((await ask(options, '/none', HTML, 'HEAD')).text, '');
  });

  it('may be too large to be kept in memory', async () => {
    const options = { notFound: 'large.html', cacheEntryBytesMax: 1_000 };
    const missing = await ask(options, '/none');
    assert.deepEqual(missing, { status: 404, text: LARGE, etag: null, modified: null, vary: null });
  });

  it('of an application comes before that for missing paths', async () => {
    const options = { spa: 'app.html', notFound: '404.html' };
    assert.equal((await ask(options, '/some/path')).text, 'the app');
    assert.equal((await ask(options, '/some/path.js')).text, 'not here');
  });

  it('that is a directory is none, listed or not', async () => {
    for (const listing of [false, true]) {
      for (const options of [{ notFound: 'sub' }, { spa: 'sub' }, { spa: 'none.html' }]) {
        const seen = await ask({ ...options, listing }, '/some/path');
        assert.equal(seen.status, 404, JSON.stringify(options));
        assert.doesNotMatch(seen.text, /index/);
      }
    }
  });
});
