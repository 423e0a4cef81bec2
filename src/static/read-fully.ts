// Reads a small file for the cache.

import type { AsyncIo, OpenFile } from '../async-io/async-io.ts';

/** All bytes of a file; null when its length differs from its stat. */
export async function readFully(asyncIo: AsyncIo, opened: OpenFile): Promise<Uint8Array | null> {
  // One byte more than expected: a read into it means that the file grew.
  const bytes = new Uint8Array(opened.stat.bytes + 1);
  let length = 0;
  while (length < bytes.length) {
    const count = await asyncIo.read(opened.file, bytes.subarray(length), length);
    if (count <= 0) break;
    length += count;
  }
  return length === opened.stat.bytes ? bytes.subarray(0, length) : null;
}
