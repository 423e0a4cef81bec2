// The Set-Cookie field (RFC 6265bis): what a browser would ignore, or take for another cookie,
// throws when it is set.

import { COOKIE_ATTRIBUTE_BYTES_MAX, COOKIE_BYTES_MAX } from '../base/fixed-limits.ts';
import { BOOLEAN, checkOptions, choice, type OptionRule, TEXT } from '../base/options.ts';
import { shown } from '../base/shown.ts';
import { formatDate } from '../http/date.ts';
import { isToken, type ResponseFields } from '../http/response-fields.ts';

/** Attributes of a cookie (RFC 6265 4.1.2). What browsers would ignore throws. */
export interface CookieOptions {
  /** '/' when left out: the cookie is sent for every path. */
  readonly path?: string;
  /** Without it only the host that sets the cookie gets it. */
  readonly domain?: string;
  /** How long the cookie lives, in seconds; without it until the browser closes. */
  readonly maxAgeSeconds?: number;
  /** The same, by the name of the attribute; also in seconds. */
  readonly maxAge?: number;
  readonly expires?: Date;
  /** Scripts of the page cannot read it. */
  readonly httpOnly?: boolean;
  /** Sent over HTTPS only. */
  readonly secure?: boolean;
  readonly sameSite?: 'strict' | 'lax' | 'none';
  /** Kept apart for each site that embeds this one; needs `secure`. */
  readonly partitioned?: boolean;
  readonly priority?: 'low' | 'medium' | 'high';
}

/** How clearCookie() finds the cookie: its name, path and domain, and what its prefix demands. */
export type ClearCookieOptions = Omit<CookieOptions, 'maxAgeSeconds' | 'maxAge' | 'expires'>;

const SECONDS: OptionRule = {
  wanted: 'a whole number of seconds',
  fits: (value) => Number.isSafeInteger(value),
};

/** The years that HTTP-dates of cookies can have (RFC 6265 5.1.1). */
const FIRST_MS = Date.UTC(1601, 0);
const LAST_MS = Date.UTC(9999, 11, 31);

const CLEAR_RULES = {
  path: TEXT,
  domain: TEXT,
  httpOnly: BOOLEAN,
  secure: BOOLEAN,
  sameSite: choice(['strict', 'lax', 'none']),
  partitioned: BOOLEAN,
  priority: choice(['low', 'medium', 'high']),
} as const;

const RULES = {
  ...CLEAR_RULES,
  maxAgeSeconds: SECONDS,
  maxAge: SECONDS,
  expires: {
    wanted: 'a Date from 1601 to 9999',
    fits: (value) =>
      value instanceof Date && value.getTime() >= FIRST_MS && value.getTime() <= LAST_MS,
  },
} as const satisfies Record<string, OptionRule>;

