// Response fields that make browsers restrict what pages may do, with defaults that suit a site
// which loads everything from itself.

import { BOOLEAN, checkOptions, isPlainObject, type OptionRule } from '../base/options.ts';
import { shown } from '../base/shown.ts';
import type { Middleware } from '../exchange/handler.ts';
import { noteMaker } from '../exchange/makers.ts';
import type { ContentSecurityPolicy } from './content-security-policy.ts';
import { policyText } from './content-security-policy.ts';
import { SECONDS } from './seconds.ts';

/** Directives of Strict-Transport-Security (RFC 6797 6.1). */
export interface HstsOptions {
  /** How long browsers use only https for this host. Default a year. */
  readonly maxAgeSeconds?: number;
  readonly includeSubDomains?: boolean;
  /** Asks for a place in the lists that browsers are built with; hard to take back. */
  readonly preload?: boolean;
  /** Send it although the protocol is not known to be https. Default false. */
  readonly always?: boolean;
}

/** Each field can be turned off by `false`. */
export interface SecurityHeadersOptions {
  /** The sources of each directive, or the whole value. */
  readonly contentSecurityPolicy?: ContentSecurityPolicy | string | false;
  /** Sent when the request came by https, which trustProxy() finds out. */
  readonly strictTransportSecurity?: HstsOptions | false;
  /** X-Content-Type-Options. */
  readonly contentTypeOptions?: 'nosniff' | false;
  /** X-Frame-Options, for browsers that do not know frame-ancestors. */
  readonly frameOptions?: 'DENY' | 'SAMEORIGIN' | false;
  readonly referrerPolicy?: string | false;
  readonly crossOriginOpenerPolicy?: string | false;
  readonly crossOriginResourcePolicy?: string | false;
  /** Off by default: with it, everything from other origins must allow that. */
  readonly crossOriginEmbedderPolicy?: string | false;
  /** The origins that may use each feature; an empty list is none. */
  readonly permissionsPolicy?: Readonly<Record<string, readonly string[]>> | false;
}

const YEAR_SECONDS = 31_536_000;

const REFERRER_POLICIES = [
  'no-referrer',
  'no-referrer-when-downgrade',
  'origin',
  'origin-when-cross-origin',
  'same-origin',
  'strict-origin',
  'strict-origin-when-cross-origin',
  'unsafe-url',
];
const OPENER_POLICIES = [
  'same-origin',
  'same-origin-allow-popups',
  'noopener-allow-popups',
  'unsafe-none',
];
const RESOURCE_POLICIES = ['same-origin', 'same-site', 'cross-origin'];
const EMBEDDER_POLICIES = ['require-corp', 'credentialless', 'unsafe-none'];

const POLICY: OptionRule = {
  wanted: 'false, text, or an object of directives',
  fits: (value) => value === false || typeof value === 'string' || isPlainObject(value),
};
const OBJECT_OR_FALSE: OptionRule = {
  wanted: 'false or an object',
  fits: (value) => value === false || isPlainObject(value),
};

const OPTIONS = {
  contentSecurityPolicy: POLICY,
  strictTransportSecurity: OBJECT_OR_FALSE,
  contentTypeOptions: oneOf(['nosniff']),
  frameOptions: oneOf(['DENY', 'SAMEORIGIN']),
  referrerPolicy: oneOf(REFERRER_POLICIES),
  crossOriginOpenerPolicy: oneOf(OPENER_POLICIES),
  crossOriginResourcePolicy: oneOf(RESOURCE_POLICIES),
  crossOriginEmbedderPolicy: oneOf(EMBEDDER_POLICIES),
  permissionsPolicy: OBJECT_OR_FALSE,
} as const;

const HSTS_OPTIONS = {
  maxAgeSeconds: SECONDS,
  includeSubDomains: BOOLEAN,
  preload: BOOLEAN,
  always: BOOLEAN,
} as const;

/** Inline scripts and styles, eval, plugins and other origins are not allowed. */
const DEFAULT_POLICY: ContentSecurityPolicy = {
  'default-src': ["'self'"],
  'base-uri': ["'self'"],
  'form-action': ["'self'"],
  'frame-ancestors': ["'self'"],
  'object-src': ["'none'"],
};

/** What a page hardly needs and asks the user for. */
const DEFAULT_PERMISSIONS = { camera: [], geolocation: [], microphone: [], payment: [], usb: [] };

