// What a system may do at the worst moment, in a file system in memory: names that lead elsewhere
// while a file is opened, files that vanish, roots that cannot be resolved, variants that must not
// be read, and slow disks.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FileKind } from '../../src/async-io/async-io.ts';
import { ERRNO } from '../../src/base/errno.ts';
import type { Services } from '../../src/exchange/exchange.ts';
import { settingsFrom } from '../../src/static/options.ts';
import { Root } from '../../src/static/root.ts';
import { noteMissingRoots } from '../../src/static/roots.ts';
import { allowed } from './fixtures/in-process.ts';
import { OUTSIDE, TreeSite } from './fixtures/tree-site.ts';

const { EACCES, EIO, ENOENT, EPERM } = ERRNO;
describe('a directory that becomes a link out of the root', () => {
  for (const reportsPaths of [true, false]) {
    const what = reportsPaths ? 'reports paths of open files' : 'does not';
    it(`before a file is opened: nothing is sent, where the system ${what}`, async () => {
      const fixture = new TreeSite();
      const { asyncIo, tree } = fixture;
      asyncIo.reportsPaths = reportsPaths;
      const open = asyncIo.open.bind(asyncIo);
      let opens = 0;
      asyncIo.open = (path) => {
        opens += 1;
        tree.rename('/top/sub', '/top/was');
        tree.link('/top/sub', '/outside');
        return open(path);
      };
      const { status, body } = await fixture.ask('/sub/b.txt');
      assert.deepEqual([status, body, opens], [404, '', 1]);
    });

    it(`only while it is opened: the file is sent, where the system ${what}`, async () => {
      const fixture = new TreeSite();
      const { asyncIo, tree } = fixture;
      asyncIo.reportsPaths = reportsPaths;
      const open = asyncIo.open.bind(asyncIo);
      let opens = 0;
      asyncIo.open = async (path) => {
        opens += 1;
        if (opens > 1) return open(path);
        tree.rename('/top/sub', '/top/was');
        tree.link('/top/sub', '/outside');
        const opened = await open(path);
        tree.remove('/top/sub');
        tree.rename('/top/was', '/top/sub');
        return opened;
      };
      const { status, body } = await fixture.ask('/sub/b.txt');
      assert.deepEqual([status, body, opens], [200, 'b', 2]);
    });
  }

  it('where that is allowed it is followed', async () => {
    const fixture = new TreeSite({ symlinks: 'all' });
    fixture.tree.link('/top/link', '/outside');
    assert.equal((await fixture.ask('/link/b.txt')).body, OUTSIDE);
  });
});

describe('a file that vanishes', () => {
  it('whenever it is opened is looked up four times, and a 404', async () => {
    const fixture = new TreeSite();
    let opens = 0;
    fixture.asyncIo.open = () => {
      opens += 1;
      return Promise.resolve(-ENOENT);
    };
    assert.equal((await fixture.ask('/a.txt')).status, 404);
    assert.equal(opens, 4);
  });

  it('once is looked up again', async () => {
    const fixture = new TreeSite();
    fixture.asyncIo.openFault = -ENOENT;
    assert.equal((await fixture.ask('/a.txt')).body, 'a');
  });
});

