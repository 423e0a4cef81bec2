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

/** What is looked up: a path below a root. */
export interface Wanted {
  /** The decoded path, as bytes. */
  readonly key: Uint8Array;
  readonly names: readonly string[];
  /** Ends in a slash. */
  readonly isFolder: boolean;
}

/** What a request selects below a mount prefix of so many bytes, where names could be a file's. */
export function wantedBy(
  exchange: Exchange,
  mountBytes: number,
  names: readonly string[] = requestedNames(exchange, mountBytes) ?? [],
): Wanted {
  const { pathBytes, pathFrom, pathTo } = exchange;
  const key = pathBytes.slice(pathFrom + mountBytes, pathTo);
  return { key, names, isFolder: key.length > 0 && key[key.length - 1] === SLASH };
}

/** The key of the path with these names. */
export function keyOf(names: readonly string[]): Uint8Array {
  return new TextEncoder().encode(`/${names.join('/')}`);
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
