// The script of the page: gets the history and then a step each second from the viewer, and draws.
// The page can be paused; the history goes on meanwhile.

import { columnsOf } from '../columns.ts';
import type { Absence } from '../health.ts';
import { History } from '../history.ts';
import type { Opening, Update } from '../messages.ts';
import { BUSIEST_FIRST, nextOrder, ROUTE_COLUMNS, type RouteOrder } from '../routes.ts';
import type { ServerFacts } from '../snapshot.ts';
import { rateText, spanText } from '../text.ts';
import { drawAll, makeCharts } from './charts.ts';
import { all, find, setText } from './dom.ts';
import {
  healthNow,
  showHealth,
  showServer,
  showState,
  showTarget,
  showTiles,
  VIEWER_GONE,
} from './overview.ts';
import { forgetColors } from './palette.ts';
import { showRoutes, showTallies, showWorkers } from './tables.ts';
import type { Span, TimeChart } from './time-chart.ts';

/** Columns of the charts: few enough to be seen, and never empty with a snapshot a second. */
const WIDTHS: Readonly<Record<number, number>> = { 60: 1, 300: 3, 900: 10 };
const RETRY_MS = 3_000;
const THEMES: readonly string[] = ['system', 'light', 'dark'];

class Viewer {
  readonly #charts: readonly TimeChart[] = makeCharts();
  #history = new History();
  /** What the page shows while it is paused. */
  #frozen: History | null = null;
  #server: ServerFacts | null = null;
  #absence: Absence | null = null;
  #isViewerGone = false;
  /** When the last figures came, on the clock of the page. */
  #heardMs = 0;
  #seconds = 60;
  #order: RouteOrder = BUSIEST_FIRST;
  #host = '';

