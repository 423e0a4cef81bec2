// What a request selects below a root: the file names, whether they name a directory, and the
// target of the redirect for a directory that was requested without its slash.

import { SLASH } from '../base/ascii.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { latin1 } from '../http/text.ts';
import { namesIn } from './names.ts';

/** The names below a mount prefix of so many bytes; null when no file can have such a path. */
export function requestedNames(exchange: Exchange, mountBytes: number): readonly string[] | null {
  const { pathBytes, pathFrom, pathTo } = exchange;
  return namesIn(pathBytes, Math.min(pathFrom + mountBytes, pathTo), pathTo);
}

/** A copy of the decoded path below the root. */
export function requestedKey(exchange: Exchange, mountBytes: number): Uint8Array {
  const { pathBytes, pathFrom, pathTo } = exchange;
  return pathBytes.slice(pathFrom + mountBytes, pathTo);
}

export function endsInSlash({ pathBytes, pathFrom, pathTo }: Exchange): boolean {
  return pathBytes[pathTo - 1] === SLASH && pathTo > pathFrom;
}

/**
 * The path of a directory with the missing slash. It is encoded from the normalized path, which
 * begins with exactly one slash: the received target may begin like a reference to another host
 * (`//host/..`, `/\\host/..`).
 */
export function withSlash(exchange: Exchange): string {
  const path = encodeURI(exchange.path(0)).replace(/[?#]/g, encodeURIComponent);
  return `${path}/${rawQuery(exchange)}`;
}

function rawQuery(exchange: Exchange): string {
  const { head, bytes, base } = exchange;
  if (head.queryStart < 0) return '';
  return `?${latin1(bytes, base + head.queryStart, base + head.queryEnd)}`;
}
