// What an error becomes as a response: its status and text, without the fields that describe the
// content that is not sent.

import type { Exchange } from '../exchange/exchange.ts';
import { checkFraming } from '../exchange/framing-fields.ts';
import { HttpError } from '../exchange/http-error.ts';
import { PROBLEM_TYPE, problemOf, problemText } from '../exchange/problem.ts';
import { checkedName } from '../http/response-fields.ts';
import { isFinalStatus, reasonPhrase } from '../http/status.ts';
import { invocationOf } from './invocation.ts';

/** The response for an error: an HttpError's status with its message or problem, else 500. */
export function errorContent(error: unknown): { status: number; text: string; type: string } {
  const type = 'text/plain; charset=utf-8';
  try {
    if (error instanceof HttpError) {
      const { status, message, problem } = error;
      if (problem !== null) {
        return { status, text: problemText(status, problemOf(error)), type: PROBLEM_TYPE };
      }
      if (isFinalStatus(status) && status >= 400 && typeof message === 'string') {
        return { status, text: `${message}\n`, type };
      }
    }
  } catch {
    // A getter or a proxy threw, or a problem has no JSON: as for any other error.
  }
  return { status: 500, text: `${reasonPhrase(500)}\n`, type };
}

/**
 * Sets the fields of an HttpError, in place of those of the error before it. Those that are not
 * valid, or find no room, are left out: nothing may keep the error itself from the client.
 */
export function setErrorFields(exchange: Exchange, error: unknown): void {
  const { fields } = exchange;
  const invocation = invocationOf(exchange);
  const before = invocation.error;
  invocation.error = error;
  try {
    if (before instanceof HttpError) {
      for (const [name] of before.headers) fields.remove(checkedName(name));
    }
  } catch {
    // A subclass may have other members than HttpError.
  }
  try {
    if (!(error instanceof HttpError)) return;
    for (const [name, value] of error.headers) {
      const lower = checkedName(name);
      checkFraming(lower);
      fields.set(name, lower, value);
    }
  } catch {
    // As above.
  }
}

/** A proxy may throw even from instanceof. */
export function isHttpError(error: unknown): error is HttpError {
  try {
    return error instanceof HttpError;
  } catch {
    return false;
  }
}

/** Removes the fields that describe content that is not sent; fields such as CORS's stay. */
export function clearContent(exchange: Exchange): void {
  for (const name of CONTENT_FIELDS) exchange.fields.remove(name);
  exchange.owedBytes = -1;
}

const CONTENT_FIELDS = [
  'content-type',
  'content-digest',
  'content-encoding',
  'content-language',
  'content-location',
  'content-range',
  'content-disposition',
  'repr-digest',
  'accept-ranges',
  'etag',
  'last-modified',
  'cache-control',
  'expires',
  'location',
];
