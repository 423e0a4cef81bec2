// What a client learns about a file that cannot be opened.

import { ERRNO } from '../base/errno.ts';
import { shown } from '../base/shown.ts';
import { HttpError } from './http-error.ts';

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
  return new Error(`cannot read the file ${shown(path)}: errno ${-fault}`);
}
