// How large V8 makes the young generation, where the objects of a request live and die. It begins
// with 1 MiB and grows only when much survives, and of requests hardly anything does. Each
// collection costs about the same then, whatever died, so a small generation pays for it often.

import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { PROCESS_BYTES_MIN, SEMI_SPACE_BYTES } from '../base/fixed-limits.ts';

const MIB = 1024 * 1024;
/** V8's own: each growth doubles the size. */
const GROWTH_FACTOR = 2;
/** From this version on V8 may grow beyond the size that is wanted here, to 32 or 64 MiB. */
const V8_GROWS_BEYOND = 13;
/** The size that V8 begins with, and goes back to when it collects all while little happens. */
const V8_BEGINS_WITH = MIB;

/** Options that decide the size; V8 refuses some of them together. */
const SIZE_OPTIONS: readonly string[] = [
  '--min-semi-space-size',
  '--max-semi-space-size',
  '--initial-heap-size',
  '--max-heap-size',
  '--single-generation',
  '--optimize-for-size',
  '--lite-mode',
];

/** Whether the options of a process decide the size already. */
export function decidesYoungGeneration(options: readonly string[]): boolean {
  // V8 takes _ for - in names.
  const text = options.join(' ').replaceAll('_', '-');
  return SIZE_OPTIONS.some((name) => text.includes(name));
}

/** Options for a process yet to be started, which may use so much memory. */
export function youngGenerationOptions(memoryBytes: number): readonly string[] {
  // V8's own limit is smaller where memory is scarce.
  if (memoryBytes < PROCESS_BYTES_MIN) return [];
  const size = SEMI_SPACE_BYTES / MIB;
  return [`--min-semi-space-size=${size}`, `--max-semi-space-size=${size}`];
}

/**
 * The same for this process, as far as that is possible once V8 runs: the next growth, for which
 * what is compiled under the first load suffices, goes to that size at once. It goes no further
 * than V8's own limit. Does nothing when `options` decide the size.
 */
export function growYoungGeneration(options: readonly string[]): void {
  if (decidesYoungGeneration(options)) return;
  const stops = Number.parseInt(process.versions.v8, 10) < V8_GROWS_BEYOND;
  // Where V8 stops at that size the factor may be too large, which serves when it has shrunk.
  const bytes = stops ? V8_BEGINS_WITH : semiSpaceBytes();
  const factor = Math.round(SEMI_SPACE_BYTES / bytes);
  if (factor > GROWTH_FACTOR) setFlagsFromString(`--semi-space-growth-factor=${factor}`);
}

/** What a semi-space holds now; V8 leaves out the headers of its pages. */
function semiSpaceBytes(): number {
  const space = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space');
  return Math.max(MIB, (space?.space_used_size ?? 0) + (space?.space_available_size ?? 0));
}
