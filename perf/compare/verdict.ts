// Whether a figure differs between two commits: by more than a threshold, and by more than the
// rounds differ from each other.

import { median } from '../measure/pairs.ts';
import { tableText } from '../runner/table.ts';

/** One figure of both commits, a value for each round, in the order of the rounds. */
export interface Figure {
  readonly name: string;
  readonly base: readonly number[];
  readonly head: readonly number[];
  readonly better: 'more' | 'less';
  /** Changes up to this share are not reported: 0.05 is 5 %. */
  readonly threshold: number;
  readonly digits: number;
}

export interface Verdict {
  readonly figure: Figure;
  readonly base: number;
  readonly head: number;
  /** The median of head divided by that of base. */
  readonly ratio: number;
  /** The quartiles of the rounds' ratios. */
  readonly low: number;
  readonly high: number;
  readonly change: 'same' | 'better' | 'WORSE';
}

export function judge(figure: Figure): Verdict {
  const { base, head, better, threshold, name } = figure;
  if (base.length !== head.length) throw new Error(`${name}: a round lacks one of the two`);
  const ratios = base.map((value, round) => head[round] / value).sort((a, b) => a - b);
  const baseMedian = median(base);
  const headMedian = median(head);
  const ratio = headMedian / baseMedian;
  const low = quantile(ratios, 0.25);
  const high = quantile(ratios, 0.75);
  const change = Math.abs(ratio - 1);
  const counts = change > threshold && change > high - low;
  const isBetter = ratio > 1 === (better === 'more');
  return {
    figure,
    base: baseMedian,
    head: headMedian,
    ratio,
    low,
    high,
    change: counts ? (isBetter ? 'better' : 'WORSE') : 'same',
  };
}

/** Of sorted values; interpolated between two of them. */
export function quantile(sorted: readonly number[], share: number): number {
  if (sorted.length === 0) throw new Error('no values have no quantile');
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
}

export function verdictTable(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map(({ figure, base, head, ratio, low, high, change }) => [
    figure.name,
    base.toFixed(figure.digits),
    head.toFixed(figure.digits),
    ratio.toFixed(3),
    `${low.toFixed(3)} to ${high.toFixed(3)}`,
    change === 'same' ? '' : change,
  ]);
  return tableText([['', 'base', 'head', 'ratio', 'middle half', ''], ...rows]);
}

/** One line that names the figures that became worse or better. */
export function verdictLine(verdicts: readonly Verdict[]): string {
  const named = (change: Verdict['change']): string =>
    verdicts
      .filter((verdict) => verdict.change === change)
      .map(({ figure }) => figure.name)
      .join('; ');
  const worse = named('WORSE');
  const better = named('better');
  const parts = [
    worse === '' ? 'nothing became worse' : `WORSE: ${worse}`,
    ...(better === '' ? [] : [`better: ${better}`]),
  ];
  return parts.join('. ');
}
