// Errors of reading the body of a request: too long, malformed, truncated. Frameworks that know
// nothing of HttpError call getResponse(), as hono does; so they respond with the same status.

import { HttpError } from '../exchange/http-error.ts';
import { NativeResponse } from './native.ts';

export class RequestBodyError extends HttpError {
  getResponse(): globalThis.Response {
    return new NativeResponse(`${this.message}\n`, { status: this.status });
  }
}

/** Throws the error, an HttpError as a RequestBodyError. */
export function bodyError(error: unknown): never {
  if (!(error instanceof HttpError)) throw error;
  throw new RequestBodyError(error.status, error.message, { cause: error });
}
