// The size of V8's young generation: which options decide it, and that it grows in a process that
// chose a driver.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';
import { it, mock } from 'node:test';
import { fileURLToPath } from 'node:url';
import v8, { type HeapSpaceInfo } from 'node:v8';
import { PROCESS_BYTES_MIN, SEMI_SPACE_BYTES } from '../../src/base/fixed-limits.ts';
import { inlineMore } from '../../src/driver/inlining.ts';
import {
  decidesSizes,
  generationOptions,
  growthFactor,
  growYoungGeneration,
} from '../../src/driver/young-generation.ts';

const MIB = 1024 * 1024;
const CHILD = fileURLToPath(new URL('./programs/young-generation-child.js', import.meta.url));

/** Bytes of a semi-space of a process that served, or did not, and kept some objects. */
function grownBytes(options: readonly string[], how: 'serves' | 'idles', nodeOptions = ''): number {
  const env = { ...process.env, NODE_OPTIONS: nodeOptions };
  return Number(execFileSync(process.execPath, [...options, CHILD, how], { env }));
}

it('options that decide the size are recognized', () => {
  for (const option of [
    '--max-semi-space-size=64',
    '--min_semi_space_size=8',
    '--max-heap-size=512',
    '--initial-heap-size=512',
    '--initial-old-space-size=32',
    '--optimize-for-size',
    '--lite-mode',
    '--trace-gc --max-semi-space-size=4',
  ]) {
    assert.equal(decidesSizes(['--trace-gc', option]), true, option);
  }
  assert.equal(decidesSizes([]), false);
  assert.equal(decidesSizes(['--max-old-space-size=4096', '--trace-gc', '']), false);
});

it('a process with little memory keeps the sizes of V8', () => {
  assert.deepEqual(generationOptions(PROCESS_BYTES_MIN - 1), []);
  assert.deepEqual(generationOptions(PROCESS_BYTES_MIN), [
    '--min-semi-space-size=10',
    '--max-semi-space-size=10',
    '--initial-old-space-size=64',
  ]);
});

it('the next growth goes to the full size at once, from the size that V8 has by then', () => {
  const spaces = (used: number, available: number): HeapSpaceInfo[] =>
    ['old_space', 'new_space', 'code_space'].map((name, index) => ({
      space_name: name,
      space_size: 0,
      physical_space_size: 0,
      space_used_size: index === 1 ? used : 7 * MIB,
      space_available_size: index === 1 ? available : 7 * MIB,
    }));
  const full = SEMI_SPACE_BYTES / MIB;
  for (const v8 of ['11.3.244.8-node.30', '12.4.254']) {
    assert.equal(growthFactor(v8, spaces(3 * MIB, MIB)), full, 'it may have shrunk');
  }
  for (const v8 of ['13.0.1', '14.1.0']) {
    assert.equal(growthFactor(v8, spaces(1.5 * MIB, 0.5 * MIB)), full / 2);
    assert.equal(growthFactor(v8, spaces(MIB / 2, MIB / 4)), full, 'headers are not counted');
    assert.equal(growthFactor(v8, spaces(0, 2 * SEMI_SPACE_BYTES)), 1);
    assert.equal(growthFactor(v8, []), full);
  }
});

it('flags of V8 are set where nothing decides the size, and it has far to grow', () => {
  const flags: string[] = [];
  let available = 0;
  mock.method(v8, 'setFlagsFromString', (flag: string) => void flags.push(flag));
  mock.method(v8, 'getHeapSpaceStatistics', () => [
    { space_name: 'new_space', space_used_size: 0, space_available_size: available },
  ]);
  syncBuiltinESMExports();
  try {
    growYoungGeneration(['--max-semi-space-size=4']);
    assert.deepEqual(flags, []);
    growYoungGeneration(['--trace-gc']);
    assert.deepEqual(flags.splice(0), ['--semi-space-growth-factor=10']);
    available = SEMI_SPACE_BYTES / 2;
    growYoungGeneration([]);
    const isOld = Number.parseInt(process.versions.v8, 10) < 13;
    assert.deepEqual(flags.splice(0), isOld ? ['--semi-space-growth-factor=10'] : []);
    inlineMore();
    assert.deepEqual(flags, ['--max-inlined-bytecode-size-cumulative=5000']);
  } finally {
    mock.restoreAll();
    syncBuiltinESMExports();
  }
});

it('a process that serves grows to the full size at once', () => {
  const before = grownBytes([], 'idles');
  assert.ok(before < 10 * MIB, `V8 by itself has ${before} bytes by then`);
  // V8's own limit is lower where there is little memory.
  const most = grownBytes(['--min-semi-space-size=10'], 'idles');
  const after = grownBytes([], 'serves');
  assert.ok(after > 0.9 * most, `${after} bytes of ${most}`);
});

it('a size that the user set is kept', () => {
  assert.ok(grownBytes(['--max-semi-space-size=2'], 'serves') < 3 * MIB);
  assert.ok(grownBytes([], 'serves', '--max-semi-space-size=64') < 10 * MIB);
});
