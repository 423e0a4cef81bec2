// Node's cache of compiled code, from Node 22.1 on: it saves a fifth of the time to start. Node
// runs what lies there, so only a folder that no other user can write to is used.

import { lstatSync, mkdirSync, realpathSync, statSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/** The types of the oldest version do not have it. */
const { enableCompileCache } = nodeModule as {
  enableCompileCache?: (folder: string) => unknown;
};

/** Group and others may write. */
const WRITABLE_BY_OTHERS = 0o022;
const ROOT_USER = 0;

/**
 * Node's own variables decide where they are set. Coverage is exact without a cache only. Without a
 * safe folder the code is compiled at each start, as before.
 */
export function useCompileCache(environment: Environment): void {
  if (enableCompileCache === undefined) return;
  const { NODE_COMPILE_CACHE, NODE_DISABLE_COMPILE_CACHE, NODE_V8_COVERAGE } = environment;
  if (NODE_COMPILE_CACHE ?? NODE_DISABLE_COMPILE_CACHE ?? NODE_V8_COVERAGE) return;
  const folder = compileCacheFolder(environment);
  if (folder !== null) enableCompileCache(folder);
}

/**
 * The folder `vibing` in the user's folder for caches (XDG Base Directory Specification), which is
 * made where it is missing. Null where that fails, or another user than root could change it.
 */
export function compileCacheFolder(
  { XDG_CACHE_HOME = '' }: Environment,
  // It throws for a user number without an entry in the list of users and no variable HOME.
  homeOf: () => string = homedir,
): string | null {
  try {
    const caches = isAbsolute(XDG_CACHE_HOME) ? XDG_CACHE_HOME : join(homeOf(), '.cache');
    const folder = join(caches, 'vibing');
    makeFolder(folder);
    const real = realpathSync(folder);
    return isSafe(real) ? real : null;
  } catch {
    return null;
  }
}

/** The recursive mkdirSync() of Node never returns below /proc, where no folder can be made. */
function makeFolder(path: string): void {
  if (isFolder(path)) return;
  const above = dirname(path);
  if (above !== path) makeFolder(above);
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another process may have made it.
    if (!isFolder(path)) throw error;
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Whether only this user and root can change what the path leads to. Unknown on Windows. */
function isSafe(path: string): boolean {
  const user = process.getuid?.();
  if (user === undefined) return false;
  for (let folder = path; ; folder = dirname(folder)) {
    const { mode, uid } = lstatSync(folder);
    if ((mode & WRITABLE_BY_OTHERS) !== 0) return false;
    if (uid !== user && uid !== ROOT_USER) return false;
    if (dirname(folder) === folder) return true;
  }
}
