// What figures taken again and again have in the middle, and a line that shows them.

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
