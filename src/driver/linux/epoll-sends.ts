// The send in flight of each socket, from send() until the kernel took its bytes.

import type { FileSends } from './file-sends.ts';
import { MSG_MORE, MSG_NOSIGNAL, SEND_BYTES_MAX } from './layout.ts';
import type { RegionAddresses } from './region-addresses.ts';
import type { Syscalls } from './syscalls.ts';

export class Sends {
  readonly #calls: Syscalls;
  readonly #regions: RegionAddresses;
  readonly #files: FileSends;
  readonly #region: Int32Array;
  /** A region may be larger than 2 GiB. */
  readonly #start: Float64Array;
  readonly #bytes: Int32Array;
  readonly #flags: Int32Array;

  constructor(calls: Syscalls, regions: RegionAddresses, files: FileSends, slots: number) {
    this.#calls = calls;
    this.#regions = regions;
    this.#files = files;
    this.#region = new Int32Array(slots);
    this.#start = new Float64Array(slots);
    this.#bytes = new Int32Array(slots);
    this.#flags = new Int32Array(slots);
  }

  set(slot: number, region: number, start: number, end: number, more: boolean): void {
    this.#region[slot] = region;
    this.#start[slot] = start;
    this.#bytes[slot] = Math.min(end - start, SEND_BYTES_MAX);
    this.#flags[slot] = more ? MSG_NOSIGNAL | MSG_MORE : MSG_NOSIGNAL;
  }

  /** Bytes sent, NOT_CACHED, or -errno. */
  try(slot: number, fd: number): number {
    const region = this.#region[slot];
    if (region < 0) {
      return this.#files.try(fd, region, this.#start[slot], this.#bytes[slot], performance.now());
    }
    const address = this.#regions.address(region, this.#start[slot]);
    return this.#calls.send(fd, address, this.#bytes[slot], this.#flags[slot]);
  }
}
