// Limits the requests of each client with token buckets. Responses report the limit in the fields
// RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers-10).

import { networkOf } from '../base/ip-range.ts';
import { BOOLEAN, checkOptions, FUNCTION, wholeNumberIn } from '../base/options.ts';
import { shown } from '../base/shown.ts';
import { whenBegins } from '../exchange/begins.ts';
import type { Services } from '../exchange/exchange.ts';
import type { Middleware } from '../exchange/handler.ts';
import { HttpError } from '../exchange/http-error.ts';
import { noteMaker } from '../exchange/makers.ts';
import { exchangeOf, type Request } from '../exchange/request.ts';
import { quotedString } from '../http/quoted-string.ts';
import { whenDecided } from './decision.ts';
import { SharedCounts } from './shared-counts.ts';
import { TokenBuckets } from './token-buckets.ts';

/** Options of rateLimit(). */
export interface RateLimitOptions {
  /** Requests of one key in `windowMs`, on average. */
  readonly limit: number;
  readonly windowMs: number;
  /** Requests that a key may send at once after a pause. Default: `limit`. */
  readonly burst?: number;
  /**
   * Returns the text, or a promise of it, by which requests are counted together; null for one that
   * is not limited. Default: the client's address, of IPv6 its first 64 bits.
   */
  readonly key?: (request: Request) => string | null | PromiseLike<string | null>;
  /** Keys that are remembered. Default 100,000. */
  readonly keysMax?: number;
  /** Count the requests of all workers together. Default false: each worker has its own limit. */
  readonly shared?: boolean;
  /** Names the limit in the fields, and among the workers. Default 'default'. */
  readonly name?: string;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const COUNT_MAX = 1_000_000_000;
const KEYS_MAX = 10_000_000;
const KEYS_DEFAULT = 100_000;
/** Longer keys are replaced by a digest. */
const KEY_CHARACTERS_MAX = 64;
const SECOND_MS = 1000;
const NAME = /^[\x20-\x7e]{1,64}$/;

const OPTIONS = {
  limit: wholeNumberIn(1, COUNT_MAX, 'requests'),
  windowMs: wholeNumberIn(1, DAY_MS, 'milliseconds'),
  burst: wholeNumberIn(1, COUNT_MAX, 'requests'),
  key: FUNCTION,
  keysMax: wholeNumberIn(1, KEYS_MAX, 'keys'),
  shared: BOOLEAN,
  name: {
    wanted: 'printable ASCII text',
    fits: (value: unknown) => typeof value === 'string' && NAME.test(value),
  },
} as const;

/** Throws a TypeError for unknown or invalid options. */
export function rateLimit(options: RateLimitOptions): Middleware {
  checkOptions('rateLimit', options, OPTIONS);
  const { keysMax = KEYS_DEFAULT, limit, name = 'default', shared = false, windowMs } = options;
  if (limit === undefined || windowMs === undefined) {
    throw new TypeError(
      'rateLimit: limit and windowMs are missing, as { limit: 100, windowMs: 60_000 }',
    );
  }
  const { burst = limit, key: keyFor = addressOf } = options;
  const buckets = new TokenBuckets({ limit, windowMs, burst, keysMax });
  const topic = `rateLimit ${limit}/${windowMs} ${name}`;
  const counts = shared ? new SharedCounts(topic, keysMax, buckets) : null;
  const label = quotedString(name);
  // The window is a whole number of seconds in this field.
  const window = windowMs % SECOND_MS === 0 ? `;w=${windowMs / SECOND_MS}` : '';
  const policy = `${label};q=${limit}${window}`;
  const middleware: Middleware = (request, response, next) =>
    whenDecided(request, keyFor(request), (given) => {
      if (given === null) return next();
      const { services } = exchangeOf(request);
      const key = keyFrom(given, services);
      counts?.listen(services);
      const waitMs = buckets.take(key, services.nowMs());
      const { fullInMs, tokens } = buckets;
      response.appendHeader('RateLimit-Policy', policy);
      response.appendHeader('RateLimit', `${label};r=${tokens};t=${seconds(fullInMs)}`);
      if (waitMs > 0) {
        response.header('Retry-After', Math.max(1, seconds(waitMs)));
        services.meter?.add('limited');
        throw new HttpError(429);
      }
      counts?.granted(key, services);
      return next();
    });
  if (counts === null) return middleware;
  return whenBegins(middleware, (services) => counts.listen(services));
}

noteMaker(rateLimit, 'rateLimit');

function addressOf(request: Request): string {
  return networkOf(request.remoteAddress);
}

/** Bounds the memory of a key. No short key can be the same as a digest, which is longer. */
function keyFrom(given: unknown, services: Services): string {
  if (typeof given !== 'string') {
    throw new TypeError(`rateLimit: key() returns text or null, returned ${shown(given)}`);
  }
  if (given.length <= KEY_CHARACTERS_MAX) return given;
  return `#${services.asyncIo.hashNow('sha256', Buffer.from(given))}`;
}

function seconds(ms: number): number {
  return Math.ceil(ms / SECOND_MS);
}
