// The number of workers for 'auto', under control groups of every kind, read from scripted files.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { availableCores, coresWithin, quotaCores } from '../../src/cluster/cores.ts';

type Files = Readonly<Record<string, string>>;

const OWN = '/proc/self/cgroup';
const V2 = '/sys/fs/cgroup';

function quota(files: Files): number {
  return quotaCores((path) => files[path] ?? null);
}

const CASES: readonly (readonly [name: string, files: Files, cores: number])[] = [
  ['nothing can be read', {}, Number.POSITIVE_INFINITY],
  ['v2: the own group', { [OWN]: '0::/a\n', [`${V2}/a/cpu.max`]: '150000 100000\n' }, 1.5],
  [
    'v2: a parent grants less than the group within',
    {
      [OWN]: '0::/a/b/c\n',
      [`${V2}/a/cpu.max`]: '50000 50000\n',
      [`${V2}/a/b/cpu.max`]: 'max 100000\n',
      [`${V2}/a/b/c/cpu.max`]: '400000 100000\n',
    },
    1,
  ],
  [
    'v2: a container that sees itself as the root',
    { [OWN]: '0::/\n', [`${V2}/cpu.max`]: '300000 100000\n' },
    3,
  ],
  [
    'v2: the path of the own group is one from outside of the container',
    {
      [OWN]: '0::/../other\n',
      [`${V2}/cpu.max`]: '200000 100000\n',
      '/sys/fs/other/cpu.max': '1 1',
    },
    2,
  ],
  [
    'v2: the group within grants least',
    {
      [OWN]: '0::/a/b\n',
      [`${V2}/a/cpu.max`]: '400000 100000\n',
      [`${V2}/a/b/cpu.max`]: '100000  100000\n',
    },
    1,
  ],
  [
    'v1: a hierarchy of two digits',
    { [OWN]: '11:cpu:/a\n', [`${V2}/cpu/a/cpu.cfs_quota_us`]: '50000\n' },
    0.5,
  ],
  [
    'v2: max is no limit',
    { [OWN]: '0::/a\n', [`${V2}/a/cpu.max`]: 'max 100000\n' },
    Number.POSITIVE_INFINITY,
  ],
  ['v2: the period may be missing', { [OWN]: '0::/\n', [`${V2}/cpu.max`]: '250000' }, 2.5],
  ['v2: the period may be empty', { [OWN]: '0::/\n', [`${V2}/cpu.max`]: '250000\n' }, 2.5],
  [
    'v1',
    {
      [OWN]: '4:memory:/a\n2:cpu,cpuacct:/a\n1:name=systemd:/x\n',
      [`${V2}/cpu,cpuacct/a/cpu.cfs_quota_us`]: '50000\n',
      [`${V2}/cpu,cpuacct/a/cpu.cfs_period_us`]: '100000\n',
      [`${V2}/memory/a/cpu.cfs_quota_us`]: '1\n',
    },
    0.5,
  ],
  [
    'v1: a missing quota is no limit',
    { [OWN]: '1:cpu:/\n', [`${V2}/cpu/cpu.cfs_period_us`]: '100000\n' },
    Number.POSITIVE_INFINITY,
  ],
  [
    'v1: a period of its own',
    {
      [OWN]: '1:cpu:/\n',
      [`${V2}/cpu/cpu.cfs_quota_us`]: '100000\n',
      [`${V2}/cpu/cpu.cfs_period_us`]: '50000\n',
    },
    2,
  ],
  [
    'v1: a missing period has a default',
    { [OWN]: '1:cpu:/\n', [`${V2}/cpu/cpu.cfs_quota_us`]: '250000\n' },
    2.5,
  ],
  [
    'v1: -1 is no limit, and the parent has one',
    {
      [OWN]: '1:cpu:/a/b\n',
      [`${V2}/cpu/a/b/cpu.cfs_quota_us`]: '-1\n',
      [`${V2}/cpu/a/b/cpu.cfs_period_us`]: '100000\n',
      [`${V2}/cpu/cpu.cfs_quota_us`]: '700000\n',
      [`${V2}/cpu/cpu.cfs_period_us`]: '100000\n',
    },
    7,
  ],
  [
    'both: the controller is one of v1, the tree of v2 has no limits',
    {
      [OWN]: '3:cpuset:/a\n2:cpu:/a\n0::/a\n',
      [`${V2}/cpu/a/cpu.cfs_quota_us`]: '210000\n',
      [`${V2}/cpu/a/cpu.cfs_period_us`]: '100000\n',
    },
    2.1,
  ],
  [
    'a colon in the path of the group',
    { [OWN]: '0::/a:b\n', [`${V2}/a:b/cpu.max`]: '100000 100000' },
    1,
  ],
  ...['', '\n', 'x', '0::', '0::a', ':::', '0:cpu', '\0'].map(
    (text) =>
      [
        `garbage as groups: ${JSON.stringify(text)}`,
        { [OWN]: text, [`${V2}/cpu.max`]: '1 1' },
        Number.POSITIVE_INFINITY,
      ] as const,
  ),
  ...[
    '',
    'x',
    '0 100000',
    '1e3 100000',
    '100000 1e5',
    '-5 100000',
    '100000 0',
    '100000 x',
    ' 1 1',
  ].map(
    (text) =>
      [
        `garbage as limit: ${JSON.stringify(text)}`,
        { [OWN]: '0::/\n', [`${V2}/cpu.max`]: text },
        Number.POSITIVE_INFINITY,
      ] as const,
  ),
];

for (const [name, files, cores] of CASES) {
  test(name, () => assert.equal(quota(files), cores));
}

test('the quota is rounded up, the smaller of both counts, and one is the least', () => {
  const limited = (limit: string) => (path: string) =>
    path === OWN ? '0::/\n' : path === `${V2}/cpu.max` ? limit : null;
  assert.equal(coresWithin(8, limited('150000 100000')), 2);
  assert.equal(coresWithin(8, limited('110000 100000')), 2);
  assert.equal(coresWithin(8, limited('200000 100000')), 2);
  assert.equal(coresWithin(8, limited('1000 100000')), 1);
  assert.equal(coresWithin(2, limited('800000 100000')), 2);
  assert.equal(coresWithin(8, limited('max 100000')), 8);
  assert.equal(coresWithin(0, limited('max 100000')), 1);
});

test('this machine has at least one', () => {
  assert.ok(Number.isSafeInteger(availableCores()) && availableCores() >= 1);
});

test('of a path from outside of the container only the root is read', () => {
  const asked: string[] = [];
  quotaCores((path) => {
    asked.push(path);
    return path === OWN ? '0::/../other\n' : null;
  });
  assert.deepEqual(asked, [OWN, `${V2}/cpu.max`]);
});