describe('the system', () => {
  it('that cannot stat a file is a 500', async () => {
    const fixture = new TreeSite();
    const stat = fixture.asyncIo.statNow.bind(fixture.asyncIo);
    fixture.asyncIo.statNow = (path) => (path === '/top/a.txt' ? -EIO : stat(path));
    assert.equal((await fixture.ask('/a.txt')).status, 500);
    assert.equal((await fixture.ask('/sub/b.txt')).status, 200);
  });

  it('is asked again for what is not found, once, or while the root changes', async () => {
    const fixture = new TreeSite();
    const { asyncIo, tree } = fixture;
    tree.link('/top/out', '/outside/b.txt');
    assert.equal((await fixture.ask('/a.txt')).status, 200);
    const realPath = asyncIo.realPath.bind(asyncIo);
    let calls = 0;
    asyncIo.realPath = (path) => {
      if (path === '/top/out') calls += 1;
      return realPath(path);
    };
    assert.equal((await fixture.ask('/out')).status, 404);
    assert.equal(calls, 2);
    // Another root each time.
    let roots = 0;
    asyncIo.realPath = (path) => {
      if (path === '/top/out') calls += 1;
      roots += 1;
      return path === '/top' ? Promise.resolve(`/top-${roots}`) : realPath(path);
    };
    calls = 0;
    assert.equal((await fixture.ask('/out', 20_000)).status, 404);
    assert.equal(calls, 4);
  });
});

describe('a root', () => {
  it('that cannot be resolved has no files, and is asked once for each', async () => {
    const fixture = new TreeSite();
    const { asyncIo } = fixture;
    const realPath = asyncIo.realPath.bind(asyncIo);
    let calls = 0;
    asyncIo.realPath = (path) => {
      if (path !== '/top') return realPath(path);
      calls += 1;
      return Promise.resolve(-EACCES);
    };
    assert.equal((await fixture.ask('/a.txt')).status, 404);
    assert.equal(calls, 1);
  });

  it('has a file at once where a link led out of it, on a slow disk as well', async () => {
    for (const isSlow of [false, true]) {
      const site = new TreeSite();
      site.tree.link('/top/link.txt', '/outside/b.txt');
      for (let time = 0; time < 3; time++) {
        assert.equal((await site.ask('/link.txt', 3)).status, 404);
      }
      site.tree.remove('/top/link.txt');
      site.tree.write('/top/link.txt', 'own');
      site.asyncIo.slow = isSlow;
      assert.equal((await site.ask('/link.txt', 10)).body, 'own');
    }
  });

  it('has no file of another device with the same number', async () => {
    const fixture = new TreeSite();
    fixture.asyncIo.reportsPaths = false;
    const open = fixture.asyncIo.open.bind(fixture.asyncIo);
    fixture.asyncIo.open = async (path) => {
      const opened = await open(path);
      return typeof opened === 'number'
        ? opened
        : { ...opened, stat: { ...opened.stat, device: 2 } };
    };
    assert.equal((await fixture.ask('/a.txt')).status, 404);
  });

  it('hides names that begin with a dot, wherever they are asked for', async () => {
    const fixture = new TreeSite();
    fixture.tree.directory('/top/.git');
    fixture.tree.write('/top/.git/config', OUTSIDE);
    const { asyncIo, clock } = fixture;
    const services = { asyncIo, nowMs: clock.nowMs, wallMs: clock.nowMs } as unknown as Services;
    for (const [dotfiles, wanted] of [
      [false, -ENOENT],
      [true, '/top/.git/config'],
    ] as const) {
      const root = new Root('/top', settingsFrom({ dotfiles }));
      const names = ['.git', 'config'];
      assert.equal(await fixture.perform(root.resolve(asyncIo, names)), wanted);
      assert.equal(await fixture.perform(root.locate(services, names)), wanted);
    }
  });

  it('has nothing outside of it, also the first time; that of the system has all', async () => {
    const fixture = new TreeSite();
    const { asyncIo } = fixture;
    fixture.tree.link('/top/out', '/outside/b.txt');
    const resolved = (path: string, names: readonly string[]): Promise<string | number> =>
      fixture.perform(new Root(path, settingsFrom({})).resolve(asyncIo, names));
    assert.equal(await resolved('/top', ['out']), -ENOENT);
    assert.equal(await resolved('/', ['top', 'out']), '/outside/b.txt');
    assert.equal(await resolved('/', ['top', 'a.txt']), '/top/a.txt');
  });

  it('may end in a slash, as that of the system does', () => {
    const settings = settingsFrom({});
    assert.equal(new Root('/', settings).pathOf(['a', 'b']), '/a/b');
    assert.equal(new Root('/top', settings).pathOf(['a', 'b']), '/top/a/b');
    assert.equal(new Root('/top', settings).pathOf([]), '/top');
  });

  it('is missing when it is no directory, as a page that is no file, each named once', async () => {
    const { asyncIo, perform } = new TreeSite();
    const [spa, notFound] = [['app', 'none.html'], null];
    const lines = new Set<string>();
    const given = [
      ...['/top', '/top/a.txt', '/none', '/none', '/outside'].map((path) => ({
        path,
        spa: null,
        notFound,
      })),
      { path: '/top', spa: ['a.txt'], notFound: ['.'] },
      { path: '/top', spa, notFound },
      { path: '/top', spa, notFound },
      { path: '/none', spa, notFound },
    ];
    await perform.call({ asyncIo }, noteMissingRoots(lines, asyncIo, given));
    const [root, page] = ['is not a directory: no file is found', 'create it; until then'];
    assert.deepEqual(
      [...lines].map((line) => line.replace(/ in it until.*| the client gets.*/, '')),
      [
        `serveStatic(): /top/a.txt ${root}`,
        `serveStatic(): /none ${root}`,
        `serveStatic(): notFound: there is no file /top: ${page}`,
        `serveStatic(): spa: there is no file /top/app/none.html: ${page}`,
      ],
    );
  });
});

