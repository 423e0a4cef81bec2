// Static files over real sockets: what is sent for which request, and what continues to next().

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { OpenFile } from '../../src/async-io/async-io.ts';
import { NodeAsyncIo } from '../../src/async-io/node.ts';
import { ERRNO } from '../../src/base/errno.ts';
import { blockBytesFor, limitsFrom } from '../../src/base/limits.ts';
import type { DriverName } from '../../src/driver/choose.ts';
import { formatDate } from '../../src/http/date.ts';
import { serveStatic } from '../../src/static/serve-static.ts';
import { isInTurn } from '../../testing/rotation.ts';
import { DRIVERS, makeServer, Site } from './fixtures/site.ts';

const { EACCES } = ERRNO;
const LONG_AGO = new Date('2020-02-29T12:00:00.250Z');

const FILES: Readonly<Record<string, string>> = {
  'index.html': '<p>home</p>',
  'page.html': '<p>page</p>',
  'style.css': 'p {}',
  'code.js': 'code();',
  'module.mjs': 'code();',
  'set.json': '{}',
  'picture.svg': '<svg/>',
  'picture.png': 'png',
  'font.woff2': 'font',
  'feed.xml': '<a/>',
  'UPPER.TXT': 'upper',
  'two.tar.gz': 'packed',
  plain: 'no extension',
  'odd.unheard-of': 'odd',
  'ends.': 'dot',
  'empty.txt': '',
  'sub/index.html': '<p>sub</p>',
  'sub/deep/file.txt': 'deep',
  'odd & <name>#?%25/index.html': '<p>odd</p>',
  'bare/': '',
};

const TYPES: Readonly<Record<string, string>> = {
  'page.html': 'text/html; charset=utf-8',
  'style.css': 'text/css; charset=utf-8',
  'code.js': 'text/javascript; charset=utf-8',
  'module.mjs': 'text/javascript; charset=utf-8',
  'set.json': 'application/json; charset=utf-8',
  'picture.svg': 'image/svg+xml',
  'picture.png': 'image/png',
  'font.woff2': 'font/woff2',
  'feed.xml': 'text/xml',
  'UPPER.TXT': 'text/plain; charset=utf-8',
  'two.tar.gz': 'application/gzip',
  plain: 'application/octet-stream',
  'odd.unheard-of': 'application/octet-stream',
  'ends.': 'application/octet-stream',
  'empty.txt': 'text/plain; charset=utf-8',
};

const GROUPS: readonly (readonly [string, (driver: DriverName) => void])[] = [
  ['existing files', contentCases],
  ['conditional requests', conditionCases],
  ['directories', directoryCases],
  ['other handlers', fallThroughCases],
  ['sizes', sizeCases],
  ['several servers and roots', severalCases],
];

for (const [row, driver] of DRIVERS.entries()) {
  describe(`static files on ${driver}`, () => {
    for (const [column, [name, define]] of GROUPS.entries()) {
      if (isInTurn(row + column)) describe(name, () => define(driver));
    }
  });
}

