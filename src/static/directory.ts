// The responses for a directory that has no index file, or is requested without its slash.

import { type DirectoryEntry, isFault } from '../async-io/async-io.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { faultError } from '../exchange/file-fault.ts';
import { isUnsent } from '../exchange/respond.ts';
import { responseOf } from '../exchange/response.ts';
import { listingPage } from './listing.ts';
import type { SiteParts } from './load-file.ts';
import { isFileName } from './names.ts';
import { type Wanted, withSlash } from './requested-path.ts';

/** Entries of a listing resolved together: a guess, four times the threads of Node's pool. */
const ENTRIES_AT_ONCE = 16;

/** Redirects to the path with a slash, or lists the directory with this real path. */
export async function respondDirectory(
  exchange: Exchange,
  { root }: SiteParts,
  { names, isFolder }: Wanted,
  real: string,
): Promise<void> {
  if (!isUnsent(exchange)) return;
  if (!isFolder) {
    responseOf(exchange).redirect(withSlash(exchange), 301);
    return;
  }
  const { asyncIo } = exchange.services;
  const entries = await asyncIo.list(real);
  if (isFault(entries)) throw faultError(entries, real);
  const shown: DirectoryEntry[] = [];
  for (let index = 0; index < entries.length; index += ENTRIES_AT_ONCE) {
    const batch = entries
      .slice(index, index + ENTRIES_AT_ONCE)
      .filter((entry) => isFileName(entry.name));
    // An entry that links out of the root is never sent, so it is not listed either.
    const files = await Promise.all(
      batch.map(({ name }) => root.resolve(asyncIo, [...names, name])),
    );
    shown.push(...batch.filter((_, at) => !isFault(files[at])));
  }
  if (isUnsent(exchange)) responseOf(exchange).html(listingPage(exchange.path(0), shown));
}
