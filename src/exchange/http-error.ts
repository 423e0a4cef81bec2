// An error with a status code. When a handler throws it, it becomes the response.

import { checkOptions } from '../base/options.ts';
import { shown } from '../base/shown.ts';
import { isFinalStatus, reasonPhrase } from '../http/status.ts';

const OPTIONS = { cause: { wanted: 'anything', fits: () => true } } as const;

export class HttpError extends Error {
  override readonly name = 'HttpError';
  /** 400 to 599. */
  readonly status: number;

  /** The message is sent to the client; without one it is the status's phrase. */
  constructor(status: number, message?: string, options: ErrorOptions = {}) {
    super(message ?? reasonPhrase(status), options);
    if (!isFinalStatus(status) || status < 400) {
      throw new RangeError(`HttpError: its status is from 400 to 599, given ${shown(status)}`);
    }
    if (message !== undefined && typeof message !== 'string') {
      throw new TypeError(`HttpError: its message is a string, given ${shown(message)}`);
    }
    checkOptions('HttpError', options, OPTIONS);
    this.status = status;
  }
}
