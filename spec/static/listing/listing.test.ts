// Listings over real sockets: fields, formats, orders, what is left out, and large directories,
// which are streamed in bounded memory.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { NodeAsyncIo } from '../../../src/async-io/node.ts';
import { ERRNO } from '../../../src/base/errno.ts';
import type { DriverName } from '../../../src/driver/choose.ts';
import { oneDriver } from '../../../testing/with-server.ts';
import { DRIVERS, posixOnly, SECRET, Site, until } from '../fixtures/site.ts';
import { LargeFolder } from './fixtures/large-folder.ts';

const JSON_ACCEPT = { Accept: 'application/json' };

interface Listed {
  readonly path: string;
  readonly entries: readonly {
    readonly name: string;
    readonly kind: string;
    readonly bytes: number | null;
    readonly modified: string | null;
  }[];
}

async function listed(site: Site, path: string): Promise<Listed> {
  const response = await site.ask(path, { headers: JSON_ACCEPT });
  assert.equal(response.status, 200);
  return JSON.parse(response.body.toString());
}

async function names(site: Site, path: string): Promise<string[]> {
  return (await listed(site, path)).entries.map(({ name }) => name);
}

/** The links of the rows of a page, decoded. */
function linked(page: string): string[] {
  return [...page.matchAll(/<a href="\.\/([^"]+)"/g)].map(([, link]) => decodeURIComponent(link));
}

const FILES: Readonly<Record<string, string>> = {
  'b10.txt': 'x'.repeat(10),
  'b9.txt': 'x'.repeat(99),
  'A.txt': 'x'.repeat(1),
  'folder/inside.txt': 'x',
  '.hidden': 'hidden',
  '.git/config': SECRET,
  '.well-known/x': 'x',
};

for (const driver of DRIVERS) describe(`a listing on ${driver}`, () => driverCases(driver));

function driverCases(driver: DriverName): void {
  let site: Site;
  before(async () => {
    site = await Site.open({ driver, files: FILES, static: { listing: true } });
  });
  after(() => site.close());

  it('is a page with a policy that allows its own style and script only', async () => {
    const { status, headers, body, complete } = await site.ask('/');
    assert.equal(status, 200);
    assert.ok(complete, 'it has its length');
    assert.equal(headers.get('content-type'), 'text/html; charset=utf-8');
    assert.equal(headers.get('vary'), 'Accept');
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    const policy = headers.get('content-security-policy') ?? '';
    assert.match(policy, /^default-src 'none'; /);
    assert.ok(!policy.includes('unsafe'));
    for (const [tag, directive] of [
      ['style', 'style-src'],
      ['script', 'script-src'],
    ]) {
      const [, text = ''] = new RegExp(`<${tag}>(.*?)</${tag}>`, 's').exec(body.toString()) ?? [];
      const digest = createHash('sha256').update(text).digest('base64');
      assert.ok(policy.includes(`${directive} 'sha256-${digest}'`), tag);
    }
    assert.deepEqual(linked(body.toString()), ['folder/', 'A.txt', 'b9.txt', 'b10.txt']);
  });

  it('is JSON where the client prefers it', async () => {
    const { headers, body, complete } = await site.ask('/', { headers: JSON_ACCEPT });
    assert.ok(complete);
    assert.equal(headers.get('content-type'), 'application/json; charset=utf-8');
    assert.equal(headers.get('vary'), 'Accept');
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.equal(headers.get('content-security-policy'), undefined);
    const { path, entries } = JSON.parse(body.toString());
    assert.equal(path, '/');
    assert.deepEqual(
      entries.map(({ name, kind, bytes }: Listed['entries'][0]) => [name, kind, bytes]),
      [
        ['folder', 'directory', null],
        ['A.txt', 'file', 1],
        ['b9.txt', 'file', 99],
        ['b10.txt', 'file', 10],
      ],
    );
    const both = { Accept: 'text/html;q=0.9, application/json;q=0.8' };
    assert.match((await site.ask('/', { headers: both })).body.toString(), /^<!doctype html>/);
  });

  it('to HEAD has the fields of GET and no content', async () => {
    for (const headers of [{}, JSON_ACCEPT]) {
      const get = await site.ask('/', { headers });
      const head = await site.ask('/', { method: 'HEAD', headers });
      assert.equal(head.status, 200);
      assert.equal(head.body.length, 0);
      const without = (all: ReadonlyMap<string, string>) =>
        [...all].filter(([name]) => name !== 'date');
      assert.deepEqual(without(head.headers), without(get.headers));
    }
  });

  it('streams a large directory, also to HEAD', async () => {
    const many = Array.from({ length: 2_345 }, (_, index) => `file-${index}`);
    const asyncIo = new LargeFolder(many);
    const large = await Site.open({ driver, files: {}, static: { listing: true }, asyncIo });
    try {
      const message = await open(large, '/?sort=name', JSON_ACCEPT);
      const { entries } = JSON.parse(await text(message)) as Listed;
      assert.deepEqual(
        entries.map(({ name }) => name),
        many,
      );
      const page = await text(await open(large, '/?sort=name&order=desc'));
      assert.deepEqual(linked(page), many.toReversed());
      assert.match(page, /2345 files, .*<\/html>\n$/s);
      const head = await large.ask('/', { method: 'HEAD' });
      assert.equal(head.status, 200);
      assert.equal(head.body.length, 0);
      assert.equal(head.headers.get('transfer-encoding'), 'chunked');
      assert.equal(asyncIo.closed, 3);
    } finally {
      await large.close();
    }
  });
}

