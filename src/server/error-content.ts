// What an error becomes as a response: its status and text, without the fields that describe the
// content that is not sent.

import type { Exchange } from '../exchange/exchange.ts';
import { checkFraming } from '../exchange/framing-fields.ts';
import { type FieldLine, HttpError } from '../exchange/http-error.ts';
import { PROBLEM_TYPE, problemOf, problemText } from '../exchange/problem.ts';
import { checkedName, type ResponseFields } from '../http/response-fields.ts';
import { isFinalStatus, reasonPhrase } from '../http/status.ts';
import { type ErrorField, invocationOf } from './invocation.ts';

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
 * Sets the fields of an HttpError, in place of those of the error before it: what these replaced
 * comes back. Fields that are not valid, or find no room, are left out: nothing may keep the error
 * itself from the client.
 */
export function setErrorFields(exchange: Exchange, error: unknown): void {
  const { fields } = exchange;
  const invocation = invocationOf(exchange);
  const { errorFields } = invocation;
  const own: ErrorField[] = [];
  invocation.errorFields = own;
  try {
    for (const { lower, value, replaced } of errorFields) {
      const lines = linesOf(fields, lower);
      const at = lines.findIndex((line) => line[1] === value);
      // Otherwise it was set again since.
      if (at < 0) continue;
      lines.splice(at, 1, ...replaced);
      fields.remove(lower);
      for (const line of lines) fields.append(line[0], lower, line[1]);
    }
  } catch {
    // No room is left.
  }
  try {
    if (!(error instanceof HttpError)) return;
    for (const [name, value] of error.headers) {
      const lower = checkedName(name);
      checkFraming(lower);
      const replaced = linesOf(fields, lower);
      fields.set(name, lower, value);
      // The last one first: an error may set a field twice.
      own.unshift({ lower, value, replaced });
    }
  } catch {
    // A subclass may have other members than HttpError.
  }
}

function linesOf({ count, lowerNames, names, values }: ResponseFields, lower: string): FieldLine[] {
  const lines: FieldLine[] = [];
  for (let index = 0; index < count; index++) {
    if (lowerNames[index] === lower) lines.push([names[index], values[index]]);
  }
  return lines;
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
