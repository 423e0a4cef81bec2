// Chooses the local address of each connection. One address has some 28,000 ports to connect from;
// a load over loopback that needs more connections spreads them over 127.0.0.1, 127.0.0.2, ...

import type { Address } from '../driver/driver.ts';

/** Well below the ports of an address: the kernel's search gets slow when few are free. */
const CONNECTIONS_PER_SOURCE = 16_000;
const SOURCES_MAX = 250;

export class Sources {
  /** The target with each local address. The first leaves the address to the kernel. */
  readonly #targets: Address[];
  /** Index into the targets, by slot. */
  readonly #chosen: Uint8Array;
  readonly #canSpread: boolean;

  constructor(target: Address, connections: number, perSource: number = CONNECTIONS_PER_SOURCE) {
    this.#targets = [target];
    this.#canSpread = 'host' in target && /^127\./.test(target.host);
    this.#chosen = new Uint8Array(connections);
    if (!this.#canSpread) return;
    for (let slot = 0; slot < connections; slot++) {
      this.#chosen[slot] = Math.min(Math.floor(slot / perSource), SOURCES_MAX - 1);
    }
  }

  target(slot: number): Address {
    const index = this.#chosen[slot];
    const [target] = this.#targets;
    // The first target is without a local address, so the second address is 127.0.0.2.
    while (this.#targets.length <= index && 'host' in target) {
      this.#targets.push({ ...target, from: `127.0.0.${this.#targets.length + 1}` });
    }
    return this.#targets[index];
  }

  /** A slot's address has no port left: moves it to the next one. False when there is none. */
  exhausted(slot: number): boolean {
    if (!this.#canSpread || this.#chosen[slot] === SOURCES_MAX - 1) return false;
    this.#chosen[slot] += 1;
    return true;
  }
}