function open(site: Site, path: string, headers = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port: site.port, path, headers, agent: false }, resolve).on(
      'error',
      reject,
    );
  });
}

async function text(message: IncomingMessage): Promise<string> {
  let all = '';
  for await (const chunk of message.setEncoding('utf8')) all += chunk;
  return all;
}

const [driver] = oneDriver();

async function withSite(
  files: Readonly<Record<string, string>>,
  steps: (site: Site) => Promise<void>,
  options: { readonly dotfiles?: boolean; readonly asyncIo?: NodeAsyncIo } = {},
): Promise<void> {
  const { dotfiles = false, ...rest } = options;
  const site = await Site.open({ driver, files, static: { listing: true, dotfiles }, ...rest });
  try {
    await steps(site);
  } finally {
    await site.close();
  }
}

describe('orders and filters', () => {
  it('are those of the query', () =>
    withSite(FILES, async (site) => {
      for (const [name, day] of [
        ['A.txt', 3],
        ['b9.txt', 1],
        ['b10.txt', 2],
      ] as const) {
        utimesSync(site.at(name), day, day * 86_400);
      }
      for (const [query, expected] of [
        ['', 'folder A.txt b9.txt b10.txt'],
        ['?order=desc', 'folder b10.txt b9.txt A.txt'],
        ['?sort=size', 'folder A.txt b10.txt b9.txt'],
        ['?sort=size&order=desc', 'folder b9.txt b10.txt A.txt'],
        ['?sort=date', 'folder b9.txt b10.txt A.txt'],
        ['?sort=date&order=desc', 'folder A.txt b10.txt b9.txt'],
        ['?filter=B', 'b9.txt b10.txt'],
        ['?filter=.TXT&sort=size', 'A.txt b10.txt b9.txt'],
        ['?filter=nothing', ''],
      ]) {
        assert.equal((await names(site, `/${query}`)).join(' '), expected, query);
        const page = await site.text(`/${query}`);
        assert.equal(linked(page).join(' ').replace('/', ''), expected, query);
      }
    }));

  it('stay in the redirect to the slash', () =>
    withSite(FILES, async (site) => {
      const { headers } = await site.ask('/folder?sort=size');
      assert.equal(headers.get('location'), '/folder/?sort=size');
    }));
});

