// The cores of this thread: as the kernel shows them, and pinned to some of them.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { afterEach, describe, it } from 'node:test';
import { allowedCores, coresBeforePinning, pinTo } from '../../../src/driver/linux/affinity.ts';
import { ffi } from '../../../src/driver/linux/ffi.ts';

const isUsable = process.platform === 'linux' && typeof ffi() !== 'string';
const all = allowedCores();

afterEach(() => {
  if (isUsable) pinTo(...all);
});

/** The cores in a list such as '0-2,7'. */
function shown(): number[] {
  const status = readFileSync('/proc/thread-self/status', 'utf8');
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? '';
  return list.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

describe('the cores of a thread', isUsable ? {} : { skip: 'needs Linux and koffi' }, () => {
  it('are those that the kernel shows', () => {
    assert.ok(all.length > 0);
    assert.deepEqual(all, shown());
  });

  it('are those that it is pinned to, and those of before are known', () => {
    for (const core of [all[0], all[all.length - 1]]) {
      assert.equal(pinTo(core), true);
      assert.deepEqual([allowedCores(), shown()], [[core], [core]]);
      assert.deepEqual(coresBeforePinning(), all, 'those of before the first time');
    }
    assert.equal(pinTo(...all), true);
    assert.deepEqual(shown(), all);
  });

  it('stay where there is no such core', () => {
    for (const cores of [[-1], [1024], [all[0], 1024], [1023]]) {
      assert.equal(pinTo(...cores), false, String(cores));
      assert.deepEqual(shown(), all);
    }
  });

  it('are unknown on other systems', () => {
    const { platform } = process;
    Object.defineProperty(process, 'platform', { value: 'plan9' });
    try {
      assert.deepEqual([allowedCores(), pinTo(0)], [[], false]);
    } finally {
      Object.defineProperty(process, 'platform', { value: platform });
    }
    assert.deepEqual(shown(), all);
  });
});
