// A figure and the threshold it has to reach.

export interface Threshold {
  readonly name: string;
  /** NaN when it could not be measured, which misses every threshold. */
  readonly value: number;
  readonly is: 'at least' | 'at most' | 'less than';
  readonly bound: number;
  /** Digits after the point. */
  readonly digits: number;
}

export function isMet({ value, is, bound }: Threshold): boolean {
  if (is === 'at least') return value >= bound;
  return is === 'at most' ? value <= bound : value < bound;
}

export function thresholdLine(threshold: Threshold): string {
  const { name, value, is, bound, digits } = threshold;
  const figure = Number.isNaN(value) ? 'not measured' : value.toFixed(digits);
  const verdict = isMet(threshold) ? 'met' : 'MISSED';
  return `threshold: ${name} ${is} ${bound.toFixed(digits)}: ${figure}, ${verdict}`;
}
