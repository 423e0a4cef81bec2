// What a judge knows of the server.

import type { Violation } from '../world/violation.ts';

export interface JudgeParts {
  readonly idleTimeoutMs: number;
  readonly headTimeoutMs: number;
  readonly bodyTimeoutMs: number;
  readonly bodyTotalTimeoutMs: number;
  readonly writeTimeoutMs: number;
  readonly handlerTimeoutMs: number;
  readonly lingerTimeoutMs: number;
  readonly overloadWaitMs: number;
  readonly requestsPerConnectionMax: number;
  /** When close() was called, Infinity before. */
  readonly closingMs: () => number;
  readonly shutdownTimeoutMs: number;
  /** File operations that failed so far. */
  readonly failures: () => number;
  /**
   * All connection slots were in use at some time: clients may be turned away, idle ones evicted.
   */
  readonly wasFull: () => boolean;
  /** The extra slots were, too: an evicted connection is closed without waiting for its client. */
  readonly wasExhausted: () => boolean;
  /** Faults are over: only what the client did excuses the server. */
  readonly healed: () => boolean;
  /** How late real time may be; 0 in virtual time. */
  readonly slackMs: number;
  readonly report: (violation: Violation) => void;
}
