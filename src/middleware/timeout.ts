// A time limit for handlers below a prefix: 503 when nothing was sent within it, as with
// handler_timeout_ms. Only requests that are not handled at once cost anything.

import { shown } from '../base/shown.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Middleware } from '../exchange/handler.ts';
import type { TimeLimit } from '../exchange/handling.ts';
import { noteMaker } from '../exchange/makers.ts';
import { exchangeOf } from '../exchange/request.ts';
import { Phase } from '../exchange/state.ts';

/** The longest delay of a timer of Node. */
const MS_MAX = 2_147_483_647;

/**
 * Limits the time until the head of the response is sent, in milliseconds; 0: no limit. The
 * timeout() that runs last decides. Throws a TypeError for another value.
 */
export function timeout(ms: number): Middleware {
  if (!(Number.isInteger(ms) && ms >= 0 && ms <= MS_MAX)) {
    throw new TypeError(`timeout: the limit is a whole number of milliseconds, given ${shown(ms)}`);
  }
  const limit = new Limit(ms);
  return (request, response, next) => {
    const exchange = exchangeOf(request);
    exchange.timeLimit?.drop(exchange);
    exchange.timeLimit = limit;
    const later = next();
    const isWaiting = exchange.identity === response && isOpen(exchange);
    if (ms > 0 && isWaiting && exchange.timeLimit === limit) {
      limit.add(exchange);
      // Called also for a response that the client does not get.
      response.afterSend(() => limit.drop(exchange));
    }
    return later;
  };
}

noteMaker(timeout, 'timeout');

function isOpen(exchange: Exchange): boolean {
  return exchange.phase === Phase.Open && !exchange.gone;
}

interface Due {
  readonly exchange: Exchange;
  /** By the driver's clock. */
  readonly atMs: number;
}

/** All requests have the same limit, so they are due in the order in which they were added. */
class Limit implements TimeLimit {
  readonly #ms: number;
  readonly #due: Map<object, Due> = new Map();
  #isWatching = false;

  constructor(ms: number) {
    this.#ms = ms;
  }

  /** The requests that wait for a response. */
  get count(): number {
    return this.#due.size;
  }

  add(exchange: Exchange): void {
    exchange.retain();
    this.#due.set(exchange, { exchange, atMs: exchange.services.nowMs() + this.#ms });
    if (!this.#isWatching) void this.#watch();
  }

  drop(exchange: object): void {
    this.#due.delete(exchange);
  }

  /** One pause at a time, for the request that is due first. */
  async #watch(): Promise<void> {
    this.#isWatching = true;
    for (;;) {
      const { done, value } = this.#due.values().next();
      if (done === true) break;
      const { exchange, atMs } = value;
      const leftMs = atMs - exchange.services.nowMs();
      if (leftMs > 0) await exchange.services.pause(Math.ceil(leftMs));
      else this.#expire(exchange);
    }
    this.#isWatching = false;
  }

  #expire(exchange: Exchange): void {
    this.#due.delete(exchange);
    if (!isOpen(exchange)) return;
    exchange.services.timedOut(exchange, `no response within ${this.#ms} ms`);
  }
}
