// An error with a status code. When a handler throws it, it becomes the response.

import { ANY, checkOptions, isPlainObject } from '../base/options.ts';
import { shown } from '../base/shown.ts';
import { checkedName, checkValue } from '../http/response-fields.ts';
import { checkStatus, reasonPhrase } from '../http/status.ts';
import { checkFraming } from './framing-fields.ts';

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
  /**
   * Fields of the response, such as Retry-After and WWW-Authenticate, also where onError() makes
   * it. They replace those that were set before.
   */
  readonly headers?: Readonly<Record<string, string | number>>;
}

/** A field of a response: its name, and its value. */
export type FieldLine = readonly [name: string, value: string];

const NO_FIELDS: readonly FieldLine[] = Object.freeze([]);

const OPTIONS = {
  cause: ANY,
  headers: { wanted: "an object of fields, as { 'Retry-After': 5 }", fits: isPlainObject },
  problem: { wanted: 'an object with members of problem details', fits: isPlainObject },
} as const;

/** An error that becomes the response: its status, and its message for the client. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  /** 400 to 599. */
  readonly status: number;
  /** Null unless the response is application/problem+json. */
  readonly problem: ProblemMembers | null;
  /** Fields of the response. */
  readonly headers: readonly FieldLine[];

  /** The message is sent to the client; without one it is the status's phrase. */
  constructor(status: number, message?: string, options: HttpErrorOptions = {}) {
    super(message ?? reasonPhrase(status), options);
    checkStatus('HttpError', status, 400);
    if (message !== undefined && typeof message !== 'string') {
      throw new TypeError(`HttpError: its message is a string, given ${shown(message)}`);
    }
    checkOptions('HttpError', options, OPTIONS);
    this.status = status;
    this.problem = options.problem ?? null;
    this.headers = options.headers === undefined ? NO_FIELDS : fieldLines(options.headers);
  }
}

/** Throws a TypeError for a field that an error cannot have, so where the error is made. */
function fieldLines(headers: Readonly<Record<string, unknown>>): readonly FieldLine[] {
  const lines = Object.entries(headers).map(([name, value]): FieldLine => {
    const lower = checkedName(name);
    checkFraming(lower);
    if (CONTENT.includes(lower)) {
      throw new TypeError(`HttpError: ${name} follows from the content, which the response has`);
    }
    if (typeof value !== 'string' && typeof value !== 'number') {
      throw new TypeError(`HttpError: ${name} is a string or a number, given ${shown(value)}`);
    }
    checkValue(name, String(value));
    return Object.freeze([name, String(value)] as const);
  });
  return Object.freeze(lines);
}

/** The response sets these. */
const CONTENT = ['content-type', 'content-encoding', 'content-range'];
