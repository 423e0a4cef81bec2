// Cross-origin resource sharing (the fetch standard, section 3.3): which pages of other origins may
// read what this server sends. What is not clearly allowed is refused: by fields that are missing.

import { BOOLEAN, checkOptions, type OptionRule } from '../base/options.ts';
import type { Middleware, Next } from '../exchange/handler.ts';
import { asPart } from '../exchange/parts.ts';
import { exchangeOf, type Request } from '../exchange/request.ts';
import type { Response } from '../exchange/response.ts';
import { Method, methodNumber } from '../http/method.ts';
import { isToken } from '../http/response-fields.ts';
import { checkOrigin, isOrigin, NULL_ORIGIN } from './origin.ts';

export interface CorsOptions {
  /**
   * '*' for every origin (the default), one origin, a list of them, or a function that returns true
   * for an origin that is allowed, or a promise of true. Everything else refuses. The origin 'null'
   * is allowed only where it is listed.
   */
  readonly origin?:
    | '*'
    | string
    | readonly string[]
    | ((origin: string) => boolean | PromiseLike<boolean>);
  /** Methods that a preflight allows. Default GET, HEAD, PUT, PATCH, POST, DELETE. */
  readonly methods?: readonly string[];
  /** Request fields that a preflight allows; by default those it asks for. */
  readonly allowedHeaders?: readonly string[];
  /** Response fields that pages may read beside the safe ones. */
  readonly exposedHeaders?: readonly string[];
  /** Also with cookies and authentication; then `origin` cannot be '*'. */
  readonly credentials?: boolean;
  /** How long a client may remember a preflight, in seconds. */
  readonly maxAgeSeconds?: number;
}

const ANY: OptionRule = { wanted: 'what its description says', fits: () => true };

/** Lists and origins are looked at one by one by policyFrom(), with a reason for each refusal. */
const OPTIONS = {
  origin: ANY,
  methods: ANY,
  allowedHeaders: ANY,
  exposedHeaders: ANY,
  credentials: BOOLEAN,
  maxAgeSeconds: {
    wanted: 'a whole number of seconds',
    fits: (value: unknown) => isSeconds(value),
  },
} as const;

const METHODS = ['GET', 'HEAD', 'PUT', 'PATCH', 'POST', 'DELETE'];
/** Browsers send these whatever Access-Control-Allow-Methods says. */
const SAFE_METHODS = ['GET', 'HEAD', 'POST'];
/** What clients take as delta-seconds (RFC 9111 1.2.2). */
const SECONDS_MAX = 2_147_483_647;
const EVERYTHING = '*';

type OriginTest = (origin: string) => unknown;

interface Policy {
  /** Origins by name, or what decides; both null stand for every origin. */
  readonly origins: ReadonlySet<string> | null;
  readonly test: OriginTest | null;
  readonly methods: readonly string[];
  readonly methodsField: string;
  /** Null: what the preflight asks for. */
  readonly headers: string | null;
  readonly exposed: string;
  readonly credentials: boolean;
  readonly maxAge: string | null;
}

/** Throws a TypeError for options that make no sense, or would let in more than they say. */
export function cors(options: CorsOptions = {}): Middleware {
  checkOptions('cors', options, OPTIONS);
  const policy = policyFrom(options);
  return (request, response, next) => {
    forgetEarlier(request);
    if (policy.origins === null && policy.test === null) {
      return proceed(policy, EVERYTHING, request, response, next);
    }
    // The response depends on the origin even where it is refused: caches must know.
    response.appendHeader('Vary', 'Origin');
    const origin = request.header('origin');
    if (origin === undefined) return proceed(policy, null, request, response, next);
    const verdict = judge(policy, origin);
    if (isThenable(verdict)) {
      const later = proceedLater(policy, verdict, origin, request, response, next);
      return asPart(exchangeOf(request), later);
    }
    return proceed(policy, verdict === true ? origin : null, request, response, next);
  };
}

function policyFrom(options: CorsOptions): Policy {
  // Null is a mistake, not a wish for the default.
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

function isSeconds(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= SECONDS_MAX;
}

function originSet(origin: string | readonly string[]): ReadonlySet<string> {
  const origins = typeof origin === 'string' ? [origin] : origin;
  if (!Array.isArray(origins)) {
    throw new TypeError("cors: origin is '*', an origin, a list of origins, or a function");
  }
  for (const each of origins) checkOrigin(each);
  return new Set(origins);
}

/** A copy of a list of tokens. '*' in it stands for everything only without credentials. */
function tokens(option: string, list: readonly string[], credentials: boolean): readonly string[] {
  if (!Array.isArray(list)) throw new TypeError(`cors: ${option} is an array of names`);
  for (const item of list) {
    if (typeof item !== 'string' || !isToken(item)) {
      throw new TypeError(`cors: ${option} holds ${JSON.stringify(item)}, which is no name`);
    }
    const upper = item.toUpperCase();
    if (option === 'methods' && item !== upper && methodNumber(upper) !== Method.Other) {
      throw new TypeError(
        `cors: methods are case-sensitive: ${item} is never sent, write ${upper}`,
      );
    }
    if (item === EVERYTHING && credentials) {
      throw new TypeError(`cors: ${option}: browsers ignore '*' with credentials; list the names`);
    }
  }
  return [...list];
}

/** A cors() that covers more of the site may have decided before: the last one's word counts. */
function forgetEarlier(request: Request): void {
  const { fields } = exchangeOf(request);
  if (fields.count === 0) return;
  fields.remove('access-control-allow-origin');
  fields.remove('access-control-allow-credentials');
  fields.remove('access-control-expose-headers');
}

/** True, or a promise of true, for an origin that is allowed. */
function judge({ origins, test }: Policy, origin: string): unknown {
  if (origins !== null) return origins.has(origin);
  // Any page can make itself the origin null, and what is no origin comes from no browser.
  if (test === null || origin === NULL_ORIGIN || !isOrigin(origin)) return false;
  return test(origin);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  if (typeof value !== 'object' || value === null || !('then' in value)) return false;
  return typeof value.then === 'function';
}

/** Apart: only origins that are looked up somewhere cost a promise. A rejection is the chain's. */
async function proceedLater(
  policy: Policy,
  verdict: PromiseLike<unknown>,
  origin: string,
  request: Request,
  response: Response,
  next: Next,
): Promise<void> {
  const allowed = (await verdict) === true ? origin : null;
  return proceed(policy, allowed, request, response, next);
}

/** `allowed` is what Access-Control-Allow-Origin says; null refuses. */
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

/** The method that a preflight asks about; undefined for every other request. */
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
  // A browser refuses other methods that are not listed by itself, and can then say why.
  if (!isListed && SAFE_METHODS.includes(method)) return;
  allowOrigin(policy, allowed, response);
  if (methodsField !== '') response.header('Access-Control-Allow-Methods', methodsField);
  if (headers === null) allowAsked(request, response);
  else if (headers !== '') response.header('Access-Control-Allow-Headers', headers);
  if (maxAge !== null) response.header('Access-Control-Max-Age', maxAge);
}

/** Allows the fields that a preflight asks for, unless one of them is no name of a field. */
function allowAsked(request: Request, response: Response): void {
  const asked = request.header('access-control-request-headers');
  if (asked === undefined) return;
  response.appendHeader('Vary', 'Access-Control-Request-Headers');
  const names = asked.split(',').map((name) => name.trim());
  const given = names.filter((name) => name !== '');
  // '*' would allow them all.
  if (given.length === 0 || given.some((name) => name === EVERYTHING || !isToken(name))) return;
  response.header('Access-Control-Allow-Headers', given.join(', '));
}
