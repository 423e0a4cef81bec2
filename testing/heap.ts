// The size of the heap without garbage, for tests of what is kept.

import { setImmediate as nextImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes of the heap after a full collection. */
export async function heapBytes(): Promise<number> {
  setFlagsFromString('--expose-gc');
  // The option only affects contexts that are created after it.
  const collect = runInNewContext('gc') as () => void;
  await nextImmediate();
  collect();
  return process.memoryUsage().heapUsed;
}
