// The error of a system call without which a driver cannot start.

import { ERRNO, errnoName } from '../../base/errno.ts';

const WORDS: Readonly<Record<number, string>> = {
  [ERRNO.EMFILE]: 'too many open files; raise the limit of descriptors (ulimit -n)',
  [ERRNO.ENFILE]: 'too many open files in the whole system; raise fs.file-max',
  [ERRNO.ENOMEM]: 'out of memory',
};

/** `errno` is positive; the error has it, too. */
export function callFault(call: string, errno: number): Error {
  const words = WORDS[errno] ?? 'the kernel reports an error';
  const message = `${call} failed: ${words} (${errnoName(errno)})`;
  return Object.assign(new Error(message), { errno });
}

/** The errno of a callFault(); undefined for other errors. */
export function errnoOf(error: unknown): number | undefined {
  return error instanceof Error ? (error as { readonly errno?: number }).errno : undefined;
}
