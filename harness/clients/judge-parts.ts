// What a judge knows of the server whose clients it judges.

import type { Violation } from '../world/violation.ts';

/** What the judge knows of the server. */
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
  /** When close() was called, Infinity before; and when requests in flight are cut off. */
  readonly closingMs: () => number;
  readonly shutdownTimeoutMs: number;
  /** File operations that failed so far. */
  readonly failures: () => number;
  /** All places were taken at some time: clients may be turned away and idle ones ended. */
  readonly wasFull: () => boolean;
  /** So were those beyond: who makes room is not waited for. */
  readonly wasCrowded: () => boolean;
  /** Faults are over: no reason counts but the client's own. */
  readonly healed: () => boolean;
  /** How exact the world's clock is; a real one is not. */
  readonly slackMs: number;
  readonly report: (violation: Violation) => void;
}
