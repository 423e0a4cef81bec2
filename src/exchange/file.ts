// Files as responses: res.file().

import { FileKind, isFault } from '../async-io/async-io.ts';
import { checkOptions, TEXT } from '../base/options.ts';
import { shown } from '../base/shown.ts';
import { attachment } from './content-disposition.ts';
import type { Exchange } from './exchange.ts';
import { openError } from './file-fault.ts';
import { HttpError } from './http-error.ts';
import { mediaType } from './media-type.ts';
import { representationOf, sendOpenFile } from './representation.ts';

/** Options of res.file(). */
export interface FileOptions {
  /** Instead of the type that follows from the name. */
  readonly type?: string;
  /**
   * Browsers save the file under this name: Content-Disposition (RFC 6266). Slashes and control
   * characters in it become `_`.
   */
  readonly download?: string;
}

const OPTIONS = {
  type: TEXT,
  download: {
    wanted: 'a name that is not empty',
    fits: (value: unknown) => typeof value === 'string' && value !== '',
  },
} as const;

/** Responds with a file; rejects with an error of openError() where it cannot be read. */
export async function sendFile(
  exchange: Exchange,
  path: string,
  options: FileOptions,
): Promise<void> {
  checkOptions('file()', options, OPTIONS);
  if (typeof path !== 'string' || path === '') {
    throw new TypeError(`file(): a path is missing, given ${shown(path)}`);
  }
  const { download } = options;
  const { asyncIo } = exchange.services;
  // Before the file is looked at: its time is settled only if it was so then.
  const wallMs = exchange.services.wallMs();
  const opened = await asyncIo.open(path);
  if (isFault(opened)) throw openError(opened, path, exchange.services);
  try {
    const { stat } = opened;
    if (stat.kind !== FileKind.File) throw new HttpError(404);
    const type = options.type ?? mediaType(path);
    if (download !== undefined) {
      exchange.fields.set('Content-Disposition', 'content-disposition', attachment(download));
    }
    const representation = representationOf(stat, type, wallMs);
    await sendOpenFile(exchange, representation, opened);
  } finally {
    await asyncIo.close(opened.file);
  }
}
