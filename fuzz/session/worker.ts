// The thread that fuzzes one target. It receives a job and sends a result; the thread that started
// it watches its shared figures.

import { parentPort, workerData } from 'node:worker_threads';
import { Engine } from '../engine/engine.ts';
import { loadTarget } from './load.ts';
import { Figure, type Job, type Result } from './worker-messages.ts';

const job = workerData as Job;
const figures = new Float64Array(job.figures);
const shown = new Uint8Array(job.input);

const beganMs = performance.now();
const { target, counters, compare } = await loadTarget(job.mirrors);
const engine = new Engine({
  target,
  counters,
  compare,
  seed: job.seed,
  isGuided: job.isGuided,
  watch: (input) => {
    shown.set(input);
    figures[Figure.InputBytes] = input.length;
    figures[Figure.Executions] = engine.executions;
  },
});
process.on('unhandledRejection', (reason) => {
  engine.rejectionUnhandled(
    reason instanceof Error ? reason : new Error(`rejected: ${String(reason)}`),
  );
});

await engine.begin(job.replay === null ? job.kept : [job.replay]);
const before = engine.corpus.entries.length;
show();
const isOver = (executions: number) =>
  executions >= job.executionsMax ||
  figures[Figure.Stop] !== 0 ||
  performance.now() - beganMs >= job.runsMs;
while (job.replay === null && engine.finding === null && !isOver(engine.executions)) {
  await engine.round(isOver);
  show();
}
parentPort?.postMessage(result());

function show(): void {
  figures[Figure.Corpus] = engine.corpus.entries.length;
  figures[Figure.Added] = engine.corpus.entries.length - before;
  figures[Figure.Reached] = engine.coverage.reached;
  figures[Figure.Counters] = counters.counters.length;
  figures[Figure.Features] = engine.coverage.count;
}

function result(): Result {
  const { finding, corpus, coverage, executions } = engine;
  return {
    found:
      finding === null ? null : { ...finding, text: finding.error.stack ?? String(finding.error) },
    executions,
    runsMs: performance.now() - beganMs,
    reached: coverage.reached,
    features: coverage.count,
    corpus: corpus.entries.length,
    added: corpus.entries.length - before,
    minimal: corpus.minimal().map(({ bytes }) => bytes),
  };
}
