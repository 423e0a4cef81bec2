// Nothing outside of the root is ever sent, whatever the path or its links, and no special file
// within it blocks a request.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { DriverName } from '../../src/driver/choose.ts';
import { serveStatic } from '../../src/static/serve-static.ts';
import { DRIVERS, posixOnly, type RawResponse, SECRET, Site, until } from './fixtures/site.ts';

const isPosix = process.platform !== 'win32';

const FILES: Readonly<Record<string, string>> = {
  'ok.txt': 'ok',
  'sub/file.txt': 'file',
  '.hidden': SECRET,
  '.git/config': SECRET,
  'sub/.env': SECRET,
  '.well-known/security.txt': 'contact',
  ...(isPosix
    ? {
        'semi;colon.txt': 'semi',
        'dot./end .txt.': 'end',
        'back\\slash.txt': 'back',
        '.../dots.txt': 'dots',
        '%2e%2e/odd.txt': 'odd',
      }
    : {}),
  'a b.txt': 'blank',
  'é€😀.txt': 'wide',
};

/** Paths that try to leave the root or to reach its hidden files. */
const CLIMBS: readonly string[] = [
  '/../secret.txt',
  '/../../secret.txt',
  '/../../../../../../../../../../etc/passwd',
  '/sub/../../secret.txt',
  '/sub/./../.././../secret.txt',
  '/./../secret.txt',
  '//../secret.txt',
  '/..//secret.txt',
  '/sub//../..//../secret.txt',
  '/%2e%2e/secret.txt',
  '/%2E%2E/secret.txt',
  '/.%2e/secret.txt',
  '/%2e./secret.txt',
  '/%2e%2e%2fsecret.txt',
  '/..%2fsecret.txt',
  '/..%2Fsecret.txt',
  '/sub/..%2f..%2fsecret.txt',
  '/sub%2f..%2f..%2fsecret.txt',
  '/%2f..%2fsecret.txt',
  '/%2f%2e%2e%2fsecret.txt',
  '/%2e%2e%5csecret.txt',
  '/..%5csecret.txt',
  '/..\\secret.txt',
  '/sub/..\\..\\secret.txt',
  '\\..\\secret.txt',
  '/\\..\\secret.txt',
  '/..\\/secret.txt',
  '/%252e%252e/secret.txt',
  '/%252e%252e%252fsecret.txt',
  '/..%252fsecret.txt',
  '/%25252e%25252e/secret.txt',
  '/%c0%ae%c0%ae/secret.txt',
  '/%c0%ae%c0%ae%c0%afsecret.txt',
  '/%e0%80%ae%e0%80%ae/secret.txt',
  '/%f0%80%80%ae%f0%80%80%ae/secret.txt',
  '/..%c0%afsecret.txt',
  '/..%e0%80%afsecret.txt',
  '/..%c1%9csecret.txt',
  '/\xc0\xae\xc0\xae/secret.txt',
  '/..\xc0\xafsecret.txt',
  '/%uff0e%uff0e/secret.txt',
  '/%u002e%u002e/secret.txt',
  '/%ef%bc%8e%ef%bc%8e/secret.txt',
  '/..%ef%bc%8fsecret.txt',
  '/..%e2%88%95secret.txt',
  '/%00/../secret.txt',
  '/..%00/secret.txt',
  '/%2e%2e%00/secret.txt',
  '/../secret.txt%00.html',
  '/ok.txt%00',
  '/ok.txt%00/../../secret.txt',
  '/..;/secret.txt',
  '/..;a=b/secret.txt',
  '/;/../secret.txt',
  '/.../secret.txt',
  '/..../secret.txt',
  '/.. /secret.txt',
  '/..%20/secret.txt',
  '/..%09/secret.txt',
  '/..%0a/secret.txt',
  '/..%0d%0a/secret.txt',
  '/../served-sibling/secret.txt',
  '/../served/../secret.txt',
  '/..-sibling/secret.txt',
  '/-sibling/secret.txt',
  '-sibling/secret.txt',
  '%2dsibling/secret.txt',
  '/sub/../../served-sibling/secret.txt',
  '//etc/passwd',
  '///etc/passwd',
  '//%65tc/passwd',
  '/%2fetc/passwd',
  '/%2fetc%2fpasswd',
  '/sub/%2fetc/passwd',
  '/file:///etc/passwd',
  'file:///etc/passwd',
  '/c:/windows/win.ini',
  '/c:%5cwindows%5cwin.ini',
  '/%5c%5c127.0.0.1%5cshare',
  '/~root/.profile',
  '/$HOME/.profile',
  '/proc/self/environ',
  '/../../proc/self/environ',
  '/.hidden',
  '/%2ehidden',
  '/./.hidden',
  '/sub/../.hidden',
  '/sub/..%2f.hidden',
  '/.git/config',
  '/%2egit/config',
  '/.git%2fconfig',
  '/.git/../.git/config',
  '/.git/',
  '/.git',
  '/sub/.env',
  '/sub/%2eenv',
  '/sub%2f.env',
  '/.well-known/../.hidden',
  '/.well-known/.hidden',
  '/.well-known%2f..%2f.hidden',
  '/ok.txt/../../secret.txt',
  '/ok.txt/%2e%2e/%2e%2e/secret.txt',
  '/?/../secret.txt',
  '/../secret.txt?a=/b',
  '/../secret.txt?',
  `/${'../'.repeat(500)}secret.txt`,
  `/${'%2e%2e/'.repeat(300)}secret.txt`,
  `/${'a/'.repeat(300)}${'../'.repeat(301)}secret.txt`,
  `/${'x'.repeat(300)}/../../secret.txt`,
  `/${'x'.repeat(7000)}`,
  `/${'x/'.repeat(2500)}`,
  `/${'/'.repeat(5000)}secret.txt`,
  `/${'%2f'.repeat(1500)}etc/passwd`,
];

