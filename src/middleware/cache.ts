// Sets Cache-Control (RFC 9111 5.2.2, RFC 5861, RFC 8246) and Vary. A handler, or a cache() with a
// narrower prefix, that has set Cache-Control itself takes precedence.

import { BOOLEAN, checkOptions, type OptionRule } from '../base/options.ts';
import type { Outgoing } from '../exchange/callbacks.ts';
import type { Middleware } from '../exchange/handler.ts';
import { noteMaker } from '../exchange/makers.ts';
import { exchangeOf } from '../exchange/request.ts';
import { Method } from '../http/method.ts';
import { isToken } from '../http/response-fields.ts';
import { SECONDS } from './seconds.ts';

/** Options of cache(): directives of Cache-Control (RFC 9111 5.2.2). */
export interface CacheOptions {
  /** How long every cache may use a response without asking again. */
  readonly maxAgeSeconds?: number;
  /** The same for shared caches, instead of maxAgeSeconds. */
  readonly sharedMaxAgeSeconds?: number;
  /** How long a cache may use a stale response while it fetches another one. */
  readonly staleWhileRevalidateSeconds?: number;
  /** How long a cache may use a stale response when this server fails. */
  readonly staleIfErrorSeconds?: number;
  /** Shared caches may store the response, also for a request with Authorization. */
  readonly public?: boolean;
  /** Only the client's own cache may store the response. */
  readonly private?: boolean;
  /** No cache stores the response. */
  readonly noStore?: boolean;
  /** A cache asks before each use. */
  readonly noCache?: boolean;
  /** A cache never uses a stale response. */
  readonly mustRevalidate?: boolean;
  /** The content of this URL never changes: a reload does not ask again. */
  readonly immutable?: boolean;
  /** No intermediary, nor compress(), changes the content. */
  readonly noTransform?: boolean;
  /** Request fields on which responses depend: one name or a list. */
  readonly vary?: string | readonly string[];
}

const VARY: OptionRule = {
  wanted: 'a field name or a list of field names',
  fits: (value) => namesOf(value).length > 0 && namesOf(value).every(isFieldName),
};

const OPTIONS = {
  maxAgeSeconds: SECONDS,
  sharedMaxAgeSeconds: SECONDS,
  staleWhileRevalidateSeconds: SECONDS,
  staleIfErrorSeconds: SECONDS,
  public: BOOLEAN,
  private: BOOLEAN,
  noStore: BOOLEAN,
  noCache: BOOLEAN,
  mustRevalidate: BOOLEAN,
  immutable: BOOLEAN,
  noTransform: BOOLEAN,
  vary: VARY,
} as const;

/** Throws a TypeError for options that are invalid, contradict each other, or set nothing. */
export function cache(options: CacheOptions): Middleware {
  checkOptions('cache', options, OPTIONS);
  checkTogether(options);
  const value = directivesOf(options).join(', ');
  // For any method and status: these forbid more than a response without the field does.
  const restrictive = restrictionsOf(options).join(', ');
  const vary = options.vary === undefined ? '' : namesOf(options.vary).join(', ');
  if (value === '' && vary === '')
    throw new TypeError('cache: no option is set, so it does nothing');
  return (request, response, next) => {
    if (vary !== '') response.appendHeader('Vary', vary);
    if (value === '') return next();
    const { method } = exchangeOf(request).head;
    const isSafe = method === Method.GET || method === Method.HEAD;
    response.beforeSend((outgoing) => {
      if (outgoing.header('Cache-Control') !== undefined) return;
      const allowed = isSafe && mayBeFresh(outgoing) ? value : restrictive;
      if (allowed !== '') outgoing.setHeader('Cache-Control', allowed);
    });
    return next();
  };
}

noteMaker(cache, 'cache');

/** An error must not be cached for as long as the content that is missing. */
function mayBeFresh({ status }: Outgoing): boolean {
  return status < 400;
}

function checkTogether(options: CacheOptions): void {
  const { immutable, maxAgeSeconds, noStore, sharedMaxAgeSeconds } = options;
  if (noStore === true) {
    const others = Object.entries(options).filter(
      ([name, value]) => !['noStore', 'noTransform', 'vary'].includes(name) && value !== undefined,
    );
    const [other] = others.find(([, value]) => value !== false) ?? [];
    if (other !== undefined) {
      throw new TypeError(
        `cache: noStore forbids to store the response, so ${other} has no effect`,
      );
    }
  }
  if (options.private === true && options.public === true) {
    throw new TypeError('cache: a response is public or private, not both');
  }
  if (options.private === true && sharedMaxAgeSeconds !== undefined) {
    throw new TypeError('cache: no shared cache stores a private response; leave out sharedMaxAge');
  }
  if (immutable === true && maxAgeSeconds === undefined) {
    throw new TypeError('cache: immutable has no effect without maxAgeSeconds');
  }
}

function restrictionsOf(options: CacheOptions): string[] {
  const names: string[] = [];
  if (options.noStore === true) names.push('no-store');
  if (options.private === true) names.push('private');
  if (options.noCache === true) names.push('no-cache');
  if (options.noTransform === true) names.push('no-transform');
  return names;
}

function directivesOf(options: CacheOptions): string[] {
  const directives = restrictionsOf(options);
  if (options.public === true) directives.push('public');
  const lengths = [
    ['max-age', options.maxAgeSeconds],
    ['s-maxage', options.sharedMaxAgeSeconds],
    ['stale-while-revalidate', options.staleWhileRevalidateSeconds],
    ['stale-if-error', options.staleIfErrorSeconds],
  ] as const;
  for (const [name, seconds] of lengths) {
    if (seconds !== undefined) directives.push(`${name}=${seconds}`);
  }
  if (options.mustRevalidate === true) directives.push('must-revalidate');
  if (options.immutable === true) directives.push('immutable');
  return directives;
}

function namesOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}

/** `Vary: *` is a field value, too, but no cache could use the response. */
function isFieldName(name: unknown): boolean {
  return typeof name === 'string' && isToken(name) && name !== '*';
}
