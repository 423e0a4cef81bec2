// Requests for a file that is not in memory yet wait for the look-up of the first of them.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ERRNO } from '../../src/base/errno.ts';
import { type StaticOptions, settingsFrom } from '../../src/static/options.ts';
import { Site } from '../../src/static/site.ts';
import { type Recorded, request } from './fixtures/in-process.ts';
import { Tree, TreeAsyncIo } from './fixtures/tree.ts';

const REQUESTS = 200;
/** Far more than are needed. */
const ROUNDS_MAX = 10_000;

interface Fixture {
  readonly asyncIo: TreeAsyncIo;
  readonly ask: (path: string) => Recorded;
}

function fixture(options: StaticOptions = {}): Fixture {
  const tree = new Tree();
  tree.directory('/top');
  tree.write('/top/a.txt', 'a');
  tree.nowMs += 1_000;
  const asyncIo = new TreeAsyncIo(tree);
  const site = new Site('/top', settingsFrom(options));
  const clock = { nowMs: () => tree.nowMs };
  return { asyncIo, ask: (path) => request(site, asyncIo, clock, path) };
}

/** Does all waiting operations, until every request has its response, and `isOver`. */
async function finish(
  asyncIo: TreeAsyncIo,
  requests: readonly Recorded[],
  isOver: () => boolean = () => true,
): Promise<void> {
  for (let round = 0; !(requests.every(({ done }) => done) && isOver()); round++) {
    assert.ok(round < ROUNDS_MAX, 'a request waits');
    asyncIo.pending.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

for (const [path, status] of [
  ['/a.txt', 200],
  ['/none.txt', 404],
] as const) {
  it(`${REQUESTS} requests at once for ${path} are one look-up`, async () => {
    const one = fixture();
    await finish(one.asyncIo, [one.ask(path)]);
    const many = fixture();
    const requests = Array.from({ length: REQUESTS }, () => many.ask(path));
    await finish(many.asyncIo, requests);
    assert.deepEqual([...new Set(requests.map((request) => request.status))], [status]);
    assert.equal(many.asyncIo.operations, one.asyncIo.operations);
    assert.equal(many.asyncIo.open$.size, 0);
  });
}

it('a look-up that fails ends the wait, and others look by themselves', async () => {
  const { asyncIo, ask } = fixture();
  asyncIo.openFault = -24;
  const requests = Array.from({ length: 5 }, () => ask('/a.txt'));
  await finish(asyncIo, requests);
  const statuses = requests.map(({ status }) => status);
  assert.deepEqual(statuses.sort(), [200, 200, 200, 200, 503]);
});

it('a listing that is not read on keeps no other request waiting', async () => {
  const { asyncIo, ask } = fixture({ listing: true });
  let opened = 0;
  asyncIo.openDirectory = () => {
    opened += 1;
    return opened === 1 ? new Promise(() => {}) : Promise.resolve(-ERRNO.EACCES);
  };
  const stuck = ask('/');
  await finish(asyncIo, [], () => opened === 1);
  const other = ask('/');
  await finish(asyncIo, [other]);
  assert.equal(other.status, 403);
  assert.equal(stuck.done, false);
});

it('a file that is sent slowly, and is not kept, keeps no other request waiting', async () => {
  const { asyncIo, ask } = fixture({ cacheBytesMax: 0, cacheEntryBytesMax: 0 });
  const read = asyncIo.read.bind(asyncIo);
  let reads = 0;
  asyncIo.read = (...given) => {
    reads += 1;
    return reads === 1 ? new Promise(() => {}) : read(...given);
  };
  const stuck = ask('/a.txt');
  await finish(asyncIo, [], () => reads === 1);
  const other = ask('/a.txt');
  await finish(asyncIo, [other]);
  assert.deepEqual([other.status, other.body, stuck.done], [200, 'a', false]);
});
