// What exchanges and handlers use of their server. The record of an exchange is a parameter, since
// that record refers to these services.

import type { AsyncIo } from '../async-io/async-io.ts';
import type { Meter } from '../metrics/meter.ts';
import type { FormLimits } from './form-parts.ts';
import type { Siblings } from './siblings.ts';

/** What a server offers to all its requests, also after their connection has detached them. */
export interface ServicesOf<Record> {
  readonly asyncIo: AsyncIo;
  readonly limits: FormLimits & {
    readonly bodyBytesMax: number;
    readonly sendQueueBytesMax: number;
  };
  /** Counts what happens; null without metrics. */
  readonly meter: Meter | null;
  /** The other workers; null when there are none. */
  readonly siblings: Siblings | null;
  /** Whether clients connect to a unix socket. */
  readonly unixSocket: boolean;
  /** The server has closed: nothing goes on for it. */
  readonly ended: boolean;
  /** Calls the listener, which does not throw, when the server has closed. */
  onEnd(listener: () => void): void;
  /** Milliseconds of the driver's two clocks, as of now. */
  nowMs(): number;
  wallMs(): number;
  /** Resolves after so many milliseconds; 0: after one iteration of Node's event loop. */
  pause(ms: number): Promise<void>;
  /** The request's handler and all that it started have settled. */
  settled(exchange: Record): void;
  /** Counts a call of a handler that came too late to have an effect. */
  countLateCall(isMistake: boolean): void;
  /** Logs and counts a mistake of a handler that cannot be thrown where it would be caught. */
  handlerFailed(exchange: Record, error: unknown, what?: string): void;
  /** Finds the handler again, after the method was changed. */
  reroute(exchange: Record): void;
  /** Gives up the handler of a request that has no response: 503, and its signal aborts. */
  timedOut(exchange: Record, why: string): void;
  /** When a late call after the first one of its request was last logged. */
  lateNotedMs: number;
  logError(message: string): void;
}
