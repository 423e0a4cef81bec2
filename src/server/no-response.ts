// Logs that a handler returned neither a response nor a promise: long before handler_timeout_ms,
// and once for each handler. A handler may respond later, from a callback that keeps `res`, which
// cannot be seen from here: so the log waits for NO_RESPONSE_NOTE_MS, and says what is known then.
// A handler without a parameter for `res` cannot respond: that is logged at once.
// Nothing here runs for requests whose handler responds or returns a promise.

import { NO_RESPONSE_NOTE_MS } from '../base/fixed-limits.ts';
import type { Handler } from '../exchange/handler.ts';
import { requestLine } from '../exchange/request-line.ts';
import { BodyUse } from '../exchange/state.ts';
import { type Invocation, needsResponse } from './invocation.ts';

const CALL = 'call a method of the response, such as res.text() or res.empty()';

const NOT_SENT = 'a value that it returns is not sent';

/** The error of a promise that resolved without a response. */
export const FINISHED: string = `the handler finished without a response: ${CALL}; ${NOT_SENT}`;

export class NoResponseNotes {
  readonly #log: (message: string) => void;
  /** Handlers about which the log has a line, or of which a request is watched. */
  readonly #known = new WeakSet<Handler>();

  constructor(log: (message: string) => void) {
    this.#log = log;
  }

  /**
   * A request has no response, and no promise of it is pending. `isAlone`: no middleware runs,
   * which could respond too.
   */
  watch(invocation: Invocation, isAlone: boolean): void {
    const { endpoint, exchange, match } = invocation;
    if (this.#known.has(endpoint)) return;
    this.#known.add(endpoint);
    const { pattern } = match;
    const route = pattern === null ? '' : ` (route ${pattern})`;
    const where = `${requestLine(exchange)}${route}`;
    if (isAlone && cannotRespond(endpoint)) {
      const what = 'the handler returned without a response, and has no parameter for one';
      this.#log(`${where}: ${what}: write (req, res) => ..., and ${CALL}`);
      return;
    }
    const { identity } = exchange;
    void exchange.services.pause(NO_RESPONSE_NOTE_MS).then(() => {
      const isPending = exchange.identity === identity && needsResponse(exchange);
      if (!isPending || exchange.bodyUse === BodyUse.Reading) {
        this.#known.delete(endpoint);
        return;
      }
      const what = `no response ${NO_RESPONSE_NOTE_MS} ms after the handler returned`;
      const waits = 'a handler that waits for something returns a promise, and is not logged';
      this.#log(`${where}: ${what}: ${CALL}; ${waits}`);
    });
  }
}

/** The beginnings of functions with at most one parameter, which is the request. */
const TAKES_REQUEST_ONLY = /^(?:(?:function\b\s*)?[\w$]*\s*\(\s*[\w$]*\s*\)|[\w$]+\s*=>)/;
/** Other ways to reach the arguments, and functions whose source is not shown. */
const MAY_TAKE_MORE = /\barguments\b|\beval\b|\[native code\]/;

/** True when a handler has no way to reach its response; false when that is not certain. */
export function cannotRespond(handler: Handler): boolean {
  if (handler.length > 1) return false;
  const source = Function.prototype.toString.call(handler);
  return TAKES_REQUEST_ONLY.test(source) && !MAY_TAKE_MORE.test(source);
}
