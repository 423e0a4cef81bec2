// Basic authentication (RFC 7617). A request without valid credentials gets 401 with a challenge,
// and never reaches what follows.

import { timingSafeEqual } from 'node:crypto';
import type { AsyncIo } from '../async-io/async-io.ts';
import { checkOptions, FUNCTION, isPlainObject } from '../base/options.ts';
import { shown } from '../base/shown.ts';
import type { Middleware } from '../exchange/handler.ts';
import { HttpError } from '../exchange/http-error.ts';
import { noteMaker } from '../exchange/makers.ts';
import { exchangeOf, type Request } from '../exchange/request.ts';
import type { Response } from '../exchange/response.ts';
import { credentialsOf, parameter, REALM } from './authorization.ts';
import { whenDecided } from './decision.ts';

/** Returns true, or a promise of true, for a valid password; every other value rejects it. */
export type VerifyPassword = (
  user: string,
  password: string,
  request: Request,
) => boolean | PromiseLike<boolean>;

/** Options of basicAuth(): `users` or `verify`. */
export interface BasicAuthOptions {
  /** The passwords by name; or give `verify`. */
  readonly users?: Readonly<Record<string, string>>;
  readonly verify?: VerifyPassword;
  /** What the credentials are for, which browsers show. Default 'restricted'. */
  readonly realm?: string;
}

const OPTIONS = {
  users: { wanted: 'an object of passwords by name', fits: isPlainObject },
  verify: FUNCTION,
  realm: REALM,
} as const;

const SCHEME = 'basic';
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

interface Credentials {
  readonly user: string;
  readonly password: string;
}

/**
 * Throws a TypeError for options that are invalid, or that no request could match. The name of the
 * user is in `request.state.user`.
 */
export function basicAuth(options: BasicAuthOptions): Middleware<{ user: string }> {
  checkOptions('basicAuth', options, OPTIONS);
  const { realm = 'restricted', users, verify } = options;
  if ((users === undefined) === (verify === undefined)) {
    throw new TypeError('basicAuth: give one of users and verify');
  }
  const isValid = verify ?? passwordTest(users ?? {});
  const challenge = `Basic ${parameter('realm', realm)}, charset="UTF-8"`;
  return (request, response, next) => {
    const credentials = credentialsFrom(credentialsOf(request, SCHEME) ?? '');
    if (credentials === null) return reject(response, challenge);
    const { user, password } = credentials;
    return whenDecided(request, isValid(user, password, request), (result) => {
      if (result !== true) return reject(response, challenge);
      request.state.user = user;
      return next();
    });
  };
}

noteMaker(basicAuth, 'basicAuth');

/** Throws what becomes the response, so that onError() can replace its content. */
function reject(response: Response, challenge: string): never {
  response.header('WWW-Authenticate', challenge);
  throw new HttpError(401);
}

/** Null for what is not the base64 of a name, a colon and a password in UTF-8. */
function credentialsFrom(encoded: string): Credentials | null {
  if (!BASE64.test(encoded)) return null;
  const bytes = Buffer.from(encoded, 'base64');
  // Node ignores what it cannot decode: two texts must not mean the same credentials.
  if (bytes.toString('base64') !== encoded) return null;
  let text: string;
  try {
    text = prepared(strictUtf8.decode(bytes));
  } catch {
    return null;
  }
  const colon = text.indexOf(':');
  if (colon < 0 || hasControl(text)) return null;
  return { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** Clients differ in how they compose accented letters (RFC 7617 2.1, RFC 8265 4.2). */
function prepared(text: string): string {
  return text.normalize('NFC');
}

function hasControl(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}

/**
 * Compares digests, which have one length, in a time that depends neither on the passwords nor on
 * whether there is such a user.
 */
function passwordTest(users: Readonly<Record<string, string>>): VerifyPassword {
  const passwords = new Map<string, string>();
  for (const [user, password] of Object.entries(users)) {
    checkUser(user, password);
    passwords.set(prepared(user), prepared(password));
  }
  if (passwords.size === 0) throw new TypeError('basicAuth: users is empty: no request could pass');
  const digests = new Map<string, Buffer>();
  return (user, password, request) => {
    const { asyncIo } = exchangeOf(request).services;
    if (digests.size === 0) {
      for (const [name, known] of passwords) digests.set(name, digestOf(asyncIo, known));
    }
    const given = digestOf(asyncIo, password);
    const known = digests.get(user);
    return timingSafeEqual(given, known ?? given) && known !== undefined;
  };
}

function digestOf(asyncIo: AsyncIo, text: string): Buffer {
  return Buffer.from(asyncIo.hashNow('sha256', Buffer.from(text)), 'hex');
}

/** The messages never contain a password. */
function checkUser(user: string, password: unknown): void {
  if (user.includes(':') || hasControl(user)) {
    const what = 'a name has no colon and no control character';
    throw new TypeError(`basicAuth: users: ${what}, given ${shown(user)}`);
  }
  if (typeof password === 'string' && !hasControl(password)) return;
  const what = 'is text without control characters';
  throw new TypeError(`basicAuth: users: the password of ${shown(user)} ${what}`);
}