function contentCases(driver: DriverName): void {
  let site: Site;
  before(async () => {
    site = await Site.open({ driver, files: FILES });
  });
  after(() => site.close());

  it('are sent completely and with their type, at first and again', async () => {
    for (const [name, type] of Object.entries(TYPES)) {
      for (let round = 0; round < 3; round++) {
        const { status, headers, body, complete } = await site.ask(`/${name}`);
        assert.equal(status, 200, name);
        assert.equal(headers.get('content-type'), type, name);
        assert.equal(headers.get('content-length'), String(FILES[name].length), name);
        assert.equal(body.toString(), FILES[name]);
        assert.ok(complete);
      }
    }
  });

  it('HEAD has the fields of GET, without the content', async () => {
    for (const name of ['page.html', 'empty.txt', 'plain']) {
      const head = await site.ask(`/${name}`, { method: 'HEAD' });
      const get = await site.ask(`/${name}`);
      assert.equal(head.status, 200);
      assert.equal(head.body.length, 0);
      for (const field of ['content-type', 'content-length', 'etag', 'last-modified']) {
        assert.equal(head.headers.get(field), get.headers.get(field), `${name} ${field}`);
      }
    }
  });

  it('have an ETag and a modification time', async () => {
    utimesSync(site.at('page.html'), LONG_AGO, LONG_AGO);
    // It was requested a moment ago, and may count as unchanged for some milliseconds.
    await delay(10);
    const { headers } = await site.ask('/page.html');
    assert.equal(headers.get('last-modified'), 'Sat, 29 Feb 2020 12:00:00 GMT');
    assert.match(headers.get('etag') ?? '', /^"[!#-~]+"$/);
  });

  it('a modification time in the future is not sent', async () => {
    const future = new Date(Date.now() + 7 * 86_400_000);
    utimesSync(site.at('style.css'), future, future);
    for (let round = 0; round < 2; round++) {
      const { headers } = await site.ask('/style.css');
      const changedMs = Date.parse(headers.get('last-modified') ?? '');
      assert.ok(changedMs <= Date.parse(headers.get('date') ?? ''), headers.get('last-modified'));
    }
  });

  it('a missing file is 404', async () => {
    for (const path of ['/missing', '/sub/missing.txt', '/page.html/', '/plain/x', '/index.htm']) {
      assert.equal((await site.ask(path)).status, 404, path);
    }
  });

  it('other methods are 405 with the allowed methods', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'FETCH']) {
      const { status, headers } = await site.ask('/page.html', { method });
      assert.equal(status, 405, method);
      assert.equal(headers.get('allow'), 'GET, HEAD, OPTIONS');
    }
    const { status, headers, body } = await site.ask('/page.html', { method: 'OPTIONS' });
    assert.equal(status, 204);
    assert.equal(headers.get('allow'), 'GET, HEAD, OPTIONS');
    assert.equal(body.length, 0);
  });

  it('fields of middleware are sent with those of the file', async () => {
    const framed = await Site.open({
      driver,
      files: FILES,
      before: (server) =>
        server.use((_request, response, next) => {
          response.header('X-Frame-Options', 'DENY').header('Cache-Control', 'no-cache');
          return next();
        }),
    });
    try {
      utimesSync(framed.at('page.html'), LONG_AGO, LONG_AGO);
      for (const headers of [{}, {}, { 'If-None-Match': '*' }]) {
        const response = await framed.ask('/page.html', { headers });
        assert.equal(response.headers.get('x-frame-options'), 'DENY');
        assert.equal(response.headers.get('cache-control'), 'no-cache');
        assert.ok(response.headers.has('etag'));
      }
    } finally {
      await framed.close();
    }
  });
}

function conditionCases(driver: DriverName): void {
  let site: Site;
  before(async () => {
    // One file is cached, one is read each time.
    const files = { 'small.txt': 'small', 'large.bin': Buffer.alloc(100_000) };
    site = await Site.open({ driver, files });
    for (const name of Object.keys(files)) utimesSync(site.at(name), LONG_AGO, LONG_AGO);
  });
  after(() => site.close());

  for (const name of ['small.txt', 'large.bin']) {
    it(`${name} is not sent to a client that has it`, async () => {
      const { headers } = await site.ask(`/${name}`);
      const etag = headers.get('etag') ?? '';
      const changed = headers.get('last-modified') ?? '';
      for (const condition of [
        { 'If-None-Match': etag },
        { 'If-None-Match': `W/${etag}` },
        { 'If-None-Match': `"x", ${etag}` },
        { 'If-None-Match': '*' },
        { 'If-None-Match': etag, 'If-Modified-Since': formatDate(0) },
        { 'If-Modified-Since': changed },
        { 'If-Modified-Since': formatDate(Date.now()) },
      ]) {
        for (const method of ['GET', 'HEAD']) {
          const response = await site.ask(`/${name}`, { method, headers: condition });
          assert.equal(response.status, 304, JSON.stringify(condition));
          assert.equal(response.body.length, 0);
          assert.equal(response.headers.get('etag'), etag);
          assert.equal(response.headers.has('last-modified'), false, 'the entity tag is enough');
          assert.equal(response.headers.has('content-type'), false);
          assert.equal(response.headers.has('content-length'), false);
        }
      }
    });

    it(`${name} is sent to a client that has another version`, async () => {
      for (const condition of [
        { 'If-None-Match': '"x"' },
        { 'If-None-Match': '' },
        { 'If-None-Match': '"x"', 'If-Modified-Since': formatDate(Date.now()) },
        { 'If-Modified-Since': formatDate(LONG_AGO.getTime() - 1000) },
        { 'If-Modified-Since': 'yesterday' },
      ]) {
        const response = await site.ask(`/${name}`, { headers: condition });
        assert.equal(response.status, 200, JSON.stringify(condition));
        assert.ok(response.complete);
      }
    });
  }
}

