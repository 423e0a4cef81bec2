// Reports the tokens that this worker granted to the other workers, and takes theirs from its own
// buckets. A worker decides alone and at once: it never waits for another one. Counts that are lost
// make the limit less strict, at worst as if each worker had a limit of its own.

import { ownText } from '../base/internalized.ts';
import type { Services } from '../exchange/exchange.ts';
import type { TokenBuckets } from './token-buckets.ts';

/** How long granted tokens are collected. Until then, other workers may grant the same ones. */
const COLLECT_MS = 100;

/** Keys in one message. */
const KEYS_PER_MESSAGE = 5_000;

export class SharedCounts {
  readonly #topic: string;
  readonly #keysMax: number;
  readonly #buckets: TokenBuckets;
  #granted = new Map<string, number>();
  /** Those of the server that listens now. */
  #services: Services | null = null;
  #isCollecting = false;

  constructor(topic: string, keysMax: number, buckets: TokenBuckets) {
    this.#topic = topic;
    this.#keysMax = keysMax;
    this.#buckets = buckets;
  }

  /** From now on the other workers are heard. Further calls change only the clock. */
  listen(services: Services): void {
    const isFirst = this.#services === null;
    this.#services = services;
    if (!isFirst) return;
    services.siblings?.subscribe(this.#topic, (message) => {
      const nowMs = this.#services?.nowMs() ?? 0;
      for (const [key, count] of message as [string, number][]) {
        this.#buckets.takeAlso(key, count, nowMs);
      }
    });
  }

  /** This worker has granted a token. */
  granted(key: string, services: Services): void {
    if (services.siblings === null) return;
    const count = this.#granted.get(key) ?? 0;
    // While the primary takes no messages, further keys are not reported.
    if (count === 0 && this.#granted.size >= this.#keysMax) return;
    this.#granted.set(count === 0 ? ownText(key) : key, count + 1);
    if (this.#isCollecting) return;
    this.#isCollecting = true;
    void this.#publish(services);
  }

  /** One message at a time is on its way. */
  async #publish(services: Services): Promise<void> {
    await services.pause(COLLECT_MS);
    while (this.#granted.size > 0) {
      const counts: [string, number][] = [];
      for (const entry of this.#granted) {
        if (counts.push(entry) === KEYS_PER_MESSAGE) break;
      }
      for (const [key] of counts) this.#granted.delete(key);
      await services.siblings?.publish(this.#topic, counts);
    }
    this.#isCollecting = false;
  }
}
