// Whether a figure of one commit differs from that of another: by more than a threshold, and by
// more than the rounds differ from each other.

import { median } from '../measure/pairs.ts';
import { tableText } from '../runner/table.ts';

/** One figure of both commits, a value for each round; rounds stand at the same place in both. */
export interface Figure {
  readonly name: string;
  readonly base: readonly number[];
  readonly head: readonly number[];
  readonly better: 'more' | 'less';
  /** Changes up to this are not worth a word: 0.05 is 5 %. */
  readonly threshold: number;
  readonly digits: number;
}

export interface Verdict {
  readonly figure: Figure;
  readonly base: number;
  readonly head: number;
  /** The median of the head by that of the base. */
  readonly ratio: number;
  /** Between these lies the middle half of the rounds' ratios. */
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

/** Of sorted values; between two of them in proportion. */
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

/** One line: what became worse, and what better. */
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
