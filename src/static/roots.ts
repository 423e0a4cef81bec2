// What each serveStatic() middleware looks for in the file system, so that a server can warn about
// what is missing when it listens. It may be made later, so it is no error.

import { join } from 'node:path';
import { type AsyncIo, FileKind, isFault } from '../async-io/async-io.ts';
import type { Middleware } from '../exchange/handler.ts';
import type { Settings } from './options.ts';

/** A root, and the names of its pages; null without one. */
export interface StaticRoot extends Pick<Settings, 'spa' | 'notFound'> {
  readonly path: string;
}

const roots = new WeakMap<Middleware, StaticRoot>();

/** The same middleware, which serves the files below `root`. */
export function withRoot(root: StaticRoot, middleware: Middleware): Middleware {
  roots.set(middleware, root);
  return middleware;
}

/** The root of a middleware that serves files; undefined for another one. */
export function rootOf(middleware: Middleware): StaticRoot | undefined {
  return roots.get(middleware);
}

/** Notes the roots that are no directories now, and the pages that are missing in others. */
export async function noteMissingRoots(
  lines: Set<string>,
  asyncIo: AsyncIo,
  given: readonly StaticRoot[],
): Promise<void> {
  for (const { path, spa, notFound } of given) {
    if (await isKind(asyncIo, path, FileKind.Directory)) {
      await noteMissingPage(lines, asyncIo, 'serveStatic(): spa', spa, [path]);
      await noteMissingPage(lines, asyncIo, 'serveStatic(): notFound', notFound, [path]);
    } else {
      const what = 'is not a directory: no file is found in it until it is one';
      lines.add(`serveStatic(): ${path} ${what}`);
    }
  }
}

/** Notes a page that is in none of the directories. */
export async function noteMissingPage(
  lines: Set<string>,
  asyncIo: AsyncIo,
  option: string,
  names: readonly string[] | null,
  directories: readonly string[],
): Promise<void> {
  if (names === null || directories.length === 0) return;
  const paths = directories.map((directory) => join(directory, ...names));
  for (const path of paths) if (await isKind(asyncIo, path, FileKind.File)) return;
  const what = 'create it; until then the client gets a 404 of plain text';
  lines.add(`${option}: there is no file ${paths.join(' or ')}: ${what}`);
}

async function isKind(asyncIo: AsyncIo, path: string, kind: FileKind): Promise<boolean> {
  const stat = await asyncIo.stat(path);
  return !isFault(stat) && stat.kind === kind;
}
