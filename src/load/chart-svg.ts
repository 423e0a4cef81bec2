// Draws a chart as SVG: a line or bars over two axes that begin at zero.

export interface Chart {
  readonly title: string;
  readonly kind: 'line' | 'bars';
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Positions on the axes, with their labels. */
  readonly xTicks: readonly (readonly [number, string])[];
  readonly yTicks: readonly (readonly [number, string])[];
  /** The position and the label of a vertical line. */
  readonly mark?: readonly [number, string] | undefined;
}

const WIDTH = 900;
const HEIGHT = 260;
const LEFT = 70;
const BOTTOM = 30;
const TOP = 10;
const RIGHT = 20;

export function chartSvg({ kind, mark, points, title, xTicks, yTicks }: Chart): string {
  const xMost = Math.max(...points.map(([x]) => x), ...xTicks.map(([x]) => x)) || 1;
  const yMost = Math.max(...points.map(([, y]) => y), ...yTicks.map(([y]) => y)) || 1;
  // A bar is drawn to the right of its x.
  const xSpan = kind === 'bars' ? xMost + 1 : xMost;
  const at = (x: number): number => round(LEFT + (x / xSpan) * (WIDTH - LEFT - RIGHT));
  const up = (y: number): number => round(HEIGHT - BOTTOM - (y / yMost) * (HEIGHT - BOTTOM - TOP));
  const grid = yTicks.map(
    ([y, text]) =>
      `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${up(y)}" y2="${up(y)}" ` +
      'stroke="var(--grid)"/>' +
      `<text x="${LEFT - 8}" y="${up(y) + 4}" text-anchor="end">${text}</text>`,
  );
  const below = xTicks.map(
    ([x, text]) => `<text x="${at(x)}" y="${HEIGHT - 8}" text-anchor="middle">${text}</text>`,
  );
  const marked =
    mark === undefined
      ? ''
      : `<line x1="${at(mark[0])}" x2="${at(mark[0])}" y1="${TOP}" y2="${HEIGHT - BOTTOM}" ` +
        'stroke="currentColor" stroke-dasharray="4 4"/>' +
        `<text x="${at(mark[0]) + 5}" y="${TOP + 12}">${mark[1]}</text>`;
  const width = round((WIDTH - LEFT - RIGHT) / xSpan - 1);
  const drawn =
    kind === 'line'
      ? `<polyline fill="none" stroke="var(--line)" stroke-width="2" points="${points
          .map(([x, y]) => `${at(x)},${up(y)}`)
          .join(' ')}"/>`
      : points
          .map(
            ([x, y]) =>
              `<rect x="${at(x)}" y="${up(y)}" width="${width}" ` +
              `height="${round(HEIGHT - BOTTOM - up(y))}" fill="var(--bar)"/>`,
          )
          .join('');
  return (
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}">` +
    `${grid.join('')}${below.join('')}${drawn}${marked}</svg>`
  );
}

/** Round numbers from 0 to `most` or just above, four or five of them. */
export function axisTicks(
  most: number,
  text: (value: number) => string,
): readonly (readonly [number, string])[] {
  if (!(most > 0)) return [[0, text(0)]];
  const rough = most / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((one) => one >= rough);
  const found: [number, string][] = [];
  for (let index = 0; index <= Math.ceil(most / (step ?? rough)); index++) {
    const value = index * (step ?? rough);
    found.push([value, text(value)]);
  }
  return found;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
