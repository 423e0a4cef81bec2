// Hot: runs for every request. Measured by perf/micro/pools.ts.
// Exchanges made beforehand and used again, last in first out: a server that responds at once needs
// one, and it stays warm. The handles that handlers hold of them are new for each request.

import type { Services, Transport } from '../exchange/exchange.ts';
import { Exchange } from '../exchange/exchange.ts';
import { DETACHED } from './detached.ts';

/** Exchanges at rest; beyond them (a burst of slow heads) they are garbage. */
const POOL_MAX = 1024;

export class ExchangePool {
  readonly #services: Services;
  readonly #fieldsMax: number;
  readonly #max: number;
  readonly #resting: Exchange[] = [];

  /** Without `reuse` every request has a record of its own: it tells mistakes of ours apart. */
  constructor(services: Services, fieldsMax: number, reuse: boolean) {
    this.#services = services;
    this.#fieldsMax = fieldsMax;
    this.#max = reuse ? POOL_MAX : 0;
  }

  acquire(transport: Transport): Exchange {
    const exchange =
      this.#resting.pop() ?? new Exchange(this.#services, transport, this.#fieldsMax);
    exchange.reset(transport);
    return exchange;
  }

  /** Takes back an exchange that only handles refer to, which do not reach it any more. */
  release(exchange: Exchange): void {
    exchange.revoke();
    exchange.transport = DETACHED;
    if (this.#resting.length < this.#max) this.#resting.push(exchange);
  }
}