/** Unusual paths that lead to existing files. */
const GOOD: readonly (readonly [path: string, text: string])[] = [
  ['/ok.txt', 'ok'],
  ['/%6f%6b.txt', 'ok'],
  ['/ok%2Etxt', 'ok'],
  ['/./ok.txt', 'ok'],
  ['/../ok.txt', 'ok'],
  ['/%2e%2e/ok.txt', 'ok'],
  ['/sub/../ok.txt', 'ok'],
  ['/missing/../ok.txt', 'ok'],
  ['//ok.txt', 'ok'],
  ['///ok.txt', 'ok'],
  ['//../ok.txt', 'ok'],
  ['/sub//../ok.txt', 'ok'],
  ['/sub//file.txt', 'file'],
  ['//sub/file.txt', 'file'],
  ['/sub/.//file.txt', 'file'],
  ['/sub/file.txt', 'file'],
  ['/.well-known/security.txt', 'contact'],
  ['/a%20b.txt', 'blank'],
  ['/%C3%A9%e2%82%ac%F0%9F%98%80.txt', 'wide'],
  ['/ok.txt?../../secret.txt', 'ok'],
  ...(isPosix
    ? ([
        ['/back%5cslash.txt', 'back'],
        ['/semi;colon.txt', 'semi'],
        ['/dot./end%20.txt.', 'end'],
        ['/.../dots.txt', ''],
        ['/%252e%252e/odd.txt', 'odd'],
      ] as const)
    : []),
];

/** An encoded slash, which no file name has, and a slash after the name of a file. */
const NAMELESS: readonly string[] = [
  '/sub/file.txt/',
  '/sub/file.txt//',
  '/%2fok.txt',
  '/ok.txt%2f',
  '/sub%2ffile.txt',
  '/sub%2Ffile.txt',
  '/sub/%2ffile.txt',
  '/sub%2f/file.txt',
  '/sub/..%2fok.txt',
  '/sub%2f../ok.txt',
  '/sub/%2e%2e%2fok.txt',
  '/.%2fok.txt',
  '/%2e%2fok.txt',
  '/sub%252ffile.txt',
  '/%2573ub/file.txt',
  'http://site/sub%2ffile.txt',
];

function assertNothingSent(path: string, { status, headers, body, complete }: RawResponse): void {
  const shown = `${path.slice(0, 80)} gave ${status}: ${body.toString('latin1', 0, 80)}`;
  assert.ok(!body.includes(SECRET) && !body.includes('root:'), shown);
  assert.ok(!body.includes('secret.txt') && !body.includes('.git'), shown);
  assert.ok(complete, shown);
  // An existing directory may be listed, or redirect to its path with a slash on this host.
  if (status === 200) assert.match(body.toString(), /<h1>Index of /, shown);
  else if (status === 301) assert.match(headers.get('location') ?? '', /^\/(?![\\/])/, shown);
  else assert.ok([400, 403, 404, 414].includes(status), shown);
}

