// Files as responses: res.file().

import { FileKind, isFault } from '../async-io/async-io.ts';
import type { Exchange } from './exchange.ts';
import { faultError } from './file-fault.ts';
import { HttpError } from './http-error.ts';
import { mediaType } from './media-type.ts';
import { representationOf, sendOpenFile } from './representation.ts';

/** Options of res.file(). */
export interface FileOptions {
  /** Instead of the type that follows from the name. */
  readonly type?: string;
}

/** Responds with a file; rejects with an error of faultError() where it cannot be read. */
export async function sendFile(
  exchange: Exchange,
  path: string,
  options: FileOptions,
): Promise<void> {
  const { asyncIo } = exchange.services;
  // Before the file is looked at: its time is settled only if it was so then.
  const wallMs = exchange.services.wallMs();
  const opened = await asyncIo.open(path);
  if (isFault(opened)) throw faultError(opened, path);
  try {
    const { stat } = opened;
    if (stat.kind !== FileKind.File) throw new HttpError(404);
    const type = options.type ?? mediaType(path);
    const representation = representationOf(stat, type, wallMs);
    await sendOpenFile(exchange, representation, opened);
  } finally {
    await asyncIo.close(opened.file);
  }
}
