// An error with a status code. When a handler throws it, it becomes the response.

import { ANY, checkOptions, isPlainObject } from '../base/options.ts';
import { shown } from '../base/shown.ts';
import { isFinalStatus, reasonPhrase } from '../http/status.ts';

/** Members of a problem details object (RFC 9457 3.1), and any others. */
export interface ProblemMembers {
  /** A URI that identifies the kind of problem; without it the status says all. */
  readonly type?: string;
  readonly title?: string;
  readonly detail?: string;
  /** A URI that identifies this occurrence. */
  readonly instance?: string;
  readonly [extension: string]: unknown;
}

/** Options of HttpError. */
export interface HttpErrorOptions extends ErrorOptions {
  /** The response is application/problem+json with these members. */
  readonly problem?: ProblemMembers;
}

const OPTIONS = {
  cause: ANY,
  problem: { wanted: 'an object with members of problem details', fits: isPlainObject },
} as const;

/** An error that becomes the response: its status, and its message for the client. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  /** 400 to 599. */
  readonly status: number;
  /** Null unless the response is application/problem+json. */
  readonly problem: ProblemMembers | null;

  /** The message is sent to the client; without one it is the status's phrase. */
  constructor(status: number, message?: string, options: HttpErrorOptions = {}) {
    super(message ?? reasonPhrase(status), options);
    if (!isFinalStatus(status) || status < 400) {
      throw new RangeError(`HttpError: its status is from 400 to 599, given ${shown(status)}`);
    }
    if (message !== undefined && typeof message !== 'string') {
      throw new TypeError(`HttpError: its message is a string, given ${shown(message)}`);
    }
    checkOptions('HttpError', options, OPTIONS);
    this.status = status;
    this.problem = options.problem ?? null;
  }
}
