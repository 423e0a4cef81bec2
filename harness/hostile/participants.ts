// The participants of a hostile run: handlers that make every call of the API, at any time and on
// objects of any request, and clients that detect data of other requests.

import type { Judge } from '../clients/judge.ts';
import type { JudgeParts } from '../clients/judge-parts.ts';
import type { Participants, ParticipantsParts } from '../run/participants.ts';
import { HOSTILE_REQUESTS_PER_RUN } from '../run/scenario.ts';
import type { TreeFile } from '../world/files.ts';
import { ensure } from '../world/violation.ts';
import { addHostileRoutes } from './application.ts';
import { ALL_CALLS, HostileContext } from './context.ts';
import { HostileJudge } from './judge.ts';
import { repeated } from './marks.ts';
import { Monitor } from './monitor.ts';
import { CALLS_BY_KIND } from './other-calls.ts';
import { planHostile, planHostileProbe, type ScriptOf, scriptsOf } from './plans.ts';
import type { RequestRecord } from './record.ts';

/** Lines of the log that report mistakes of the server itself. */
const OWN_MISTAKES = /AssertionFault|Cannot (read|set) propert/;

export class HostileParticipants implements Participants {
  readonly requestsMin: number = HOSTILE_REQUESTS_PER_RUN;
  readonly #parts: ParticipantsParts;
  readonly #monitor: Monitor;
  readonly #context: HostileContext;
  readonly #scriptOf: ScriptOf;

  constructor(parts: ParticipantsParts) {
    this.#parts = parts;
    const { scenario, settings, server, loop, report, isOver, trace, clock } = parts;
    this.#scriptOf = scriptsOf(scenario.seed, scenario.hostile?.benign ?? []);
    this.#monitor = new Monitor({ loop, report, isOver });
    this.#context = new HostileContext({
      monitor: this.#monitor,
      calls: CALLS_BY_KIND,
      after: (ms, run) => {
        loop.after(ms, run);
      },
      immediately: (run) => {
        setImmediate(run);
      },
      handlerTimeoutMs: settings.handlerTimeoutMs,
      scriptOf: this.#scriptOf,
      lateCount: () => server.counters.lateWrites,
      did: (owner, what, outcome) => {
        trace.mix(4, owner.id, ALL_CALLS.indexOf(what), outcome);
        const result = outcome === 0 ? '' : ', which throws';
        trace.note(clock.nowMs, owner.lane, 'handler', () => `${owner.id}: ${what}${result}`);
      },
    });
    addHostileRoutes(server, this.#context);
  }

  planClient(_seed: number, lane: number): ReturnType<Participants['planClient']> {
    return planHostile(this.#parts.scenario.seed, lane, this.#scriptOf);
  }

  planProbe(_seed: number, lane: number): ReturnType<Participants['planProbe']> {
    return planHostileProbe(this.#parts.scenario.seed, lane, this.#scriptOf);
  }

  planTruncator(): null {
    return null;
  }

  planStaller(): null {
    return null;
  }

  get running(): number {
    return this.#context.running;
  }

  get isQuiet(): boolean {
    const { sources } = this.#context;
    const { unsettled } = this.#monitor;
    return sources.left.length === 0 && [...unsettled.values()].every((count) => count === 0);
  }

  get occurred(): ReadonlyMap<string, number> {
    return this.#monitor.occurred;
  }

  makeJudge(parts: JudgeParts): Judge {
    return new HostileJudge(parts, this.#monitor);
  }

  begin(): void {
    this.#monitor.begin();
  }

  end(): void {
    this.#monitor.end();
  }

  connected(lane: number, address: string): void {
    this.#monitor.connected(lane, address);
  }

  closing(): void {
    this.#context.closing();
  }

  checkEnd(): void {
    const { asyncIo } = this.#parts;
    for (const record of this.#context.records) {
      if (!record.script.hasAfterSend) continue;
      const text = `afterSend() of request ${record.id} was called ${record.ends} times`;
      ensure(record.ends === 1, 'balance', text);
      this.#checkSummary(record);
    }
    const own = asyncIo.lines.find((line) => OWN_MISTAKES.test(line));
    ensure(own === undefined, 'assertion', `the log has: ${own?.slice(0, 200)}`);
    this.#checkPromises();
    const { left } = this.#context.sources;
    if (left.length > 0)
      this.#monitor.report('source', `sources that were never ended: ${left.join(', ')}`);
  }

  /** afterSend() reports what the client received. */
  #checkSummary({ id, summary }: RequestRecord): void {
    const received = this.#monitor.received.get(id);
    if (received === undefined || summary === null) return;
    const { status, bytes, complete } = summary;
    // After a reset the client may have received more than the server knows: its summary is a lower
    // bound then.
    if (!complete && !received.isSure && bytes <= received.bytes) return;
    const isSame = complete && status === received.status && bytes === received.bytes;
    const reported = `${status}, ${bytes} bytes, ${complete ? 'complete' : 'truncated'}`;
    const got = `its client received ${received.status}, ${received.bytes} bytes, complete`;
    ensure(isSame, 'response', `afterSend() of request ${id} reported ${reported}; ${got}`);
  }

  #checkPromises(): void {
    for (const [what, count] of this.#monitor.unsettled) {
      if (count > 0) this.#monitor.report('unsettled', `${count} promises of ${what} never settle`);
    }
  }
}

const MARKED = /^\/marked\/(M\d{6}m)\/(\d{1,6})$/;

/** Files with the mark of a request, made on first use. */
export function markedFile(path: string): TreeFile | undefined {
  const [, mark, length] = MARKED.exec(path) ?? [];
  if (mark === undefined) return undefined;
  return { path, bytes: Buffer.from(repeated(mark, Number(length)), 'latin1') };
}
