// The charts of the page: what each draws, and the heat map of all latencies.

import type uPlot from 'uplot';
import { rowsOf } from '../buckets.ts';
import { type Column, SHARE_NAMES } from '../columns.ts';
import { rowBounds, STEP_DOWN } from '../ranges.ts';
import { rateText, secondsText, shortText, sizeText, wholeText } from '../text.ts';
import { color } from './palette.ts';
import { type Line, type Span, TimeChart } from './time-chart.ts';

/** Those below others first: the areas are stacked. */
const STATUS_LINES: readonly Line[] = [
  { name: '2xx', color: '--s2', value: ({ statusRates }) => statusRates[1] + statusRates[0] },
  { name: '3xx', color: '--s3', value: ({ statusRates }) => statusRates[2] },
  { name: '4xx', color: '--s4', value: ({ statusRates }) => statusRates[3] },
  { name: '5xx', color: '--s5', value: ({ statusRates }) => statusRates[4] },
];

const LATENCY_LINES: readonly Line[] = SHARE_NAMES.map((name, index) => ({
  name,
  color: `--p${index}`,
  value: ({ percentiles }) => percentiles[index],
}));

export function makeCharts(): readonly TimeChart[] {
  return [
    requestRates(),
    times('latency', LATENCY_LINES, 'log'),
    heatMap(),
    counts('connections', [
      { name: 'open', color: '--p1', value: ({ open }) => open },
      { name: 'in flight', color: '--p2', value: ({ active }) => active },
    ]),
    sizes('traffic', [
      { name: 'received', color: '--p2', value: ({ receivedRate }) => receivedRate },
      { name: 'sent', color: '--p1', value: ({ sentRate }) => sentRate },
    ]),
    times('turns', [
      { name: 'P99', color: '--p1', value: ({ turnP99 }) => turnP99 },
      { name: 'longest', color: '--p3', value: ({ turnLongest }) => turnLongest },
    ]),
    times('pauses', [
      { name: 'longest', color: '--p2', value: ({ pauseLongest }) => pauseLongest ?? 0 },
    ]),
    sizes('memory', [
      { name: 'resident', color: '--p1', value: ({ residentBytes }) => residentBytes },
      { name: 'heap', color: '--p2', value: ({ heapBytes }) => heapBytes },
    ]),
  ];
}

export function drawAll(
  charts: readonly TimeChart[],
  columns: readonly Column[],
  span: Span,
): void {
  for (const chart of charts) chart.draw(columns, span);
}

function requestRates(): TimeChart {
  return new TimeChart({
    id: 'rate',
    lines: STATUS_LINES,
    scale: 'linear',
    isStacked: true,
    format: rateText,
    axisFormat: shortText,
    paintOver: markServerErrors,
  });
}

const MARK_ROWS = 4;

/** A mark at the upper edge: one 5xx among thousands of requests has no area. */
function markServerErrors(plot: uPlot, columns: readonly Column[]): void {
  plot.ctx.fillStyle = color('--s5');
  for (const { seconds, statusRates, time } of columns) {
    if (statusRates[4] === 0) continue;
    const to = plot.valToPos(time, 'x', true);
    const from = Math.max(plot.bbox.left, plot.valToPos(time - seconds, 'x', true));
    const rows = MARK_ROWS * devicePixelRatio;
    plot.ctx.fillRect(from, plot.bbox.top, Math.max(2, to - from), rows);
  }
}

function counts(id: string, lines: readonly Line[]): TimeChart {
  return new TimeChart({ id, lines, scale: 'linear', format: wholeText, axisFormat: shortText });
}

function sizes(id: string, lines: readonly Line[]): TimeChart {
  return new TimeChart({ id, lines, scale: 'linear', format: sizeText, axisFormat: sizeText });
}

function times(id: string, lines: readonly Line[], scale: 'linear' | 'log' = 'linear'): TimeChart {
  return new TimeChart({ id, lines, scale, format: secondsText, axisFormat: axisTime });
}

/** Times on an axis are round: 100 us, 1 ms, 10 s. */
function axisTime(seconds: number): string {
  if (seconds === 0) return '0';
  if (seconds < 0.000_999) return `${Number((seconds * 1e6).toPrecision(3))} us`;
  if (seconds < 0.999) return `${Number((seconds * 1e3).toPrecision(3))} ms`;
  return `${Number(seconds.toPrecision(3))} s`;
}

function heatMap(): TimeChart {
  return new TimeChart({
    id: 'heat',
    lines: [{ name: 'P99', color: '--heat-line', value: ({ percentiles }) => percentiles[2] }],
    scale: 'log',
    format: secondsText,
    axisFormat: axisTime,
    paint: paintHeat,
  });
}

/** A cell for each column and each row of latencies, the darker the larger its part is. */
function paintHeat(plot: uPlot, columns: readonly Column[]): void {
  const bounds = rowBounds(columns);
  const { ctx } = plot;
  const { left, top, width, height } = plot.bbox;
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, width, height);
  ctx.clip();
  const cells = columns.map((column) => partsOf(rowsOf(column.latency, bounds)));
  const most = cells.reduce((all, parts) => Math.max(all, ...parts), 0);
  for (const [at, column] of columns.entries()) {
    const from = plot.valToPos(column.time - column.seconds, 'x', true);
    const to = plot.valToPos(column.time, 'x', true);
    for (const [index, part] of cells[at].entries()) {
      if (part === 0) continue;
      const high = plot.valToPos(bounds[index], 'y', true);
      const low = plot.valToPos(bounds[index] * STEP_DOWN, 'y', true);
      // A single request among thousands must be seen.
      ctx.fillStyle = color('--heat', 0.14 + 0.86 * Math.sqrt(part / most));
      ctx.fillRect(from, high, Math.max(1, to - from - 0.5), Math.max(1, low - high - 0.5));
    }
  }
  ctx.restore();
}

/** The part of each row in all values of a column. */
function partsOf(rows: readonly number[]): readonly number[] {
  const count = rows.reduce((sum, each) => sum + each, 0);
  return rows.map((each) => (count === 0 ? 0 : each / count));
}