describe('what is left out', () => {
  it('names that begin with a dot, unless dotfiles is set', async () => {
    await withSite(FILES, async (site) => {
      assert.ok(!(await names(site, '/')).some((name) => name.startsWith('.')));
    });
    const open = async (site: Site) => {
      const shown = await names(site, '/');
      assert.deepEqual(shown.slice(0, 3), ['.git', '.well-known', 'folder']);
      assert.ok(shown.includes('.hidden'));
    };
    await withSite(FILES, open, { dotfiles: true });
  });

  it('links out of the root, broken links and special files', posixOnly, () =>
    withSite(FILES, async (site) => {
      symlinkSync('A.txt', site.at('link'));
      symlinkSync('folder', site.at('link-folder'));
      symlinkSync('../secret.txt', site.at('out'));
      symlinkSync('/', site.at('root'));
      symlinkSync('nothing', site.at('broken'));
      symlinkSync('.git', site.at('link-to-hidden'));
      symlinkSync('loop', site.at('loop'));
      symlinkSync('/dev/null', site.at('device'));
      const { entries } = await listed(site, '/');
      const links = entries.filter(({ name }) => !(name in FILES) && name !== 'folder');
      assert.deepEqual(
        links.map(({ name, kind, bytes }) => [name, kind, bytes]),
        [
          ['link-folder', 'directory', null],
          ['link-to-hidden', 'directory', null],
          ['link', 'file', 1],
        ],
      );
    }),
  );

  it('names that are not UTF-8, which no request can name', posixOnly, async (context) => {
    await withSite({ 'ok.txt': 'x', '\ufffd.txt': 'real' }, async (site) => {
      try {
        writeFileSync(
          Buffer.concat([Buffer.from(`${site.root}/`), Buffer.from('ff2e747874', 'hex')]),
          '',
        );
        writeFileSync(Buffer.concat([Buffer.from(`${site.root}/`), Buffer.from('fe', 'hex')]), '');
      } catch {
        context.skip('this file system has no such names');
        return;
      }
      assert.deepEqual(await names(site, '/'), ['ok.txt', '\ufffd.txt']);
    });
  });

  it('entries that go away while the listing is made', async () => {
    class Vanishing extends NodeAsyncIo {
      override async stat(path: string) {
        return path.endsWith('gone.txt') ? -ERRNO.ENOENT : super.stat(path);
      }
    }
    const asyncIo = new Vanishing();
    await withSite(
      { 'gone.txt': 'x', 'ok.txt': 'x' },
      async (site) => {
        assert.deepEqual(await names(site, '/'), ['ok.txt']);
        assert.deepEqual(await names(site, '/?sort=size'), ['ok.txt']);
        assert.match(await site.text('/'), /<p>1 file,/);
      },
      { asyncIo },
    );
  });
});

describe('odd names', posixOnly, () => {
  const ODD = ['new\nline', '<b>&"\'', 'a?b#c%', 'x\\y', 'מסמך', '😀', ' ', 'c:'];

  it('are listed, and their links lead to them', async () => {
    const files = Object.fromEntries(ODD.map((name) => [name, `content of ${name}`]));
    await withSite(files, async (site) => {
      assert.deepEqual(new Set(await names(site, '/')), new Set(ODD));
      const page = await site.text('/');
      const links = [...page.matchAll(/<a href="(\.\/[^"]+)"/g)].map(([, link]) => link);
      assert.equal(links.length, ODD.length);
      for (const link of links) {
        const plain = link.replaceAll('&#39;', "'").replaceAll('&amp;', '&');
        const { pathname } = new URL(plain, 'http://site/');
        assert.equal(await site.text(pathname), `content of ${decodeURIComponent(plain.slice(2))}`);
      }
    });
  });
});

describe('the README', () => {
  const readme = async (site: Site) => {
    const [, name = '', text = ''] =
      /<h2 id="readme"><bdi>(.*?)<\/bdi><\/h2>\n<pre>\n(.*?)<\/pre>/s.exec(await site.text('/')) ??
      [];
    return { name, text };
  };

  it('is shown as escaped text, README.md before README.txt', async () => {
    const files = { 'README.md': '# <A>\n', 'README.txt': 'text', readme: 'plain' };
    await withSite(files, async (site) => {
      assert.deepEqual(await readme(site), { name: 'README.md', text: '# &lt;A&gt;\n' });
      assert.ok(!(await site.ask('/', { headers: JSON_ACCEPT })).body.includes('# <A>'));
    });
    await withSite({ 'readme.TXT': 'text', README: 'plain' }, async (site) => {
      assert.deepEqual(await readme(site), { name: 'readme.TXT', text: 'text' });
    });
    await withSite({ README: 'plain', 'README.html': 'no' }, async (site) => {
      assert.deepEqual(await readme(site), { name: 'README', text: 'plain' });
    });
  });

  it('is truncated where it is long, at the end of a character', () =>
    withSite({ 'README.md': `x${'é'.repeat(40_000)}` }, async (site) => {
      const { text } = await readme(site);
      assert.equal(text, `x${'é'.repeat(32_767)}`);
      assert.ok((await site.text('/')).includes('is not shown'));
    }));

  it('is never a file out of the root, nor a folder', posixOnly, () =>
    withSite({ 'README.txt/x': 'x' }, async (site) => {
      symlinkSync('../secret.txt', site.at('README.md'));
      const page = await site.text('/');
      assert.ok(!page.includes(SECRET) && !page.includes('id="readme"'));
    }),
  );
});

