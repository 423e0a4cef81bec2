// The participants of a run besides the server: an application with its handlers, and clients that
// know its responses. There are two: the ordinary ones and the hostile ones.

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

export interface ParticipantsParts {
  readonly scenario: Scenario;
  readonly settings: Settings;
  readonly server: Server;
  readonly asyncIo: SimAsyncIo;
  readonly loop: VirtualLoop;
  readonly clock: Clock;
  readonly trace: Trace;
  /** A write() of this chunk resolved: its memory is reused now. */
  readonly reused: (chunk: Uint8Array) => void;
  readonly report: (violation: Violation) => void;
  /** A violation was reported: further ones are ignored. */
  readonly isOver: () => boolean;
}

type Plan = (seed: number, lane: number, settings: Settings) => ClientPlan;
type MaybePlan = (seed: number, lane: number, settings: Settings) => ClientPlan | null;

export interface Participants {
  /** The least number of requests that every run judges. */
  readonly requestsMin: number;
  readonly planClient: Plan;
  /** Clients for the end of a run, after all faults. */
  readonly planProbe: Plan;
  readonly planTruncator: MaybePlan;
  readonly planStaller: MaybePlan;
  /** Handlers that were called and have not settled. */
  readonly running: number;
  /** Nothing is left that ends by itself. */
  readonly isQuiet: boolean;
  /** What handlers did, by name, and how often. */
  readonly occurred: ReadonlyMap<string, number>;
  makeJudge(parts: JudgeParts): Judge;
  /** Called at the beginning and at the end of a run, failed or not. */
  begin(): void;
  end(): void;
  /** A client connects; `address` is what the server sees. */
  connected(lane: number, address: string): void;
  /** close() was called. */
  closing(): void;
  /** The last check, after all resources were released. Throws a Violation. */
  checkEnd(): void;
}
