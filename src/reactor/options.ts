// What a reactor is made of, and what it reports to the server.

import type { Slab } from '../base/slab.ts';
import type { Driver } from '../driver/driver.ts';
import type { AdmissionEvents, OverloadOptions } from './admission.ts';
import type { TurnMeter } from './turn-meter.ts';

/** The reactor's callbacks for the server, in addition to those for the owners of sockets. */
export interface ReactorEvents extends AdmissionEvents {
  listenDone(result: number): void;
  unlistenDone(): void;
}

export interface ReactorOptions {
  readonly driver: Driver;
  readonly slab: Slab;
  readonly slots: number;
  /** One entry per kind of deadline that owners arm. */
  readonly timeoutsMs: readonly number[];
  /**
   * The kind among them for a send that does not complete. Each time it passes, the reactor checks
   * whether the peer makes progress; after WRITE_CHECKS checks in a row without any it calls the
   * owner.
   */
  readonly sendTimeout: number;
  /** The most clients that a closing listener accepts at once. */
  readonly backlog: number;
  /** Null: a client without a slot waits, however long. */
  readonly overload: OverloadOptions | null;
  readonly events: ReactorEvents;
  readonly meter?: TurnMeter | null;
}