for (const driver of DRIVERS) {
  describe(`paths on ${driver}`, () => {
    const places = [
      ['at the root', undefined, ''],
      ['below a prefix', '/mnt', '/mnt'],
    ] as const;
    for (const [where, mount, prefix] of places) {
      describe(where, () => {
        let site: Site;
        before(async () => {
          const mounted = mount === undefined ? {} : { mount };
          site = await Site.open({ driver, files: FILES, static: { listing: true }, ...mounted });
        });
        after(() => site.close());

        it('no path leaves the root', async () => {
          for (const path of CLIMBS) assertNothingSent(path, await site.ask(prefix + path));
        });

        it('existing files are found', async () => {
          for (const [path, text] of GOOD) {
            // Below a prefix, '..' at the beginning leaves the mounted part.
            if (prefix !== '' && /^\/+(\.\.|%2e%2e)\//.test(path)) continue;
            if (text !== '') assert.equal(await site.text(prefix + path), text, path);
          }
        });
      });
    }

    it('an encoded slash names no file', async () => {
      const site = await Site.open({ driver, files: FILES, static: { listing: true } });
      try {
        for (const path of NAMELESS) {
          assert.equal((await site.ask(path)).status, 404, path);
          assert.equal((await site.ask(path, { method: 'POST' })).status, 404, path);
        }
        assert.equal(await site.text('http://site/sub/../ok.txt'), 'ok');
        assert.equal(await site.text('http://site//sub//../ok.txt'), 'ok');
        assert.equal((await site.ask('http://site')).status, 200);
      } finally {
        await site.close();
      }
    });

    it('neither dots nor encoded slashes leave a prefix', async () => {
      const site = await Site.open({ driver, files: FILES, mount: '/mnt' });
      try {
        for (const path of [
          '/mnt/../ok.txt',
          '/mnt%2fok.txt',
          '/mnt%2f..%2fsecret.txt',
          '/mnt/..%2f..%2fsecret.txt',
          '/mntok.txt',
          '/mnt../ok.txt',
          '/mnt%5cok.txt',
          '/x/mnt/ok.txt',
          '/MNT/ok.txt',
        ]) {
          assertNothingSent(path, await site.ask(path));
        }
        assert.equal(await site.text('/x/../mnt/ok.txt'), 'ok');
        assert.equal(await site.text('/%6dnt/ok.txt'), 'ok');
        assert.equal(await site.text('/mnt/../mnt/ok.txt'), 'ok');
        assert.equal(await site.text('//mnt//ok.txt'), 'ok');
      } finally {
        await site.close();
      }
    });

    it('names that begin with a dot are served with dotfiles: true', async () => {
      const site = await Site.open({ driver, files: FILES, static: { dotfiles: true } });
      try {
        assert.equal(await site.text('/.git/config'), SECRET);
        assert.equal(await site.text('/sub/.env'), SECRET);
        assert.equal(await site.text('/../secret.txt'), '404');
        if (isPosix) assert.equal(await site.text('/.../dots.txt'), 'dots');
      } finally {
        await site.close();
      }
    });

    describe('links', posixOnly, () => linkCases(driver));
    describe('special files', posixOnly, () => oddCases(driver));
  });
}

function linkCases(driver: DriverName): void {
  let site: Site;
  before(async () => {
    site = await Site.open({ driver, files: FILES, static: { listing: true } });
    const link = (to: string, name: string) => symlinkSync(to, site.at(name));
    mkdirSync(site.at('links'));
    link('../ok.txt', 'links/file');
    link('../sub', 'links/folder');
    link(site.at('ok.txt'), 'links/absolute');
    link('file', 'links/chain');
    link('chain', 'links/longer-chain');
    link('../../served/ok.txt', 'links/out-and-in');
    link('.', 'links/self');
    link('../../secret.txt', 'links/secret-file');
    link('../..', 'links/secret-folder');
    link('/', 'links/system');
    link('/etc/passwd', 'links/passwd');
    link('secret-file', 'links/secret-chain');
    link('secret-folder/secret.txt', 'links/secret-through');
    link('../../served-sibling', 'links/sibling');
    link('loop', 'links/loop');
    link('ring-b', 'links/ring-a');
    link('ring-a', 'links/ring-b');
    link('nowhere', 'links/broken');
    link('../ok.txt/below', 'links/below-a-file');
    mkdirSync(site.at('indexed'));
    link('../../secret.txt', 'indexed/index.html');
  });
  after(() => site.close());

  it('are followed within the root', async () => {
    for (const name of ['file', 'absolute', 'chain', 'longer-chain', 'out-and-in', 'self/file']) {
      assert.equal(await site.text(`/links/${name}`), 'ok', name);
    }
    assert.equal(await site.text('/links/folder/file.txt'), 'file');
    assert.equal(await site.text('/links/self/self/self/folder/file.txt'), 'file');
    assert.equal((await site.ask('/links/folder')).status, 301);
  });

  it('are not followed out of the root', async () => {
    for (const name of [
      'secret-file',
      'secret-folder',
      'secret-folder/',
      'secret-folder/secret.txt',
      'system/',
      'system/etc/passwd',
      'passwd',
      'secret-chain',
      'secret-through',
      'sibling/secret.txt',
      'sibling/',
      'self/secret-file',
      'folder/../secret-file',
    ]) {
      const response = await site.ask(`/links/${name}`);
      assertNothingSent(name, response);
      assert.equal(response.status, 404, name);
    }
  });

  it('an index that links out of the root is ignored', async () => {
    const response = await site.ask('/indexed/');
    assertNothingSent('/indexed/', response);
  });

  it('that are cyclic or broken are not found', async () => {
    for (const name of ['loop', 'ring-a', 'broken', 'below-a-file', 'loop/x', 'broken/x']) {
      assert.equal((await site.ask(`/links/${name}`)).status, 404, name);
    }
  });

  it('a listing shows those that are followed, and nothing outside of the root', async () => {
    const page = await site.text('/links/');
    const names = [...page.matchAll(/href="\.\/([^"]+)"/g)].map((match) => match[1]);
    const expected = ['absolute', 'chain', 'file', 'longer-chain', 'out-and-in'];
    assert.deepEqual(names, ['folder/', 'self/', ...expected]);
  });

  it('a root that is a link is followed, also after its target changes', async () => {
    const current = join(site.outside, 'current');
    for (const release of ['one', 'two', 'one/sub']) {
      mkdirSync(join(site.outside, release));
      writeFileSync(join(site.outside, release, 'page.txt'), release);
    }
    symlinkSync('one', current);
    const linked = await Site.open({
      driver,
      files: {},
      before: (server) => server.use('/linked', serveStatic(current)),
    });
    try {
      assert.equal(await linked.text('/linked/page.txt'), 'one');
      symlinkSync('two', `${current}.new`);
      renameSync(`${current}.new`, current);
      await until('the new release is served', async () => {
        const text = await linked.text('/linked/page.txt');
        assert.ok(text === 'one' || text === 'two', text);
        return text === 'two';
      });
      for (const release of ['one', 'one/sub', 'one']) {
        unlinkSync(current);
        symlinkSync(release, current);
        await until(`${release} is served`, async () => {
          return (await linked.text('/linked/page.txt')) === release;
        });
      }
    } finally {
      await linked.close();
    }
  });
}

function oddCases(driver: DriverName): void {
  let site: Site;
  before(async () => {
    site = await Site.open({ driver, files: FILES, static: { listing: true } });
    execFileSync('mkfifo', [site.at('fifo')]);
  });
  after(() => site.close());

  it('a FIFO without a writer does not block', async () => {
    assert.equal((await site.ask('/fifo')).status, 403);
    assert.equal((await site.ask('/fifo', { method: 'HEAD' })).status, 403);
    assert.equal((await site.ask('/fifo/')).status, 404);
    assert.equal(await site.text('/ok.txt'), 'ok');
  });

  it('a socket does not block', async () => {
    const listener = createServer().listen(site.at('socket'));
    await new Promise((resolve) => listener.once('listening', resolve));
    try {
      assert.equal((await site.ask('/socket')).status, 403);
    } finally {
      listener.close();
    }
  });

  it('a device does not block', async (context) => {
    try {
      execFileSync('mknod', [site.at('zero'), 'c', '1', '5'], { stdio: 'ignore' });
    } catch {
      context.skip('devices cannot be made here');
      return;
    }
    assert.equal((await site.ask('/zero')).status, 403);
    rmSync(site.at('zero'));
  });

  it('a listing omits them', async () => {
    const page = await site.text('/');
    assert.ok(page.includes('ok.txt'));
    assert.ok(!page.includes('fifo'));
  });

  it('a file is not a directory, a directory not a file', async () => {
    assert.equal((await site.ask('/ok.txt/')).status, 404);
    assert.equal((await site.ask('/ok.txt/x')).status, 404);
    assert.equal((await site.ask('/sub')).status, 301);
  });
}
