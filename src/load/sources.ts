// Where connections come from. One address has some 28,000 ports to connect from; on loopback there
// are more addresses, so a load that needs more connections spreads over 127.0.0.1, 127.0.0.2, ...

import type { Address } from '../driver/driver.ts';

/** Well below what an address has: looking for a free port gets slow when few are left. */
const CONNECTIONS_PER_SOURCE = 16_000;
const SOURCES_MAX = 250;

export class Sources {
  /** The target, with the address that is called from. The first is the system's own choice. */
  readonly #targets: Address[];
  /** Which of them, by slot. */
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
    // The target itself is first, so the second address is 127.0.0.2.
    while (this.#targets.length <= index && 'host' in target) {
      this.#targets.push({ ...target, from: `127.0.0.${this.#targets.length + 1}` });
    }
    return this.#targets[index];
  }

  /** The address of a slot has no port left: whether there is another, taken from now on. */
  exhausted(slot: number): boolean {
    if (!this.#canSpread || this.#chosen[slot] === SOURCES_MAX - 1) return false;
    this.#chosen[slot] += 1;
    return true;
  }
}
