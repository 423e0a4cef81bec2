// The screen of the viewer in a terminal, as lines: the state of the server, its figures over time,
// its workers and its routes. Narrow terminals get fewer columns, low ones fewer rows.

import { barText } from '../../load/format.ts';
import { DEFAULT_PATH } from '../address.ts';
import { type Column, SHARE_NAMES, timesOf } from '../columns.ts';
import { type Health, HOT_CORE, Level } from '../health.ts';
import { type Point, STATUS_CLASSES, type WorkerPoint } from '../point.ts';
import {
  ROUTE_COLUMNS,
  type RouteColumn,
  type RouteOrder,
  type RouteRow,
  sortRoutes,
} from '../routes.ts';
import type { ServerFacts } from '../snapshot.ts';
import {
  rateText,
  routeText,
  secondsText,
  shareText,
  sizeText,
  spanText,
  wholeText,
} from '../text.ts';
import { cellsOf, fit, type Line, paint, part, type Style, spread } from './line.ts';
import { sparkline } from './sparkline.ts';

export interface ScreenView {
  readonly target: URL;
  readonly server: ServerFacts | null;
  /** Seconds since the epoch, on the clock of the server. */
  readonly now: number;
  readonly health: Health;
  readonly isPaused: boolean;
  /** No snapshots come. */
  readonly isAway: boolean;
  readonly order: RouteOrder;
  /** The figures of the last seconds; null before the first. */
  readonly column: Column | null;
  /** For the lines over time. */
  readonly columns: readonly Column[];
  /** The last point, for the workers. */
  readonly point: Point | null;
  readonly routes: readonly RouteRow[];
}

export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

const LABEL = 12;
const FIGURE = 10;
/** Rows that the table of routes has at least, before workers are left out. */
const ROUTES_MIN = 6;

/** At most `rows` lines of at most `columns` cells. */
export function renderScreen(view: ScreenView, size: ScreenSize, hasColor: boolean): string[] {
  const width = size.columns;
  const top = [...heading(view, width), [], ...figures(view, width), []];
  const foot = footer(view, width);
  // Below the workers are a blank line, the routes and the footer.
  const room = size.rows - top.length - ROUTES_MIN - 2;
  const workers = workerTable(view.point, width, Math.max(0, room));
  const middle = workers.length === 0 ? [] : [...workers, []];
  const left = Math.max(0, size.rows - top.length - middle.length - 1);
  const routes = routeTable(view.routes, view.order, width, left);
  const blanks = Array.from({ length: Math.max(0, left - routes.length) }, () => []);
  const body = [...top, ...middle, ...routes, ...blanks].slice(0, Math.max(0, size.rows - 1));
  return [...body, foot].slice(-size.rows).map((line) => paint(line, width, hasColor));
}

const HEALTH_STYLES: Readonly<Record<Level, Style>> = {
  [Level.Waiting]: 'soft',
  [Level.Good]: 'good',
  [Level.Watch]: 'watch',
  [Level.Bad]: 'bad',
};
const HEALTH_MARKS: Readonly<Record<Level, string>> = {
  [Level.Waiting]: '…',
  [Level.Good]: '✓',
  [Level.Watch]: '!',
  [Level.Bad]: '✕',
};

function heading(
  { health, isAway, isPaused, now, server, target }: ScreenView,
  width: number,
): Line[] {
  const path = `${target.pathname}${target.search}`;
  const where = `${target.host}${path === DEFAULT_PATH ? '' : path}`;
  const state = isAway ? 'reconnecting' : isPaused ? 'paused' : 'live';
  const style = state === 'live' ? 'good' : state === 'paused' ? 'watch' : 'bad';
  const facts = server === null ? '' : `  ${factsText(server, now)}`;
  const tone = HEALTH_STYLES[health.level];
  return [
    spread([part(where, 'bold'), part(facts, 'soft')], [part(`● ${state}`, style)], width),
    [
      part(`${HEALTH_MARKS[health.level]} ${health.title}`, tone),
      part(`  ${health.reasons.join('; ')}`),
    ],
  ];
}

export function factsText(
  { driver, name, started, version, workers }: ServerFacts,
  now: number,
): string {
  const facts = [
    `${name} ${version}`.trim(),
    driver,
    workers === 0 ? '' : `${workers} worker${workers === 1 ? '' : 's'}`,
    started > 0 ? `up ${spanText(now - started)}` : '',
  ];
  return facts.filter((fact) => fact !== '').join('  ');
}

