// The framing fields that a handler may set: it declares the length of a stream, or that the
// connection closes.

import type { Exchange } from './exchange.ts';
import { checkFraming } from './framing-fields.ts';

/**
 * Applies the two framing fields that a handler may set: `Connection: close`, and the length of a
 * stream. Returns true for them; other framing fields throw.
 */
export function applyFraming(exchange: Exchange, lowerName: string, value: string): boolean {
  if (lowerName === 'connection' && value.toLowerCase() === 'close') {
    exchange.disableKeepAlive();
    return true;
  }
  if (lowerName === 'connection' && value.toLowerCase() === 'keep-alive') return true;
  if (lowerName === 'content-length') {
    declareLength(exchange, value);
    return true;
  }
  checkFraming(lowerName);
  return false;
}

/** The content will have so many bytes. Throws a TypeError for what is no length. */
export function declareLength(exchange: Exchange, value: string): void {
  if (!/^\d{1,15}$/.test(value)) throw new TypeError(`not a length: ${JSON.stringify(value)}`);
  exchange.owedBytes = Number(value);
}
