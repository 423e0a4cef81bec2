// Cross-origin resource sharing (the fetch standard, section 3.3): which pages of other origins may
// read what this server answers.

import { BOOLEAN, checkOptions, wholeNumber } from '../base/options.ts';
import type { Middleware } from '../exchange/middleware.ts';
import type { Request } from '../exchange/request.ts';
import type { Response } from '../exchange/response.ts';
import { isToken } from '../http/answer-fields.ts';

export interface CorsOptions {
  /**
   * '*' for everybody (the default), one origin, a list of them, or a function that says whether an
   * origin is allowed.
   */
  readonly origin?: '*' | string | readonly string[] | ((origin: string) => boolean);
  /** Methods that a preflight allows. Default GET, HEAD, PUT, PATCH, POST, DELETE. */
  readonly methods?: readonly string[];
  /** Request fields that a preflight allows; by default those it asks for. */
  readonly allowedHeaders?: readonly string[];
  /** Answer fields that pages may read beside the safe ones. */
  readonly exposedHeaders?: readonly string[];
  /** Also with cookies and authentication; then the origin is named, never '*'. */
  readonly credentials?: boolean;
  /** How long a client may remember a preflight, in seconds. */
  readonly maxAgeSeconds?: number;
}

const TOKENS = {
  wanted: 'a list of tokens',
  fits: (value: unknown) =>
    Array.isArray(value) && value.every((one) => typeof one === 'string' && isToken(one)),
};

const OPTIONS = {
  origin: {
    wanted: "'*', an origin, a list of origins or a function",
    fits: (value: unknown) =>
      typeof value === 'function' ||
      (Array.isArray(value) ? value : [value]).every((one) => typeof one === 'string'),
  },
  methods: TOKENS,
  allowedHeaders: TOKENS,
  exposedHeaders: TOKENS,
  credentials: BOOLEAN,
  maxAgeSeconds: wholeNumber('seconds'),
} as const;

const METHODS = ['GET', 'HEAD', 'PUT', 'PATCH', 'POST', 'DELETE'];

/** Throws a TypeError for options that make no sense. */
export function cors(options: CorsOptions = {}): Middleware {
  checkOptions('cors', options, OPTIONS);
  const policy = policyFrom(options);
  return (request, response, next) => {
    const origin = request.header('origin');
    const preflight =
      request.method === 'OPTIONS' &&
      origin !== undefined &&
      request.header('access-control-request-method') !== undefined;
    const allowed = allowOrigin(policy, origin, response);
    if (preflight) {
      if (allowed) allowRequest(policy, request, response);
      response.empty(204);
      return;
    }
    if (allowed && policy.exposed !== '') {
      response.header('Access-Control-Expose-Headers', policy.exposed);
    }
    return next();
  };
}

interface Policy {
  /** Null stands for everybody. */
  readonly isAllowed: ((origin: string) => boolean) | null;
  readonly methods: string;
  /** Null: what the preflight asks for. */
  readonly headers: string | null;
  readonly exposed: string;
  readonly credentials: boolean;
  readonly maxAge: string | null;
}

function policyFrom(options: CorsOptions): Policy {
  const { allowedHeaders, maxAgeSeconds } = options;
  return {
    // Null is a mistake, not a wish to let everybody in.
    isAllowed: originTest(options.origin === undefined ? '*' : options.origin),
    methods: (options.methods ?? METHODS).join(', '),
    headers: allowedHeaders === undefined ? null : allowedHeaders.join(', '),
    exposed: (options.exposedHeaders ?? []).join(', '),
    credentials: options.credentials === true,
    maxAge: maxAgeSeconds === undefined ? null : String(maxAgeSeconds),
  };
}

function originTest(origin: NonNullable<CorsOptions['origin']>): Policy['isAllowed'] {
  if (typeof origin === 'function') return origin;
  if (origin === '*') return null;
  const origins = typeof origin === 'string' ? [origin] : origin;
  return (asked) => origins.includes(asked);
}

/** Sets the fields that depend on the origin. False when it may not read the answer. */
function allowOrigin(policy: Policy, origin: string | undefined, response: Response): boolean {
  if (policy.isAllowed === null && !policy.credentials) {
    response.header('Access-Control-Allow-Origin', '*');
    return true;
  }
  // The answer depends on the origin even where it is refused: caches must know.
  response.appendHeader('Vary', 'Origin');
  if (origin === undefined) return false;
  if (policy.isAllowed !== null && !policy.isAllowed(origin)) return false;
  response.header('Access-Control-Allow-Origin', origin);
  if (policy.credentials) response.header('Access-Control-Allow-Credentials', 'true');
  return true;
}

function allowRequest(policy: Policy, request: Request, response: Response): void {
  response.header('Access-Control-Allow-Methods', policy.methods);
  const asked = request.header('access-control-request-headers');
  if (policy.headers !== null) response.header('Access-Control-Allow-Headers', policy.headers);
  else if (asked !== undefined) {
    response.appendHeader('Vary', 'Access-Control-Request-Headers');
    response.header('Access-Control-Allow-Headers', asked);
  }
  if (policy.maxAge !== null) response.header('Access-Control-Max-Age', policy.maxAge);
}
