// A series of figures as one line of block characters.

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
