// Prepares a small file for the cache: reads its bytes and encodes its response.

import type { AsyncIo, FileStat, OpenFile } from '../async-io/async-io.ts';
import { type Prepared, prepare } from '../exchange/prepared.ts';
import { formatDate } from '../http/date.ts';

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

export function prepareFile(
  stat: FileStat,
  etag: string,
  type: string,
  content: Uint8Array,
  wallMs: number,
): Prepared {
  // A server must not send a Last-Modified in the future (RFC 9110 8.8.2.1).
  const modified = formatDate(Math.min(stat.modifiedMs, wallMs));
  const fields = { 'Content-Type': type, 'Last-Modified': modified, ETag: etag };
  return prepare(200, fields, content);
}
