// Asks after the sockets of the portable driver that are watched: while Node reads nothing from one
// it does not hear that the connection broke.

import { WATCH_PROBE_MS } from '../../base/fixed-limits.ts';

export interface Asked {
  ask(): void;
}

export class NetProbe {
  readonly #sockets = new Set<Asked>();
  #timer: NodeJS.Timeout | null = null;

  add(socket: Asked): void {
    this.#sockets.add(socket);
    this.#timer ??= setInterval(() => this.#askAll(), WATCH_PROBE_MS).unref();
  }

  /** Without a socket to ask after there is no timer. */
  remove(socket: Asked): void {
    this.#sockets.delete(socket);
    if (this.#sockets.size === 0) this.stop();
  }

  #askAll(): void {
    for (const socket of this.#sockets) socket.ask();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}
