// An identifier for each request: in req.state.requestId, in a field of the response, and in the
// access log, so that log lines of several programs can be joined.

import { BOOLEAN, checkOptions, FUNCTION, type OptionRule } from '../base/options.ts';
import { shown } from '../base/shown.ts';
import { checkFraming } from '../exchange/framing-fields.ts';
import type { Middleware } from '../exchange/handler.ts';
import { notAwaited } from '../exchange/late.ts';
import { noteMaker } from '../exchange/makers.ts';
import { exchangeOf, type Request } from '../exchange/request.ts';
import { checkedName, isToken } from '../http/response-fields.ts';

/** Options of requestId(). */
export interface RequestIdOptions {
  /** The field of responses, and with trustIncoming of requests. Default 'X-Request-Id'. */
  readonly header?: string;
  /** Returns an identifier. Default: a random UUID. */
  readonly generate?: (request: Request) => string;
  /**
   * Use the identifier that a request brings, if it is one. Only behind a proxy that sets it: other
   * clients could choose identifiers of other requests. Default false.
   */
  readonly trustIncoming?: boolean;
}

const NAME: OptionRule = {
  wanted: 'a field name',
  fits: (value) => typeof value === 'string' && isToken(value),
};

const OPTIONS = { header: NAME, generate: FUNCTION, trustIncoming: BOOLEAN } as const;

/** No white space, quotes, separators of lists or control characters; an IPv6 address fits. */
const IDENTIFIER = /^[A-Za-z0-9._~:/+=@-]{1,128}$/;

/** Throws a TypeError for unknown or invalid options. */
export function requestId(options: RequestIdOptions = {}): Middleware<{ requestId: string }> {
  checkOptions('requestId', options, OPTIONS);
  const { generate, header = 'X-Request-Id', trustIncoming = false } = options;
  checkFraming(checkedName(header));
  return (request, response, next) => {
    const given = trustIncoming ? request.header(header) : undefined;
    let id: string;
    if (given !== undefined && IDENTIFIER.test(given)) id = given;
    else if (generate === undefined) id = uuid(exchangeOf(request).services.asyncIo.randomHex(16));
    else id = checked(generate(request));
    request.state.requestId = id;
    response.header(header, id);
    return next();
  };
}

noteMaker(requestId, 'requestId');

function checked(id: unknown): string {
  if (typeof id === 'string' && IDENTIFIER.test(id)) return id;
  notAwaited(id);
  const wanted = '1 to 128 letters, digits and . _ ~ : / + = @ -';
  throw new TypeError(`requestId: generate() must return ${wanted}, given ${shown(id)}`);
}

/** Random bytes as a UUID of version 4 (RFC 9562 5.4). */
function uuid(hex: string): string {
  const variant = ((Number.parseInt(hex[16], 16) & 3) | 8).toString(16);
  const [a, b, c] = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(13, 16)];
  return `${a}-${b}-4${c}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
