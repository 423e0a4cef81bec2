// The context of hostile programs: makes their calls on objects of their own and of other requests,
// and checks each result.

import { CALLS, type Kind } from './grammar.ts';
import { type KeptObject, KeptObjects } from './kept-objects.ts';
import { type Monitor, textOf } from './monitor.ts';
import type { Frame, RequestRecord } from './record.ts';
import type { Script, Step } from './script.ts';
import { Sources } from './sources.ts';

/** The arguments of a call. */
export interface CallArguments {
  readonly context: HostileContext;
  readonly step: Step;
  /** The request of the object: the call writes its mark. */
  readonly owner: RequestRecord;
}

export type Calls = Readonly<Record<string, (object: never, args: CallArguments) => unknown>>;

export interface HostileContextParts {
  readonly monitor: Monitor;
  readonly calls: Readonly<Record<Kind, Calls>>;
  readonly after: (ms: number, run: () => void) => void;
  readonly immediately: (run: () => void) => void;
  readonly handlerTimeoutMs: number;
  readonly scriptOf: (id: number) => Script;
  /** The late calls that the server has counted. */
  readonly lateCount: () => number;
  /** Adds a call to the trace of the run. */
  readonly did: (owner: RequestRecord, what: string, outcome: number) => void;
}

/** Calls whose promise may wait for a handler that never settles. */
const MAY_NEVER_SETTLE: readonly Kind[] = ['next'];

/** From this number on a call is made on all kept objects of the kind whose requests are over. */
const SWEEP = 192;

/** Reads may throw once the request is over. */
const READS: readonly string[] = ['getHeader', 'statusCode', 'sent'];

export class HostileContext {
  readonly monitor: Monitor;
  readonly keptObjects: KeptObjects = new KeptObjects();
  readonly sources: Sources = new Sources();
  readonly parts: HostileContextParts;
  /** Every request that reached the front middleware. */
  readonly records: RequestRecord[] = [];
  /** Timers of programs that have not fired. */
  running = 0;
  /** The request whose next() is being called, until a part of a chain begins. */
  #calling: RequestRecord | null = null;
  isClosing = false;
  readonly #whenClosing: (() => void)[] = [];

  constructor(parts: HostileContextParts) {
    this.parts = parts;
    this.monitor = parts.monitor;
  }

  // --- Time ---

  /** Like a timer of Node; after a violation it does nothing. */
  after(ms: number, run: () => void): void {
    this.running += 1;
    this.parts.after(ms, () => {
      this.running -= 1;
      if (!this.monitor.isOver) run();
    });
  }

