// A driver under a load generator, without a kernel: every send completes at once, and its
// responses lie ready in every block. What a turn costs is then the load generator's own code.

import { Slab } from '../../src/base/slab.ts';
import { type Completions, type Driver, Op } from '../../src/driver/driver.ts';

const BLOCK_BYTES = 32 * 1024;
const BLOCKS = 128;

/** Implements what a load calls in a closed loop. */
export class ReadyResponses implements Driver {
  readonly name = 'ready';
  readonly slab: Slab = new Slab(BLOCK_BYTES, BLOCKS);
  wake: (fromLoop: boolean) => void = () => {};
  /** Completions to come, three numbers each. */
  #next: number[] = [];
  #taken: number[] = [];
  readonly #responseBytes: number;
  readonly #depth: number;
  #nowMs = 0;

  /** `depth` requests are sent together, and as many responses are received together. */
  constructor(response: Uint8Array, depth: number) {
    this.#responseBytes = response.length;
    this.#depth = depth;
    const { bytes } = this.slab;
    for (let block = 0; block < BLOCKS; block++) {
      for (let copy = 0; copy < depth; copy++) {
        bytes.set(response, this.slab.start(block) + copy * response.length);
      }
    }
  }

  now(): number {
    this.#nowMs += 0.1;
    return this.#nowMs;
  }

  wall(): number {
    return this.#nowMs;
  }

  connect(_address: unknown, slot: number): void {
    this.#next.push(Op.Connect, slot, 0);
  }

  send(slot: number, _region: number, start: number, end: number): void {
    this.#next.push(
      Op.Send,
      slot,
      end - start,
      Op.Receive,
      slot,
      this.#depth * this.#responseBytes,
    );
  }

  poll(out: Completions): number {
    const due = this.#next;
    this.#next = this.#taken;
    this.#taken = due;
    let count = 0;
    for (let index = 0; index < due.length; index += 3) {
      const block = due[index] === Op.Receive ? this.slab.acquire() : -1;
      count = out.set(count, due[index], due[index + 1], due[index + 2], block);
    }
    due.length = 0;
    return count;
  }

  /** Completes with the send. */
  receive(): void {}
  map(): void {}
  unmap(): void {}
  destroy(): void {}

  mapFile(): boolean {
    return false;
  }

  sleep(): boolean {
    return false;
  }

  unacknowledged(): number {
    return -1;
  }

  peer(): { readonly address: string; readonly port: number } {
    return { address: '', port: 0 };
  }

  listen(): void {}
  unlisten(): void {}
  setAccepting(): void {}
  acceptAlso(): void {}
  adopt(): void {}
  refuse(): void {}
  watch(): void {}
  shutdownSend(): void {}
  abort(): void {}
  close(): void {}
}
