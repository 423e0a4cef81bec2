// The files that a configuration serves for paths without a route: those of static_dir, and those
// of mounts below their prefixes. The longest prefix that covers a path is first; a path that has
// no file there may have one in static_dir.

import { type AsyncIo, FileKind, isFault } from '../async-io/async-io.ts';
import type { Middleware, Next } from '../exchange/handler.ts';
import { exchangeOf, MountedRequest, type Request } from '../exchange/request.ts';
import type { Response } from '../exchange/response.ts';
import { parsePrefix } from '../route/pattern.ts';
import { isBelow } from '../route/prefix.ts';
import { settingsFrom } from '../static/options.ts';
import { noteMissingPage, noteMissingRoots, type StaticRoot } from '../static/roots.ts';
import { serveStatic } from '../static/serve-static.ts';
import type { Config } from './config/config.ts';

interface Mount {
  /** Decoded, without a slash at the end; empty for static_dir. */
  readonly prefix: Uint8Array;
  readonly serve: Middleware;
}

/** The directories that must exist, each with its key. */
function staticRoots({
  staticDir,
  mounts = {},
}: Config): readonly { readonly name: string; readonly path: string }[] {
  const roots = Object.entries(mounts).map(([prefix, path]) => ({
    name: `mounts: ${prefix}`,
    path,
  }));
  return staticDir === undefined ? roots : [{ name: 'static_dir', path: staticDir }, ...roots];
}

/** Rejects with an Error that has the `code` ENOENT or ENOTDIR where one does not exist. */
export async function checkRoots(asyncIo: AsyncIo, config: Config): Promise<void> {
  for (const { name, path } of staticRoots(config)) {
    const stat = await asyncIo.stat(path);
    if (!isFault(stat) && stat.kind === FileKind.Directory) continue;
    const code = isFault(stat) ? 'ENOENT' : 'ENOTDIR';
    throw Object.assign(new Error(`${name} is not a directory: ${path}`), { code });
  }
}

/**
 * Lines for the log about what is missing now and may be made later: configured pages, and what
 * the middleware with these roots looks for.
 */
export async function missingParts(
  asyncIo: AsyncIo,
  config: Config,
  roots: readonly StaticRoot[],
): Promise<ReadonlySet<string>> {
  const lines = new Set<string>();
  const { index, spa, notFound, dotfiles } = config;
  const pages = settingsFrom({ index, spa, notFound, dotfiles });
  const directories = staticRoots(config).map(({ path }) => path);
  await noteMissingPage(lines, asyncIo, 'spa', pages.spa, directories);
  await noteMissingPage(lines, asyncIo, 'not_found', pages.notFound, directories);
  await noteMissingRoots(lines, asyncIo, roots);
  return lines;
}

/** Null without any. Throws a TypeError for options that exclude each other. */
export function staticFiles(config: Config): Middleware | null {
  const mounts = mountsOf(config);
  if (mounts.length === 0) return null;
  if (mounts.length === 1 && mounts[0].prefix.length === 0) return mounts[0].serve;
  return (request, response, next) => serveFrom(mounts, 0, request, response, next);
}

function mountsOf(config: Config): readonly Mount[] {
  const { staticDir, mounts = {}, limits } = config;
  const { listing, index, spa, notFound, precompressed, cacheControl } = config;
  const { headers, mimeTypes, extensions, dotfiles, symlinks } = config;
  const count = Object.keys(mounts).length + (staticDir === undefined ? 0 : 1);
  const options = {
    ...{ listing, index, spa, notFound, precompressed, cacheControl },
    ...{ headers, mimeTypes, extensions, dotfiles, symlinks },
    cacheBytesMax: Math.floor(limits.fileCacheBytesMax / Math.max(1, count)),
    cacheEntryBytesMax: limits.fileCacheEntryBytesMax,
  };
  const all = Object.entries(mounts).map(([prefix, path]) => ({
    prefix: parsePrefix(prefix),
    serve: serveStatic(path, options),
  }));
  all.sort((one, other) => other.prefix.length - one.prefix.length);
  if (staticDir !== undefined) {
    all.push({ prefix: new Uint8Array(0), serve: serveStatic(staticDir, options) });
  }
  return all;
}

/** Serves from the first mount from `index` on that covers the path, and has a file for it. */
function serveFrom(
  mounts: readonly Mount[],
  index: number,
  request: Request,
  response: Response,
  next: Next,
): void | Promise<void> {
  const exchange = exchangeOf(request);
  const { pathBytes, pathFrom, pathTo } = exchange;
  const covers = ({ prefix }: Mount) => isBelow(prefix, pathBytes, pathFrom, pathTo);
  let at = index;
  while (at < mounts.length && !covers(mounts[at])) at += 1;
  if (at === mounts.length) return next();
  const { prefix, serve } = mounts[at];
  const mounted =
    prefix.length === 0 ? request : new MountedRequest(exchange, response, prefix.length);
  return serve(mounted, response, async () => {
    await serveFrom(mounts, at + 1, request, response, next);
  });
}
