// Writes the content of an upload into a new file, which is removed when the upload fails.

import { type AsyncIo, FileKind, isFault } from '../async-io/async-io.ts';
import { ERRNO, errnoName } from '../base/errno.ts';
import { HttpError } from './http-error.ts';

/** A file that part.saveTo() has written: its path, and its length in bytes. */
export interface SavedFile {
  readonly path: string;
  readonly bytes: number;
}

/** Bytes of a random name: no two are the same, and none can be guessed. */
const NAME_BYTES = 16;

const NO_ROOM: readonly number[] = [ERRNO.ENOSPC, ERRNO.EDQUOT];

export async function saveChunks(
  asyncIo: AsyncIo,
  path: string,
  chunks: AsyncIterable<Uint8Array>,
): Promise<SavedFile> {
  const stat = await asyncIo.stat(path);
  const isDirectory = !isFault(stat) && stat.kind === FileKind.Directory;
  const target = isDirectory ? `${path}/${asyncIo.randomHex(NAME_BYTES)}` : path;
  const file = await asyncIo.create(target);
  if (isFault(file)) throw saveError('created', target, file);
  let bytes = 0;
  try {
    for await (const chunk of chunks) {
      await writeAll(asyncIo, file, chunk, bytes, target);
      bytes += chunk.length;
    }
  } catch (error) {
    await asyncIo.close(file);
    await asyncIo.remove(target);
    throw error;
  }
  // Some file systems report only now that there is no room for what was written.
  const fault = await asyncIo.close(file);
  if (isFault(fault)) {
    await asyncIo.remove(target);
    throw saveError('written', target, fault);
  }
  return { path: target, bytes };
}

async function writeAll(
  asyncIo: AsyncIo,
  file: number,
  bytes: Uint8Array,
  position: number,
  path: string,
): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const count = await asyncIo.write(file, bytes.subarray(written), position + written);
    if (isFault(count)) throw saveError('written', path, count);
    written += count;
  }
}

/** Without room for the file an HttpError 507 (RFC 4918 11.5), whose cause says what happened. */
function saveError(what: string, path: string, fault: number): Error {
  const error = new Error(`saveTo(): the file ${path} cannot be ${what}: ${errnoName(-fault)}`);
  return NO_ROOM.includes(-fault) ? new HttpError(507, undefined, { cause: error }) : error;
}
