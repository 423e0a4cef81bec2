// The hostile cast: an application that does everything that the API lets a handler do, at any time
// and on the objects of any request, and clients that look for what crosses between requests.

import type { Judge } from '../clients/judge.ts';
import type { JudgeParts } from '../clients/judge-parts.ts';
import type { Cast, CastParts } from '../run/participants.ts';
import { HOSTILE_REQUESTS_PER_RUN } from '../run/scenario.ts';
import type { TreeFile } from '../world/files.ts';
import { ensure } from '../world/violation.ts';
import { addHostileRoutes } from './application.ts';
import { ALL_CALLS, Stage } from './context.ts';
import { HostileJudge } from './judge.ts';
import { repeated } from './marks.ts';
import { Watch } from './monitor.ts';
import { CALLS_BY_KIND } from './other-calls.ts';
import { planHostile, planHostileProbe, type ScriptOf, scriptsOf } from './plans.ts';
import type { RequestRecord } from './record.ts';

/** Lines of the log that tell of the server's own mistakes. */
const OWN_MISTAKES = /AssertionFault|Cannot (read|set) propert/;

export class HostileCast implements Cast {
  readonly requestsMin: number = HOSTILE_REQUESTS_PER_RUN;
  readonly #parts: CastParts;
  readonly #watch: Watch;
  readonly #stage: Stage;
  readonly #scriptOf: ScriptOf;

  constructor(parts: CastParts) {
    this.#parts = parts;
    const { scenario, settings, server, loop, report, isOver, trace, clock } = parts;
    this.#scriptOf = scriptsOf(scenario.seed, scenario.hostile?.tamed ?? []);
    this.#watch = new Watch({ loop, report, isOver });
    this.#stage = new Stage({
      watch: this.#watch,
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
    addHostileRoutes(server, this.#stage);
  }

  planClient(_seed: number, lane: number): ReturnType<Cast['planClient']> {
    return planHostile(this.#parts.scenario.seed, lane, this.#scriptOf);
  }

  planProbe(_seed: number, lane: number): ReturnType<Cast['planProbe']> {
    return planHostileProbe(this.#parts.scenario.seed, lane, this.#scriptOf);
  }

  planBreaker(): null {
    return null;
  }

  planStaller(): null {
    return null;
  }

  get running(): number {
    return this.#stage.running;
  }

  get isQuiet(): boolean {
    const { sources } = this.#stage;
    const { unsettled } = this.#watch;
    return sources.left.length === 0 && [...unsettled.values()].every((count) => count === 0);
  }

  get occurred(): ReadonlyMap<string, number> {
    return this.#watch.occurred;
  }

  makeJudge(parts: JudgeParts): Judge {
    return new HostileJudge(parts, this.#watch);
  }

  begin(): void {
    this.#watch.begin();
  }

  end(): void {
    this.#watch.end();
  }

  connected(lane: number, address: string): void {
    this.#watch.connected(lane, address);
  }

  closing(): void {
    this.#stage.closing();
  }

  checkEnd(): void {
    const { asyncIo } = this.#parts;
    for (const record of this.#stage.records) {
      if (!record.script.watched) continue;
      const text = `the end of request ${record.id} was told ${record.ends} times`;
      ensure(record.ends === 1, 'balance', text);
      this.#checkSummary(record);
    }
    const own = asyncIo.lines.find((line) => OWN_MISTAKES.test(line));
    ensure(own === undefined, 'assertion', `the log says: ${own?.slice(0, 200)}`);
    this.#checkPromises();
    const { left } = this.#stage.sources;
    if (left.length > 0) this.#watch.report('source', `never ended: ${left.join(', ')}`);
  }

  /** What the application was told of an answer is what its client got of it. */
  #checkSummary({ id, summary }: RequestRecord): void {
    const heard = this.#watch.heard.get(id);
    if (heard === undefined || summary === null) return;
    const { status, bytes, complete } = summary;
    // A connection that broke may have carried more than the server ever heard of: what it says of
    // such a response is the least that the client got.
    if (!complete && !heard.isSure && bytes <= heard.bytes) return;
    const isSame = complete && status === heard.status && bytes === heard.bytes;
    const told = `${status}, ${bytes} bytes, ${complete ? 'whole' : 'cut'}`;
    const got = `its client got ${heard.status}, ${heard.bytes} bytes, whole`;
    ensure(isSame, 'answer', `the end of request ${id} was told as ${told}; ${got}`);
  }

  #checkPromises(): void {
    for (const [what, count] of this.#watch.unsettled) {
      if (count > 0) this.#watch.report('unsettled', `${count} promises of ${what} never settle`);
    }
  }
}

const MARKED = /^\/marked\/(M\d{6}m)\/(\d{1,6})$/;

/** Files that name a request, made when they are asked for. */
export function markedFile(path: string): TreeFile | undefined {
  const [, mark, length] = MARKED.exec(path) ?? [];
  if (mark === undefined) return undefined;
  return { path, bytes: Buffer.from(repeated(mark, Number(length)), 'latin1') };
}