describe('a large directory', () => {
  const MANY = Array.from({ length: 100_000 }, (_, index) => `file-${index}`);

  it('has its beginning sent before all names are read', async () => {
    const asyncIo = new LargeFolder(MANY);
    let release = (_fault: number) => {};
    const held = new Promise<number>((resolve) => {
      release = resolve;
    });
    asyncIo.beforeRead = (reads) => (reads === 0 ? Promise.resolve(0) : held);
    const begins = async (site: Site) => {
      const message = await open(site, '/');
      const chunk = await new Promise((resolve) => message.once('data', resolve));
      assert.match(String(chunk), /^<!doctype html>/);
      assert.equal(asyncIo.reads, 1);
      message.socket.resetAndDestroy();
      await until('the server knows', () => site.server.counters.resets === 1);
      release(0);
      await until('the directory is closed', () => asyncIo.closed === 1);
    };
    await withSite({}, begins, { asyncIo });
    assert.equal(asyncIo.reads, 2);
  });

  it('is read no faster than the client takes it, and closed when the client leaves', async () => {
    const asyncIo = new LargeFolder(MANY);
    const leaves = async (site: Site) => {
      const message = await open(site, '/');
      await new Promise((resolve) => message.once('readable', resolve));
      let before = -1;
      await until('the server waits', async () => {
        const isStill = before === asyncIo.stats && before > 0;
        before = asyncIo.stats;
        if (!isStill) await new Promise((resolve) => setTimeout(resolve, 60));
        return isStill;
      });
      assert.ok(asyncIo.stats < 60_000, `${asyncIo.stats} entries were read`);
      assert.ok(asyncIo.statsInFlightMax <= 32, `${asyncIo.statsInFlightMax} at once`);
      assert.equal(asyncIo.closed, 0);
      message.destroy();
      await until('the directory is closed', () => asyncIo.closed === 1);
    };
    await withSite({}, leaves, { asyncIo });
  });

  it('that cannot be read to its end is truncated, and the client sees it', async () => {
    const asyncIo = new LargeFolder(MANY);
    asyncIo.beforeRead = async (reads) => (reads === 3 ? -ERRNO.EIO : 0);
    const truncates = async (site: Site) => {
      const message = await open(site, '/');
      await assert.rejects(text(message));
      assert.equal(asyncIo.closed, 1);
      assert.equal(site.server.counters.faults, 0);
    };
    await withSite({}, truncates, { asyncIo });
  });
});

describe('a directory that cannot be read', () => {
  it('has a status by its errno', async () => {
    class Failing extends NodeAsyncIo {
      fault = 0;
      override async openDirectory(): Promise<number> {
        return -this.fault;
      }
    }
    const asyncIo = new Failing();
    const fails = async (site: Site) => {
      for (const [fault, status] of [
        [ERRNO.ENOENT, 404],
        [ERRNO.ENOTDIR, 404],
        [ERRNO.EACCES, 403],
        [ERRNO.EPERM, 403],
        [ERRNO.EMFILE, 503],
        [ERRNO.ENFILE, 503],
        [ERRNO.ENOMEM, 503],
        [ERRNO.EIO, 500],
      ]) {
        asyncIo.fault = fault;
        const response = await site.ask('/a/');
        assert.equal(response.status, status, `errno ${fault}`);
        assert.equal(response.headers.get('content-security-policy'), undefined);
      }
    };
    await withSite({ 'a/x': 'x' }, fails, { asyncIo });
  });

  it('and is closed when its first names cannot be read', async () => {
    const asyncIo = new LargeFolder([]);
    asyncIo.beforeRead = async () => -ERRNO.EIO;
    await withSite(
      {},
      async (site) => {
        assert.equal((await site.ask('/')).status, 500);
        assert.equal(asyncIo.closed, 1);
      },
      { asyncIo },
    );
  });
});

it('below a prefix shows the full path', async () => {
  const files = { 'a/b/file.txt': 'x' };
  const site = await Site.open({ driver, files, static: { listing: true }, mount: '/files' });
  try {
    mkdirSync(join(site.root, 'a', 'c'));
    const { path, entries } = await listed(site, '/files/a/');
    assert.equal(path, '/files/a/');
    assert.deepEqual(
      entries.map(({ name }) => name),
      ['b', 'c'],
    );
  } finally {
    await site.close();
  }
});