describe('a precompressed variant', () => {
  const accept = ['Accept-Encoding: gzip'];

  it('that must not be read is not used', async () => {
    for (const fault of [EACCES, EPERM]) {
      const fixture = new TreeSite({ precompressed: true });
      fixture.tree.write('/top/a.txt.gz', 'zipped');
      fixture.tree.nowMs += 1_000;
      const open = fixture.asyncIo.open.bind(fixture.asyncIo);
      fixture.asyncIo.open = (path) =>
        path.endsWith('.gz') ? Promise.resolve(-fault) : open(path);
      const { status, body, fields } = await fixture.ask('/a.txt', 10, accept);
      assert.deepEqual([status, body, fields.get('content-encoding')], [200, 'a', undefined]);
    }
  });

  it('that cannot be read is a 500', async () => {
    const fixture = new TreeSite({ precompressed: true });
    fixture.tree.write('/top/a.txt.gz', 'zipped');
    const open = fixture.asyncIo.open.bind(fixture.asyncIo);
    fixture.asyncIo.open = (path) => (path.endsWith('.gz') ? Promise.resolve(-EIO) : open(path));
    assert.equal((await fixture.ask('/a.txt', 10, accept)).status, 500);
  });

  it('is used unless it is older than the file', async () => {
    const fixture = new TreeSite({ precompressed: true });
    fixture.tree.write('/top/a.txt.gz', 'zipped');
    fixture.tree.write('/top/a.txt.br', 'br');
    const nowMs = fixture.tree.nowMs;
    fixture.tree.touch('/top/a.txt', nowMs);
    fixture.tree.touch('/top/a.txt.gz', nowMs);
    fixture.tree.touch('/top/a.txt.br', nowMs - 1);
    fixture.tree.nowMs += 1_000;
    const both = ['Accept-Encoding: br, gzip'];
    const { body, fields } = await fixture.ask('/a.txt', 10, both);
    assert.deepEqual([body, fields.get('content-encoding')], ['zipped', 'gzip']);
  });
});

