// How a file is sent that is not in memory, or that another part of the program has taken: what is
// compared, what is closed, and what stands in the head.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AGREED_BYTES_MAX } from '../../src/static/read-agreed.ts';
import { TreeSite } from './fixtures/tree-site.ts';

const RANGE = ['Range: bytes=0-2'];
/** No content is in memory. */
const NONE_KEPT = { cacheEntryBytesMax: 0 };

/** Does something when the file is read for the first time. */
function whenRead(site: TreeSite, change: () => void): void {
  const { asyncIo } = site;
  const read = asyncIo.read.bind(asyncIo);
  let isDone = false;
  asyncIo.read = (file, into, position) => {
    const isFirst = !isDone;
    isDone = true;
    if (isFirst) change();
    return read(file, into, position);
  };
}

/** Does something whenever a file is read. */
function atEachRead(site: TreeSite, change: (reads: number) => void): void {
  const { asyncIo } = site;
  const readNow = asyncIo.readNow.bind(asyncIo);
  let reads = 0;
  asyncIo.readNow = (file, into, position) => {
    reads += 1;
    change(reads);
    return readNow(file, into, position);
  };
}

describe('a request whose response another part of the program has sent', () => {
  for (const [what, options] of [
    ['for a file that comes into memory', {}],
    ['for one that is sent from the open file', NONE_KEPT],
  ] as const) {
    it(`${what} is over`, async () => {
      const site = new TreeSite(options);
      const request = site.start('/a.txt');
      request.respond('mine');
      await site.finish(request);
      const { body, error, lateCalls } = request;
      assert.deepEqual([body, error, lateCalls], ['mine', null, 0]);
    });

    it(`${what} is over when its client is gone`, async () => {
      const site = new TreeSite(options);
      const request = site.start('/a.txt');
      request.leave();
      await site.finish(request);
      const { error, lateCalls, status } = request;
      assert.deepEqual([status, error, lateCalls], [0, null, 0]);
    });
  }

  it('is over also when the file changes with every read', async () => {
    const site = new TreeSite();
    atEachRead(site, (reads) => {
      site.tree.write('/top/a.txt', `text ${reads}`);
      if (reads === 1) request.respond('mine');
    });
    site.tree.write('/top/a.txt', 'new');
    const request = site.start('/a.txt');
    await site.finish(request);
    const { body, error, lateCalls, status } = request;
    assert.deepEqual([status, body, error, lateCalls], [200, 'mine', null, 0]);
  });
});

describe('a file that is not in memory', () => {
  it('is closed after a range of it was sent while others send it', async () => {
    const site = new TreeSite(NONE_KEPT);
    assert.equal((await site.ask('/a.txt')).body, 'a');
    const requests = [site.start('/a.txt')];
    whenRead(site, () => {
      requests.push(site.start('/a.txt'), site.start('/a.txt', RANGE));
    });
    await site.finish(requests[0]);
    await site.finish(...requests);
    assert.deepEqual(
      requests.map(({ status, body }) => [status, body]),
      [
        [200, 'a'],
        [200, 'a'],
        [206, 'a'],
      ],
    );
  });

  it('keeps no other request waiting while it is read', async () => {
    const site = new TreeSite(NONE_KEPT);
    const { asyncIo } = site;
    const read = asyncIo.read.bind(asyncIo);
    const held: (() => void)[] = [];
    let calls = 0;
    asyncIo.read = (file, into, position) => {
      calls += 1;
      if (calls > 1) return read(file, into, position);
      return new Promise((resolve) => {
        held.push(() => resolve(asyncIo.readNow(file, into, position)));
      });
    };
    const until = async (isOver: () => boolean): Promise<void> => {
      for (let round = 0; round < 100 && !isOver(); round++) {
        asyncIo.pending.shift()?.();
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.ok(isOver(), 'it goes on');
    };
    // The second one waits for the look-up of the first one, the third one finds its result.
    const [first, second] = [site.start('/a.txt'), site.start('/a.txt')];
    await until(() => held.length > 0);
    const third = site.start('/a.txt');
    await until(() => second.done && third.done);
    assert.deepEqual([second.body, third.body, first.done], ['a', 'a', false]);
    held[0]();
    await site.finish(first);
    assert.equal(first.body, 'a');
  });

  it('is not sent with the fields of the file that it replaces', async () => {
    const site = new TreeSite(NONE_KEPT);
    const first = await site.ask('/a.txt');
    site.tree.nowMs += 1_000;
    await site.ask('/a.txt');
    site.tree.replace('/top/a.txt', 'b');
    const second = await site.ask('/a.txt', 0.5);
    assert.equal(second.body, 'b');
    assert.notEqual(second.fields.get('last-modified'), first.fields.get('last-modified'));
    assert.notEqual(second.fields.get('etag'), first.fields.get('etag'));
  });
});

describe('a file that changes with every read', () => {
  for (const [bytes, status] of [
    [AGREED_BYTES_MAX, 503],
    [AGREED_BYTES_MAX + 1, 200],
  ] as const) {
    it(`of ${bytes} bytes is a ${status}, without a tag`, async () => {
      const site = new TreeSite({ cacheEntryBytesMax: 2 * AGREED_BYTES_MAX });
      const { tree } = site;
      tree.write('/top/busy.txt', '0'.repeat(bytes));
      tree.nowMs += 1_000;
      atEachRead(site, (reads) => {
        tree.nowMs += 10;
        tree.write('/top/busy.txt', String(reads % 10).repeat(bytes));
      });
      const response = await site.ask('/busy.txt');
      assert.deepEqual([response.status, response.error], [status, null]);
      assert.equal(response.fields.has('etag'), false);
      assert.equal(response.body.length, status === 200 ? bytes : 0);
    });
  }
});
