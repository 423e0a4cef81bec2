// The path of a request, decoded for the router: in place where it has nothing to decode.

import type { Exchange } from '../exchange/exchange.ts';
import { routePath } from '../http/target.ts';

const SLASH = new Uint8Array([47]);

/** Sets the path for the router; false when it cannot be decoded. */
export function setPath(exchange: Exchange): boolean {
  const { head, bytes, base } = exchange;
  const from = base + head.pathStart;
  const to = base + head.pathEnd;
  if (head.plainPath === 1 && to > from) {
    exchange.pathBytes = bytes;
    exchange.pathFrom = from;
    exchange.pathTo = to;
    return true;
  }
  const decoded = to > from ? new Uint8Array(to - from + 1) : SLASH;
  const length = to > from ? routePath(bytes, from, to, decoded) : 1;
  exchange.pathBytes = decoded;
  exchange.pathFrom = 0;
  exchange.pathTo = Math.max(length, 0);
  return length > 0;
}