/** RFC 6265bis 4.1.1: cookie-octet, without the percent sign, with which others are written. */
const NOT_COOKIE_OCTETS = /[^\x21\x23\x24\x26-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+/g;
/** Visible ASCII and spaces, without the semicolon that would begin an attribute. */
const PATH = /^\/[\x20-\x3a\x3c-\x7e]*$/;
const DOMAIN = /^\.?[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/i;

/** The value of Set-Cookie. Throws for what browsers ignore. */
export function setCookieText(name: string, value: string, options: CookieOptions): string {
  checkOptions('cookie()', options, RULES);
  const { maxAge, maxAgeSeconds = maxAge, expires } = options;
  if (maxAge !== undefined && maxAge !== maxAgeSeconds) {
    throw new TypeError('cookie(): maxAge and maxAgeSeconds are the same option, given both');
  }
  const lifetime: string[] = [];
  if (maxAgeSeconds !== undefined) lifetime.push(`Max-Age=${maxAgeSeconds}`);
  if (expires !== undefined) lifetime.push(`Expires=${formatDate(expires.getTime())}`);
  return cookieText('cookie()', name, value, options, lifetime);
}

/** A value of Set-Cookie that removes the cookie from the browser. */
export function clearCookieText(name: string, options: ClearCookieOptions): string {
  checkOptions('clearCookie()', options, CLEAR_RULES);
  const past = ['Max-Age=0', `Expires=${formatDate(0)}`];
  return cookieText('clearCookie()', name, '', options, past);
}

function cookieText(
  owner: string,
  name: string,
  value: string,
  options: ClearCookieOptions,
  lifetime: readonly string[],
): string {
  if (typeof name !== 'string' || !isToken(name)) {
    throw new TypeError(`${owner}: a name is an HTTP token, given ${shown(name)}`);
  }
  const encoded = encodedValue(owner, value);
  if (name.length + encoded.length > COOKIE_BYTES_MAX) {
    const bytes = name.length + encoded.length;
    const most = `name and value have ${COOKIE_BYTES_MAX} bytes at most`;
    throw new RangeError(`${owner}: ${most}, given ${bytes}: browsers ignore longer cookies`);
  }
  const { path = '/', domain, httpOnly, secure, sameSite, partitioned, priority } = options;
  checkAttribute(owner, 'path', path, PATH);
  if (domain !== undefined) checkAttribute(owner, 'domain', domain, DOMAIN);
  checkSecurity(owner, name, options);
  const attributes = [...lifetime];
  if (domain !== undefined) attributes.push(`Domain=${domain}`);
  attributes.push(`Path=${path}`);
  if (secure === true) attributes.push('Secure');
  if (httpOnly === true) attributes.push('HttpOnly');
  if (sameSite !== undefined) attributes.push(`SameSite=${capitalized(sameSite)}`);
  if (partitioned === true) attributes.push('Partitioned');
  if (priority !== undefined) attributes.push(`Priority=${capitalized(priority)}`);
  return `${name}=${encoded}; ${attributes.join('; ')}`;
}

/** Characters that a value cannot contain, and `%`, are percent-encoded as UTF-8. */
function encodedValue(owner: string, value: string): string {
  if (typeof value !== 'string') {
    throw new TypeError(`${owner}: a value is a string, given ${shown(value)}`);
  }
  try {
    return value.replace(NOT_COOKIE_OCTETS, encodeEvery);
  } catch (cause) {
    throw new TypeError(`${owner}: the value has half a surrogate pair`, { cause });
  }
}

/** encodeURIComponent() keeps no character that a cookie value cannot contain. */
function encodeEvery(text: string): string {
  return encodeURIComponent(text);
}

function checkAttribute(owner: string, name: string, value: string, allowed: RegExp): void {
  if (value.length > COOKIE_ATTRIBUTE_BYTES_MAX) {
    const most = `${name} has ${COOKIE_ATTRIBUTE_BYTES_MAX} bytes at most`;
    throw new RangeError(`${owner}: ${most}: browsers ignore longer attributes`);
  }
  if (allowed.test(value)) return;
  const wanted = name === 'path' ? 'a path from "/" in ASCII, without ";"' : 'the name of a host';
  throw new TypeError(`${owner}: ${name} is ${wanted}, given ${shown(value)}`);
}

/** What browsers demand of secure cookies (RFC 6265bis 4.1.3; prefixes count in any case, 5.7). */
function checkSecurity(owner: string, name: string, options: ClearCookieOptions): void {
  const { path = '/', domain, secure, sameSite, partitioned } = options;
  const lower = name.toLowerCase();
  const isHost = lower.startsWith('__host-');
  if (secure !== true) {
    let why = '';
    if (isHost || lower.startsWith('__secure-')) why = `the prefix of ${name}`;
    else if (sameSite === 'none') why = "sameSite: 'none'";
    else if (partitioned === true) why = 'partitioned: true';
    if (why !== '') throw new TypeError(`${owner}: ${why} needs secure: true`);
  }
  if (isHost && (domain !== undefined || path !== '/')) {
    throw new TypeError(`${owner}: the prefix of ${name} needs path '/' and no domain`);
  }
}

function capitalized(word: string): string {
  return word[0].toUpperCase() + word.slice(1);
}

/**
 * Adds the field, instead of one that set the same cookie: a response sets a cookie once (RFC
 * 6265bis 4.1.1).
 */
export function addSetCookie(fields: ResponseFields, text: string): void {
  const identity = identityOf(text);
  const others: string[] = [];
  let count = 0;
  for (let index = 0; index < fields.count; index++) {
    if (fields.lowerNames[index] !== 'set-cookie') continue;
    count += 1;
    if (identityOf(fields.values[index]) !== identity) others.push(fields.values[index]);
  }
  if (others.length < count) {
    fields.remove('set-cookie');
    for (const other of others) fields.append('Set-Cookie', 'set-cookie', other);
  }
  fields.append('Set-Cookie', 'set-cookie', text);
}

/** Name, domain and path together (RFC 6265 5.3). */
function identityOf(text: string): string {
  const [pair, ...attributes] = text.split(';').map((part) => part.trim());
  const name = pair.slice(0, pair.indexOf('='));
  const domain = attributeOf(attributes, 'domain=').toLowerCase().replace(/^\./, '');
  return [name, domain, attributeOf(attributes, 'path=')].join(';');
}

function attributeOf(attributes: readonly string[], start: string): string {
  const found = attributes.find((attribute) => attribute.toLowerCase().startsWith(start));
  return found === undefined ? '' : found.slice(start.length);
}
