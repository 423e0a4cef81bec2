// The root of each serveStatic() middleware, so that a server can warn about a missing one when it
// listens. The root may be made later, so it is no error.

import { type AsyncIo, FileKind, isFault } from '../async-io/async-io.ts';
import type { Middleware } from '../exchange/handler.ts';

const roots = new WeakMap<Middleware, string>();

/** The same middleware, which serves the files below `root`. */
export function withRoot(root: string, middleware: Middleware): Middleware {
  roots.set(middleware, root);
  return middleware;
}

/** The root of a middleware that serves files; undefined for another one. */
export function rootOf(middleware: Middleware): string | undefined {
  return roots.get(middleware);
}

/** Those that are no directory now, each once. */
export async function missingRoots(asyncIo: AsyncIo, given: readonly string[]): Promise<string[]> {
  const missing: string[] = [];
  for (const root of new Set(given)) {
    const stat = await asyncIo.stat(root);
    if (isFault(stat) || stat.kind !== FileKind.Directory) missing.push(root);
  }
  return missing;
}
