// An error that knows which status it is. Thrown by a handler, it becomes that answer.

import { isFinalStatus, reasonPhrase } from '../http/status.ts';

export class HttpError extends Error {
  override readonly name = 'HttpError';
  /** 400 to 599. */
  readonly status: number;

  /** The message is sent to the client; without one it is the status's phrase. */
  constructor(status: number, message?: string, options?: ErrorOptions) {
    super(message ?? reasonPhrase(status), options);
    if (!isFinalStatus(status) || status < 400) {
      throw new RangeError(`an HttpError has a status from 400 to 599, not ${status}`);
    }
    this.status = status;
  }
}
