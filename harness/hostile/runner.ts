// Runs the program of a handler or middleware: its steps in order, each at its time, then its throw
// or its return value.

import type { HostileContext } from './context.ts';
import type { When } from './grammar.ts';
import type { Frame } from './record.ts';
import type { Part, Step } from './script.ts';
import { returnedOf, thrownOf } from './values.ts';

/** The longest wait for an event that may never occur. */
const EVENT_WAIT_MS = 3000;
/** The same while the server closes: a run must end. */
const EVENT_WAIT_CLOSING_MS = 40;

interface Failure {
  readonly error: unknown;
}

/** Runs a part: returns and throws like a handler. */
export function runPart(context: HostileContext, frame: Frame, part: Part): unknown {
  const run = new PartRun(context, frame, part);
  frame.record.syncDepth += 1;
  try {
    run.begin();
  } finally {
    frame.record.syncDepth -= 1;
  }
  return run.result();
}

class PartRun {
  readonly #context: HostileContext;
  readonly #frame: Frame;
  readonly #part: Part;
  readonly #promise: Promise<void>;
  #settle: (failure: Failure | null) => void = () => {};
  #isSync = true;
  /** What the call itself throws. */
  #thrown: Failure | null = null;

  constructor(context: HostileContext, frame: Frame, part: Part) {
    this.#context = context;
    this.#frame = frame;
    this.#part = part;
    this.#promise = new Promise((resolve, reject) => {
      this.#settle = (failure) => {
        if (failure === null) resolve();
        else reject(failure.error);
      };
    });
    // A promise that is not returned may reject unhandled.
    this.#promise.catch(() => {});
  }

  begin(): void {
    this.#go(0, false);
    this.#isSync = false;
  }

  result(): unknown {
    if (this.#thrown !== null) {
      const { error } = this.#thrown;
      throw error;
    }
    const { returns } = this.#part;
    this.#context.monitor.count('returns', returns);
    return returnedOf(returns, this.#promise);
  }

  /** Continues with step `from`, which is due now if `isDue`. */
  #go(from: number, isDue: boolean): void {
    const { steps } = this.#part;
    try {
      for (let at = from; at < steps.length && !this.#context.monitor.isOver; at++) {
        const step = steps[at];
        if (step.when !== 'now' && !(isDue && at === from)) {
          this.#wait(step.when, () => this.#go(at, true));
          return;
        }
        const result = this.#context.perform(step, this.#frame);
        if (step.awaited && result instanceof Promise) {
          this.#await(result, step, at);
          return;
        }
      }
      this.#end();
    } catch (error) {
      this.#fail({ error });
    }
  }

  #await(result: Promise<unknown>, step: Step, at: number): void {
    result.then(
      () => this.#go(at + 1, false),
      (error: unknown) => {
        if (step.guarded) this.#go(at + 1, false);
        else this.#fail({ error });
      },
    );
  }

  #end(): void {
    const { throws } = this.#part;
    this.#context.monitor.count('throws', throws);
    if (throws === 'nothing') this.#settle(null);
    else this.#fail({ error: thrownOf(throws, this.#frame.record.mark) });
  }

  #fail(failure: Failure): void {
    if (this.#isSync) this.#thrown = failure;
    else this.#settle(failure);
  }

  #wait(when: Exclude<When, 'now'>, run: () => void): void {
    const context = this.#context;
    const { record } = this.#frame;
    switch (when) {
      case 'after microtasks':
        void Promise.resolve().then(() => Promise.resolve().then(run));
        break;
      case 'after a timer':
        context.after(1 + (record.id % 5), run);
        break;
      case 'after a long timer':
        context.after(100 + (record.id % 700), run);
        break;
      case 'in an immediate':
        context.immediately(run);
        break;
      case 'after the response':
        this.#once(run, (go) => record.whenEnded(() => context.after(1, go)));
        break;
      case 'after the client is gone':
        this.#once(run, (go) =>
          record.whenEnded(() => {
            if (!record.complete) go();
          }),
        );
        break;
      case 'after the handler timeout':
        context.after(
          context.isClosing ? EVENT_WAIT_CLOSING_MS : context.parts.handlerTimeoutMs + 20,
          run,
        );
        break;
      case 'after close() began':
        context.whenClosing(() => context.after(1, run));
        break;
      default:
        when satisfies never;
    }
  }

  /** Runs once: at the event, or when that takes too long. */
  #once(run: () => void, when: (go: () => void) => void): void {
    let isDone = false;
    const go = (): void => {
      if (isDone) return;
      isDone = true;
      run();
    };
    when(go);
    this.#context.after(this.#context.isClosing ? EVENT_WAIT_CLOSING_MS : EVENT_WAIT_MS, go);
  }
}
