// Handles a POST as the method that one of its fields names, for clients that can send GET and POST
// only. The route is found again for that method.

import { checkOptions, type OptionRule } from '../base/options.ts';
import type { Middleware } from '../exchange/handler.ts';
import { HttpError } from '../exchange/http-error.ts';
import { noteMaker } from '../exchange/makers.ts';
import { exchangeOf } from '../exchange/request.ts';
import { Method, methodNumber } from '../http/method.ts';
import { isToken } from '../http/response-fields.ts';

/** Options of methodOverride(). */
export interface MethodOverrideOptions {
  /** The field that names the method. Default 'X-HTTP-Method-Override'. */
  readonly header?: string;
  /** The methods that it may name. Default ['PUT', 'PATCH', 'DELETE']. */
  readonly methods?: readonly ('PUT' | 'PATCH' | 'DELETE')[];
}

/**
 * Not GET and HEAD, whose responses caches may keep, nor OPTIONS, CONNECT and TRACE, which have a
 * meaning of their own.
 */
const METHODS: readonly string[] = ['PUT', 'PATCH', 'DELETE'];

const OPTIONS = {
  header: {
    wanted: 'a field name',
    fits: (value: unknown) => typeof value === 'string' && isToken(value),
  } satisfies OptionRule,
  methods: {
    wanted: `a list of ${METHODS.map((name) => `'${name}'`).join(', ')}, not empty`,
    fits: (value: unknown) =>
      Array.isArray(value) && value.length > 0 && value.every((one) => METHODS.includes(one)),
  } satisfies OptionRule,
} as const;

/** Throws a TypeError for unknown or invalid options. */
export function methodOverride(options: MethodOverrideOptions = {}): Middleware {
  checkOptions('methodOverride', options, OPTIONS);
  const { header = 'X-HTTP-Method-Override' } = options;
  const methods: readonly string[] = [...(options.methods ?? METHODS)];
  return (request, _response, next) => {
    const exchange = exchangeOf(request);
    if (exchange.head.method !== Method.POST) return next();
    const method = request.header(header);
    if (method === undefined || method === 'POST') return next();
    if (!methods.includes(method)) {
      throw new HttpError(400, `${header} must be one of ${methods.join(', ')}`);
    }
    exchange.head.method = methodNumber(method);
    exchange.services.reroute(exchange);
    return next();
  };
}

noteMaker(methodOverride, 'methodOverride');
