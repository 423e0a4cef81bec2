// The responses for a directory that has no index file, or is requested without its slash.

import { isFault } from '../async-io/async-io.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { HttpError } from '../exchange/http-error.ts';
import { isUnsent } from '../exchange/respond.ts';
import { responseOf } from '../exchange/response.ts';
import type { SiteParts } from './load-file.ts';
import { type Wanted, withSlash } from './requested-path.ts';

/** Redirects to the path with a slash, or lists the directory with this real path. */
export async function respondDirectory(
  exchange: Exchange,
  { listings, root, settings }: SiteParts,
  { names, isFolder }: Wanted,
  real: string,
): Promise<void> {
  if (!isUnsent(exchange)) return;
  if (!isFolder) {
    responseOf(exchange).redirect(withSlash(exchange), 301);
    return;
  }
  const { asyncIo } = exchange.services;
  const { dotfiles } = settings;
  // An entry that links out of the root is never sent, so it is not listed either.
  const resolve = async (name: string): Promise<string | null> => {
    const path = await root.resolve(asyncIo, [...names, name]);
    return isFault(path) ? null : path;
  };
  const listed = { directory: real, dotfiles, resolve };
  if (!(await listings.send(exchange, listed))) throw new HttpError(404);
}
