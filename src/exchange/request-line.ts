// A request in the log.

import { logText } from '../base/log-text.ts';
import type { Exchange } from './exchange.ts';

/** The method and the path. Control characters are escaped, so no client can forge log lines. */
export function requestLine(exchange: Exchange): string {
  return `${exchange.methodName()} ${logText(exchange.path(0))}`;
}
