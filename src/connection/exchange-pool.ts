// Hot: runs for every request. Measured by perf/micro/pools.ts.
// Exchanges made beforehand and used again, last in first out: a server that answers at once needs
// one, and it stays warm. What handlers hold of them are views, which rest much longer (views.ts).

import { Exchange } from '../exchange/exchange.ts';
import type { Transport } from '../exchange/transport.ts';
import { Views } from '../exchange/views.ts';

/** Exchanges at rest; beyond them (a burst of slow heads) they are garbage. */
const POOL_MAX = 1024;

export class ExchangePool {
  readonly #fieldsMax: number;
  readonly #views: Views;
  readonly #resting: Exchange[] = [];

  /** With `fresh` no view is ever used twice: it finds handlers that keep requests. */
  constructor(fieldsMax: number, fresh: boolean) {
    this.#fieldsMax = fieldsMax;
    this.#views = new Views(fresh);
  }

  acquire(transport: Transport): Exchange {
    const exchange = this.#resting.pop() ?? new Exchange(transport, this.#fieldsMax);
    exchange.reset(transport);
    this.#views.give(exchange);
    return exchange;
  }

  /** Takes back an exchange that nobody uses; its request and response throw from now on. */
  release(exchange: Exchange): void {
    exchange.live = false;
    this.#views.take(exchange);
    if (this.#resting.length < POOL_MAX) this.#resting.push(exchange);
  }
}
