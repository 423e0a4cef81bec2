// The fields of a request to an upstream server.

import { exchangeOf, type Request } from '../exchange/request.ts';
import { traceOf } from '../exchange/tracing.ts';
import { hopFields } from '../http/hop-fields.ts';
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

/**
 * Those of the client without the ones of its connection, with Via and the X-Forwarded fields. What
 * trustProxy() found is the client's; fields of proxies that it does not know are dropped.
 */
export function requestFields(request: Request, host: string): Record<string, string> {
  const removed = hopFields(request.header('connection'));
  const fields: Record<string, string> = Object.create(null);
  for (const [name] of request.headers()) {
    // For servers that make variables of fields an underscore is a hyphen.
    const isOwn = OWN_FIELDS.includes(name.replaceAll('_', '-'));
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
