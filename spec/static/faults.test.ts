// Permissions and faults of the system, without sockets and in virtual time: what is denied, what
// is temporary, and that neither is remembered.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ERRNO } from '../../src/base/errno.ts';
import { type StaticOptions, settingsFrom } from '../../src/static/options.ts';
import { Site } from '../../src/static/site.ts';
import { type Recorded, request } from './fixtures/in-process.ts';
import { Tree, TreeAsyncIo } from './fixtures/tree.ts';

const { EIO, EMFILE, ENFILE, ENOMEM } = ERRNO;

class Fixture {
  readonly tree = new Tree();
  readonly asyncIo = new TreeAsyncIo(this.tree);
  readonly site: Site;

  constructor(options: StaticOptions = {}) {
    this.tree.directory('/top');
    this.tree.directory('/top/sub');
    this.tree.write('/top/a.txt', 'a');
    this.tree.write('/top/sub/b.txt', 'b');
    this.tree.pipe('/top/pipe');
    this.tree.nowMs += 1_000;
    this.site = new Site('/top', settingsFrom(options));
  }

  /** A request, whose operations are done at once, after so much time. */
  async ask(path: string, afterMs = 10): Promise<Recorded> {
    this.tree.nowMs += afterMs;
    const clock = { nowMs: () => this.tree.nowMs };
    const recorded = request(this.site, this.asyncIo, clock, path);
    while (!recorded.done) {
      this.asyncIo.pending.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(this.asyncIo.open$.size, 0, 'every file is closed');
    return recorded;
  }

  async status(path: string, afterMs?: number): Promise<number> {
    const { status, error } = await this.ask(path, afterMs);
    return error === null ? status : 500;
  }
}

describe('permissions', () => {
  it('of a file that is in memory are noticed', async () => {
    const fixture = new Fixture();
    assert.equal(await fixture.status('/a.txt'), 200);
    assert.ok((await fixture.ask('/a.txt')).immediate, 'it is in memory');
    fixture.tree.allow('/top/a.txt', false);
    assert.equal(await fixture.status('/a.txt'), 403);
    assert.equal(await fixture.status('/a.txt'), 403);
    fixture.tree.allow('/top/a.txt', true);
    assert.equal(await fixture.status('/a.txt', 30), 200);
  });

  it('of a directory on the way are noticed', async () => {
    const fixture = new Fixture();
    assert.equal(await fixture.status('/sub/b.txt'), 200);
    fixture.tree.allow('/top/sub', false);
    assert.equal(await fixture.status('/sub/b.txt'), 403);
    assert.equal(await fixture.status('/sub/none.txt'), 403);
    fixture.tree.allow('/top/sub', true);
    assert.equal(await fixture.status('/sub/b.txt'), 200);
  });

  it('a directory that must not be listed is a 403, its files are sent', async () => {
    const fixture = new Fixture({ listing: true });
    fixture.asyncIo.openDirectory = () => Promise.resolve(-ERRNO.EACCES);
    assert.equal(await fixture.status('/sub/'), 403);
    assert.equal(await fixture.status('/sub/b.txt'), 200);
  });

  it('a file with a twin in the other case is sent without a listing', async () => {
    const fixture = new Fixture();
    fixture.tree.write('/top/sub/B.TXT', 'upper');
    fixture.asyncIo.list = () => Promise.resolve(-ERRNO.EACCES);
    assert.equal((await fixture.ask('/sub/b.txt')).body, 'b');
    assert.equal((await fixture.ask('/sub/B.TXT')).body, 'upper');
  });
});

describe('a file that has just changed', () => {
  it('may change again within the same step of the clock', async () => {
    const fixture = new Fixture();
    for (const text of ['1', '2', '3', '4']) {
      fixture.tree.write('/top/a.txt', text);
      assert.equal((await fixture.ask('/a.txt', 0.4)).body, text);
    }
    assert.equal((await fixture.ask('/a.txt', 1.1)).immediate, false);
  });

  it('may have done so before a look-up that took long was over', async () => {
    const fixture = new Fixture({ cacheEntryBytesMax: 2 });
    const { tree, asyncIo, site } = fixture;
    for (const [text, isWeak] of [
      ['1', false],
      ['long', true],
    ] as const) {
      tree.nowMs += 1_000;
      const path = `/${text}.txt`;
      tree.write(`/top${path}`, text);
      asyncIo.slow = true;
      const recorded = request(site, asyncIo, { nowMs: () => tree.nowMs }, path);
      while (!recorded.done) {
        tree.nowMs += 30;
        asyncIo.pending.shift()?.();
        await new Promise((resolve) => setImmediate(resolve));
      }
      asyncIo.slow = false;
      assert.equal(recorded.body, text);
      // The tag of content in memory follows from the content.
      assert.equal(recorded.fields.get('etag')?.startsWith('W/'), isWeak);
      assert.equal((await fixture.ask(path, 0.5)).immediate, false);
    }
  });

  it('is kept when its times are settled', async () => {
    const fixture = new Fixture();
    fixture.tree.write('/top/a.txt', 'new');
    assert.equal((await fixture.ask('/a.txt', 30)).body, 'new');
    assert.ok((await fixture.ask('/a.txt', 5)).immediate);
  });
});

it('a request does not rely on a check that began before it', async () => {
  const fixture = new Fixture();
  const { tree, asyncIo, site } = fixture;
  assert.equal((await fixture.ask('/a.txt')).body, 'a');
  asyncIo.slow = true;
  tree.nowMs += 100;
  const clock = { nowMs: () => tree.nowMs };
  const first = request(site, asyncIo, clock, '/a.txt');
  // The check has seen the file, and its result is on its way.
  const [seen] = asyncIo.pending.splice(0, 1);
  tree.nowMs += 100;
  seen();
  tree.write('/top/a.txt', 'b');
  const second = request(site, asyncIo, clock, '/a.txt');
  while (!first.done || !second.done) {
    asyncIo.pending.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.deepEqual([first.body, second.body], ['a', 'b']);
});

describe('faults', () => {
  for (const [name, fault, status] of [
    ['EMFILE', EMFILE, 503],
    ['ENFILE', ENFILE, 503],
    ['ENOMEM', ENOMEM, 503],
    ['EIO', EIO, 500],
  ] as const) {
    it(`${name} is a ${status}, and not remembered`, async () => {
      const fixture = new Fixture({ precompressed: true });
      for (let round = 0; round < 2; round++) {
        fixture.asyncIo.openFault = -fault;
        assert.equal(await fixture.status('/a.txt', 0.1), status);
      }
      assert.equal(await fixture.status('/a.txt', 0.1), 200);
    });
  }

  it('a read that fails is a 500', async () => {
    const fixture = new Fixture();
    const { read } = fixture.asyncIo;
    fixture.asyncIo.read = () => Promise.resolve(-EIO);
    assert.equal(await fixture.status('/a.txt'), 500);
    fixture.asyncIo.read = read;
    assert.equal(await fixture.status('/a.txt'), 200);
  });

  it('a pipe is a 403, and is not opened', async () => {
    const fixture = new Fixture();
    assert.equal(await fixture.status('/pipe'), 403);
    assert.equal(await fixture.status('/pipe/'), 404);
    assert.equal(fixture.asyncIo.pipesOpened, 0);
  });
});

describe('paths without a file', () => {
  it('cost one synchronous check, and nothing within a millisecond', async () => {
    const fixture = new Fixture({ extensions: ['html'] });
    assert.equal(await fixture.status('/api/1'), 404);
    for (const path of ['/api/1', '/api/2', '/x']) {
      const { operations, statCalls } = fixture.asyncIo;
      const first = await fixture.ask(path);
      assert.deepEqual([first.status, first.immediate], [404, true]);
      assert.equal(fixture.asyncIo.statCalls - statCalls, 2);
      assert.ok((await fixture.ask(path, 0.5)).immediate);
      assert.equal(fixture.asyncIo.statCalls - statCalls, 2);
      assert.equal(fixture.asyncIo.operations, operations);
    }
  });

  it('are looked up again after a pause, and on a slow disk', async () => {
    const fixture = new Fixture();
    assert.equal(await fixture.status('/x'), 404);
    assert.equal((await fixture.ask('/x', 20_000)).immediate, false);
    fixture.asyncIo.slow = true;
    assert.equal((await fixture.ask('/x', 4)).immediate, true);
    assert.equal((await fixture.ask('/x', 6)).immediate, false);
  });

  it('are found as soon as they exist', async () => {
    const fixture = new Fixture();
    for (let round = 0; round < 3; round++) assert.equal(await fixture.status('/new.txt'), 404);
    fixture.tree.write('/top/new.txt', 'new');
    assert.equal((await fixture.ask('/new.txt', 1.1)).body, 'new');
  });

  it('do not evict files', async () => {
    const fixture = new Fixture({ cacheBytesMax: 5_000 });
    assert.equal(await fixture.status('/a.txt'), 200);
    for (let index = 0; index < 5_000; index++) await fixture.ask(`/missing/${index}`, 0.01);
    assert.ok((await fixture.ask('/a.txt')).immediate);
  });

  it('a directory without an index is one of them', async () => {
    const fixture = new Fixture();
    assert.equal(await fixture.status('/sub/'), 404);
    assert.ok((await fixture.ask('/sub/')).immediate);
    fixture.tree.write('/top/sub/index.html', 'index');
    assert.equal((await fixture.ask('/sub/')).body, 'index');
  });
});
