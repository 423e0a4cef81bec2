// Cross-origin resource sharing (Fetch standard, section 3.3): which pages of other origins may
// read responses of this server. An origin that is not allowed gets a response without CORS fields.

import { ANY, BOOLEAN, checkOptions } from '../base/options.ts';
import type { Middleware, Next } from '../exchange/handler.ts';
import { noteMaker } from '../exchange/makers.ts';
import { asPart } from '../exchange/parts.ts';
import { exchangeOf, type Request } from '../exchange/request.ts';
import type { Response } from '../exchange/response.ts';
import { Method, methodNumber } from '../http/method.ts';
import { isToken } from '../http/response-fields.ts';
import { isThenable } from './decision.ts';
import { checkOrigin, isOrigin, NULL_ORIGIN } from './origin.ts';
import { SECONDS } from './seconds.ts';

/** Options of cors(). */
export interface CorsOptions {
  /**
   * '*' for every origin (the default), one origin, a list of them, or a function that returns true
   * for an allowed origin, or a promise of true. Any other value rejects the origin. The origin
   * 'null' is only allowed when it is listed.
   */
  readonly origin?:
    | '*'
    | string
    | readonly string[]
    | ((origin: string) => boolean | PromiseLike<boolean>);
  /** Methods that a preflight allows. Default GET, HEAD, PUT, PATCH, POST, DELETE. */
  readonly methods?: readonly string[];
  /** Request fields that a preflight allows. Default: those that it requests. */
  readonly allowedHeaders?: readonly string[];
  /** Response fields that pages may read in addition to the CORS-safelisted ones. */
  readonly exposedHeaders?: readonly string[];
  /** Allow cookies and authentication; then `origin` cannot be '*'. Default false. */
  readonly credentials?: boolean;
  /** How long a client may cache the response to a preflight, in seconds. */
  readonly maxAgeSeconds?: number;
}

/** policyFrom() checks the lists and origins item by item and throws with a reason. */
const OPTIONS = {
  origin: ANY,
  methods: ANY,
  allowedHeaders: ANY,
  exposedHeaders: ANY,
  credentials: BOOLEAN,
  maxAgeSeconds: SECONDS,
} as const;

const METHODS = ['GET', 'HEAD', 'PUT', 'PATCH', 'POST', 'DELETE'];
/** Browsers send these whatever Access-Control-Allow-Methods says. */
const SAFE_METHODS = ['GET', 'HEAD', 'POST'];
const EVERYTHING = '*';

type OriginTest = (origin: string) => unknown;

interface Policy {
  /** The allowed origins, or the function that decides; both null allow every origin. */
  readonly origins: ReadonlySet<string> | null;
  readonly test: OriginTest | null;
  readonly methods: readonly string[];
  readonly methodsField: string;
  /** Null: those that the preflight requests. */
  readonly headers: string | null;
  readonly exposed: string;
  readonly credentials: boolean;
  readonly maxAge: string | null;
}

/** Throws a TypeError for options that are invalid or would allow more than they state. */
export function cors(options: CorsOptions = {}): Middleware {
  checkOptions('cors', options, OPTIONS);
  const policy = policyFrom(options);
  return (request, response, next) => {
    removeEarlier(request);
    if (policy.origins === null && policy.test === null) {
      return proceed(policy, EVERYTHING, request, response, next);
    }
    // The response depends on the origin even when it is rejected; caches need Vary for that.
    response.appendHeader('Vary', 'Origin');
    const origin = request.header('origin');
    if (origin === undefined) return proceed(policy, null, request, response, next);
    const decision = decide(policy, origin);
    if (isThenable(decision)) {
      const later = proceedLater(policy, decision, origin, request, response, next);
      return asPart(exchangeOf(request), later);
    }
    return proceed(policy, decision === true ? origin : null, request, response, next);
  };
}

noteMaker(cors, 'cors');

function policyFrom(options: CorsOptions): Policy {
  // Null is an error: only undefined selects the default.
  const { allowedHeaders, exposedHeaders = [], methods: listed = METHODS } = options;
  const { credentials = false, maxAgeSeconds, origin = EVERYTHING } = options;
  if (credentials && origin === EVERYTHING) {
    throw new TypeError(
      "cors: credentials: true with origin '*' would let every site read with its users' " +
        'cookies; set origin to an origin, a list of origins, or a function',
    );
  }
  const methods = tokens('methods', listed, credentials);
  const headers =
    allowedHeaders === undefined ? null : tokens('allowedHeaders', allowedHeaders, credentials);
  return {
    origins: typeof origin === 'function' || origin === EVERYTHING ? null : originSet(origin),
    test: typeof origin === 'function' ? origin : null,
    methods,
    methodsField: methods.join(', '),
    headers: headers === null ? null : headers.join(', '),
    exposed: tokens('exposedHeaders', exposedHeaders, credentials).join(', '),
    credentials,
    maxAge: maxAgeSeconds === undefined ? null : String(maxAgeSeconds),
  };
}

