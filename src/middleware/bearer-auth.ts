// Bearer tokens (RFC 6750), in the Authorization field only: tokens in a URL end up in logs, and
// those in a form can be sent by other sites.

import { checkOptions, FUNCTION, type OptionRule } from '../base/options.ts';
import { shown } from '../base/shown.ts';
import type { Middleware } from '../exchange/handler.ts';
import { HttpError } from '../exchange/http-error.ts';
import { noteMaker } from '../exchange/makers.ts';
import type { Request } from '../exchange/request.ts';
import type { Response } from '../exchange/response.ts';
import { credentialsOf, parameter, REALM } from './authorization.ts';
import { whenDecided } from './decision.ts';

/** What a token says of its bearer. `scope` is text with spaces between scopes, or their list. */
export type Claims = Readonly<Record<string, unknown>>;

/** Any object but a promise: an interface has no index signature, so it does not fit Claims. */
type AnyClaims = object & { readonly then?: never };

/** Returns the claims of a valid token, or a promise of them; false for any other token. */
export type VerifyToken<C extends AnyClaims = Claims> = (
  token: string,
  request: Request,
) => C | false | PromiseLike<C | false>;

/** Options of bearerAuth(). `C` is the type of the claims that `verify` returns. */
export interface BearerAuthOptions<C extends AnyClaims = Claims> {
  readonly verify: VerifyToken<C>;
  /** What the tokens are for. Default 'restricted'. */
  readonly realm?: string;
  /** Scopes that a token must have, all of them. Default none. */
  readonly scopes?: readonly string[];
}

/** RFC 6749 3.3. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/;
/** RFC 6750 2.1: b64token. */
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;
const SCHEME = 'bearer';

const SCOPES: OptionRule = {
  wanted: 'a list of scopes, without spaces, quotes and backslashes',
  fits: (value) =>
    Array.isArray(value) && value.every((one) => typeof one === 'string' && SCOPE.test(one)),
};

const OPTIONS = { verify: FUNCTION, realm: REALM, scopes: SCOPES } as const;

/**
 * The claims of the token are in `request.state.claims`. Throws a TypeError for unknown or invalid
 * options.
 */
export function bearerAuth<C extends AnyClaims = Claims>(
  options: BearerAuthOptions<C>,
): Middleware<{ claims: C }> {
  checkOptions('bearerAuth', options, OPTIONS);
  const { realm = 'restricted', scopes = [], verify } = options;
  if (verify === undefined) throw new TypeError('bearerAuth: verify is missing, a function');
  const wanted = [...scopes];
  const challenge = `Bearer ${parameter('realm', realm)}`;
  return (request, response, next) => {
    const token = credentialsOf(request, SCHEME);
    // RFC 6750 3.1: no error code for a request without a token.
    if (token === null) return reject(response, 401, challenge);
    if (!TOKEN.test(token)) return reject(response, 400, withError(challenge, 'invalid_request'));
    return whenDecided(request, verify(token, request), (result) => {
      if (result === false) {
        return reject(response, 401, withError(challenge, 'invalid_token'));
      }
      const claims = claimsFrom(result);
      if (!hasScopes(claims, wanted)) {
        const scope = parameter('scope', wanted.join(' '));
        const value = `${withError(challenge, 'insufficient_scope')}, ${scope}`;
        return reject(response, 403, value);
      }
      request.state.claims = claims as C;
      return next();
    });
  };
}

noteMaker(bearerAuth, 'bearerAuth');

function withError(challenge: string, code: string): string {
  return `${challenge}, ${parameter('error', code)}`;
}

/** Throws what becomes the response, so that onError() can replace its content. */
function reject(response: Response, status: number, challenge: string): never {
  response.header('WWW-Authenticate', challenge);
  throw new HttpError(status);
}

/** A value that is neither claims nor false is a mistake in verify(): the token is not accepted. */
function claimsFrom(result: unknown): Claims {
  if (typeof result === 'object' && result !== null && !Array.isArray(result)) {
    return result as Claims;
  }
  throw new TypeError(`bearerAuth: verify() returns claims or false, returned ${shown(result)}`);
}

function hasScopes(claims: Claims, wanted: readonly string[]): boolean {
  if (wanted.length === 0) return true;
  const { scope } = claims;
  const granted = typeof scope === 'string' ? scope.split(' ') : scope;
  if (!Array.isArray(granted)) return false;
  return wanted.every((one) => granted.includes(one));
}
