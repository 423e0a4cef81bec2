// The fields of a request to an upstream server.

import { isPlainObject } from '../base/options.ts';
import { shown } from '../base/shown.ts';
import { exchangeOf, type Request } from '../exchange/request.ts';
import { traceOf } from '../exchange/tracing.ts';
import { hopFields } from '../http/hop-fields.ts';
import { checkedName, checkValue } from '../http/response-fields.ts';
import { traceContext } from '../http/trace-context.ts';

/** Set here, so that no client can claim them. */
const OWN_FIELDS = [
  'expect',
  'forwarded',
  'host',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
];

/** Lower-case names that option `fields` may not set: framing, the connection, and the host. */
const REFUSED = hopFields('expect, host, via');

/**
 * Those of the client without the ones of its connection, with Via and the X-Forwarded fields. What
 * trustProxy() found is the client's; fields of proxies that it does not know are dropped.
 */
export function requestFields(request: Request, host: string): Record<string, string> {
  const removed = hopFields(request.header('connection'));
  const fields: Record<string, string> = Object.create(null);
  for (const [name] of request.headers()) {
    const isOwn = OWN_FIELDS.includes(hyphened(name));
    if (removed.has(name) || isOwn || name in fields) continue;
    fields[name] = request.header(name) ?? '';
  }
  setTrace(fields, request);
  const via = request.header('via');
  const own = `${request.httpVersion} vibing`;
  fields['Host'] = host;
  fields['Via'] = via === undefined ? own : `${via}, ${own}`;
  if (request.remoteAddress !== '') fields['X-Forwarded-For'] = request.remoteAddress;
  fields['X-Forwarded-Proto'] = request.protocol;
  if (request.host !== '') fields['X-Forwarded-Host'] = request.host;
  return fields;
}

/** The checked result of option `fields`: lower-case names; the value null removes a field. */
export type SetFields = ReadonlyMap<string, string | null>;

/** Throws a TypeError for what a request cannot have. */
export function checkedFields(given: unknown): SetFields {
  if (!isPlainObject(given)) {
    throw new TypeError(`proxy: fields() returns a plain object, returned ${shown(given)}`);
  }
  const set = new Map<string, string | null>();
  for (const [name, value] of Object.entries(given)) {
    const lower = checkedName(name);
    if (REFUSED.has(hyphened(lower))) {
      throw new TypeError(`proxy: fields() returned ${lower}, which the proxy sets itself`);
    }
    if (value !== undefined && typeof value !== 'string' && typeof value !== 'number') {
      const wanted = 'text, a number or undefined';
      throw new TypeError(`proxy: fields(): ${name} is ${wanted}, given ${shown(value)}`);
    }
    const text = value === undefined ? null : String(value);
    checkValue(name, text ?? '');
    set.set(lower, text);
  }
  return set;
}

/** Puts them in place of those of the client, also of those that differ by underscores. */
export function setFields(fields: Record<string, string>, set: SetFields): void {
  const names = new Set([...set.keys()].map(hyphened));
  for (const name of Object.keys(fields)) {
    if (names.has(hyphened(name))) delete fields[name];
  }
  for (const [name, value] of set) {
    if (value !== null) fields[name] = value;
  }
}

/** For servers that make variables of fields an underscore is a hyphen. */
function hyphened(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}

/** Those that a tracer has set, else those of the client, without what is not valid. */
function setTrace(fields: Record<string, string>, request: Request): void {
  const own = traceOf(exchangeOf(request));
  const parent = own?.traceparent ?? fields['traceparent'];
  const state = own?.traceparent === undefined ? fields['tracestate'] : own.tracestate;
  delete fields['traceparent'];
  delete fields['tracestate'];
  const trace = traceContext(parent, state);
  if (parent === undefined || trace === null) return;
  fields['traceparent'] = parent;
  if (trace.state !== '') fields['tracestate'] = trace.state;
}
