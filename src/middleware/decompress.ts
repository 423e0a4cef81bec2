// Decodes compressed bodies of requests (RFC 9110 8.4): handlers read the content, of bounded size.

import type { ContentCoding } from '../async-io/async-io.ts';
import { checkOptions, type OptionRule } from '../base/options.ts';
import { DecodingTransport, decodingOf } from '../exchange/decoding.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Middleware } from '../exchange/handler.ts';
import { HttpError } from '../exchange/http-error.ts';
import { noteMaker } from '../exchange/makers.ts';
import { exchangeOf } from '../exchange/request.ts';

/** Options of decompress(). */
export interface DecompressOptions {
  /** The codings to accept, where Node has them. Default ['gzip', 'deflate', 'br', 'zstd']. */
  readonly encodings?: readonly ContentCoding[];
  /**
   * The most bytes of a decoded body. Default: the limit of a body, body_bytes_max or bodyLimit().
   * Of several decompress() for one request the one that runs last decides.
   */
  readonly limit?: number;
}

const ALL: readonly ContentCoding[] = ['gzip', 'deflate', 'br', 'zstd'];

const ENCODINGS: OptionRule = {
  wanted: `a list of ${ALL.map((name) => `'${name}'`).join(', ')}, not empty`,
  fits: (value) =>
    Array.isArray(value) && value.length > 0 && value.every((one) => ALL.includes(one)),
};

const LIMIT: OptionRule = {
  wanted: 'a whole number of bytes, 1 or more',
  fits: (value) => Number.isSafeInteger(value) && Number(value) >= 1,
};

const OPTIONS = { encodings: ENCODINGS, limit: LIMIT } as const;

/** Throws a TypeError for unknown or invalid options. */
export function decompress(options: DecompressOptions = {}): Middleware {
  checkOptions('decompress', options, OPTIONS);
  const encodings = [...(options.encodings ?? ALL)];
  return (request, response, next) => {
    const field = request.header('content-encoding');
    if (field === undefined) return next();
    const exchange = exchangeOf(request);
    const coding = codingOf(field);
    if (coding === 'identity') return next();
    const available = encodings.filter((name) => isAvailable(exchange, name));
    const known = available.find((name) => name === coding);
    if (known === undefined) {
      // What the client can use instead (15.5.16).
      response.header('Accept-Encoding', available.join(', ') || 'identity');
      throw new HttpError(415, 'the coding of the body (Content-Encoding) is not supported');
    }
    const earlier = decodingOf(exchange);
    if (earlier === null) {
      exchange.transport = new DecodingTransport(exchange.transport, known, options.limit);
    } else earlier.limit = options.limit;
    return next();
  };
}

noteMaker(decompress, 'decompress');

/**
 * The one coding of a body, in lower case; identity is none. A body with several is not supported:
 * each could multiply its length.
 */
function codingOf(field: string): string {
  const names = field.split(',').map((name) => name.trim().toLowerCase());
  const codings = names.filter((name) => name !== '' && name !== 'identity');
  if (codings.length === 0) return 'identity';
  if (codings.length > 1) return field;
  return codings[0] === 'x-gzip' ? 'gzip' : codings[0];
}

function isAvailable({ services }: Exchange, name: ContentCoding): boolean {
  return services.asyncIo.codings.includes(name);
}
