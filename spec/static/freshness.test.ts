// When two states of a path are the same: each part of a state counts, of a directory only which
// one it is.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { FileKind, type FileStat } from '../../src/async-io/async-io.ts';
import { ERRNO } from '../../src/base/errno.ts';
import { Check, checkLater, checkNow, isSame, isSameFile } from '../../src/static/freshness.ts';
import { Tree, TreeAsyncIo } from './fixtures/tree.ts';

const FILE: FileStat = {
  kind: FileKind.File,
  bytes: 10,
  modifiedMs: 1_000.5,
  changedMs: 2_000.5,
  inode: 7,
  device: 1,
};
const DIFFERENCES: readonly Partial<FileStat>[] = [
  { kind: FileKind.Other },
  { bytes: 11 },
  { modifiedMs: 1_000.25 },
  { changedMs: 2_000.25 },
  { inode: 8 },
  { device: 2 },
];
const OF_A_DIRECTORY: readonly string[] = ['kind', 'inode', 'device'];

it('any difference makes another file, some make another directory', () => {
  const directory = { ...FILE, kind: FileKind.Directory };
  assert.ok(isSameFile(FILE, { ...FILE }));
  assert.ok(isSameFile(directory, { ...directory }));
  for (const difference of DIFFERENCES) {
    const [name] = Object.keys(difference);
    const isSameDirectory = !OF_A_DIRECTORY.includes(name);
    assert.equal(isSameFile(FILE, { ...FILE, ...difference }), false, name);
    assert.equal(isSameFile({ ...FILE, ...difference }, FILE), false, name);
    assert.equal(isSameFile(directory, { ...directory, ...difference }), isSameDirectory, name);
  }
});

it('what is missing is the same while it is missing, whatever else fails', () => {
  const missing = { path: '/x', stat: null };
  for (const [errno, expected] of [
    [ERRNO.ENOENT, true],
    [ERRNO.ENOTDIR, true],
    [ERRNO.EACCES, false],
    [ERRNO.EIO, false],
  ] as const) {
    assert.equal(isSame(missing, -errno), expected, String(errno));
    assert.equal(isSame({ path: '/x', stat: FILE }, -errno), false, String(errno));
  }
  assert.equal(isSame(missing, FILE), false);
});

it('all that was looked at counts, each place of it', async () => {
  const tree = new Tree();
  const asyncIo = new TreeAsyncIo(tree);
  const paths = ['/a', '/b', '/c'];
  const performed = async (result: Promise<boolean>): Promise<boolean> => {
    for (const _ of paths) {
      asyncIo.pending.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    return result;
  };
  const probes = paths.map((path) => ({ path, stat: null }));
  assert.equal(checkNow(asyncIo, probes), Check.Same);
  assert.equal(await performed(checkLater(asyncIo, probes)), true);
  for (const path of paths) {
    tree.write(path, 'x');
    assert.equal(checkNow(asyncIo, probes), Check.Changed, path);
    assert.equal(await performed(checkLater(asyncIo, probes)), false, path);
    tree.remove(path);
    const statNow = asyncIo.statNow.bind(asyncIo);
    asyncIo.statNow = (asked) => (asked === path ? null : statNow(asked));
    assert.equal(checkNow(asyncIo, probes), Check.Unknown, path);
    asyncIo.statNow = statNow;
  }
});
