// Exchanges made beforehand and used again, first in first out, so that a request or response that
// a handler kept throws for as long as possible before it means another one.

import { Exchange } from '../exchange/exchange.ts';
import type { Transport } from '../exchange/transport.ts';

/** Exchanges at rest; beyond them (a burst of slow heads) they are garbage. */
const POOL_MAX = 1024;

/** Kept at rest before one is used again. */
const POOL_MIN = 16;

export class ExchangePool {
  readonly #fieldsMax: number;
  /** Never use one twice: finds handlers that keep requests. */
  readonly #fresh: boolean;
  readonly #resting: (Exchange | null)[];
  #first: number;
  #count: number;

  constructor(fieldsMax: number, fresh: boolean) {
    this.#fieldsMax = fieldsMax;
    this.#fresh = fresh;
    this.#resting = new Array<Exchange | null>(POOL_MAX).fill(null);
    this.#first = 0;
    this.#count = 0;
  }

  acquire(transport: Transport): Exchange {
    let exchange: Exchange | null = null;
    if (this.#count > POOL_MIN) {
      exchange = this.#resting[this.#first];
      this.#resting[this.#first] = null;
      this.#first = (this.#first + 1) % POOL_MAX;
      this.#count -= 1;
    }
    exchange ??= new Exchange(transport, this.#fieldsMax);
    exchange.reset(transport);
    return exchange;
  }

  /** Takes back an exchange that nobody uses; its request and response throw from now on. */
  release(exchange: Exchange): void {
    exchange.live = false;
    if (this.#fresh || this.#count === POOL_MAX) return;
    this.#resting[(this.#first + this.#count) % POOL_MAX] = exchange;
    this.#count += 1;
  }
}
