// A row of small bars, one for each value.

const BARS = '▁▂▃▄▅▆▇█';

/** `width` cells: the last values at the right, a blank where none is known. */
export function sparkline(values: readonly (number | null)[], width: number): string {
  const shown = values.slice(Math.max(0, values.length - width));
  const top = Math.max(0, ...shown.map((value) => value ?? 0));
  const bars = shown.map((value) => (value === null ? ' ' : barOf(value, top)));
  return ' '.repeat(Math.max(0, width - bars.length)) + bars.join('');
}

function barOf(value: number, top: number): string {
  const height = top > 0 ? Math.round((value / top) * (BARS.length - 1)) : 0;
  return BARS[Math.min(BARS.length - 1, Math.max(0, height))];
}