function figures({ column, columns }: ScreenView, width: number): Line[] {
  const cores = [...(column?.cpu.values() ?? [])];
  const busiest = cores.length === 0 ? null : Math.max(...cores);
  const over = (value: (each: Column) => number | null) =>
    timesOf(columns).map(([, each]) => (each === null ? null : value(each)));
  const hot = ({ cpu }: Column) => (cpu.size === 0 ? null : Math.max(...cpu.values()));
  return [
    trend(
      'Requests/s',
      rateText(column?.rate ?? null),
      over(({ rate }) => rate),
      rateText,
      width,
    ),
    trend(
      'P99',
      secondsText(column?.percentiles[2] ?? null),
      over(({ percentiles }) => percentiles[2]),
      secondsText,
      width,
    ),
    trend('Busiest core', shareText(busiest), over(hot), shareText, width),
    trend(
      'Connections',
      wholeText(column?.open ?? null),
      over(({ open }) => open),
      wholeText,
      width,
    ),
    [],
    latencyLine(column, width),
    statusLine(column, width),
    loopLine(column, width),
  ];
}

function trend(
  name: string,
  figure: string,
  values: readonly (number | null)[],
  format: (value: number | null) => string,
  width: number,
): Line {
  const known = values.filter((value) => value !== null);
  const top = known.length === 0 ? '' : ` max ${format(Math.max(...known))}`;
  const begin = [part(fit(name, LABEL + 1)), part(fit(figure, FIGURE, 'right'), 'bold')];
  const room = width - LABEL - FIGURE - 3 - MAX_TEXT;
  if (room < 8) return begin;
  return [...begin, part(`  ${sparkline(values, room)}`, 'accent'), part(top, 'soft')];
}

const MAX_TEXT = 12;

interface Pair {
  readonly name: string;
  readonly text: string;
  readonly style?: Style;
}

/** Names with figures; where they do not fit, those of `first` are left out, one by one. */
function pairLine(
  label: string,
  pairs: readonly Pair[],
  first: readonly string[],
  width: number,
): Line {
  let shown = pairs;
  const cells = () => shown.reduce((sum, { name, text }) => sum + cellsOf(name + text) + 3, LABEL);
  for (const name of first) {
    if (cells() > width) shown = shown.filter((pair) => pair.name !== name);
  }
  const parts = shown.flatMap(({ name, style, text }) => [
    part(`${name} `, 'soft'),
    part(text, style ?? 'plain'),
    part('  '),
  ]);
  return [part(fit(label, LABEL + 1)), ...parts.slice(0, -1)];
}

export function latencyLine(column: Column | null, width: number): Line {
  const pairs = SHARE_NAMES.map((name, index) => ({
    name,
    text: secondsText(column?.percentiles[index] ?? null),
  }));
  return pairLine('Latency', pairs, ['P90', 'P99.9'], width);
}

export function statusLine(column: Column | null, width: number): Line {
  const rate = column?.rate ?? 0;
  const pairs = STATUS_CLASSES.slice(1).map((name, index): Pair => {
    const each = column?.statusRates[index + 1] ?? 0;
    const style = name === '5xx' && each > 0 ? 'bad' : 'plain';
    return { name, text: shareText(rate > 0 ? each / rate : null), style };
  });
  return pairLine('Status', pairs, ['3xx', '2xx'], width);
}

export function loopLine(column: Column | null, width: number): Line {
  const pairs = [
    { name: 'turn max', text: secondsText(column?.turnLongest ?? null) },
    { name: 'GC max', text: secondsText(column?.pauseLongest ?? null) },
    { name: 'in flight', text: wholeText(column?.active ?? null) },
    { name: 'memory', text: sizeText(column?.residentBytes ?? null) },
  ];
  return pairLine('Loop', pairs, ['in flight', 'memory'], width);
}

const BAR = 20;

/** Names of the columns, and which are left out first where the terminal is narrow. */
const WORKER_COLUMNS = [
  { title: 'CORE', width: 8, from: 0 },
  { title: 'REQ/S', width: 10, from: 0 },
  { title: 'OPEN', width: 8, from: 48 },
  { title: 'TURN MAX', width: 10, from: 60 },
  { title: 'MEMORY', width: 10, from: 70 },
] as const;

export function workerTable(point: Point | null, width: number, rows: number): Line[] {
  const workers = point?.workers ?? [];
  if (workers.length === 0 || rows < 2) return [];
  const shown = WORKER_COLUMNS.filter(({ from }) => width >= from);
  const used = shown.reduce((sum, column) => sum + column.width, 8);
  const bar = width - used >= BAR + 1 ? BAR : 0;
  const titles = shown.map((column) => fit(column.title, column.width, 'right')).join('');
  const lines: Line[] = [[part(`${fit('WORKER', 8)}${' '.repeat(bar)}${titles}`, 'head')]];
  const few = workers.length <= rows - 1 ? workers : busiest(workers).slice(0, rows - 2);
  for (const worker of few) lines.push(workerLine(worker, point?.seconds ?? 1, shown, bar));
  const rest = workers.length - few.length;
  if (rest > 0) lines.push([part(`and ${rest} less busy workers`, 'soft')]);
  return lines;
}

