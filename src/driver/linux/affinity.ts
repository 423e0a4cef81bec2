// Pins this thread to cores. Only the calling thread is pinned, and threads that it starts later:
// V8's helper threads run anywhere.

import { ffi } from './ffi.ts';

/** Bits of a cpu_set_t (<bits/cpu-set.h>). */
const CORES_MAX = 1024;

/** The cores this process may run on; empty where the system does not say. */
export function allowedCores(): number[] {
  const set = cpuSet();
  const library = linuxLibrary();
  if (library === null) return [];
  const call = library.func('int sched_getaffinity(int, size_t, void*)');
  if (call(0, set.length, set) < 0) return [];
  const cores: number[] = [];
  for (let core = 0; core < CORES_MAX; core++) {
    if ((set[core >> 3] & (1 << (core & 7))) !== 0) cores.push(core);
  }
  return cores;
}

let before: readonly number[] = [];

/** The cores that this thread had before it was pinned; empty when it was not. */
export function coresBeforePinning(): readonly number[] {
  return before;
}

/** To one core, or to several. False where it cannot be done. */
export function pinTo(...cores: readonly number[]): boolean {
  const library = linuxLibrary();
  if (library === null || cores.some((core) => core < 0 || core >= CORES_MAX)) return false;
  if (before.length === 0) before = allowedCores();
  const set = cpuSet();
  for (const core of cores) set[core >> 3] |= 1 << (core & 7);
  const call = library.func('int sched_setaffinity(int, size_t, void*)');
  return call(0, set.length, set) === 0;
}

function cpuSet(): Uint8Array {
  return new Uint8Array(CORES_MAX / 8);
}

function linuxLibrary(): Exclude<ReturnType<typeof ffi>, string> | null {
  if (process.platform !== 'linux') return null;
  const library = ffi();
  return typeof library === 'string' ? null : library;
}
