// Line charts. The lines are SVG that stretches with its box; labels are HTML over it, so that text
// keeps its size on any screen.

import { escapeHtml } from './text.ts';

export interface PlotLine {
  readonly name: string;
  readonly isOwn: boolean;
  readonly points: readonly PlotPoint[];
  /** Whether each point is marked. */
  readonly hasDots: boolean;
}

export interface PlotPoint {
  /** 0 to 1, from left to right. */
  readonly x: number;
  readonly value: number;
  /** The range around the value. */
  readonly least?: number;
  readonly most?: number;
  readonly title: string;
}

export interface Plot {
  readonly title: string;
  readonly about: string;
  readonly lines: readonly PlotLine[];
  readonly xTicks: readonly (readonly [x: number, text: string])[];
  readonly yTicks: readonly number[];
  readonly yText: (value: number) => string;
  /** Logarithmic axes go from their first tick to their last, others from 0. */
  readonly isLogarithmic: boolean;
}

export function plotHtml(plot: Plot): string {
  const { about, lines, title, xTicks, yText, yTicks } = plot;
  const up = heightOf(plot);
  const grid = yTicks.map((value) => `M0 ${y(up(value))}H100`).join('');
  const areas = lines.map((line) => areaPath(line, up));
  const paths = lines.map(({ isOwn, points }) => {
    const steps = points.map((point) => `${x(point.x)} ${y(up(point.value))}`);
    return `<path${isOwn ? ' class="own"' : ''} d="M${steps.join('L')}"/>`;
  });
  const dots = lines.flatMap(({ hasDots, isOwn, points }) =>
    points.map((point) => {
      if (!hasDots && points.length > 1) return '';
      const place = `left:${x(point.x)}%;top:${y(up(point.value))}%`;
      const title = escapeHtml(point.title);
      return `<span class="dot${isOwn ? ' own' : ''}" style="${place}" title="${title}"></span>`;
    }),
  );
  const yLabels = yTicks.map(
    (value) => `<span class="y" style="top:${y(up(value))}%">${escapeHtml(yText(value))}</span>`,
  );
  const xLabels = xTicks.map(
    ([at, text]) => `<span class="x" style="left:${x(at)}%">${escapeHtml(text)}</span>`,
  );
  return `<figure>
<h3>${escapeHtml(title)}</h3>
<figcaption>${escapeHtml(about)}</figcaption>
<div class="plot" role="img" aria-label="${escapeHtml(labelOf(plot))}">
<svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
<path class="grid" d="${grid}"/>${areas.join('')}${paths.join('')}
</svg>
${[...yLabels, ...xLabels, ...dots].filter((one) => one !== '').join('\n')}
</div>
</figure>`;
}

/** The label for screen readers: the last point of each line. */
function labelOf({ lines, title, yText }: Plot): string {
  const ends = lines.map(({ name, points }) => {
    const last = points.at(-1);
    return last === undefined ? `${name}: no points` : `${name}: ${yText(last.value)} at the right`;
  });
  return `${title}. ${ends.join('; ')}`;
}

/** 0 at the bottom, 1 at the top. */
function heightOf({ isLogarithmic, yTicks }: Plot): (value: number) => number {
  const last = yTicks.at(-1) ?? 1;
  if (!isLogarithmic) return (value) => value / last;
  const first = yTicks[0] ?? 1;
  const span = Math.log(last / first) || 1;
  return (value) => Math.log(Math.max(value, first) / first) / span;
}

function areaPath({ points }: PlotLine, up: (value: number) => number): string {
  const spread = points.filter(({ least, most }) => least !== undefined && most !== undefined);
  if (spread.length < 2) return '';
  const top = spread.map((point) => `${x(point.x)} ${y(up(point.most ?? 0))}`);
  const bottom = spread.map((point) => `${x(point.x)} ${y(up(point.least ?? 0))}`).reverse();
  return `<path class="spread-area" d="M${[...top, ...bottom].join('L')}Z"/>`;
}

function x(share: number): number {
  return Math.round(share * 1000) / 10;
}

function y(share: number): number {
  return Math.round((1 - Math.min(Math.max(share, 0), 1)) * 1000) / 10;
}

/** Powers of ten around all values. */
export function logarithmicTicks(values: readonly number[]): readonly number[] {
  const good = values.filter((value) => value > 0 && Number.isFinite(value));
  if (good.length === 0) return [0.1, 1];
  const low = 10 ** Math.floor(Math.log10(Math.min(...good)));
  const high = 10 ** Math.ceil(Math.log10(Math.max(...good)));
  const ticks: number[] = [];
  for (let tick = low; tick <= high * 1.01; tick *= 10) ticks.push(Number(tick.toPrecision(3)));
  return ticks.length > 1 ? ticks : [low, low * 10];
}

/** From 0 in four or five even steps of round numbers. */
export function evenTicks(most: number): readonly number[] {
  const wanted = Math.max(most, Number.MIN_VALUE) / 4;
  const power = 10 ** Math.floor(Math.log10(wanted));
  const step = [1, 2, 2.5, 5, 10].map((one) => one * power).find((one) => one >= wanted) ?? wanted;
  const count = Math.max(1, Math.ceil(most / step - 1e-9));
  return Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(6)));
}
