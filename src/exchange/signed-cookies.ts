// Signed cookies: a client can read their values, but not change them. The signature is an
// HMAC-SHA256 of name and value, so that a value cannot move to another cookie either.

import { isSameSignature, signatureOf } from '../async-io/signatures.ts';
import { SIGNING_KEY_BYTES_MIN } from '../base/fixed-limits.ts';
import { checkOptions } from '../base/options.ts';
import { shown } from '../base/shown.ts';
import type { Request } from './request.ts';
import type { Response } from './response.ts';
import type { CookieOptions } from './set-cookie.ts';

/** Options of signedCookies(). */
export interface SignedCookiesOptions {
  /** The first one signs; all of them verify, so an old key stays until its cookies expire. */
  readonly keys: readonly (string | Uint8Array)[];
}

/** Sets and reads cookies that a client can read, but not change. */
export interface SignedCookies {
  /** Sets a cookie whose value is signed. */
  set(response: Response, name: string, value: string, options?: CookieOptions): void;
  /** The value of a cookie whose signature is valid, else undefined. */
  get(request: Request, name: string): string | undefined;
  /** `value` with its signature, as it is in the cookie. */
  sign(name: string, value: string): string;
  /** The value of a text that sign() returned for the same name, else undefined. */
  verify(name: string, signed: string): string | undefined;
}

const OPTIONS = {
  keys: {
    wanted: 'a list of one key or more',
    fits: (value: unknown) => Array.isArray(value) && value.length > 0,
  },
} as const;

/** Makes the calls for signed cookies (HMAC-SHA256). Throws for keys below 16 bytes. */
export function signedCookies(options: SignedCookiesOptions): SignedCookies {
  checkOptions('signedCookies()', options, OPTIONS);
  if (options.keys === undefined) throw new TypeError('signedCookies(): keys are missing');
  const keys = options.keys.map(checkedKey);
  const sign = (name: string, value: string): string => {
    checkText(name);
    checkText(value);
    return `${value}.${signature(keys[0], name, value)}`;
  };
  const verify = (name: string, signed: string): string | undefined => {
    const dot = signed.lastIndexOf('.');
    if (dot < 0) return undefined;
    const value = signed.slice(0, dot);
    const given = Buffer.from(signed.slice(dot + 1));
    let isValid = false;
    // Every key is tried, so that the time does not depend on which one fits.
    for (const key of keys)
      isValid = isSameSignature(given, signature(key, name, value)) || isValid;
    return isValid ? value : undefined;
  };
  return {
    sign,
    verify,
    set(response, name, value, cookieOptions) {
      response.cookie(name, sign(name, value), cookieOptions);
    },
    get(request, name) {
      // Another server of the domain may have set a cookie of this name, too.
      for (const text of request.cookies.getAll(name)) {
        const value = verify(name, text);
        if (value !== undefined) return value;
      }
      return undefined;
    },
  };
}

/** A copy: the caller may overwrite its own. */
function checkedKey(key: unknown): Buffer {
  if (typeof key !== 'string' && !(key instanceof Uint8Array)) {
    throw new TypeError(`signedCookies(): a key is a string or bytes, given ${shown(key)}`);
  }
  const bytes = Buffer.from(key);
  if (bytes.length >= SIGNING_KEY_BYTES_MIN) return bytes;
  const wanted = `a key has ${SIGNING_KEY_BYTES_MIN} bytes or more, given ${bytes.length}`;
  throw new RangeError(`signedCookies(): ${wanted}; 'openssl rand -hex 32' makes one`);
}

/** Halves of surrogate pairs have the same bytes, and so would have the same signature. */
function checkText(text: unknown): asserts text is string {
  if (typeof text === 'string' && !/\p{Surrogate}/u.test(text)) return;
  throw new TypeError(`signedCookies(): a name and a value are text, given ${shown(text)}`);
}

/** No cookie name contains `=`, so name and value cannot be divided in another way. */
function signature(key: Buffer, name: string, value: string): string {
  return signatureOf(key, `${name}=${value}`);
}
