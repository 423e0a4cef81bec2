// What a handler gets besides the Request: the handles of this server, and who the client is.

import { isIPv6 } from 'node:net';
import type { Request } from '../exchange/request.ts';
import type { Response } from '../exchange/response.ts';

/** The second argument of a function of the Fetch standard; in hono it is `c.env`. */
export class FetchContext {
  /** This server's handle of the request: route parameters, state, trailers. */
  readonly request: Request;
  /** Its handle of the response: beforeSend(), afterSend(), trailer(). */
  readonly response: Response;

  constructor(request: Request, response: Response) {
    this.request = request;
    this.response = response;
  }

  /** The client's address; '' for a unix socket. */
  get remoteAddress(): string {
    return this.request.remoteAddress;
  }

  /** The port of the client; 0 on a unix socket. */
  get remotePort(): number {
    return this.request.remotePort;
  }
}

/** As hono has it. */
export interface ConnInfo {
  readonly remote: {
    readonly address?: string;
    readonly port?: number;
    readonly addressType: 'IPv4' | 'IPv6' | undefined;
    readonly transport: 'tcp' | undefined;
  };
}

/** Who the client is, from the context of hono or of whatever keeps the FetchContext in `env`. */
export function getConnInfo(context: { readonly env: unknown }): ConnInfo {
  const { env } = context;
  if (!(env instanceof FetchContext)) {
    const how = 'the application is served by fetchHandler(app.fetch)';
    throw new TypeError(`getConnInfo(): context.env is no FetchContext: it is where ${how}`);
  }
  const { remoteAddress: address, remotePort: port } = env;
  if (address === '') return { remote: { addressType: undefined, transport: undefined } };
  const addressType = isIPv6(address) ? 'IPv6' : 'IPv4';
  return { remote: { address, port, addressType, transport: 'tcp' } };
}
