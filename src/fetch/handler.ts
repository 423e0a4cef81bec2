// A handler made of a function of the Fetch standard: from a Request to a Response. Its cost is
// measured by perf/micro/fetch.ts.

import { BOOLEAN, checkOptions, type OptionRule } from '../base/options.ts';
import { shown } from '../base/shown.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Handler } from '../exchange/handler.ts';
import { HttpError } from '../exchange/http-error.ts';
import { notAwaited, noteLate } from '../exchange/late.ts';
import { noteMaker } from '../exchange/makers.ts';
import { exchangeOf, type Request } from '../exchange/request.ts';
import { isUnsent } from '../exchange/respond.ts';
import type { Response } from '../exchange/response.ts';
import { cancelSource } from '../exchange/source.ts';
import { Method } from '../http/method.ts';
import { FetchContext } from './context.ts';
import { overrideGlobals } from './override.ts';
import { LeanRequest, leanRequestOf, nodeAcceptsLean } from './request.ts';
import { sendResponse } from './send.ts';
import { type Scheme, urlOf } from './url.ts';

type WebRequest = globalThis.Request;
type WebResponse = globalThis.Response;

/** A function from a request to a response, as frameworks of the Fetch standard have it. */
export type FetchFunction = (
  request: WebRequest,
  context: FetchContext,
) => WebResponse | Promise<WebResponse>;

/** Options of fetchHandler(). */
export interface FetchOptions {
  /** The scheme of the URL: 'http' unless clients reach the server by https, through a proxy. */
  readonly scheme?: Scheme | ((request: Request) => Scheme);
  /**
   * Replaces the global Response by one that makes no stream of text and bytes: several times
   * faster. Everything in the process gets it.
   */
  readonly overrideGlobalObjects?: boolean;
}

const SCHEMES = ['http', 'https'];
const RULES: Readonly<Record<keyof FetchOptions, OptionRule>> = {
  scheme: {
    wanted: "'http', 'https' or a function",
    fits: (value) => typeof value === 'function' || SCHEMES.some((scheme) => scheme === value),
  },
  overrideGlobalObjects: BOOLEAN,
};

/** Request refuses these methods, as the standard demands. */
const FORBIDDEN = ['CONNECT', 'TRACE', 'TRACK'];

/** True where the lean Request can be used; known with the first handler. */
let acceptsLean: boolean | null = null;

/** `given` is a function, or an object with such a method named fetch. */
export function fetchHandler(
  given: FetchFunction | { readonly fetch: FetchFunction },
  options: FetchOptions = {},
): Handler {
  checkOptions('fetchHandler()', options, RULES);
  const { scheme = 'http', overrideGlobalObjects = false } = options;
  const call = functionOf(given);
  if (overrideGlobalObjects) overrideGlobals();
  acceptsLean ??= nodeAcceptsLean();
  return (request, response) => {
    const exchange = exchangeOf(request);
    const result = call(
      requestOf(
        exchange,
        request,
        typeof scheme === 'function' ? checkedScheme(scheme(request)) : scheme,
      ),
      new FetchContext(request, response),
    );
    if (!isThenable(result)) return deliver(exchange, response, result);
    return result.then((later) => deliver(exchange, response, later));
  };
}

noteMaker(fetchHandler, 'fetchHandler');

function checkedScheme(returned: Scheme): Scheme {
  if (SCHEMES.includes(returned)) return returned;
  notAwaited(returned);
  const wanted = `returns one of ${SCHEMES.join(', ')}`;
  throw new TypeError(`fetchHandler(): scheme() ${wanted}, returned ${shown(returned)}`);
}

function functionOf(given: unknown): FetchFunction {
  if (typeof given === 'function') return given as FetchFunction;
  const owner = given as { readonly fetch?: unknown } | null | undefined;
  if (typeof owner === 'object' && owner !== null && typeof owner.fetch === 'function') {
    return (request, context) =>
      (owner as { readonly fetch: FetchFunction }).fetch(request, context);
  }
  throw new TypeError(`fetchHandler(): its argument is a function, given ${shown(given)}`);
}

function requestOf(exchange: Exchange, request: Request, scheme: Scheme): WebRequest {
  const { method } = exchange.head;
  const isKnown = method !== Method.Other && method < Method.CONNECT;
  if (!isKnown && FORBIDDEN.includes(request.method.toUpperCase())) throw new HttpError(501);
  const lean = leanRequestOf(exchange, request, urlOf(exchange, scheme));
  return (acceptsLean === true ? lean : LeanRequest.toNative(lean)) as unknown as WebRequest;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  const { then } = (value ?? {}) as { readonly then?: unknown };
  return typeof then === 'function';
}

/** Sends the Response; when the client has left, or middleware has responded, cancels its body. */
function deliver(exchange: Exchange, handle: Response, response: unknown): void | Promise<void> {
  if (exchange.identity === handle && isUnsent(exchange)) return sendResponse(exchange, response);
  const body = (response as { readonly body?: unknown } | null | undefined)?.body;
  if (body !== null && body !== undefined) cancelSource(body);
  noteLate(exchange, 'fetchHandler()', exchange.identity !== handle);
}
