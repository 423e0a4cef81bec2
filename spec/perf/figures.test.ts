// Parsing the figures of Linux about processes and cores, and V8's lines about garbage collections.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { collectionsIn } from '../../perf/measure/trace-gc.ts';
import {
  busyShare,
  coreTicks,
  othersShare,
  processorMicroseconds,
  statusBytes,
} from '../../perf/system/process-figures.ts';

describe('figures of a process', () => {
  it('are read whatever its name is', () => {
    for (const name of ['node', 'a b', 'x) R 1 (y', ')']) {
      const stat = `4321 (${name}) S 1 4321 4321 0 -1 4194560 900 0 1 0 250 31 0 0 20 0 11 0 99 1`;
      assert.equal(processorMicroseconds(stat), 2_810_000, name);
    }
  });

  it('are memory in bytes', () => {
    const status = 'Name:\tnode\nVmPeak:\t 1048576 kB\nVmHWM:\t   61440 kB\nVmRSS:\t   60000 kB\n';
    assert.equal(statusBytes(status, 'VmRSS'), 61_440_000);
    assert.equal(statusBytes(status, 'VmHWM'), 62_914_560);
    assert.throws(() => statusBytes(status, 'VmSwap'), /no VmSwap/);
  });
});

describe('figures of a core', () => {
  const before =
    'cpu  9 9 9 9 9 9 9 9 9 9\ncpu0 0 0 0 0 0 0 0 0 0 0\ncpu1 10 0 5 100 5 0 5 0 0 0\n';
  const after =
    'cpu  9 9 9 9 9 9 9 9 9 9\ncpu0 0 0 0 0 0 0 0 0 0 0\ncpu1 40 2 25 120 10 1 9 8 30 0\n';

  it('have the busy share, without waits for disks and without counting guests twice', () => {
    // 30 user, 2 nice, 20 system, 20 idle, 5 waiting, 1 + 4 interrupts, 8 stolen: 65 of 90.
    assert.equal(busyShare(coreTicks(before, 1), coreTicks(after, 1)), 65 / 90);
    assert.equal(busyShare(coreTicks(before, 0), coreTicks(after, 0)), 0, 'no time, no share');
  });

  it('have the share of other processes', () => {
    // 60 ticks of work and theft, 42 of them the process's own.
    assert.equal(othersShare(coreTicks(before, 1), coreTicks(after, 1), 420_000), 0.2);
    assert.equal(othersShare(coreTicks(before, 1), coreTicks(after, 1), 900_000), 0);
  });

  it('are those of a core that is there', () => {
    assert.throws(() => coreTicks(before, 2), /no line for core 2/);
  });
});

describe('collectionsIn', () => {
  it('finds collections between other lines', () => {
    const averages = '(average mu = 1.000, current mu = 1.000)';
    const text = [
      `[7:0x6d9c000]       64 ms: Scavenge 4.4 (4.5) -> 3.8 (5.5) MB, 1.37 / 0.01 ms  ${averages}`,
      'vibing epoll on 127.0.0.1:18099',
      '[7:0x6d9c000]     8340 ms: Mark-Compact (reduce) 9.5 (16.1) -> 6.9 (8.9) MB, 10.62 / 0.05' +
        ` ms  (+ 7.0 ms in 15 steps since start of marking) ${averages} GC in old space requested`,
      `[7:0x6d9c000]     9310 ms: Scavenge 7.7 (8.9) -> 6.9 (11.9) MB, 0.95 / 0.00 ms  ${averages}`,
      'Scavenge of another kind',
      '',
    ].join('\n');
    assert.deepEqual(collectionsIn(text), [
      { atMs: 64, kind: 'scavenge', pauseMs: 1.37 },
      { atMs: 8340, kind: 'mark-sweep', pauseMs: 10.62 },
      { atMs: 9310, kind: 'scavenge', pauseMs: 0.95 },
    ]);
    assert.deepEqual(collectionsIn(''), []);
  });
});
