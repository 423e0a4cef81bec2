// Progress lines: one line that is overwritten on a terminal, else a line every few seconds.

import { Figure, type Result } from '../session/worker-messages.ts';

const LINE_MS = 5_000;

export class Status {
  readonly #out: NodeJS.WriteStream;
  #printedMs: number;

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
    this.#printedMs = 0;
  }

  /** The progress of a target. */
  report(target: string, seed: number, figures: Float64Array, elapsedMs: number): void {
    const text = figuresText(target, seed, figures, elapsedMs);
    if (this.#out.isTTY) {
      this.#out.write(`\r${text.slice(0, (this.#out.columns ?? 80) - 1)}\x1b[K`);
    } else if (elapsedMs - this.#printedMs >= LINE_MS) {
      this.#printedMs = elapsedMs;
      this.#out.write(`${text}\n`);
    }
  }

  /** The result of a target. */
  end(target: string, seed: number, result: Result): void {
    const { executions, runsMs, corpus, added, reached, features } = result;
    const rate = grouped((executions / Math.max(1, runsMs)) * 1000);
    const lines =
      `${target}: ${grouped(executions)} executions in ${(runsMs / 1000).toFixed(1)} s, ` +
      `${rate}/s, ${corpus} inputs (${added} new), ` +
      `${reached} edges, ${features} features, seed ${seed}`;
    this.line(lines);
  }

  /** A line of its own. */
  line(text: string): void {
    this.#out.write(this.#out.isTTY ? `\r\x1b[K${text}\n` : `${text}\n`);
    this.#printedMs = 0;
  }
}

function figuresText(
  target: string,
  seed: number,
  figures: Float64Array,
  elapsedMs: number,
): string {
  const executions = figures[Figure.Executions];
  const rate = grouped((executions / Math.max(1, elapsedMs)) * 1000);
  return (
    `${target}: ${grouped(executions)} executions, ${rate}/s, ` +
    `${figures[Figure.Corpus]} inputs (${figures[Figure.Added]} new), ` +
    `${figures[Figure.Reached]} of ${figures[Figure.Counters]} edges, seed ${seed}`
  );
}

function grouped(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
