// What a load is to do, worked out: addresses, bytes, times. Made from the options of a user.

import type { Address } from '../driver/driver.ts';
import type { SequencedRequest } from './request-sequence.ts';
import type { RateStep } from './schedule.ts';

export interface PlannedRequest extends SequencedRequest {
  /** For reports: `GET /path`. */
  readonly name: string;
}

export interface Plan {
  readonly address: Address;
  readonly requests: readonly PlannedRequest[];
  readonly connections: number;
  /** Requests of a connection that may be in flight. */
  readonly depth: number;
  /** Infinity when `count` ends the load. */
  readonly durationMs: number;
  /** Requests that count; Infinity when the time ends the load. */
  readonly count: number;
  /** Before the time that counts. */
  readonly warmUpMs: number;
  /** None for a closed loop. */
  readonly rate: readonly RateStep[];
  readonly timeoutMs: number;
  readonly keepAlive: boolean;
}
