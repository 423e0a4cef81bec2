// Reads a file to which a program writes at the same time. The system does not keep a read and a
// write apart, so the bytes of one read may be of two versions. Those of two reads in a row,
// between which nothing has changed, are of one.

import type { AsyncIo, OpenFile } from '../async-io/async-io.ts';

/** Reads of a larger file would take as long as some ten requests. */
export const AGREED_BYTES_MAX: number = 256 * 1024;

/** A program that writes all the time must pause only for two of these reads. */
const READS_MAX = 16;

/**
 * As many bytes as the file had when it was opened, of one version; null when it has fewer now,
 * cannot be read, or changes with every read. Synchronous, so that little time is between reads: a
 * file that was just written is in memory.
 */
export function readAgreed(asyncIo: AsyncIo, opened: OpenFile): Uint8Array | null {
  let before = readOnce(asyncIo, opened);
  for (let reads = 1; reads < READS_MAX && before !== null; reads++) {
    const bytes = readOnce(asyncIo, opened);
    if (bytes !== null && Buffer.compare(bytes, before) === 0) return bytes;
    before = bytes;
  }
  return null;
}

function readOnce(asyncIo: AsyncIo, { file, stat }: OpenFile): Uint8Array | null {
  const bytes = new Uint8Array(stat.bytes);
  let length = 0;
  while (length < bytes.length) {
    const count = asyncIo.readNow(file, bytes.subarray(length), length);
    if (count <= 0) return null;
    length += count;
  }
  return bytes;
}
