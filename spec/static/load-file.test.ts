// How a file comes into memory, in a file system in memory: what is read, in which parts, and what
// is not kept because it may change unnoticed, or has changed meanwhile.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AGREED_BYTES_MAX } from '../../src/static/read-agreed.ts';
import type { Recorded } from './fixtures/in-process.ts';
import { TreeSite } from './fixtures/tree-site.ts';

const GZIP = ['Accept-Encoding: gzip'];

function seen({ status, body, fields }: Recorded): [number, string, string | undefined] {
  return [status, body, fields.get('content-encoding')];
}

describe('content', () => {
  it('of exactly the size of an entry is kept, of one byte more it is not', async () => {
    const site = new TreeSite({ cacheEntryBytesMax: 10 });
    site.tree.write('/top/ten', '0123456789');
    site.tree.write('/top/more', '0123456789a');
    site.tree.nowMs += 1_000;
    for (const [path, bytes, isKept] of [
      ['/ten', 10, true],
      ['/more', 11, false],
    ] as const) {
      assert.equal((await site.ask(path)).body.length, bytes);
      const again = await site.ask(path);
      assert.deepEqual([again.body.length, again.immediate], [bytes, isKept]);
    }
  });

  it('is complete when the system reads it in parts', async () => {
    const site = new TreeSite();
    const { asyncIo } = site;
    const text = 'read in several parts';
    site.tree.write('/top/parts.txt', text);
    site.tree.nowMs += 1_000;
    const read = asyncIo.read.bind(asyncIo);
    let reads = 0;
    asyncIo.read = (file, into, position) => {
      reads += 1;
      return read(file, into.subarray(0, 4), position);
    };
    assert.equal((await site.ask('/parts.txt')).body, text);
    assert.equal(reads, Math.ceil(text.length / 4));
  });

  it('that was just written is read twice, up to a size', async () => {
    for (const [bytes, isAgreed] of [
      [AGREED_BYTES_MAX, true],
      [AGREED_BYTES_MAX + 1, false],
    ] as const) {
      const site = new TreeSite();
      const { asyncIo } = site;
      site.tree.write('/top/new.txt', 'x'.repeat(bytes));
      asyncIo.read = () => assert.fail('read once');
      const { error, status } = await site.ask('/new.txt', 0);
      assert.deepEqual([error === null, status === 200], [isAgreed, isAgreed]);
    }
  });
});

describe('a file is not kept', () => {
  it('while its content, its time or its permissions may change unnoticed', async () => {
    const site = new TreeSite();
    const { tree } = site;
    const isKept = async (path: string, afterMs: number): Promise<boolean> => {
      await site.ask(path, afterMs);
      return (await site.ask(path, 0)).immediate;
    };
    tree.touch('/top/a.txt', Date.UTC(2020, 0, 1, 0, 0, 0, 500));
    assert.equal(await isKept('/a.txt', 2), false, 'it was changed just now');
    assert.equal(await isKept('/a.txt', 1_000), true);
    tree.touch('/top/a.txt', tree.nowMs + 1_000.5);
    assert.equal(await isKept('/a.txt', 1_002), false, 'its modification time is now');
    assert.equal(await isKept('/a.txt', 1_000), true);
  });

  it('when it is the index of a directory, which never counts as changed', async () => {
    const site = new TreeSite();
    site.tree.write('/top/sub/index.html', 'one');
    assert.equal((await site.ask('/sub/', 2)).body, 'one');
    site.tree.write('/top/sub/index.html', 'two');
    assert.equal((await site.ask('/sub/', 0.5)).body, 'two');
  });
});

describe('a variant', () => {
  /** Does something once, when the path is opened or looked at. */
  function packed(call: 'open' | 'statNow', change: (site: TreeSite) => void): TreeSite {
    const site = new TreeSite({ precompressed: true });
    site.tree.write('/top/a.txt.gz', 'zipped');
    site.tree.nowMs += 1_000;
    let isDone = false;
    const before = (path: string): void => {
      if (isDone || !path.endsWith('.gz')) return;
      isDone = true;
      change(site);
    };
    const { asyncIo } = site;
    const open = asyncIo.open.bind(asyncIo);
    const statNow = asyncIo.statNow.bind(asyncIo);
    if (call === 'open') {
      asyncIo.open = (path) => {
        before(path);
        return open(path);
      };
    } else {
      asyncIo.statNow = (path) => {
        before(path);
        return statNow(path);
      };
    }
    return site;
  }

  it('of another original is not used with the one that was opened', async () => {
    const site = packed('statNow', ({ tree }) => {
      tree.replace('/top/a.txt', 'other');
      tree.replace('/top/a.txt.gz', 'other zipped');
    });
    assert.deepEqual(seen(await site.ask('/a.txt')), [200, 'other', undefined]);
    assert.deepEqual(seen(await site.ask('/a.txt', 0.5, GZIP)), [200, 'other zipped', 'gzip']);
  });

  it('in a directory that replaces another one is not used with a file of that', async () => {
    const site = packed('statNow', ({ tree }) => {
      tree.rename('/top/sub', '/top/was');
      tree.directory('/top/sub');
      tree.write('/top/sub/b.txt', 'other');
      tree.write('/top/sub/b.txt.gz', 'other zipped');
    });
    assert.deepEqual(seen(await site.ask('/sub/b.txt')), [200, 'other', undefined]);
    assert.deepEqual(seen(await site.ask('/sub/b.txt', 0.5, GZIP)), [200, 'other zipped', 'gzip']);
  });

  it('that is replaced before it is opened is not used at once', async () => {
    const site = packed('open', ({ tree }) => tree.replace('/top/a.txt.gz', 'other zipped'));
    assert.deepEqual(seen(await site.ask('/a.txt', 10, GZIP)), [200, 'a', undefined]);
    assert.deepEqual(seen(await site.ask('/a.txt', 10, GZIP)), [200, 'other zipped', 'gzip']);
  });

  it('that changes while it is read is read again', async () => {
    const site = packed('open', () => {});
    const { asyncIo, tree } = site;
    const read = asyncIo.read.bind(asyncIo);
    let reads = 0;
    asyncIo.read = (file, into, position) => {
      reads += 1;
      if (reads === 2) tree.write('/top/a.txt.gz', 'ZIPPED');
      return read(file, into, position);
    };
    assert.deepEqual(seen(await site.ask('/a.txt', 10, GZIP)), [200, 'ZIPPED', 'gzip']);
  });
});

it('an extension is not omitted before a slash', async () => {
  const site = new TreeSite({ extensions: ['txt'] });
  assert.equal((await site.ask('/a')).body, 'a');
  assert.equal((await site.ask('/a/')).status, 404);
});
