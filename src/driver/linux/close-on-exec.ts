// Keeps an inherited descriptor from the programs that this process starts.

import { ffi } from './ffi.ts';

// <bits/fcntl-linux.h>
const F_SETFD = 2;
const FD_CLOEXEC = 1;

/** False where it cannot be done. */
export function closeOnExec(fd: number): boolean {
  if (process.platform !== 'linux') return false;
  const library = ffi();
  if (typeof library === 'string') return false;
  return library.func('int fcntl(int, int, int)')(fd, F_SETFD, FD_CLOEXEC) === 0;
}
