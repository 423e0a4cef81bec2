// Who takes part in a run beside the server: an application with its handlers, and the clients that
// know what it answers. There are two casts, the ordinary one and the hostile one.

import type { Server } from '../../src/server/server.ts';
import type { Judge } from '../clients/judge.ts';
import type { JudgeParts } from '../clients/judge-parts.ts';
import type { ClientPlan } from '../clients/plan.ts';
import type { SimAsyncIo } from '../world/async-io.ts';
import type { Clock } from '../world/clock.ts';
import type { VirtualLoop } from '../world/loop.ts';
import type { Trace } from '../world/trace.ts';
import type { Violation } from '../world/violation.ts';
import type { Scenario } from './scenario.ts';
import type { Settings } from './settings.ts';

export interface CastParts {
  readonly scenario: Scenario;
  readonly settings: Settings;
  readonly server: Server;
  readonly asyncIo: SimAsyncIo;
  readonly loop: VirtualLoop;
  readonly clock: Clock;
  readonly trace: Trace;
  /** A write() of this piece resolved: its memory is used again now. */
  readonly reused: (piece: Uint8Array) => void;
  readonly report: (violation: Violation) => void;
  /** A violation was reported: nothing further counts. */
  readonly isOver: () => boolean;
}

type Plan = (seed: number, lane: number, settings: Settings) => ClientPlan;
type MaybePlan = (seed: number, lane: number, settings: Settings) => ClientPlan | null;

export interface Cast {
  /** Requests that every run judges, at least. */
  readonly requestsMin: number;
  readonly planClient: Plan;
  /** Clients of the end, when nothing goes wrong any more. */
  readonly planProbe: Plan;
  readonly planBreaker: MaybePlan;
  readonly planStaller: MaybePlan;
  /** Handlers that were called and have not come back. */
  readonly running: number;
  /** Nothing that will come to an end by itself goes on. */
  readonly isQuiet: boolean;
  /** How often handlers did what, by name. */
  readonly occurred: ReadonlyMap<string, number>;
  makeJudge(parts: JudgeParts): Judge;
  /** The run begins, and ends, also when it failed. */
  begin(): void;
  end(): void;
  /** A client connects; this is its address as the server sees it. */
  connected(lane: number, address: string): void;
  /** The server is asked to close. */
  closing(): void;
  /** Everything is back; throws a Violation for what is wrong even so. */
  checkEnd(): void;
}
