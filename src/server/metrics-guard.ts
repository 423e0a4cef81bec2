// Whose requests for metrics are served on the listener of the server: those of this machine.
// For all others there is no such path.

import { isTrusted, trustedPeers } from '../base/ip-range.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { fieldValue } from '../exchange/field-value.ts';

const LOCAL = trustedPeers(['127.0.0.0/8', '::1', 'unix']);

/** Fields of proxies: the client of a proxy on this machine is somewhere else. */
const PROXY_FIELD =
  /^(forwarded|via|x-forwarded(-.*)?|x-real-ip|x-client-ip|cf-connecting-ip|true-client-ip)$/i;

/** localhost, 127.0.0.1 and [::1], with a port or without. */
const LOCAL_HOST = /^(localhost|[^:@]+\.localhost|127(\.\d{1,3}){3}|\[::1\])(:\d*)?$/i;

/** Whether a request comes from this machine, and no proxy has forwarded it. */
export function isLocal(exchange: Exchange): boolean {
  if (!isPeerLocal(exchange)) return false;
  return !isForwarded(exchange) && isForLocalHost(exchange);
}

function isForwarded({ base, bytes, head }: Exchange): boolean {
  for (let index = 0; index < head.fieldCount; index++) {
    if (PROXY_FIELD.test(head.name(bytes, base, index))) return true;
  }
  return false;
}

/** For a listener whose clients may be anywhere: false for what only a rebound name explains. */
export function isNotRebound(exchange: Exchange): boolean {
  return !isPeerLocal(exchange) || isForLocalHost(exchange);
}

function isPeerLocal(exchange: Exchange): boolean {
  if (typeof LOCAL === 'string') return false;
  const { address } = exchange.transport.peer();
  return isTrusted(LOCAL, address, exchange.services.unixSocket);
}

/**
 * A page of another site may have a host name that leads to this machine (DNS rebinding): the
 * browser that shows it would let the page read the response.
 */
function isForLocalHost(exchange: Exchange): boolean {
  const host = fieldValue(exchange, 'host');
  return host === undefined || LOCAL_HOST.test(host);
}
