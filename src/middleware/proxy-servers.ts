// The upstream servers of a proxy: which one is next, and which are avoided because they failed.

import type { Upstream } from '../async-io/upstream.ts';
import type { Services } from '../exchange/exchange.ts';

export interface ProxyServer {
  readonly upstream: Upstream;
  /** The value of its Host field. */
  readonly host: string;
  /** As the program gave it, for messages. */
  readonly name: string;
  /** Requests failed: until then it is avoided. */
  failedUntilMs: number;
  /** Checks of its health failed. */
  isDown: boolean;
}

export class ProxyServers {
  readonly all: readonly ProxyServer[];
  readonly #failedMs: number;
  #turn = 0;

  /** `failedMs` is how long a server is avoided after a request failed. */
  constructor(all: readonly ProxyServer[], failedMs: number) {
    this.all = all;
    this.#failedMs = failedMs;
  }

  /** The next one in turn that works; if none does, the next one in turn. */
  next(nowMs: number): ProxyServer {
    const { all } = this;
    const first = this.#turn;
    this.#turn = (first + 1) % all.length;
    for (let step = 0; step < all.length; step++) {
      const server = all[(first + step) % all.length];
      if (server.isDown || server.failedUntilMs > nowMs) continue;
      this.#turn = (first + step + 1) % all.length;
      return server;
    }
    return all[first];
  }

  noteFailure(server: ProxyServer, error: Error, services: Services): void {
    const nowMs = services.nowMs();
    // Once for the time in which it is avoided.
    if (server.failedUntilMs <= nowMs) services.logError(`proxy: ${server.name}: ${error.message}`);
    server.failedUntilMs = nowMs + this.#failedMs;
  }
}
