// How large V8 makes the young generation, where the objects of a request live and die. It begins
// with 1 MiB and grows only when much survives, and of requests hardly anything does. A collection
// then costs about the same however much died, so a small generation pays that cost more often.

import { getHeapSpaceStatistics, type HeapSpaceInfo, setFlagsFromString } from 'node:v8';
import { OLD_SPACE_BYTES, PROCESS_BYTES_MIN, SEMI_SPACE_BYTES } from '../base/fixed-limits.ts';

const MIB = 1024 * 1024;
/** V8's default: each growth doubles the size. */
const GROWTH_FACTOR = 2;
/** From this version on V8 may grow to 32 or 64 MiB instead of 16. */
const V8_GROWS_BEYOND = 13;
/** V8's size at the start, and again after a full collection while the process is idle. */
const V8_INITIAL_BYTES = MIB;

/** Options that set sizes; V8 rejects some of them together. */
const SIZE_OPTIONS: readonly string[] = [
  '--min-semi-space-size',
  '--max-semi-space-size',
  '--initial-heap-size',
  '--initial-old-space-size',
  '--max-heap-size',
  '--single-generation',
  '--optimize-for-size',
  '--lite-mode',
];

/** Whether the options of a process set sizes of its heap already. */
export function decidesSizes(options: readonly string[]): boolean {
  // V8 takes _ for - in names.
  const text = options.join(' ').replaceAll('_', '-');
  return SIZE_OPTIONS.some((name) => text.includes(name));
}

/** Both generations, for a process yet to be started that may use `memoryBytes` of memory. */
export function generationOptions(memoryBytes: number): readonly string[] {
  // Where memory is scarce V8's own limit is smaller.
  if (memoryBytes < PROCESS_BYTES_MIN) return [];
  const size = SEMI_SPACE_BYTES / MIB;
  return [
    `--min-semi-space-size=${size}`,
    `--max-semi-space-size=${size}`,
    `--initial-old-space-size=${OLD_SPACE_BYTES / MIB}`,
  ];
}

/**
 * The young generation of this process, as far as possible once V8 runs: its next growth, which
 * the code compiled under the first load causes, goes to that size at once, but not beyond V8's own
 * limit. No effect when `options` set the size.
 */
export function growYoungGeneration(options: readonly string[]): void {
  if (decidesSizes(options)) return;
  const factor = growthFactor(process.versions.v8, getHeapSpaceStatistics());
  if (factor > GROWTH_FACTOR) setFlagsFromString(`--semi-space-growth-factor=${factor}`);
}

/** By how much the next growth has to multiply the size, in this version of V8. */
export function growthFactor(v8: string, spaces: readonly HeapSpaceInfo[]): number {
  const stops = Number.parseInt(v8, 10) < V8_GROWS_BEYOND;
  // Where V8 does not grow much further, the factor is that from the initial size, to which V8
  // also shrinks.
  return Math.round(SEMI_SPACE_BYTES / (stops ? V8_INITIAL_BYTES : semiSpaceBytes(spaces)));
}

/** The size of a semi-space; V8 does not count the headers of its pages. */
function semiSpaceBytes(spaces: readonly HeapSpaceInfo[]): number {
  const space = spaces.find(({ space_name: name }) => name === 'new_space');
  return Math.max(MIB, (space?.space_used_size ?? 0) + (space?.space_available_size ?? 0));
}
