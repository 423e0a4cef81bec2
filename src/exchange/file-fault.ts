// What a client learns about a file that cannot be opened.

import { ERRNO, errnoName } from '../base/errno.ts';
import { SHORTAGE_NOTE_MS } from '../base/fixed-limits.ts';
import { shown } from '../base/shown.ts';
import { HttpError } from './http-error.ts';
import type { ServicesOf } from './services.ts';

const MISSING: readonly number[] = [
  ...[ERRNO.ENOENT, ERRNO.ENOTDIR, ERRNO.EISDIR, ERRNO.ENAMETOOLONG, ERRNO.ELOOP],
  // A NUL in the path; other bytes that no name of the file system has.
  ...[ERRNO.EINVAL, ERRNO.EILSEQ],
];
const DENIED: readonly number[] = [ERRNO.EACCES, ERRNO.EPERM];
/** The server is short of something, which says nothing about the file. */
const TEMPORARY: readonly number[] = [ERRNO.EMFILE, ERRNO.ENFILE, ERRNO.ENOMEM, ERRNO.EAGAIN];

/** Whether the fault (-errno) says that there is no such file. */
export function isMissing(fault: number): boolean {
  return MISSING.includes(-fault);
}

/**
 * The error for a fault (-errno) of a path: HttpError 404, 403 or 503, else an error that becomes a
 * 500 and is logged.
 */
export function faultError(fault: number, path: string): Error {
  if (isMissing(fault)) return new HttpError(404);
  if (DENIED.includes(-fault)) return new HttpError(403);
  if (TEMPORARY.includes(-fault)) return new HttpError(503);
  return new Error(`cannot read the file ${shown(path)}: ${errnoName(-fault)}`);
}

/** When the next shortage is logged. */
const nextNoteMs = new WeakMap<Noting, number>();

type Noting = Pick<ServicesOf<unknown>, 'nowMs' | 'logError'>;

/** faultError() for a file that cannot be opened; the log has a shortage, not each one. */
export function openError(fault: number, path: string, services: Noting): Error {
  const nowMs = services.nowMs();
  if (TEMPORARY.includes(-fault) && nowMs >= (nextNoteMs.get(services) ?? 0)) {
    nextNoteMs.set(services, nowMs + SHORTAGE_NOTE_MS);
    const name = errnoName(-fault);
    const advice = name === 'EMFILE' ? '; raise the limit of descriptors (ulimit -n)' : '';
    services.logError(
      `requests for files get 503: ${shown(path)} cannot be opened (${name})${advice}`,
    );
  }
  return faultError(fault, path);
}
