// The send in flight of each socket, from send() until the kernel took its bytes.

import { MSG_MORE, MSG_NOSIGNAL } from './layout.ts';
import type { RegionAddresses } from './region-addresses.ts';
import type { Syscalls } from './syscalls.ts';

export class Sends {
  readonly #calls: Syscalls;
  readonly #regions: RegionAddresses;
  readonly #region: Int32Array;
  readonly #start: Int32Array;
  readonly #end: Int32Array;
  readonly #flags: Int32Array;

  constructor(calls: Syscalls, regions: RegionAddresses, slots: number) {
    this.#calls = calls;
    this.#regions = regions;
    this.#region = new Int32Array(slots);
    this.#start = new Int32Array(slots);
    this.#end = new Int32Array(slots);
    this.#flags = new Int32Array(slots);
  }

  set(slot: number, region: number, start: number, end: number, more: boolean): void {
    this.#region[slot] = region;
    this.#start[slot] = start;
    this.#end[slot] = end;
    this.#flags[slot] = more ? MSG_NOSIGNAL | MSG_MORE : MSG_NOSIGNAL;
  }

  /** Bytes sent, or -errno. */
  try(slot: number, fd: number): number {
    const start = this.#start[slot];
    const address = this.#regions.address(this.#region[slot], start);
    return this.#calls.send(fd, address, this.#end[slot] - start, this.#flags[slot]);
  }
}
