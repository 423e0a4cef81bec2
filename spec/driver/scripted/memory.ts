// Addresses without a kernel: every array gets an address, as high as real ones are. Looking up an
// address returns its bytes, or fails where there are none.

import assert from 'node:assert/strict';
import type { Mapping } from '../../../src/driver/linux/uring-calls.ts';

interface Place {
  readonly address: number;
  readonly bytes: Uint8Array;
}

export class ScriptedMemory {
  readonly #places: Place[] = [];
  readonly #mappings = new Set<number>();
  // The lower halves of these addresses are negative as 32-bit words.
  #next = 0x7f12_f000_0000;

  #place(bytes: Uint8Array): number {
    const address = this.#next;
    this.#next += Math.ceil(bytes.length / 4096 + 1) * 4096;
    this.#places.push({ address, bytes });
    return address;
  }

  addressOf(bytes: Uint8Array): number {
    const known = this.#places.find(
      (place) => place.bytes.buffer === bytes.buffer && place.bytes.byteOffset === bytes.byteOffset,
    );
    return known?.address ?? this.#place(bytes);
  }

  /** `length` bytes at an address, all of one array. */
  at(address: number, length: number): Uint8Array {
    for (const place of this.#places) {
      const from = address - place.address;
      if (from < 0 || from >= place.bytes.length) continue;
      assert.ok(from + length <= place.bytes.length, 'the bytes do not exceed their array');
      return place.bytes.subarray(from, from + length);
    }
    assert.fail(`no memory at ${address.toString(16)}`);
  }

  map(bytes: number): Mapping {
    const memory = new ArrayBuffer(bytes);
    const address = this.#place(new Uint8Array(memory));
    this.#mappings.add(address);
    return { address, memory };
  }

  unmap(mapping: Mapping): void {
    assert.ok(this.#mappings.delete(mapping.address), 'memory is unmapped once');
    const index = this.#places.findIndex(({ address }) => address === mapping.address);
    this.#places.splice(index, 1);
  }

  get mappingCount(): number {
    return this.#mappings.size;
  }
}
