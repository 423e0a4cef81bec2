// How long what a site has found counts, at the exact ends of these times, and what it costs: the
// calls of the system, and the counts of files that were found in memory.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FRESH_MS, GRACE_MS, RECHECK_MS, STAT_CACHED_MS } from '../../src/static/freshness.ts';
import type { Recorded } from './fixtures/in-process.ts';
import { TreeSite } from './fixtures/tree-site.ts';

/** What a request cost: calls of statNow(), and operations that it waited for. */
async function cost(site: TreeSite, path: string, afterMs: number): Promise<[number, number]> {
  const { operations, statCalls } = site.asyncIo;
  await site.ask(path, afterMs);
  return [site.asyncIo.statCalls - statCalls, site.asyncIo.operations - operations];
}

const NOTHING = [0, 0];
const ONE_LOOK = [1, 0];

for (const [what, path] of [
  ['a file in memory', '/a.txt'],
  ['a path without a file', '/none'],
] as const) {
  describe(what, () => {
    it('is not looked at for a millisecond, and each look begins another one', async () => {
      const site = new TreeSite();
      await site.ask(path);
      assert.deepEqual(await cost(site, path, FRESH_MS), NOTHING);
      for (let round = 0; round < 3; round++) {
        assert.deepEqual(await cost(site, path, 2 * FRESH_MS), ONE_LOOK);
        assert.deepEqual(await cost(site, path, FRESH_MS), NOTHING);
      }
    });

    it('costs one quick look for ten seconds after the last one', async () => {
      const site = new TreeSite();
      await site.ask(path);
      for (let round = 0; round < 3; round++) {
        assert.deepEqual(await cost(site, path, STAT_CACHED_MS), ONE_LOOK);
      }
      const [, operations] = await cost(site, path, STAT_CACHED_MS + 1);
      assert.ok(operations > 0);
    });

    it('counts for five milliseconds where no look is quick', async () => {
      const site = new TreeSite();
      await site.ask(path);
      site.asyncIo.slow = true;
      assert.equal((await site.ask(path, RECHECK_MS)).immediate, true);
      assert.equal((await site.ask(path, 1)).immediate, false);
    });
  });
}

it('what a new path without a file costs depends on when the root was looked at', async () => {
  const site = new TreeSite();
  await site.ask('/none');
  assert.deepEqual(await cost(site, '/other', STAT_CACHED_MS), ONE_LOOK);
  const [, operations] = await cost(site, '/third', 1);
  assert.ok(operations > 0, 'a quick look is none at the root');
  assert.deepEqual(await cost(site, '/fourth', 1), ONE_LOOK);
});

it('a path that has a file now does not count as missing any more on a slow disk', async () => {
  const site = new TreeSite();
  await site.ask('/new.txt');
  site.tree.write('/top/new.txt', 'new');
  assert.equal((await site.ask('/new.txt', 2)).body, 'new');
  site.asyncIo.slow = true;
  assert.equal((await site.ask('/new.txt', RECHECK_MS - 3)).body, 'new');
});

describe('a check in progress', () => {
  it('is the only one', async () => {
    const site = new TreeSite();
    await site.ask('/a.txt');
    site.asyncIo.slow = true;
    site.tree.nowMs += RECHECK_MS + 1;
    const first = site.start('/a.txt');
    site.asyncIo.slow = false;
    assert.deepEqual(await cost(site, '/a.txt', 1), NOTHING);
    await site.finish(first);
    assert.equal(first.body, 'a');
  });

  it('counts for a request that arrives up to a millisecond after it began', async () => {
    for (const [afterMs, checks] of [
      [FRESH_MS, 1],
      [FRESH_MS + 1, 2],
    ]) {
      const site = new TreeSite();
      await site.ask('/a.txt');
      site.asyncIo.slow = true;
      const { operations } = site.asyncIo;
      site.tree.nowMs += GRACE_MS + 1;
      const first = site.start('/a.txt');
      site.tree.nowMs += afterMs;
      const second = site.start('/a.txt');
      await site.finish(first, second);
      assert.deepEqual([first.body, second.body], ['a', 'a']);
      assert.equal(site.asyncIo.operations - operations, checks, `${afterMs} ms`);
    }
  });
});

it('a file that is gone is forgotten at once, by a quick look and by a slow one', async () => {
  for (const slow of [false, true]) {
    const site = new TreeSite();
    await site.ask('/a.txt');
    site.tree.remove('/top/a.txt');
    site.asyncIo.slow = slow;
    assert.deepEqual(statusOf(await site.ask('/a.txt')), [404, false]);
    assert.deepEqual(statusOf(await site.ask('/a.txt', 2)), [404, true], `slow: ${slow}`);
  }
});

function statusOf({ status, immediate }: Recorded): [number, boolean] {
  return [status, immediate];
}

it('a later look-up of the same path is shared as well', async () => {
  const site = new TreeSite();
  const operations: number[] = [];
  for (let round = 0; round < 3; round++) {
    site.tree.write('/top/a.txt', `text ${round}`);
    site.tree.nowMs += 2 * STAT_CACHED_MS;
    const before = site.asyncIo.operations;
    const requests = Array.from({ length: 20 }, () => site.start('/a.txt'));
    await site.finish(...requests);
    for (const { body } of requests) assert.equal(body, `text ${round}`);
    operations.push(site.asyncIo.operations - before);
  }
  // Those behind the first one have one more operation: the check of what is in memory.
  for (const count of operations) assert.ok(count < 2 * operations[0], String(operations));
});

describe('the counts of files in memory', () => {
  it('are one for each request: found by the first of many, and by a slow check', async () => {
    const site = new TreeSite();
    await site.finish(...Array.from({ length: 5 }, () => site.start('/a.txt')));
    assert.deepEqual([site.misses, site.hits], [1, 4]);
    await site.ask('/a.txt');
    assert.deepEqual([site.misses, site.hits], [1, 5]);
    site.asyncIo.slow = true;
    await site.ask('/a.txt');
    assert.deepEqual([site.misses, site.hits], [1, 6]);
    await site.ask('/none');
    assert.deepEqual([site.misses, site.hits], [1, 6]);
  });

  it('are one for a file that changes with every read, in four look-ups', async () => {
    const site = new TreeSite();
    const { asyncIo, tree } = site;
    const open = asyncIo.open.bind(asyncIo);
    const readNow = asyncIo.readNow.bind(asyncIo);
    let opens = 0;
    let reads = 0;
    asyncIo.open = (path) => {
      opens += 1;
      return open(path);
    };
    asyncIo.readNow = (file, into, position) => {
      reads += 1;
      tree.write('/top/a.txt', `text ${reads}`);
      return readNow(file, into, position);
    };
    assert.equal((await site.ask('/a.txt')).status, 503);
    assert.deepEqual([site.misses, site.hits, opens], [1, 0, 4]);
  });
});
