// The Server-Timing field (W3C Server Timing, section 4): how long parts of a request took, which
// browsers show to the developer of a page.

import { SERVER_TIMINGS_MAX } from '../base/fixed-limits.ts';
import { BOOLEAN, checkOptions } from '../base/options.ts';
import { shown } from '../base/shown.ts';
import type { Middleware } from '../exchange/handler.ts';
import { noteMaker } from '../exchange/makers.ts';
import { exchangeOf, type Request } from '../exchange/request.ts';
import { quotedString } from '../http/quoted-string.ts';
import { isToken } from '../http/response-fields.ts';

/** Options of serverTiming(). */
export interface ServerTimingOptions {
  /** Add `total`, the time from the request's head to the response's. Default true. */
  readonly total?: boolean;
}

/**
 * Adds a metric to the response; without effect once its head was sent. The name is an HTTP token,
 * the description text of visible ASCII characters and spaces.
 */
export type Timing = (name: string, durationMs?: number, description?: string) => void;

const OPTIONS = { total: BOOLEAN } as const;

/** Throws a TypeError for unknown or invalid options. */
export function serverTiming(options: ServerTimingOptions = {}): Middleware<{ timing: Timing }> {
  checkOptions('serverTiming', options, OPTIONS);
  const { total = true } = options;
  return (request, response, next) => {
    const { services, startedMs } = exchangeOf(request);
    const metrics: string[] = [];
    const timing: Timing = (name, durationMs, description) => {
      const metric = metricText(name, durationMs, description);
      if (metrics.length >= SERVER_TIMINGS_MAX) {
        throw new RangeError(`timing(): a response has at most ${SERVER_TIMINGS_MAX} metrics`);
      }
      metrics.push(metric);
    };
    request.state.timing = timing;
    response.beforeSend((outgoing) => {
      if (total) metrics.push(metricText('total', Math.max(0, services.nowMs() - startedMs)));
      if (metrics.length > 0) outgoing.appendHeader('Server-Timing', metrics.join(', '));
    });
    return next();
  };
}

noteMaker(serverTiming, 'serverTiming');

/** The function that serverTiming() has left in req.state; throws where it does not run. */
export function timing(request: Request): Timing {
  const { state } = (request ?? {}) as Partial<Request>;
  if (state === undefined) {
    throw new TypeError(`timing(): its argument is the request, given ${shown(request)}`);
  }
  const { timing: found } = state;
  if (typeof found === 'function') return found as Timing;
  throw new TypeError('timing(): serverTiming() does not run for this request; add it by use()');
}

/** A longer duration would be written with an exponent. */
const DURATION_MS_MAX = 1e15;

function metricText(name: unknown, durationMs?: unknown, description?: unknown): string {
  if (typeof name !== 'string' || !isToken(name)) {
    throw new TypeError(`timing(): a name is an HTTP token, given ${shown(name)}`);
  }
  let text = name;
  if (durationMs !== undefined) {
    if (typeof durationMs !== 'number' || !(durationMs >= 0 && durationMs < DURATION_MS_MAX)) {
      throw new TypeError(`timing(): a duration is in milliseconds, given ${shown(durationMs)}`);
    }
    text += `;dur=${Number(durationMs.toFixed(3))}`;
  }
  if (description === undefined) return text;
  if (typeof description !== 'string' || !/^[\x20-\x7e]*$/.test(description)) {
    throw new TypeError(`timing(): a description is ASCII text, given ${shown(description)}`);
  }
  return `${text};desc=${quotedString(description)}`;
}
