// Runs one target in a thread of its own and watches it: reports its progress, and ends a thread
// that hangs in code without counters.

import { Worker } from 'node:worker_threads';
import { makeMirrors } from './load.ts';
import {
  FIGURES,
  Figure,
  type Found,
  INPUT_BYTES_MAX,
  type Job,
  type Result,
} from './worker-messages.ts';

export interface SessionOptions {
  readonly target: string;
  readonly seed: number;
  readonly runsMs: number;
  readonly executionsMax: number;
  readonly kept: readonly Uint8Array[];
  readonly replay: Uint8Array | null;
  /** The longest time of one execution; a longer one hangs. */
  readonly stuckMs: number;
  /** Receives a function that ends the session early, with its result so far. */
  readonly stoppable: (stop: () => void) => void;
  /** Called at an interval while it runs. */
  readonly report: (figures: Float64Array, elapsedMs: number) => void;
}

const REPORT_MS = 500;

/** Runs a target to its end. */
export function runSession(options: SessionOptions): Promise<Result> {
  const beganMs = performance.now();
  const mirrors = makeMirrors(options.target);
  const job: Job = {
    mirrors,
    seed: options.seed,
    isGuided: true,
    kept: options.kept,
    // Making the mirror and starting the thread are part of the time.
    runsMs: options.runsMs - (performance.now() - beganMs),
    executionsMax: options.executionsMax,
    replay: options.replay,
    figures: new SharedArrayBuffer(FIGURES * Float64Array.BYTES_PER_ELEMENT),
    input: new SharedArrayBuffer(INPUT_BYTES_MAX),
  };
  return watched(job, options);
}

function watched(job: Job, options: SessionOptions): Promise<Result> {
  const beganMs = performance.now();
  const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: job });
  const figures = new Float64Array(job.figures);
  options.stoppable(() => {
    figures[Figure.Stop] = 1;
  });
  return new Promise((resolve, reject) => {
    let executions = -1;
    let movedMs = beganMs;
    const timer = setInterval(() => {
      const nowMs = performance.now();
      options.report(figures, nowMs - beganMs);
      if (figures[Figure.Executions] !== executions) {
        executions = figures[Figure.Executions];
        movedMs = nowMs;
      } else if (nowMs - movedMs > options.stuckMs) {
        end(() => resolve(stuck(job, nowMs - beganMs, options.stuckMs)));
        void worker.terminate();
      }
    }, REPORT_MS);
    const end = (settle: () => void) => {
      clearInterval(timer);
      settle();
    };
    worker.once('message', (result: Result) => end(() => resolve(result)));
    worker.once('error', (error) => end(() => reject(error)));
    worker.once('exit', (code) =>
      end(() => reject(new Error(`the fuzzing thread exited with code ${code}`))),
    );
  });
}

/** The result of a thread that hangs: the finding is its current input. */
function stuck(job: Job, runsMs: number, stuckMs: number): Result {
  const figures = new Float64Array(job.figures);
  const input = new Uint8Array(job.input).slice(0, figures[Figure.InputBytes]);
  const executions = figures[Figure.Executions];
  const text = `it did not end within ${stuckMs / 1000} s, in code where no steps are counted`;
  const found: Found = { input, original: input, text, executions, isAlone: true };
  return {
    found,
    executions,
    runsMs,
    reached: figures[Figure.Reached],
    features: figures[Figure.Features],
    corpus: figures[Figure.Corpus],
    added: figures[Figure.Added],
    minimal: [],
  };
}
