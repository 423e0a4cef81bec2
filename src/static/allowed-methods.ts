// The methods of a file, for the Allow field of a request with another method that no handler takes.

import type { Exchange } from '../exchange/exchange.ts';
import { HttpError } from '../exchange/http-error.ts';
import { find } from './find.ts';
import type { SiteParts } from './load-file.ts';
import { requestedNames, wantedBy } from './requested-path.ts';

const ALLOWED = Object.freeze(['GET', 'HEAD', 'OPTIONS']);
const NONE: readonly string[] = Object.freeze([]);

/** The methods of the file at the path of a request; none where GET would not find one. */
export async function allowedMethods(
  exchange: Exchange,
  { root, settings }: SiteParts,
  mountBytes: number,
): Promise<readonly string[]> {
  const names = requestedNames(exchange, mountBytes);
  if (names === null || root.isHidden(names)) return NONE;
  const { services } = exchange;
  const { isFolder } = wantedBy(exchange, mountBytes, names);
  try {
    const target = await find(services, root, settings, names, isFolder);
    if (target.kind === 'file') await services.asyncIo.close(target.opened.file);
    return target.kind === 'missing' ? NONE : ALLOWED;
  } catch (error) {
    // A file that must not be read has methods, too.
    if (error instanceof HttpError && error.status === 403) return ALLOWED;
    throw error;
  }
}
