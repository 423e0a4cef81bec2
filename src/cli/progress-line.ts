// The progress of a load: a line that is redrawn on a terminal, one line a second elsewhere.

import { barText, countText, timeText } from '../load/format.ts';
import type { Progress } from '../load/run-load.ts';

export interface ProgressEnvironment {
  err(text: string): void;
  readonly columns: number;
}

const BAR_COLUMNS = 24;
const CLEAR = '\r\u001b[2K';

export class ProgressLine {
  readonly #environment: ProgressEnvironment;
  #isDrawn = false;

  constructor(environment: ProgressEnvironment) {
    this.#environment = environment;
  }

  show(progress: Progress): void {
    const { columns } = this.#environment;
    if (columns === 0) {
      this.#environment.err(`${progressText(progress, 0)}\n`);
      return;
    }
    this.#isDrawn = true;
    this.#environment.err(`${CLEAR}${progressText(progress, BAR_COLUMNS).slice(0, columns - 1)}`);
  }

  clear(): void {
    if (this.#isDrawn) this.#environment.err(CLEAR);
    this.#isDrawn = false;
  }
}

export function progressText(progress: Progress, barColumns: number): string {
  const { responses, count, durationMs, elapsedMs, errors, p99Ms, phase, requestsPerSecond } =
    progress;
  if (phase === 'warm-up') return `warming up, ${(-elapsedMs / 1000).toFixed(0)} s left`;
  const isCounted = durationMs === Number.POSITIVE_INFINITY;
  const done = isCounted ? responses / count : elapsedMs / durationMs;
  const bar = barColumns === 0 ? '' : `${barText(done, barColumns).padEnd(barColumns, '░')} `;
  const where = isCounted
    ? `${countText(responses)} of ${countText(count)}`
    : `${(elapsedMs / 1000).toFixed(0)} of ${(durationMs / 1000).toFixed(0)} s`;
  const failed = errors === 0 ? '' : `, ${countText(errors)} errors`;
  return `${bar}${where}  ${countText(requestsPerSecond)}/s  P99 ${timeText(p99Ms)}${failed}`;
}
