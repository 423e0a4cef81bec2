// Hot: runs for every request. Measured by perf/micro/pools.ts.
// A pool of exchanges, last in first out: a server that responds at once needs only one, which
// stays in the processor's cache. The handles that handlers hold are new for each request.

import type { Services, Transport } from '../exchange/exchange.ts';
import { Exchange } from '../exchange/exchange.ts';
import { DETACHED } from './detached.ts';

/** Exchanges in the pool; those beyond (after a burst of slow heads) are garbage. */
const POOL_MAX = 1024;

export class ExchangePool {
  readonly #services: Services;
  readonly #fieldsMax: number;
  readonly #max: number;
  readonly #free: Exchange[] = [];

  /** Without `reuse` every request has a new record, which helps to find our own mistakes. */
  constructor(services: Services, fieldsMax: number, reuse: boolean) {
    this.#services = services;
    this.#fieldsMax = fieldsMax;
    this.#max = reuse ? POOL_MAX : 0;
  }

  acquire(transport: Transport): Exchange {
    const exchange = this.#free.pop() ?? new Exchange(this.#services, transport, this.#fieldsMax);
    exchange.reset(transport);
    return exchange;
  }

  /** Takes back an exchange to which only handles refer, which do not reach it any more. */
  release(exchange: Exchange): void {
    exchange.revoke();
    exchange.transport = DETACHED;
    if (this.#free.length < this.#max) this.#free.push(exchange);
  }
}