function busiest(workers: readonly WorkerPoint[]): readonly WorkerPoint[] {
  return [...workers].sort((a, b) => (b.cpuSeconds ?? 0) - (a.cpuSeconds ?? 0));
}

function workerLine(
  { cpuSeconds, longestTurn, open, requests, residentBytes, worker }: WorkerPoint,
  seconds: number,
  shown: readonly (typeof WORKER_COLUMNS)[number][],
  bar: number,
): Line {
  const core = cpuSeconds === null ? null : cpuSeconds / seconds;
  const texts = {
    CORE: shareText(core),
    'REQ/S': rateText(requests === null ? null : requests / seconds),
    OPEN: wholeText(open),
    'TURN MAX': secondsText(longestTurn),
    MEMORY: sizeText(residentBytes),
  };
  const style = core !== null && core >= HOT_CORE ? 'bad' : 'accent';
  return [
    part(fit(worker, 8)),
    part(bar === 0 ? '' : fit(barText(Math.min(1, core ?? 0), bar), bar), style),
    part(shown.map(({ title, width }) => fit(texts[title], width, 'right')).join('')),
  ];
}

const ROUTE_TITLES: Readonly<Record<RouteColumn, string>> = {
  route: 'ROUTE',
  rate: 'REQ/S',
  p50: 'P50',
  p99: 'P99',
  client: '4XX',
  server: '5XX',
};
const FIGURE_WIDTH = 9;
/** The columns that a terminal of fewer cells leaves out. */
const COLUMN_FROM: Readonly<Record<RouteColumn, number>> = {
  route: 0,
  rate: 0,
  p50: 60,
  p99: 0,
  client: 70,
  server: 0,
};

export function routeTable(
  routes: readonly RouteRow[],
  order: RouteOrder,
  width: number,
  rows: number,
): Line[] {
  if (rows < 2) return [];
  const shown = ROUTE_COLUMNS.filter((name) => width >= COLUMN_FROM[name]);
  const room = Math.max(6, width - (shown.length - 1) * FIGURE_WIDTH);
  const head = shown.map((name) => titleOf(name, order, name === 'route' ? room : FIGURE_WIDTH));
  const lines: Line[] = [[part(head.join(''), 'head')]];
  if (routes.length === 0) lines.push([part('no requests', 'soft')]);
  const most = routes.length <= rows - 1 ? rows - 1 : rows - 2;
  for (const row of sortRoutes(routes, order).slice(0, most)) {
    lines.push(routeLine(row, shown, room));
  }
  const rest = routes.length - most;
  if (rest > 0) lines.push([part(`and ${rest} more routes`, 'soft')]);
  return lines;
}

function titleOf(name: RouteColumn, order: RouteOrder, width: number): string {
  const mark = name === order.column ? (order.isDescending ? ' ↓' : ' ↑') : '';
  return fit(`${ROUTE_TITLES[name]}${mark}`, width, name === 'route' ? 'left' : 'right');
}

function routeLine(row: RouteRow, shown: readonly RouteColumn[], room: number): Line {
  const texts: Readonly<Record<RouteColumn, string>> = {
    route: `${room < ROOM_MIN ? row.method : fit(row.method, METHOD)} ${routeText(row.route)}`,
    rate: rateText(row.rate),
    p50: secondsText(row.p50),
    p99: secondsText(row.p99),
    client: shareText(row.clientErrors),
    server: shareText(row.serverErrors),
  };
  return shown.map((name) => {
    const style = name === 'server' && row.serverErrors > 0 ? 'bad' : 'plain';
    if (name === 'route') return part(`${fit(texts.route, room - 1)} `, style);
    return part(fit(texts[name], FIGURE_WIDTH, 'right'), style);
  });
}

const METHOD = 7;
/** With less room the methods are not aligned. */
const ROOM_MIN = 30;

function footer({ isPaused }: ScreenView, width: number): Line {
  const keys = [
    ['q', 'quit'],
    ['p', isPaused ? 'resume' : 'pause'],
    ['s ← →', 'sort by'],
    ['↑ ↓', 'order'],
  ];
  const line = keys.flatMap(([key, what]) => [part(key, 'bold'), part(` ${what}   `, 'soft')]);
  return width < 30 ? line.slice(0, 4) : line;
}
