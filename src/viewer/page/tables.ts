// The tables of the page: routes, which can be sorted, workers with the strip of their load, and
// the list of ends and faults. Rows are used again, so that no row moves.

import { logText } from '../../base/log-text.ts';
import type { Column } from '../columns.ts';
import { HOT_CORE, SERVER_ERRORS_BAD } from '../health.ts';
import { TABLE_ROWS_MAX } from '../limits.ts';
import { mergeTallies, type Point, type WorkerPoint } from '../point.ts';
import { type RouteOrder, type RouteRow, sortRoutes } from '../routes.ts';
import {
  rateText,
  routeText,
  secondsText,
  shareText,
  sizeText,
  spanText,
  wholeText,
} from '../text.ts';
import { all, element, find, rowsFor, setState, setText } from './dom.ts';
import { color } from './palette.ts';
import type { Span } from './time-chart.ts';

export function showRoutes(rows: readonly RouteRow[], order: RouteOrder, seconds: number): void {
  const sorted = sortRoutes(rows, order).slice(0, TABLE_ROWS_MAX);
  const most = rows.reduce((all, { rate }) => Math.max(all, rate), 0);
  const places = rowsFor(find('.routes tbody', HTMLElement), sorted.length, makeRoute);
  for (const [index, row] of sorted.entries()) fillRoute(places[index], row, most);
  find('#routes-empty', HTMLElement).hidden = rows.length > 0;
  const part = rows.length > TABLE_ROWS_MAX ? `${TABLE_ROWS_MAX} of ${rows.length} routes, ` : '';
  setText(find('#routes-note', HTMLElement), `${part}over ${spanText(seconds)}`);
  for (const header of all('.routes th')) {
    const isThis = header.dataset['column'] === order.column;
    const direction = order.isDescending ? 'descending' : 'ascending';
    if (!isThis) header.removeAttribute('aria-sort');
    else if (header.ariaSort !== direction) header.ariaSort = direction;
  }
}

function makeRoute(): HTMLElement {
  const row = element('tr');
  const route = element('td', 'route');
  route.append(element('b'), element('span'));
  const rate = element('td', 'rate');
  rate.append(element('span'), element('i'));
  row.append(route, rate);
  for (const name of ['p50', 'p99', 'client', 'server']) row.append(element('td', name));
  return row;
}

function fillRoute(place: HTMLElement, row: RouteRow, most: number): void {
  const [route, rate, p50, p99, client, server] = all('td', place);
  const text = routeText(row.route);
  setText(find('b', HTMLElement, route), logText(row.method));
  setText(find('span', HTMLElement, route), text);
  if (route.title !== text) route.title = text;
  setText(find('span', HTMLElement, rate), rateText(row.rate));
  const part = most > 0 ? row.rate / most : 0;
  find('i', HTMLElement, rate).style.width = `calc((100% - 6.5rem) * ${part.toFixed(4)})`;
  setText(p50, secondsText(row.p50));
  setText(p99, secondsText(row.p99));
  setText(client, shareText(row.clientErrors));
  setText(server, shareText(row.serverErrors));
  const isBad = row.serverErrors >= SERVER_ERRORS_BAD;
  setState(server, 'level', isBad ? 'bad' : row.serverErrors > 0 ? 'watch' : 'good');
}

/** So many have taller rows. */
const FEW_WORKERS = 4;

export function showWorkers(point: Point | null, columns: readonly Column[], span: Span): void {
  const workers = point?.workers ?? [];
  const body = find('.workers tbody', HTMLElement);
  const few = workers.length <= FEW_WORKERS ? 'few' : 'many';
  setState(body, 'size', workers.length === 1 ? 'one' : few);
  const places = rowsFor(body, workers.length, makeWorker);
  for (const [index, worker] of workers.entries()) {
    fillWorker(places[index], worker, point?.seconds ?? 1);
    drawStrip(find('canvas', HTMLCanvasElement, places[index]), worker.worker, columns, span);
  }
}