function directoryCases(driver: DriverName): void {
  let site: Site;
  let mounted: Site;
  before(async () => {
    site = await Site.open({ driver, files: FILES });
    mounted = await Site.open({ driver, files: FILES, mount: '/a b/' });
  });
  after(async () => {
    await site.close();
    await mounted.close();
  });

  it('are served with their index', async () => {
    for (const [path, text] of [
      ['/', '<p>home</p>'],
      ['/index.html', '<p>home</p>'],
      ['/sub/', '<p>sub</p>'],
      ['/sub/?query', '<p>sub</p>'],
      ['/sub/deep/..', '<p>sub</p>'],
    ]) {
      const { headers, body } = await site.ask(path);
      assert.equal(body.toString(), text, path);
      assert.equal(headers.get('content-type'), 'text/html; charset=utf-8', path);
    }
    assert.equal(await mounted.text('/a%20b/'), '<p>home</p>');
    assert.equal(await mounted.text('/a%20b/sub/'), '<p>sub</p>');
  });

  const redirects: readonly (readonly [path: string, location: string])[] = [
    ['/sub', '/sub/'],
    ['/sub?', '/sub/?'],
    ['/sub?a=1&b=%2F/x?y', '/sub/?a=1&b=%2F/x?y'],
    ['/%73ub', '/sub/'],
    ['/x/../sub', '/sub/'],
    ['/./sub', '/sub/'],
    ['/odd%20&%20%3Cname%3E%23%3F%2525', '/odd%20&%20%3Cname%3E%23%3F%2525/'],
  ];
  for (const [path, location] of redirects) {
    it(`${path} redirects to ${location}`, async () => {
      for (const method of ['GET', 'HEAD']) {
        const { status, headers } = await site.ask(path, { method });
        assert.equal(status, 301);
        assert.equal(headers.get('location'), location);
      }
      assert.equal((await site.ask(location)).status, 200);
    });
  }

  it('a mount without its slash redirects to the one with it', async () => {
    const bare = await mounted.ask('/a%20b?x=1');
    assert.equal(bare.status, 301);
    assert.equal(bare.headers.get('location'), '/a%20b/?x=1');
    assert.equal((await mounted.ask('/a%20b/sub')).headers.get('location'), '/a%20b/sub/');
  });

  it('no path redirects to another host', async () => {
    for (const path of [
      '//evil.example/sub',
      '//evil.example/../sub',
      '//evil.example/../../sub',
      '//evil.example/%2e%2e/%2e%2e/sub',
      '//evil.example%2f..%2f..%2fsub',
      '///evil.example/../../../sub',
      '//sub',
      '///sub',
      '/x//..//sub',
      '//evil.example//..//sub',
      '/\\evil.example/../sub',
      '/\\evil.example/%2e%2e/sub',
      '/\\evil.example%2f..%2fsub',
      '/%5cevil.example/../sub',
      '/%5c%5cevil.example/..%2fsub',
      '/%09/evil.example/../../sub',
      '/%2fevil.example/../../sub',
      '/%2f%2fevil.example%2f..%2f..%2f..%2fsub',
      '/.//evil.example/../../sub',
      '/;//evil.example/../../../sub',
      'http://evil.example/sub',
      'http://evil.example//x/../../sub',
    ]) {
      const { status, headers } = await site.ask(path);
      if (status !== 301) assert.ok(status === 400 || status === 404, `${path}: ${status}`);
      else assert.equal(headers.get('location'), '/sub/', path);
    }
  });

  it('an option sets another index, or none', async () => {
    const files = { 'main.htm': 'main', 'index.html': 'index' };
    const other = await Site.open({ driver, files, static: { index: 'main.htm' } });
    try {
      assert.equal(await other.text('/'), 'main');
    } finally {
      await other.close();
    }
  });

  it('without an index and a listing the status is 404', async () => {
    assert.equal((await site.ask('/bare/')).status, 404);
    assert.equal((await site.ask('/bare')).status, 404);
    assert.equal((await site.ask('/sub/deep/')).status, 404);
  });

  it('are listed with listing: true', async () => {
    const listed = await Site.open({ driver, files: FILES, static: { listing: true } });
    try {
      assert.equal(await listed.text('/'), '<p>home</p>');
      const page = await listed.ask('/sub/deep/');
      assert.equal(page.headers.get('content-type'), 'text/html; charset=utf-8');
      assert.ok(page.body.includes('<h1>Index of /sub/deep/</h1>'));
      assert.ok(page.body.includes('href="./file.txt"'));
      assert.equal((await listed.ask('/bare')).headers.get('location'), '/bare/');
      assert.equal((await listed.ask('/bare/')).status, 200);
      assert.equal((await listed.ask('/bare/', { method: 'HEAD' })).body.length, 0);
      assert.equal((await listed.ask('/bare/', { method: 'POST' })).status, 405);
    } finally {
      await listed.close();
    }
  });

  it('a listing below a prefix shows the full path', async () => {
    const options = { driver, files: FILES, static: { listing: true }, mount: '/files' };
    const listed = await Site.open(options);
    try {
      const page = await listed.text('/files/sub/deep/');
      assert.ok(page.includes('<h1>Index of /files/sub/deep/</h1>'));
      assert.equal(await listed.text('/files/sub/deep/./file.txt'), 'deep');
    } finally {
      await listed.close();
    }
  });
}

