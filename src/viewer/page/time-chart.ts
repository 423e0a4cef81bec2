// A chart over time: lines or stacked areas with a legend that shows the values under the pointer,
// or the last ones. All charts share the pointer, and the arrow keys.

import uPlot from 'uplot';
import { type Column, timesOf } from '../columns.ts';
import { decades, linearTop, logRange } from '../ranges.ts';
import { element, find, setText } from './dom.ts';
import { color } from './palette.ts';

export interface Line {
  readonly name: string;
  /** The variable of its color. */
  readonly color: string;
  value(column: Column): number | null;
  readonly dash?: readonly number[];
}

export interface ChartOptions {
  readonly id: string;
  readonly lines: readonly Line[];
  readonly scale: 'linear' | 'log';
  /** Each line on top of those before it. */
  readonly isStacked?: boolean;
  /** For the legend, and for the axis. */
  format(value: number | null): string;
  axisFormat(value: number): string;
  /** Draws below the lines, and above them. */
  paint?(plot: uPlot, columns: readonly Column[]): void;
  paintOver?(plot: uPlot, columns: readonly Column[]): void;
}

/** The time that charts show, in seconds since the epoch. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

const AXIS_COLUMNS = 58;
const AXIS_ROWS = 30;
const FONT = '11px system-ui, sans-serif';

export class TimeChart {
  readonly #options: ChartOptions;
  readonly #figure: HTMLElement;
  readonly #values: readonly HTMLElement[];
  readonly #plot: uPlot;
  #columns: readonly Column[] = [];
  #places: readonly (readonly [number, Column | null])[] = [];
  #span: Span = { from: 0, to: 1 };

  constructor(options: ChartOptions) {
    this.#options = options;
    this.#figure = find(`#chart-${options.id}`, HTMLElement);
    this.#values = this.#makeLegend();
    const place = find('.plot', HTMLElement, this.#figure);
    this.#plot = new uPlot(this.#plotOptions(place), this.#emptyLines(), place);
    new ResizeObserver(() => this.#plot.setSize(sizeOf(place))).observe(place);
  }

  get figure(): HTMLElement {
    return this.#figure;
  }

  draw(columns: readonly Column[], span: Span): void {
    this.#columns = columns;
    this.#places = timesOf(columns);
    this.#span = span;
    const times = this.#places.map(([time]) => time);
    this.#plot.setData([times, ...this.#lines()]);
    this.#showValues();
  }

  /** Draws again with other colors. */
  recolor(): void {
    for (const [index, value] of this.#values.entries()) {
      const swatch = value.parentElement?.querySelector('i');
      if (swatch instanceof HTMLElement) swatch.style.background = color(this.#line(index).color);
    }
    this.#plot.redraw(false, true);
  }

  /** The time `steps` columns from the pointer, or from the end; null without columns. */
  timeAt(steps: number): number | null {
    if (this.#places.length === 0) return null;
    const index = this.#plot.cursor.idx ?? this.#places.length - 1;
    const next = Math.min(this.#places.length - 1, Math.max(0, index + steps));
    return this.#places[next][0];
  }

  /** Puts the pointer at a time; null takes it away. */
  pointAt(time: number | null): void {
    const left = time === null ? -10 : this.#plot.valToPos(time, 'x');
    this.#plot.setCursor({ left, top: time === null ? -10 : 0 });
  }

  #line(index: number): Line {
    return this.#options.lines[index];
  }

  #emptyLines(): uPlot.AlignedData {
    return [[], ...this.#options.lines.map(() => [])];
  }

  #lines(): (number | null)[][] {
    const below = this.#places.map(() => 0);
    return this.#options.lines.map((line) =>
      this.#places.map(([, column], index) => {
        const value = column === null ? null : line.value(column);
        if (value === null || this.#options.isStacked !== true) return value;
        below[index] += value;
        return below[index];
      }),
    );
  }

  #makeLegend(): readonly HTMLElement[] {
    const list = find('.legend', HTMLElement, this.#figure);
    return this.#options.lines.map((line) => {
      const item = element('li');
      const swatch = element('i');
      swatch.style.background = color(line.color);
      const value = element('b', '', '–');
      item.append(swatch, element('span', '', line.name), value);
      list.append(item);
      return value;
    });
  }

  #showValues(): void {
    const { idx } = this.#plot.cursor;
    const place = idx === null || idx === undefined ? this.#places.at(-1) : this.#places[idx];
    const column = place?.[1] ?? null;
    const texts = this.#options.lines.map((line, index) => {
      const text = this.#options.format(column === null ? null : line.value(column));
      setText(this.#values[index], text);
      return `${line.name} ${text}`;
    });
    const when = place === undefined ? 'no values' : clockText(place[0], true);
    const said = find(`#chart-${this.#options.id}-text`, HTMLElement);
    setText(said, `${when}: ${texts.join(', ')}`);
  }

  #plotOptions(place: HTMLElement): uPlot.Options {
    const { isStacked = false, lines, paint, paintOver, scale } = this.#options;
    const isLog = scale === 'log';
    return {
      ...sizeOf(place),
      pxAlign: true,
      // Half of a time such as 20:10:30 is beyond the end of the axis.
      padding: [8, 26, 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        drag: { x: false, y: false, setScale: false },
        sync: { key: 'time', scales: ['x', null] },
        points: { size: 7 },
      },
      scales: {
        x: { time: false, range: () => [this.#span.from, this.#span.to] },
        y: isLog
          ? { distr: 3, log: 10, range: () => logRange(this.#columns) }
          : { range: (_plot, _least, most) => [0, linearTop(most)] },
      },
      series: [{}, ...lines.map((line) => seriesOf(line, isStacked))],
      ...(isStacked ? { bands: lines.slice(1).map((_line, at) => band(at)) } : {}),
      axes: [this.#timeAxis(), this.#valueAxis(isLog)],
      hooks: {
        setCursor: [() => this.#showValues()],
        ...(paint === undefined ? {} : { drawClear: [(plot) => paint(plot, this.#columns)] }),
        ...(paintOver === undefined ? {} : { draw: [(plot) => paintOver(plot, this.#columns)] }),
      },
    };
  }

  #timeAxis(): uPlot.Axis {
    return {
      ...AXIS,
      size: AXIS_ROWS,
      gap: 9,
      space: 64,
      incrs: [5, 10, 15, 30, 60, 120, 180, 300],
      values: (_plot, splits) =>
        splits.map((time) => clockText(time, this.#span.to - this.#span.from < 200)),
    };
  }

  #valueAxis(isLog: boolean): uPlot.Axis {
    const { axisFormat } = this.#options;
    const values = (_plot: uPlot, splits: readonly number[]) => splits.map(axisFormat);
    if (!isLog) return { ...AXIS, size: AXIS_COLUMNS, space: 26, values };
    return {
      ...AXIS,
      size: AXIS_COLUMNS,
      splits: (_plot, _axis, least, most) => decades(least, most),
      filter: (_plot, splits) => splits,
      values,
    };
  }
}

const AXIS: uPlot.Axis = {
  stroke: () => color('--soft'),
  font: FONT,
  gap: 4,
  grid: { stroke: () => color('--grid'), width: 1 },
  ticks: { show: false },
};

function sizeOf(place: HTMLElement): { width: number; height: number } {
  const style = getComputedStyle(place);
  const aside = Number.parseFloat(style.paddingLeft) + Number.parseFloat(style.paddingRight);
  const below = Number.parseFloat(style.paddingBottom);
  return {
    width: Math.max(1, place.clientWidth - aside),
    height: Math.max(1, place.clientHeight - below),
  };
}

function seriesOf(line: Line, isStacked: boolean): uPlot.Series {
  return {
    stroke: () => color(line.color),
    // The edge of an area of nothing would be seen.
    width: isStacked ? 0 : 1.75,
    points: { show: false },
    ...(isStacked ? { fill: () => color(line.color, 0.85) } : {}),
    ...(line.dash === undefined ? {} : { dash: [...line.dash] }),
  };
}

/** Between a line and that below it. */
function band(at: number): uPlot.Band {
  return { series: [at + 2, at + 1] };
}

export function clockText(time: number, hasSeconds: boolean): string {
  const date = new Date(time * 1000);
  const parts = [date.getHours(), date.getMinutes()];
  if (hasSeconds) parts.push(date.getSeconds());
  return parts.map((part) => String(part).padStart(2, '0')).join(':');
}
