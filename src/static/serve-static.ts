// Hot: runs for every request for a file. Measured by perf/micro/static.ts.
// Middleware that serves the files below a root. It responds with a file that exists and calls
// next() for other paths. It never sends a file outside of the root, whatever the path or its
// links, and within the root a file has exactly one path. Each request is decided in site.ts.

import { resolve } from 'node:path';
import { shown } from '../base/shown.ts';
import type { Middleware } from '../exchange/handler.ts';
import { noteMaker } from '../exchange/makers.ts';
import { exchangeOf, mountBytesOf } from '../exchange/request.ts';
import { type StaticOptions, settingsFrom } from './options.ts';
import { withRoot } from './roots.ts';
import { Site } from './site.ts';

/**
 * Throws a TypeError for a root that is not a path, and for unknown or invalid options. The root is
 * resolved by the first request that needs it.
 */
export function serveStatic(root: string, options: StaticOptions = {}): Middleware {
  if (typeof root !== 'string' || root === '' || root.includes('\0')) {
    throw new TypeError(
      `serveStatic: the root must be the path of a directory, given ${shown(root)}`,
    );
  }
  const path = resolve(root);
  const settings = settingsFrom(options);
  const site = new Site(path, settings);
  const { spa, notFound } = settings;
  return withRoot({ path, spa, notFound }, (request, _response, next) => {
    return site.serve(exchangeOf(request), mountBytesOf(request), next);
  });
}

noteMaker(serveStatic, 'serveStatic');
