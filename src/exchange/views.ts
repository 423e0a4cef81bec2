// Hot: runs for every request. Measured by perf/micro/pools.ts.
// Requests and responses as handlers hold them, made beforehand and used again, first in first out:
// a view that a handler kept throws until thousands of requests later, when it comes round again.
// They are apart from the exchanges behind them, which are few and stay in the processor's caches.

import type { Exchange } from './exchange.ts';
import { attachRequest, Request } from './request.ts';
import { attachResponse, Response } from './response.ts';

/** Views at rest before one is used again: a guess, 80 ms at 100,000 requests a second. 2^n. */
const REST_COUNT = 8192;

export class Views {
  /** Never use a view twice: finds handlers that keep requests. */
  readonly #fresh: boolean;
  readonly #requests: Request[] = [];
  readonly #responses: Response[] = [];
  /** The pair that rests longest, and how many rest. */
  #first = 0;
  #count = 0;

  constructor(fresh: boolean) {
    this.#fresh = fresh;
  }

  /** Gives an exchange the views of its next request. */
  give(exchange: Exchange): void {
    if (this.#count === REST_COUNT) {
      exchange.request = this.#requests[this.#first];
      exchange.response = this.#responses[this.#first];
      this.#first = (this.#first + 1) & (REST_COUNT - 1);
      this.#count -= 1;
    } else {
      exchange.request = new Request();
      exchange.response = new Response();
    }
    attachRequest(exchange.request, exchange);
    attachResponse(exchange.response, exchange);
  }

  /** Takes the views back; they throw from now on. */
  take(exchange: Exchange): void {
    attachRequest(exchange.request, null);
    attachResponse(exchange.response, null);
    if (this.#fresh || this.#count === REST_COUNT) return;
    const place = (this.#first + this.#count) & (REST_COUNT - 1);
    this.#count += 1;
    // Answered at once, it comes back to where it was taken from.
    if (this.#requests[place] === exchange.request) return;
    this.#requests[place] = exchange.request;
    this.#responses[place] = exchange.response;
  }
}
