// Where hostile programs run: makes their calls on the objects of their own and of other requests,
// and looks at what comes of each.

import { CALLS, type Kind } from './grammar.ts';
import { type Exhibit, Museum } from './kept-objects.ts';
import { textOf, type Watch } from './monitor.ts';
import type { Frame, RequestRecord } from './record.ts';
import type { Script, Step } from './script.ts';
import { Sources } from './sources.ts';

/** What a call is made with. */
export interface Act {
  readonly stage: Stage;
  readonly step: Step;
  /** The request of the object: its mark is what is written. */
  readonly owner: RequestRecord;
}

export type Calls = Readonly<Record<string, (object: never, act: Act) => unknown>>;

export interface StageParts {
  readonly watch: Watch;
  readonly calls: Readonly<Record<Kind, Calls>>;
  readonly after: (ms: number, run: () => void) => void;
  readonly immediately: (run: () => void) => void;
  readonly handlerTimeoutMs: number;
  readonly scriptOf: (id: number) => Script;
  /** Late calls that the server has counted. */
  readonly lateCount: () => number;
  /** What was done, for the trace of the run. */
  readonly did: (owner: RequestRecord, what: string, outcome: number) => void;
}

/** A call whose promise may wait for a handler that never comes back. */
const MAY_NEVER_SETTLE: readonly Kind[] = ['next'];

/** From this number on a call is made on every kept object of the kind whose request is over. */
const SWEEP = 192;

/** What only reads may throw once its request is over. */
const READS: readonly string[] = ['getHeader', 'statusCode', 'sent'];

export class Stage {
  readonly watch: Watch;
  readonly museum: Museum = new Museum();
  readonly sources: Sources = new Sources();
  readonly parts: StageParts;
  /** Every request that came to the front. */
  readonly records: RequestRecord[] = [];
  /** Timers of programs that are still to come. */
  running = 0;
  /** Whose next() is being called, until a part of a chain begins. */
  #calling: RequestRecord | null = null;
  isClosing = false;
  readonly #whenClosing: (() => void)[] = [];

  constructor(parts: StageParts) {
    this.parts = parts;
    this.watch = parts.watch;
  }

  // --- Time ---

  /** As a timer of Node; nothing comes after a violation. */
  after(ms: number, run: () => void): void {
    this.running += 1;
    this.parts.after(ms, () => {
      this.running -= 1;
      if (!this.watch.isOver) run();
    });
  }

  immediately(run: () => void): void {
    this.running += 1;
    this.parts.immediately(() => {
      this.running -= 1;
      if (!this.watch.isOver) run();
    });
  }

  closing(): void {
    this.isClosing = true;
    for (const run of this.#whenClosing.splice(0)) run();
  }

  whenClosing(run: () => void): void {
    if (this.isClosing) run();
    else this.#whenClosing.push(run);
  }

  // --- Objects ---

  /** A call gave an object: it is the latest of its request, and may be kept. */
  obtained(kind: Kind, object: object, record: RequestRecord): void {
    record.latest.set(kind, object);
    this.watch.count('kept', kind);
    if (record.isOpen) this.museum.keep(kind, object, record);
    else record.whenOver(() => this.after(1, () => this.museum.keep(kind, object, record)));
  }

  #exhibitOf(step: Step, frame: Frame): Exhibit | null {
    if (step.kept !== null) {
      const exhibit = this.museum.pick(step.kind, step.kept);
      if (exhibit !== null) return exhibit;
    }
    const object = ownOf(step.kind, frame);
    return object === null ? null : { object, record: frame.record };
  }

  // --- Chains ---

  /** Calls next(); the first part of a chain that begins meanwhile has to be of its request. */
  callNext(next: () => Promise<void>, record: RequestRecord): Promise<void> {
    const before = this.#calling;
    this.#calling = record;
    try {
      return next();
    } finally {
      this.#calling = before;
    }
  }

  /** A part of the chain of `record` begins. */
  began(record: RequestRecord, part: string): void {
    const calling = this.#calling;
    this.#calling = null;
    record.runs += 1;
    if (calling === null || calling === record) return;
    const what = `next() of request ${calling.id} runs the ${part} of request ${record.id}`;
    this.watch.report('isolation', what, record);
  }

  // --- Calls ---

  /** All steps at once, one after the other; an unguarded one may throw. */
  runSteps(steps: readonly Step[], frame: Frame): void {
    for (const step of steps) {
      if (this.watch.isOver) return;
      const result = this.perform(step, frame);
      // Nobody waits here; what was looked at is a promise of ours.
      if (step.awaited && result instanceof Promise) result.catch(() => {});
    }
  }

