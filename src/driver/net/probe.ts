// Probes the watched sockets of the portable driver: while Node reads nothing from a socket it does
// not notice that the connection broke.

import { WATCH_PROBE_MS } from '../../base/fixed-limits.ts';

export interface Probed {
  probe(): void;
}

export class NetProbe {
  readonly #sockets = new Set<Probed>();
  #timer: NodeJS.Timeout | null = null;

  add(socket: Probed): void {
    this.#sockets.add(socket);
    this.#timer ??= setInterval(() => this.#probeAll(), WATCH_PROBE_MS).unref();
  }

  /** Without a watched socket there is no timer. */
  remove(socket: Probed): void {
    this.#sockets.delete(socket);
    if (this.#sockets.size === 0) this.stop();
  }

  #probeAll(): void {
    for (const socket of this.#sockets) socket.probe();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}
