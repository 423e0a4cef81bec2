// The client behind reverse proxies: its address, its protocol and the host that it named, as the
// proxies that are trusted report them. Any other peer could claim anything, and is not believed.

import { isTrusted, trustedPeers } from '../base/ip-range.ts';
import { checkOptions, choice } from '../base/options.ts';
import type { Middleware } from '../exchange/handler.ts';
import { HttpError } from '../exchange/http-error.ts';
import { noteMaker } from '../exchange/makers.ts';
import { exchangeOf, type Request } from '../exchange/request.ts';
import { forwardedHops, type Hop, type Hops, xForwardedHops } from '../http/forwarded.ts';

/** Options of trustProxy(). */
export interface TrustProxyOptions {
  /**
   * The fields that the proxies write: 'x-forwarded' (the default) is X-Forwarded-For, -Proto and
   * -Host, 'forwarded' is Forwarded (RFC 7239). The others are ignored: proxies pass them on as
   * clients sent them.
   */
  readonly fields?: 'x-forwarded' | 'forwarded';
}

const OPTIONS = { fields: choice(['x-forwarded', 'forwarded']) } as const;

/**
 * `proxies` are addresses and ranges, as '10.0.0.0/8', and 'unix' for the peers of a unix socket.
 * Throws a TypeError for what is none of these.
 */
export function trustProxy(
  proxies: readonly string[],
  options: TrustProxyOptions = {},
): Middleware {
  checkOptions('trustProxy', options, OPTIONS);
  if (!Array.isArray(proxies) || proxies.length === 0) {
    throw new TypeError("trustProxy: the proxies are a list such as ['10.0.0.0/8', 'unix']");
  }
  const trusted = trustedPeers(proxies);
  if (typeof trusted === 'string') throw new TypeError(`trustProxy: ${trusted}`);
  const hopsOf = options.fields === 'forwarded' ? fromForwarded : fromXForwarded;
  return (request, _response, next) => {
    const exchange = exchangeOf(request);
    // Of several the first one applies: for a second one the client would be a proxy.
    if (exchange.forwarded !== null) return next();
    const { unixSocket } = exchange.services;
    const isProxy = (address: string) => isTrusted(trusted, address, unixSocket);
    if (!isProxy(request.remoteAddress)) return next();
    const client = clientBehind(hopsOf(request), isProxy);
    if (client !== null && client.address !== null) {
      exchange.peer = { address: client.address, port: client.port };
    }
    exchange.forwarded = { protocol: client?.protocol ?? 'http', host: client?.host ?? null };
    return next();
  };
}

noteMaker(trustProxy, 'trustProxy');

/**
 * The sender whom the outermost trusted proxy reports. Each hop was written by a trusted proxy
 * until one comes from elsewhere; what is before that one, its sender may have invented.
 */
function clientBehind(hops: Hops, isProxy: (address: string) => boolean): Hop | null {
  let client: Hop | null = null;
  for (let index = hops.length - 1; index >= 0; index--) {
    const hop = hops[index];
    if (hop === null) throw malformed();
    // An unknown sender is behind the last proxy that is known.
    client = hop.address === null && client !== null ? { ...hop, ...addressOf(client) } : hop;
    if (hop.address === null || !isProxy(hop.address)) return client;
  }
  return client;
}

function addressOf({ address, port }: Hop): Pick<Hop, 'address' | 'port'> {
  return { address, port };
}

/** A trusted proxy wrote it: without a client that is known, nothing is served. */
function malformed(): HttpError {
  return new HttpError(400, 'the proxy reports a malformed address, protocol or host');
}

function fromForwarded(request: Request): Hops {
  const hops = forwardedHops(request.header('forwarded') ?? '');
  if (hops === null) throw malformed();
  return hops;
}

function fromXForwarded(request: Request): Hops {
  return xForwardedHops(
    request.header('x-forwarded-for'),
    request.header('x-forwarded-proto'),
    request.header('x-forwarded-host'),
  );
}
