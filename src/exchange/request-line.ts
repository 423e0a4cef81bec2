// A request in the log.

import { logText } from '../base/log-text.ts';
import type { Exchange } from './exchange.ts';

/** Its method and path. A line end in the path is the client's, and begins no line there. */
export function requestLine(exchange: Exchange): string {
  return `${exchange.methodName()} ${logText(exchange.path(0))}`;
}
