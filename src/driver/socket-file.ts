// The file of a unix socket: removed only while it is the one that was made here. Another server
// may have replaced it since.

import { lstatSync, renameSync, unlinkSync } from 'node:fs';

export interface SocketFile {
  readonly path: string;
  readonly device: bigint;
  readonly inode: bigint;
}

/** The socket at `path`; null when there is none. */
export function socketFileAt(path: string): SocketFile | null {
  try {
    const stat = lstatSync(path, { bigint: true });
    return stat.isSocket() ? { path, device: stat.dev, inode: stat.ino } : null;
  } catch {
    return null;
  }
}

export function removeSocketFile(file: SocketFile): void {
  if (!isThere(file)) return;
  try {
    unlinkSync(file.path);
  } catch {
    // It was removed already, or this process may no longer write to the folder.
  }
}

/**
 * Calls `close`, which closes the socket of `file` and removes whatever is at its path, as libuv
 * does. Another socket there stays: for a moment it has another name.
 */
export function keepingOthers(file: SocketFile | null, close: () => void): void {
  if (file === null || socketFileAt(file.path) === null || isThere(file)) {
    close();
    return;
  }
  const aside = `${file.path}.${process.pid}`;
  // Where this process may not write to the folder, libuv cannot remove the file either.
  const isAside = renamed(file.path, aside);
  close();
  if (isAside) renamed(aside, file.path);
}

/** Whether it could be renamed. */
function renamed(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch {
    return false;
  }
}

function isThere({ path, device, inode }: SocketFile): boolean {
  const now = socketFileAt(path);
  return now !== null && now.device === device && now.inode === inode;
}

/**
 * Calls `bind`, which makes a socket file, so that the file never has more permissions than `mode`.
 */
export function withMode<T>(mode: number | undefined, bind: () => T): T {
  const before = mode === undefined ? null : maskOf(mode);
  try {
    return bind();
  } finally {
    if (before !== null) process.umask(before);
  }
}

/** Sets the mask, and returns that of before; null in a thread, which cannot set it. */
function maskOf(mode: number): number | null {
  try {
    return process.umask(~mode & 0o777);
  } catch {
    return null;
  }
}