  /** Makes one call, and gives what it gave. Throws what it threw if nothing guards it. */
  perform(step: Step, frame: Frame): unknown {
    const { kind } = step;
    if (step.kept !== null && step.kept >= SWEEP) {
      this.watch.count('on', 'all that are over');
      const guarded = { ...step, guarded: true, awaited: false };
      for (const exhibit of this.museum.overOf(kind)) this.#performOn(exhibit, guarded, frame);
      return undefined;
    }
    const exhibit = this.#exhibitOf(step, frame);
    if (exhibit !== null) return this.#performOn(exhibit, step, frame);
    this.watch.count('without an object', kind);
    return undefined;
  }

  #performOn(exhibit: Exhibit, step: Step, frame: Frame): unknown {
    const { kind, call } = step;
    const { record: owner } = exhibit;
    const isLate = owner.syncDepth === 0 && owner.ended;
    const what = `${kind}: ${call}`;
    this.#count(step, frame, owner, isLate);
    const lateBefore = this.parts.lateCount();
    try {
      const result = (this.parts.calls[kind][call] as (object: object, act: Act) => unknown)(
        exhibit.object,
        { stage: this, step, owner },
      );
      this.parts.did(owner, what, 0);
      const isMissing = this.parts.lateCount() === lateBefore;
      if (isLate && isMissing && isCounted(step, owner, exhibit.object)) {
        this.watch.report('late call', `${what} of request ${owner.id} is not counted`, owner);
      }
      return this.#watched(result, step, owner, what);
    } catch (error) {
      this.parts.did(owner, what, 1);
      this.watch.caught(owner, what, error);
      if (isLate) this.#threwLate(step, owner, error);
      if (!step.guarded) throw error;
      return undefined;
    }
  }

  #count(step: Step, frame: Frame, owner: RequestRecord, isLate: boolean): void {
    const { watch } = this;
    watch.count('call', `${step.kind}: ${step.call}`);
    watch.count('when', step.when);
    watch.count('on', owner === frame.record ? 'its own request' : 'another request');
    if (isLate) watch.count('late', step.kind);
  }

  #threwLate({ kind, call }: Step, owner: RequestRecord, error: unknown): void {
    if (kind !== 'response' && kind !== 'events') return;
    if (READS.includes(call)) return;
    // What no response takes may be refused at any time.
    if (error instanceof TypeError || error instanceof RangeError) return;
    const what = `${kind}: ${call} of request ${owner.id} threw after the answer`;
    this.watch.report('late call', `${what}: ${textOf(error)}`, owner);
  }

  /** Looks at what a promise gives, unless it is ignored. */
  #watched(result: unknown, step: Step, owner: RequestRecord, what: string): unknown {
    if (!(result instanceof Promise)) return result;
    const { watch } = this;
    // A promise that a handler ignores must not end the process.
    if (!step.awaited) return result;
    const isCounted = !MAY_NEVER_SETTLE.includes(step.kind);
    if (isCounted) watch.unsettled.set(what, (watch.unsettled.get(what) ?? 0) + 1);
    const settled = (): void => {
      if (isCounted) watch.unsettled.set(what, (watch.unsettled.get(what) ?? 0) - 1);
    };
    return result.then(
      (value: unknown) => {
        settled();
        watch.read(owner, what, value);
        return value;
      },
      (error: unknown) => {
        settled();
        watch.caught(owner, what, error);
        throw error;
      },
    );
  }
}

/** A late answer is counted, unless its response has no content anyway. */
function isCounted({ kind, call }: Step, { script }: RequestRecord, object: object): boolean {
  if (kind !== 'response' || (call !== 'text' && call !== 'html')) return false;
  if (script.method === 'HEAD') return false;
  try {
    return (object as { readonly statusCode: number }).statusCode === 200;
  } catch {
    return true;
  }
}

function ownOf(kind: Kind, frame: Frame): object | null {
  if (kind === 'response') return frame.response;
  if (kind === 'request') return frame.request;
  if (kind === 'next') return frame.next;
  return frame.record.latest.get(kind) ?? null;
}

/** Every call as 'kind: call', for what has to occur. */
export const ALL_CALLS: readonly string[] = Object.entries(CALLS).flatMap(([kind, calls]) =>
  calls.map((call) => `${kind}: ${call}`),
);