describe('the methods of a path', () => {
  it('are those of a file, also of one that must not be read', async () => {
    const fixture = new TreeSite({ listing: true });
    fixture.tree.write('/top/denied.txt', 'x');
    fixture.tree.allow('/top/denied.txt', false);
    fixture.tree.nowMs += 1_000;
    const methodsOf = (path: string): Promise<readonly string[]> =>
      fixture.perform(allowed(fixture.site, fixture.asyncIo, fixture.clock, path));
    const all = ['GET', 'HEAD', 'OPTIONS'];
    for (const path of ['/a.txt', '/sub', '/sub/', '/denied.txt']) {
      assert.deepEqual(await methodsOf(path), all, path);
    }
    for (const path of ['/none', '/a.txt/', '/.hidden', '/a%2fb']) {
      assert.deepEqual(await methodsOf(path), [], path);
    }
  });

  it('are unknown when the system fails', async () => {
    const fixture = new TreeSite();
    fixture.asyncIo.openFault = -EIO;
    const methods = allowed(fixture.site, fixture.asyncIo, fixture.clock, '/a.txt');
    await assert.rejects(fixture.perform(methods), /EIO|errno|5/);
    assert.deepEqual(
      await fixture.perform(allowed(fixture.site, fixture.asyncIo, fixture.clock, '/a.txt')),
      ['GET', 'HEAD', 'OPTIONS'],
    );
  });
});

describe('on a slow disk', () => {
  it('a file in memory is sent for some milliseconds, then checked', async () => {
    const fixture = new TreeSite();
    assert.equal((await fixture.ask('/a.txt')).body, 'a');
    fixture.asyncIo.slow = true;
    assert.equal((await fixture.ask('/a.txt', 5)).immediate, true);
    assert.equal((await fixture.ask('/a.txt', 1)).immediate, false);
    assert.equal((await fixture.ask('/a.txt', 5)).immediate, true, 'that check counts');
  });

  it('requests during a check are not delayed by it, for a while', async () => {
    const fixture = new TreeSite();
    const { tree, asyncIo } = fixture;
    await fixture.ask('/a.txt');
    asyncIo.slow = true;
    tree.nowMs += 20;
    const first = fixture.start('/a.txt');
    assert.equal(first.immediate, false, 'the first one checks');
    tree.nowMs += 30;
    const second = fixture.start('/a.txt');
    assert.deepEqual([second.immediate, second.body], [true, 'a']);
    tree.nowMs += 1;
    const third = fixture.start('/a.txt');
    assert.equal(third.immediate, false);
    await fixture.finish(first, second, third);
    assert.deepEqual([first.body, third.body], ['a', 'a']);
  });

  it('the spelling of a name is checked as well', async () => {
    const fixture = new TreeSite();
    fixture.tree.write('/top/sub/B.TXT', 'upper');
    fixture.asyncIo.slow = true;
    fixture.asyncIo.list = () => assert.fail('two files need no list');
    assert.equal((await fixture.ask('/sub/b.txt')).body, 'b');
    assert.equal((await fixture.ask('/sub/B.TXT')).body, 'upper');
  });

  it('a twin in the other case that vanishes is no reason to trust the spelling', async () => {
    const fixture = new TreeSite();
    const { asyncIo, tree } = fixture;
    tree.write('/top/sub/B.TXT', 'upper');
    const stat = asyncIo.statNow.bind(asyncIo);
    asyncIo.statNow = (path) => (path.endsWith('B.TXT') ? -ENOENT : stat(path));
    let lists = 0;
    const list = asyncIo.list.bind(asyncIo);
    asyncIo.list = (path) => {
      lists += 1;
      return list(path);
    };
    assert.equal((await fixture.ask('/sub/b.txt')).body, 'b');
    assert.ok(lists > 0, 'the directory is listed');
  });
});

it('a file whose kind changes is no longer the one in memory', async () => {
  const fixture = new TreeSite();
  assert.equal((await fixture.ask('/a.txt')).body, 'a');
  const stat = fixture.asyncIo.statNow('/top/a.txt');
  assert.ok(stat !== null && typeof stat !== 'number' && stat.kind === FileKind.File);
  fixture.tree.remove('/top/a.txt');
  fixture.tree.directory('/top/a.txt');
  assert.equal((await fixture.ask('/a.txt')).status, 404);
});
