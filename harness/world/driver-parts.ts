// What the simulated driver and its sockets share of the simulated world.

import type { Clock, Schedule } from './clock.ts';
import type { Faults } from './faults.ts';
import type { VirtualLoop } from './loop.ts';
import type { Network } from './network.ts';
import type { Trace } from './trace.ts';

export interface SimDriverParts {
  readonly seed: number;
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly loop: VirtualLoop;
  readonly network: Network;
  readonly faults: Faults;
  readonly trace: Trace;
  /** The content of an open file. */
  readonly file: (fd: number) => Uint8Array | undefined;
}

export interface Completion {
  readonly op: number;
  readonly slot: number;
  readonly result: number;
  readonly block: number;
}