  immediately(run: () => void): void {
    this.running += 1;
    this.parts.immediately(() => {
      this.running -= 1;
      if (!this.monitor.isOver) run();
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

  /** A call returned an object: it is the latest of its request, and may be kept. */
  obtained(kind: Kind, object: object, record: RequestRecord): void {
    record.latest.set(kind, object);
    this.monitor.count('kept', kind);
    if (record.isOpen) this.keptObjects.keep(kind, object, record);
    else record.whenOver(() => this.after(1, () => this.keptObjects.keep(kind, object, record)));
  }

  #objectOf(step: Step, frame: Frame): KeptObject | null {
    if (step.kept !== null) {
      const keptObject = this.keptObjects.pick(step.kind, step.kept);
      if (keptObject !== null) return keptObject;
    }
    const object = ownOf(step.kind, frame);
    return object === null ? null : { object, record: frame.record };
  }

  // --- Chains ---

  /**
   * Calls next(): the first part of a chain that begins meanwhile must belong to the same request.
   */
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
    this.monitor.report('isolation', what, record);
  }

  // --- Calls ---

  /** Runs all steps synchronously; an unguarded one may throw. */
  runSteps(steps: readonly Step[], frame: Frame): void {
    for (const step of steps) {
      if (this.monitor.isOver) return;
      const result = this.perform(step, frame);
      // No step waits here, so the promise needs a handler.
      if (step.awaited && result instanceof Promise) result.catch(() => {});
    }
  }

  /** Makes one call and returns its result. Throws its error unless the step is guarded. */
  perform(step: Step, frame: Frame): unknown {
    const { kind } = step;
    if (step.kept !== null && step.kept >= SWEEP) {
      this.monitor.count('on', 'all finished requests');
      const guarded = { ...step, guarded: true, awaited: false };
      for (const keptObject of this.keptObjects.overOf(kind))
        this.#performOn(keptObject, guarded, frame);
      return undefined;
    }
    const keptObject = this.#objectOf(step, frame);
    if (keptObject !== null) return this.#performOn(keptObject, step, frame);
    this.monitor.count('without an object', kind);
    return undefined;
  }

  #performOn(keptObject: KeptObject, step: Step, frame: Frame): unknown {
    const { kind, call } = step;
    const { record: owner } = keptObject;
    const isLate = owner.syncDepth === 0 && owner.ended;
    const what = `${kind}: ${call}`;
    this.#count(step, frame, owner, isLate);
    const lateBefore = this.parts.lateCount();
    try {
      const result = (
        this.parts.calls[kind][call] as (object: object, args: CallArguments) => unknown
      )(keptObject.object, { context: this, step, owner });
      this.parts.did(owner, what, 0);
      const isMissing = this.parts.lateCount() === lateBefore;
      if (isLate && isMissing && isCounted(step, owner, keptObject.object)) {
        this.monitor.report('late call', `${what} of request ${owner.id} is not counted`, owner);
      }
      return this.#hasAfterSend(result, step, owner, what);
    } catch (error) {
      this.parts.did(owner, what, 1);
      this.monitor.caught(owner, what, error);
      if (isLate) this.#threwLate(step, owner, error);
      if (!step.guarded) throw error;
      return undefined;
    }
  }

  #count(step: Step, frame: Frame, owner: RequestRecord, isLate: boolean): void {
    const { monitor } = this;
    monitor.count('call', `${step.kind}: ${step.call}`);
    monitor.count('when', step.when);
    monitor.count('on', owner === frame.record ? 'its own request' : 'another request');
    if (isLate) monitor.count('late', step.kind);
  }

  #threwLate({ kind, call }: Step, owner: RequestRecord, error: unknown): void {
    if (kind !== 'response' && kind !== 'events') return;
    if (READS.includes(call)) return;
    // Invalid arguments may be rejected at any time.
    if (error instanceof TypeError || error instanceof RangeError) return;
    const what = `${kind}: ${call} of request ${owner.id} threw after the response`;
    this.monitor.report('late call', `${what}: ${textOf(error)}`, owner);
  }

  /** Checks the result of a promise, unless the program ignores it. */
  #hasAfterSend(result: unknown, step: Step, owner: RequestRecord, what: string): unknown {
    if (!(result instanceof Promise)) return result;
    const { monitor } = this;
    // A promise that a handler ignores must not end the process.
    if (!step.awaited) return result;
    const isCounted = !MAY_NEVER_SETTLE.includes(step.kind);
    if (isCounted) monitor.unsettled.set(what, (monitor.unsettled.get(what) ?? 0) + 1);
    const settled = (): void => {
      if (isCounted) monitor.unsettled.set(what, (monitor.unsettled.get(what) ?? 0) - 1);
    };
    return result.then(
      (value: unknown) => {
        settled();
        monitor.read(owner, what, value);
        return value;
      },
      (error: unknown) => {
        settled();
        monitor.caught(owner, what, error);
        throw error;
      },
    );
  }
}

/** A late response is counted, unless it has no content anyway. */
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

/** Every call as 'kind: call'. */
export const ALL_CALLS: readonly string[] = Object.entries(CALLS).flatMap(([kind, calls]) =>
  calls.map((call) => `${kind}: ${call}`),
);
