// What a request asks of the files below a root: which names, whether of a directory, and where a
// directory is that was asked for without its slash.

import { SLASH } from '../base/ascii.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { latin1 } from '../http/text.ts';
import { namesIn } from './names.ts';

/** The names below what is mounted at so many bytes; null where no file can have such a path. */
export function namesAsked(exchange: Exchange, mountBytes: number): readonly string[] | null {
  const { pathBytes, pathFrom, pathTo } = exchange;
  return namesIn(pathBytes, Math.min(pathFrom + mountBytes, pathTo), pathTo);
}

/** The decoded path below the root, a copy. */
export function keyAsked(exchange: Exchange, mountBytes: number): Uint8Array {
  const { pathBytes, pathFrom, pathTo } = exchange;
  return pathBytes.slice(pathFrom + mountBytes, pathTo);
}

export function endsInSlash({ pathBytes, pathFrom, pathTo }: Exchange): boolean {
  return pathBytes[pathTo - 1] === SLASH && pathTo > pathFrom;
}

/**
 * The path of a directory with the slash it lacked. It is written anew from what the path means,
 * which begins with one slash alone: as it was sent it may begin as the name of another host does
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
