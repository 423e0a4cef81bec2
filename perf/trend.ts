// Whether figures taken again and again grow, and a line that shows them.

/** The slope of the line of least squares through values at equal distances; for each step. */
export function slope(values: readonly number[]): number {
  const count = values.length;
  if (count < 2) throw new Error('a trend takes two values');
  const middle = (count - 1) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  let products = 0;
  let squares = 0;
  values.forEach((value, index) => {
    products += (index - middle) * (value - mean);
    squares += (index - middle) ** 2;
  });
  return products / squares;
}

/** How much the line rises from the first value to the last. */
export function rise(values: readonly number[]): number {
  return slope(values) * (values.length - 1);
}

/** The least of each `group` values in a row; what is left over at the beginning is left out. */
export function lows(values: readonly number[], group: number): readonly number[] {
  const found: number[] = [];
  for (let at = values.length % group; at < values.length; at += group) {
    found.push(Math.min(...values.slice(at, at + group)));
  }
  return found;
}

/** Of an even number the upper of the two in the middle. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error('a median takes a value');
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

const LEVELS = '▁▂▃▄▅▆▇█';

/** One character for each value, or for the mean of a few neighbours when there are many. */
export function chart(values: readonly number[], columns: number): string {
  const group = Math.max(1, Math.ceil(values.length / columns));
  const means: number[] = [];
  for (let at = 0; at < values.length; at += group) {
    const some = values.slice(at, at + group);
    means.push(some.reduce((sum, value) => sum + value, 0) / some.length);
  }
  const least = Math.min(...means);
  const span = Math.max(...means) - least;
  const level = (value: number): number =>
    span === 0 ? 0 : Math.round(((value - least) / span) * (LEVELS.length - 1));
  return means.map((value) => LEVELS[level(value)]).join('');
}
