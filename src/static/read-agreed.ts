// Reads a file to which a program writes at the same time. The system does not keep a read and a
// write apart, so the bytes of one read may be of two versions. Those of two reads in a row,
// between which nothing has changed, are of one.

import type { AsyncIo, OpenFile } from '../async-io/async-io.ts';

/** Reads of a larger file would delay other requests by more than the time of some of them. */
export const AGREED_BYTES_MAX: number = 64 * 1024;

/** A program that writes all the time must pause only for two of these reads. */
const READS_MAX = 8;

/**
 * As many bytes as the file had when it was opened, of one version; null when it has fewer now,
 * cannot be read, or changes with every read. Synchronous, so that little time is between reads: a
 * file that was just written is in memory.
 */
export function readAgreed(asyncIo: AsyncIo, opened: OpenFile): Uint8Array | null {
  let before = new Uint8Array(opened.stat.bytes);
  let bytes = new Uint8Array(opened.stat.bytes);
  if (!readOnce(asyncIo, opened.file, before)) return null;
  for (let reads = 1; reads < READS_MAX; reads++) {
    if (!readOnce(asyncIo, opened.file, bytes)) return null;
    if (Buffer.compare(bytes, before) === 0) return bytes;
    [before, bytes] = [bytes, before];
  }
  return null;
}

/** Fills the bytes; false when the file has fewer. */
function readOnce(asyncIo: AsyncIo, file: number, bytes: Uint8Array): boolean {
  for (let length = 0; length < bytes.length; ) {
    const count = asyncIo.readNow(file, bytes.subarray(length), length);
    if (count <= 0) return false;
    length += count;
  }
  return true;
}
