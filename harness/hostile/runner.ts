// Runs the program of a handler or a middleware: its steps one after the other, each at its time,
// and at the end what it throws or returns.

import type { Stage } from './context.ts';
import type { When } from './grammar.ts';
import type { Frame } from './record.ts';
import type { Part, Step } from './script.ts';
import { givenOf, thrownOf } from './values.ts';

/** Who waits for an end that may never come goes on after so long. */
const IMPATIENT_MS = 3000;
/** The same while the server closes: a run has to end. */
const HURRIED_MS = 40;

interface Failure {
  readonly error: unknown;
}

/** Runs a part; gives and throws what a handler gives and throws. */
export function runPart(stage: Stage, frame: Frame, part: Part): unknown {
  const flow = new Flow(stage, frame, part);
  frame.record.syncDepth += 1;
  try {
    flow.begin();
  } finally {
    frame.record.syncDepth -= 1;
  }
  return flow.given();
}

class Flow {
  readonly #stage: Stage;
  readonly #frame: Frame;
  readonly #part: Part;
  readonly #promise: Promise<void>;
  #settle: (failure: Failure | null) => void = () => {};
  #isSync = true;
  /** What is to be thrown by the call itself. */
  #thrown: Failure | null = null;

  constructor(stage: Stage, frame: Frame, part: Part) {
    this.#stage = stage;
    this.#frame = frame;
    this.#part = part;
    this.#promise = new Promise((resolve, reject) => {
      this.#settle = (failure) => {
        if (failure === null) resolve();
        else reject(failure.error);
      };
    });
    // Programs whose promise is not returned fail for themselves.
    this.#promise.catch(() => {});
  }

  begin(): void {
    this.#go(0, false);
    this.#isSync = false;
  }

  given(): unknown {
    if (this.#thrown !== null) {
      const { error } = this.#thrown;
      throw error;
    }
    const { gives } = this.#part;
    this.#stage.watch.count('gives', gives);
    return givenOf(gives, this.#promise);
  }

  /** Goes on with step `from`, whose time has come if `isDue`. */
  #go(from: number, isDue: boolean): void {
    const { steps } = this.#part;
    try {
      for (let at = from; at < steps.length && !this.#stage.watch.isOver; at++) {
        const step = steps[at];
        if (step.when !== 'now' && !(isDue && at === from)) {
          this.#wait(step.when, () => this.#go(at, true));
          return;
        }
        const result = this.#stage.perform(step, this.#frame);
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
    this.#stage.watch.count('throws', throws);
    if (throws === 'nothing') this.#settle(null);
    else this.#fail({ error: thrownOf(throws, this.#frame.record.mark) });
  }

  #fail(failure: Failure): void {
    if (this.#isSync) this.#thrown = failure;
    else this.#settle(failure);
  }

  #wait(when: Exclude<When, 'now'>, run: () => void): void {
    const stage = this.#stage;
    const { record } = this.#frame;
    switch (when) {
      case 'after microtasks':
        void Promise.resolve().then(() => Promise.resolve().then(run));
        break;
      case 'after a timer':
        stage.after(1 + (record.id % 5), run);
        break;
      case 'after a long timer':
        stage.after(100 + (record.id % 700), run);
        break;
      case 'in an immediate':
        stage.immediately(run);
        break;
      case 'after the answer':
        this.#once(run, (go) => record.whenEnded(() => stage.after(1, go)));
        break;
      case 'after the client is gone':
        this.#once(run, (go) =>
          record.whenEnded(() => {
            if (!record.complete) go();
          }),
        );
        break;
      case 'after the handler timeout':
        stage.after(stage.isClosing ? HURRIED_MS : stage.parts.handlerTimeoutMs + 20, run);
        break;
      case 'after close() began':
        stage.whenClosing(() => stage.after(1, run));
        break;
      default:
        when satisfies never;
    }
  }

  /** When that has happened, or when it takes too long. */
  #once(run: () => void, when: (go: () => void) => void): void {
    let isDone = false;
    const go = (): void => {
      if (isDone) return;
      isDone = true;
      run();
    };
    when(go);
    this.#stage.after(this.#stage.isClosing ? HURRIED_MS : IMPATIENT_MS, go);
  }
}