function originSet(origin: string | readonly string[]): ReadonlySet<string> {
  const origins = typeof origin === 'string' ? [origin] : origin;
  if (!Array.isArray(origins)) {
    throw new TypeError("cors: origin must be '*', an origin, a list of origins, or a function");
  }
  for (const each of origins) checkOrigin(each);
  return new Set(origins);
}

/** A checked copy of a list of tokens. With credentials, '*' in it does not match every name. */
function tokens(option: string, list: readonly string[], credentials: boolean): readonly string[] {
  if (!Array.isArray(list)) throw new TypeError(`cors: ${option} must be an array of names`);
  for (const item of list) {
    if (typeof item !== 'string' || !isToken(item)) {
      throw new TypeError(`cors: ${option}: ${JSON.stringify(item)} must be an HTTP token`);
    }
    const upper = item.toUpperCase();
    if (option === 'methods' && item !== upper && methodNumber(upper) !== Method.Other) {
      throw new TypeError(
        `cors: methods are case-sensitive: clients never send ${item}; write ${upper}`,
      );
    }
    if (item === EVERYTHING && credentials) {
      throw new TypeError(`cors: ${option}: browsers ignore '*' with credentials; list the names`);
    }
  }
  return [...list];
}

/** Removes the fields of an earlier cors() with a wider prefix: the last decision applies. */
function removeEarlier(request: Request): void {
  const { fields } = exchangeOf(request);
  if (fields.count === 0) return;
  fields.remove('access-control-allow-origin');
  fields.remove('access-control-allow-credentials');
  fields.remove('access-control-expose-headers');
}

/** True, or a promise of true, for an origin that is allowed. */
function decide({ origins, test }: Policy, origin: string): unknown {
  if (origins !== null) return origins.has(origin);
  // Any page can obtain the origin 'null', and browsers only send valid origins.
  if (test === null || origin === NULL_ORIGIN || !isOrigin(origin)) return false;
  return test(origin);
}

/**
 * A separate function: only asynchronous decisions cost a promise. The chain handles rejections.
 */
async function proceedLater(
  policy: Policy,
  decision: PromiseLike<unknown>,
  origin: string,
  request: Request,
  response: Response,
  next: Next,
): Promise<void> {
  const allowed = (await decision) === true ? origin : null;
  return proceed(policy, allowed, request, response, next);
}

/** `allowed` is the value of Access-Control-Allow-Origin; null rejects the origin. */
function proceed(
  policy: Policy,
  allowed: string | null,
  request: Request,
  response: Response,
  next: Next,
): void | Promise<void> {
  const method = preflightMethod(request);
  if (method !== undefined) {
    if (allowed !== null) respondToPreflight(policy, allowed, method, request, response);
    response.empty(204);
    return;
  }
  if (allowed !== null) {
    allowOrigin(policy, allowed, response);
    if (policy.exposed !== '') response.header('Access-Control-Expose-Headers', policy.exposed);
  }
  return next();
}

/** The method that a preflight requests; undefined for every other request. */
function preflightMethod(request: Request): string | undefined {
  if (request.method !== 'OPTIONS' || request.header('origin') === undefined) return undefined;
  return request.header('access-control-request-method');
}

function allowOrigin(policy: Policy, allowed: string, response: Response): void {
  response.header('Access-Control-Allow-Origin', allowed);
  if (policy.credentials) response.header('Access-Control-Allow-Credentials', 'true');
}

function respondToPreflight(
  policy: Policy,
  allowed: string,
  method: string,
  request: Request,
  response: Response,
): void {
  const { headers, maxAge, methods, methodsField } = policy;
  response.appendHeader('Vary', 'Access-Control-Request-Method');
  const isListed = methods.includes(method) || methods.includes(EVERYTHING);
  // Browsers reject other methods that are not listed, and then report the reason.
  if (!isListed && SAFE_METHODS.includes(method)) return;
  allowOrigin(policy, allowed, response);
  if (methodsField !== '') response.header('Access-Control-Allow-Methods', methodsField);
  if (headers === null) allowRequestedFields(request, response);
  else if (headers !== '') response.header('Access-Control-Allow-Headers', headers);
  if (maxAge !== null) response.header('Access-Control-Max-Age', maxAge);
}

/** Allows the fields that a preflight requests, unless one of them is not a field name. */
function allowRequestedFields(request: Request, response: Response): void {
  const requested = request.header('access-control-request-headers');
  if (requested === undefined) return;
  response.appendHeader('Vary', 'Access-Control-Request-Headers');
  const names = requested.split(',').map((name) => name.trim());
  const given = names.filter((name) => name !== '');
  // '*' would allow all fields.
  if (given.length === 0 || given.some((name) => name === EVERYTHING || !isToken(name))) return;
  response.header('Access-Control-Allow-Headers', given.join(', '));
}
