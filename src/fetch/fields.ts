// Fields of a Response on the response that is sent. Those that frame a message are the server's.

import { RESPONSE_FIELDS_MAX } from '../base/fixed-limits.ts';
import { declareLength } from '../exchange/declared-framing.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { checkedName } from '../http/response-fields.ts';

/** What undici decodes. */
const DECODED = ['gzip', 'x-gzip', 'deflate', 'br'];

/** The server frames the response: these have no effect. */
const CONNECTION_FIELDS: ReadonlySet<string> = new Set([
  'transfer-encoding',
  'keep-alive',
  'proxy-connection',
  'upgrade',
  'trailer',
]);

/** `isDecoded`: fetch() made the response, and may have decoded its content. */
export function addFields(
  exchange: Exchange,
  headers: Iterable<readonly [string, string]>,
  isDecoded: boolean,
): void {
  let dropsCoding = false;
  const pairs = pairsOf(headers);
  if (isDecoded) {
    for (const [name, value] of pairs) {
      if (name.toLowerCase() === 'content-encoding') dropsCoding = isDecodedByFetch(value);
    }
  }
  for (const [name, value] of pairs) {
    if (dropsCoding && /^content-(encoding|length)$/i.test(name)) continue;
    addField(exchange, name, value, true);
  }
}

/** An object that is used like Headers may have an iterator without an end. */
function pairsOf(headers: Iterable<readonly [string, string]>): (readonly [string, string])[] {
  const pairs: (readonly [string, string])[] = [];
  for (const pair of headers) {
    if (pairs.push(pair) > RESPONSE_FIELDS_MAX) {
      throw new RangeError(`fetchHandler(): a Response has ${RESPONSE_FIELDS_MAX} fields at most`);
    }
  }
  return pairs;
}

function isDecodedByFetch(codings: string): boolean {
  return codings.split(',').every((coding) => DECODED.includes(coding.trim().toLowerCase()));
}

/** Replaces what middleware has set, if `isFirst`; cookies and Vary are added to it. */
export function addField(exchange: Exchange, name: string, value: string, isFirst: boolean): void {
  const lower = checkedName(name);
  if (lower === 'content-length') {
    declareLength(exchange, value);
  } else if (lower === 'connection') {
    if (/(^|[\s,])close([\s,]|$)/i.test(value)) exchange.disableKeepAlive();
  } else if (!CONNECTION_FIELDS.has(lower)) {
    const { fields } = exchange;
    if (isFirst && lower !== 'set-cookie') fields.set(name, lower, value);
    else fields.append(name, lower, value);
  }
}
