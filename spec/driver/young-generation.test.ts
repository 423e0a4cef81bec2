// The size of V8's young generation: which options decide it, and that it grows in a process that
// chose a driver.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { PROCESS_BYTES_MIN } from '../../src/base/fixed-limits.ts';
import {
  decidesYoungGeneration,
  youngGenerationOptions,
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
    '--optimize-for-size',
    '--lite-mode',
    '--trace-gc --max-semi-space-size=4',
  ]) {
    assert.equal(decidesYoungGeneration(['--trace-gc', option]), true, option);
  }
  assert.equal(decidesYoungGeneration([]), false);
  assert.equal(decidesYoungGeneration(['--max-old-space-size=4096', '--trace-gc', '']), false);
});

it('a process with little memory keeps the sizes of V8', () => {
  assert.deepEqual(youngGenerationOptions(PROCESS_BYTES_MIN - 1), []);
  assert.deepEqual(youngGenerationOptions(PROCESS_BYTES_MIN), [
    '--min-semi-space-size=10',
    '--max-semi-space-size=10',
  ]);
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