  connect(): void {
    const events = new EventSource('events');
    events.addEventListener('opening', ({ data: text }) => this.#open(JSON.parse(text)));
    events.addEventListener('update', ({ data: text }) => this.#update(JSON.parse(text)));
    events.addEventListener('error', () => {
      this.#isViewerGone = true;
      this.show();
      // The browser connects again by itself, but not after a response with an error.
      if (events.readyState === EventSource.CLOSED) setTimeout(() => this.connect(), RETRY_MS);
    });
  }

  get isPaused(): boolean {
    return this.#frozen !== null;
  }

  pause(isPaused: boolean): void {
    this.#frozen = isPaused ? History.from(this.#history.record) : null;
    const button = find('#pause', HTMLElement);
    button.ariaPressed = String(isPaused);
    setText(button, isPaused ? 'Resume' : 'Pause');
    this.show();
  }

  showRange(seconds: number): void {
    this.#seconds = seconds;
    for (const button of all('.choice button')) {
      button.ariaPressed = String(Number(button.dataset['seconds']) === seconds);
    }
    this.show();
  }

  sortBy(name: string): void {
    const column = ROUTE_COLUMNS.find((each) => each === name);
    if (column !== undefined) this.#order = nextOrder(this.#order, column);
    this.show();
  }

  recolor(): void {
    forgetColors();
    for (const chart of this.#charts) chart.recolor();
    this.show();
  }

  /** Moves the pointer of all charts to a column of one of them. */
  point(figure: Element, steps: number): void {
    const chart = this.#charts.find((each) => each.figure === figure);
    const time = chart?.timeAt(steps) ?? null;
    for (const each of this.#charts) each.pointAt(time);
  }

  unpoint(): void {
    for (const chart of this.#charts) chart.pointAt(null);
  }

  /** A page that is not seen draws nothing. */
  show(): void {
    if (document.hidden) return;
    const history = this.#frozen ?? this.#history;
    const { last } = history;
    const now = this.#now(history);
    showState(this.#absence, this.isPaused, this.#isViewerGone);
    showServer(this.#server, last?.time ?? now, this.#absence !== null);
    showHealth(this.#isViewerGone ? VIEWER_GONE : healthNow(history, this.#absence));
    showTiles(history);
    const span: Span = { from: now - this.#seconds, to: now };
    const points = history.pointsOf(now - span.from, now);
    const columns = columnsOf(points, WIDTHS[this.#seconds] ?? 1);
    drawAll(this.#charts, columns, span);
    showWorkers(last, columns, span);
    showRoutes(history.routesOf(this.#seconds), this.#order, this.#seconds);
    showTallies(points);
    const rate = last === null ? '' : `${rateText(last.requests / last.seconds)}/s – `;
    const title =
      this.#absence === null ? rate : `no metrics for ${spanText(this.#absence.seconds)} – `;
    if (document.title !== title + this.#host) document.title = title + this.#host;
  }

  /** The end of the charts: it moves on while nothing comes, so that the gap is seen. */
  #now(history: History): number {
    const time = history.last?.time ?? Date.now() / 1000;
    const isMoving = this.#absence !== null && !this.isPaused;
    return isMoving ? time + (performance.now() - this.#heardMs) / 1000 : time;
  }

  #open({ absence, history, server, target }: Opening): void {
    showTarget(target);
    this.#host = new URL(target).host;
    this.#history = History.from(history);
    this.#server = server;
    this.#heardMs = performance.now() - (absence?.seconds ?? 0) * 1000;
    this.#update({ step: null, absence });
    document.documentElement.dataset['ready'] = 'true';
  }

  #update({ absence, step }: Update): void {
    this.#isViewerGone = false;
    this.#absence = absence;
    if (step !== null) {
      this.#history.add(step);
      this.#server = step.server;
      this.#heardMs = performance.now();
    }
    this.show();
  }
}

/** The choice, also where the browser keeps nothing for pages. */
let theme = storedTheme();

function storedTheme(): number {
  try {
    return Math.max(0, THEMES.indexOf(localStorage.getItem('theme') ?? ''));
  } catch {
    return 0;
  }
}

function storeTheme(): void {
  try {
    localStorage.setItem('theme', THEMES[theme]);
  } catch {
    // The choice is for this page only.
  }
}

function applyTheme(): void {
  const name = THEMES[theme];
  if (name === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = name;
  setText(find('#theme', HTMLElement), `Theme: ${name}`);
}

function nextTheme(viewer: Viewer): void {
  theme = (theme + 1) % THEMES.length;
  storeTheme();
  applyTheme();
  viewer.recolor();
}

const RANGE_KEYS: Readonly<Record<string, number>> = { 1: 60, 5: 300, 0: 900 };

function listen(viewer: Viewer): void {
  find('#pause', HTMLElement).addEventListener('click', () => viewer.pause(!viewer.isPaused));
  find('#theme', HTMLElement).addEventListener('click', () => nextTheme(viewer));
  for (const button of all('.choice button')) {
    const seconds = Number(button.dataset['seconds']);
    button.addEventListener('click', () => viewer.showRange(seconds));
  }
  for (const header of all('.routes th')) {
    const name = header.dataset['column'] ?? '';
    find('button', HTMLElement, header).addEventListener('click', () => viewer.sortBy(name));
  }
  for (const figure of all('figure')) {
    figure.addEventListener('blur', () => viewer.unpoint());
    figure.addEventListener('keydown', ({ key }) => {
      if (key === 'ArrowLeft') viewer.point(figure, -1);
      else if (key === 'ArrowRight') viewer.point(figure, 1);
    });
  }
  document.addEventListener('keydown', ({ altKey, ctrlKey, key, metaKey }) => {
    if (altKey || ctrlKey || metaKey) return;
    if (key === 'p') viewer.pause(!viewer.isPaused);
    else if (key === 't') nextTheme(viewer);
    else if (RANGE_KEYS[key] !== undefined) viewer.showRange(RANGE_KEYS[key]);
  });
  document.addEventListener('visibilitychange', () => viewer.show());
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => viewer.recolor());
}

applyTheme();
const viewer = new Viewer();
listen(viewer);
viewer.connect();