function fallThroughCases(driver: DriverName): void {
  let site: Site;
  before(async () => {
    site = await Site.open({
      driver,
      files: { ...FILES, 'taken.txt': 'file' },
      behind: (server) => {
        server.get('/taken.txt', (_request, response) => response.text('route'));
        server.get('/missing.txt', (_request, response) => response.text('route'));
        server.get('/bare', (_request, response) => response.text('bare'));
        server.post('/bare', (_request, response) => response.text('posted'));
        server.post('/missing.txt', (_request, response) => response.text('posted'));
      },
    });
  });
  after(() => site.close());

  it('files take precedence over routes, other paths reach the routes', async () => {
    assert.equal(await site.text('/taken.txt'), 'file');
    assert.equal(await site.text('/missing.txt'), 'route');
    assert.equal(await site.text('/bare'), 'bare');
  });

  it('a directory that GET does not serve is 404 for other methods, too', async () => {
    for (const path of ['/bare', '/missing.txt']) {
      const { status, body } = await site.ask(path, { method: 'POST' });
      assert.equal(status, 200, path);
      assert.equal(body.toString(), 'posted');
    }
    assert.equal((await site.ask('/sub/deep', { method: 'POST' })).status, 404);
    assert.equal((await site.ask('/sub/', { method: 'POST' })).status, 405);
    assert.equal((await site.ask('/sub', { method: 'POST' })).status, 405);
  });

  it('the server responds to targets without a path', async () => {
    for (const path of ['/%00', '/%zz', '/%', '/a%c0%ae', '/%ff']) {
      assert.equal((await site.ask(path)).status, 400, path);
      assert.equal((await site.ask(path, { method: 'POST' })).status, 400, path);
    }
    const everything = await site.ask('*', { method: 'OPTIONS' });
    assert.equal(everything.status, 204);
    assert.ok(everything.headers.get('allow')?.includes('POST'));
    assert.equal((await site.ask('site:80', { method: 'CONNECT' })).status, 501);
  });

  it('a file without read permission is 403', async () => {
    class Locked extends NodeAsyncIo {
      override open(path: string): Promise<OpenFile | number> {
        if (path.includes('locked')) return Promise.resolve(-EACCES);
        return super.open(path);
      }
    }
    const files = { 'locked.txt': 'x', 'open.txt': 'y', 'locked/index.html': 'z', 'in/locked': '' };
    const listing = { listing: true, index: 'locked' };
    const locked = await Site.open({ driver, files, asyncIo: new Locked() });
    const indexed = await Site.open({ driver, files, asyncIo: new Locked(), static: listing });
    try {
      assert.equal((await locked.ask('/locked.txt')).status, 403);
      assert.equal((await locked.ask('/locked.txt', { method: 'HEAD' })).status, 403);
      assert.equal((await locked.ask('/locked/')).status, 403);
      assert.equal(await locked.text('/open.txt'), 'y');
      // An index without read permission must not cause a listing of its directory.
      assert.equal((await indexed.ask('/in/')).status, 403);
    } finally {
      await locked.close();
      await indexed.close();
    }
  });

  it('a missing root has no files, and is found when it is created', async () => {
    const late = await Site.open({ driver, files: {}, mount: '/other' });
    try {
      late.server.use('/late', serveStatic(join(late.root, 'late')));
      assert.equal((await late.ask('/late/file.txt')).status, 404);
      mkdirSync(late.at('late'));
      writeFileSync(late.at('late/file.txt'), 'late');
      assert.equal(await late.text('/late/file.txt'), 'late');
    } finally {
      await late.close();
    }
  });

  it('a root that is not a valid string is rejected', () => {
    for (const root of ['', undefined, null, 7]) {
      assert.throws(() => serveStatic(root as string), TypeError);
    }
  });
}