const WORKER_CELLS = ['name', 'strip', 'core', 'rate', 'wide', 'wide', 'wide'];

function makeWorker(): HTMLElement {
  const row = element('tr');
  for (const name of WORKER_CELLS) {
    const cell = element(name === 'name' ? 'th' : 'td', name);
    if (name === 'name') cell.setAttribute('scope', 'row');
    if (name === 'strip') cell.append(document.createElement('canvas'));
    row.append(cell);
  }
  return row;
}

function fillWorker(place: HTMLElement, worker: WorkerPoint, seconds: number): void {
  const { cpuSeconds, longestTurn, open, requests, residentBytes } = worker;
  const core = cpuSeconds === null ? null : cpuSeconds / seconds;
  const texts = [
    logText(worker.worker),
    null,
    shareText(core),
    rateText(requests === null ? null : requests / seconds),
    wholeText(open),
    secondsText(longestTurn),
    sizeText(residentBytes),
  ];
  for (const [index, text] of texts.entries()) {
    const cell = place.children[index];
    if (text !== null) setText(cell, text);
  }
  const [, , cell] = place.children;
  if (cell instanceof HTMLElement) {
    setState(cell, 'level', core !== null && core >= HOT_CORE ? 'watch' : 'good');
  }
}

/** The processor time of a worker over the range. */
function drawStrip(
  canvas: HTMLCanvasElement,
  worker: string,
  columns: readonly Column[],
  span: Span,
): void {
  const { clientHeight: height, clientWidth: width } = canvas;
  const scale = devicePixelRatio;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const context = canvas.getContext('2d');
  if (context === null) return;
  context.fillStyle = color('--grid');
  context.fillRect(0, 0, canvas.width, canvas.height);
  const x = (time: number) => ((time - span.from) / (span.to - span.from)) * canvas.width;
  for (const column of columns) {
    const cpu = column.cpu.get(worker);
    if (cpu === undefined) continue;
    const [from, to] = [x(column.time - column.seconds), x(column.time)];
    const high = Math.max(scale, Math.min(1, cpu) * canvas.height);
    context.fillStyle = color(cpu >= HOT_CORE ? '--s5' : '--s2');
    context.fillRect(from, canvas.height - high, Math.max(1, to - from), high);
  }
}

/** Ends of connections, faults of clients and timeouts in the range. */
export function showTallies(points: readonly Point[]): void {
  const rows = [
    ...named('timeout', mergeTallies(points.map(({ timeouts }) => timeouts))),
    ...named('fault', mergeTallies(points.map(({ faults }) => faults))),
    ...named('closed', mergeTallies(points.map(({ closed }) => closed))),
    ...cacheRows(points),
  ];
  const list = find('.tallies ul', HTMLElement);
  const shown = rows.length > 0 ? rows : [['', 'none', ''] as const];
  const places = rowsFor(list, shown.length, makeTally);
  for (const [index, texts] of shown.entries()) {
    for (const [at, text] of texts.entries()) setText(places[index].children[at], text);
  }
}

type TallyRow = readonly [kind: string, what: string, count: string];

function named(kind: string, tallies: ReturnType<typeof mergeTallies>): readonly TallyRow[] {
  return tallies.map(([what, count]) => [kind, logText(what), wholeText(count)]);
}

function cacheRows(points: readonly Point[]): readonly TallyRow[] {
  const hits = points.reduce((sum, { cacheHits }) => sum + (cacheHits ?? 0), 0);
  const all = points.reduce((sum, { cacheMisses }) => sum + (cacheMisses ?? 0), hits);
  return all === 0 ? [] : [['files', 'from the cache', shareText(hits / all)]];
}

function makeTally(): HTMLElement {
  const row = element('li');
  row.append(element('span'), element('i'), element('b'));
  return row;
}