/** Throws a TypeError for values that browsers would ignore or take for something else. */
export function securityHeaders(options: SecurityHeadersOptions = {}): Middleware {
  checkOptions('securityHeaders', options, OPTIONS);
  const fields = fieldsFrom(options);
  const { strictTransportSecurity: given = {} } = options;
  const hsts = given === false ? null : hstsText(given);
  const always = given !== false && given.always === true;
  return (request, response, next) => {
    for (const [name, value] of fields) response.header(name, value);
    // RFC 6797 7.2: not over http, where anyone on the way could have set it.
    if (hsts !== null && (always || request.protocol === 'https')) {
      response.header('Strict-Transport-Security', hsts);
    }
    return next();
  };
}

noteMaker(securityHeaders, 'securityHeaders');

function fieldsFrom(options: SecurityHeadersOptions): readonly (readonly [string, string])[] {
  const {
    contentSecurityPolicy = DEFAULT_POLICY,
    contentTypeOptions = 'nosniff',
    frameOptions = 'SAMEORIGIN',
    // Not 'no-referrer', with which browsers send `Origin: null` to the page's own server.
    referrerPolicy = 'strict-origin-when-cross-origin',
    crossOriginOpenerPolicy = 'same-origin',
    crossOriginResourcePolicy = 'same-origin',
    crossOriginEmbedderPolicy = false,
    permissionsPolicy = DEFAULT_PERMISSIONS,
  } = options;
  const values: readonly (readonly [string, string | false])[] = [
    ['Content-Security-Policy', unlessOff(contentSecurityPolicy, policyText)],
    ['X-Content-Type-Options', contentTypeOptions],
    ['X-Frame-Options', frameOptions],
    ['Referrer-Policy', referrerPolicy],
    ['Cross-Origin-Opener-Policy', crossOriginOpenerPolicy],
    ['Cross-Origin-Resource-Policy', crossOriginResourcePolicy],
    ['Cross-Origin-Embedder-Policy', crossOriginEmbedderPolicy],
    ['Permissions-Policy', unlessOff(permissionsPolicy, permissionsText)],
  ];
  return values.flatMap(([name, value]) =>
    value === false || value === '' ? [] : [[name, value] as const],
  );
}

function unlessOff<T>(value: T | false, text: (value: T) => string): string | false {
  return value === false ? false : text(value);
}

function hstsText(options: HstsOptions): string {
  checkOptions('securityHeaders: strictTransportSecurity', options, HSTS_OPTIONS);
  const { includeSubDomains = false, maxAgeSeconds = YEAR_SECONDS, preload = false } = options;
  if (preload && !(includeSubDomains && maxAgeSeconds >= YEAR_SECONDS)) {
    throw new TypeError(
      'securityHeaders: strictTransportSecurity: preload needs includeSubDomains: true and ' +
        `maxAgeSeconds of at least ${YEAR_SECONDS}`,
    );
  }
  const directives = [`max-age=${maxAgeSeconds}`];
  if (includeSubDomains) directives.push('includeSubDomains');
  if (preload) directives.push('preload');
  return directives.join('; ');
}

const FEATURE = /^[a-z]+(?:-[a-z]+)*$/;
const PERMITTED_ORIGIN = /^https?:\/\/(?:\*\.)?[a-z0-9.-]+(?::[0-9]{1,5})?$/;

/** A structured dictionary of inner lists (RFC 9651): tokens, and origins in quotes. */
function permissionsText(policy: Readonly<Record<string, readonly string[]>>): string {
  const members: string[] = [];
  for (const [feature, origins] of Object.entries(policy)) {
    const owner = `securityHeaders: permissionsPolicy: ${shown(feature)}`;
    if (!FEATURE.test(feature)) throw new TypeError(`${owner} is not the name of a feature`);
    if (!Array.isArray(origins)) throw new TypeError(`${owner} has a list of origins`);
    members.push(`${feature}=(${origins.map((origin) => permitted(owner, origin)).join(' ')})`);
  }
  return members.join(', ');
}

function permitted(owner: string, origin: unknown): string {
  if (origin === 'self' || origin === '*' || origin === 'src') return origin;
  if (typeof origin === 'string' && PERMITTED_ORIGIN.test(origin)) return `"${origin}"`;
  throw new TypeError(`${owner}: given ${shown(origin)}, allowed: self, * or an origin`);
}

function oneOf(values: readonly string[]): OptionRule {
  return {
    wanted: `false or one of ${values.map((value) => `'${value}'`).join(', ')}`,
    fits: (value) => value === false || values.some((one) => one === value),
  };
}