function sizeCases(driver: DriverName): void {
  const blockBytes = blockBytesFor(limitsFrom());
  const sizes = [0, 1, 8191, 8192, 8193, 16_383, 16_384, 65_535, 65_536, 65_537];
  sizes.push(131_071, 131_072, 131_073, 262_144, 262_145, 1_000_003);
  // The head is some 200 bytes: among these sizes, head and content are exactly a block.
  for (let bytes = blockBytes - 300; bytes <= blockBytes; bytes += 5) sizes.push(bytes);
  const noise = randomBytes(1_000_003);

  it('every size is sent to the last byte, from the disk and from the cache', async () => {
    const files: Record<string, Uint8Array> = {};
    for (const size of sizes) files[`${size}.bin`] = noise.subarray(0, size);
    const site = await Site.open({ driver, files });
    try {
      for (const size of sizes) {
        utimesSync(site.at(`${size}.bin`), LONG_AGO, LONG_AGO);
        for (let round = 0; round < 2; round++) {
          const { status, headers, body } = await site.ask(`/${size}.bin`);
          assert.equal(status, 200);
          assert.equal(headers.get('content-length'), String(size));
          assert.ok(body.equals(noise.subarray(0, size)), `${size} bytes, round ${round}`);
        }
        const head = await site.ask(`/${size}.bin`, { method: 'HEAD' });
        assert.equal(head.headers.get('content-length'), String(size));
        assert.equal(head.body.length, 0);
      }
    } finally {
      await site.close();
    }
  });

  it('every size is the same without a cache', async () => {
    const files = { 'a.bin': noise.subarray(0, 70_000), 'b.txt': 'b' };
    for (const options of [{ cacheBytesMax: 0 }, { cacheEntryBytesMax: 0 }]) {
      const site = await Site.open({ driver, files, static: options });
      try {
        for (let round = 0; round < 2; round++) {
          assert.ok((await site.ask('/a.bin')).body.equals(files['a.bin']));
          assert.equal(await site.text('/b.txt'), 'b');
        }
      } finally {
        await site.close();
      }
    }
  });
}

function severalCases(driver: DriverName): void {
  it('several servers share a middleware, and one server has several', async () => {
    const first = await Site.open({ driver, files: { 'name.txt': 'first' }, mount: '/one' });
    const second = await Site.open({ driver, files: { 'name.txt': 'second' } });
    const shared = serveStatic(first.root);
    first.server.use('/again', shared);
    second.server.use('/first', shared);
    try {
      utimesSync(first.at('name.txt'), LONG_AGO, LONG_AGO);
      const asked = Array.from({ length: 20 }, async () => {
        assert.equal(await first.text('/one/name.txt'), 'first');
        assert.equal(await first.text('/again/name.txt'), 'first');
        assert.equal(await second.text('/name.txt'), 'second');
        assert.equal(await second.text('/first/name.txt'), 'first');
        assert.equal(await first.text('/name.txt'), '404');
      });
      await Promise.all(asked);
    } finally {
      await first.close();
      await second.close();
    }
  });

  it('static_dir of a configuration serves paths without a route', async () => {
    const site = await Site.open({ driver, files: FILES });
    const server = makeServer(driver, { staticDir: site.root, listing: true });
    server.get('/page.html', (_request, response) => response.text('route'));
    server.post('/form', (_request, response) => response.text('posted'));
    const { port } = await server.listen();
    const ownPort = site.port;
    try {
      site.port = port;
      assert.equal(await site.text('/page.html'), 'route');
      assert.equal(await site.text('/'), '<p>home</p>');
      assert.ok((await site.text('/bare/')).includes('Index of /bare/'));
      assert.equal((await site.ask('/%00')).status, 400);
    } finally {
      site.port = ownPort;
      await server.close();
      await site.close();
    }
  });
}
