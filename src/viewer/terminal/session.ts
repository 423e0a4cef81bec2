// The state of the viewer in a terminal: what it shows, how it is sorted, whether it is paused.
// Keys change it; the screen is a function of it.

import { columnOf, columnsOf } from '../columns.ts';
import { type Absence, HEALTH_SECONDS, healthOf } from '../health.ts';
import { History } from '../history.ts';
import { BUSIEST_FIRST, firstOrder, ROUTE_COLUMNS, type RouteOrder } from '../routes.ts';
import type { ServerFacts } from '../snapshot.ts';
import { renderScreen, type ScreenSize } from './screen.ts';

/** The figures are means of this time, the routes are summed over that one. */
const FIGURE_SECONDS = 10;
const ROUTE_SECONDS = 60;

export type KeyEffect = 'quit' | 'interrupt' | 'suspend' | 'draw' | null;

/** Sequences of keys, with what they are called here. */
const KEYS: Readonly<Record<string, string>> = {
  q: 'quit',
  Q: 'quit',
  '\u0003': 'interrupt',
  '\u001a': 'suspend',
  p: 'pause',
  P: 'pause',
  ' ': 'pause',
  s: 'next',
  '\u001b[C': 'next',
  '\u001bOC': 'next',
  '\u001b[D': 'previous',
  '\u001bOD': 'previous',
  '\u001b[A': 'up',
  '\u001bOA': 'up',
  '\u001b[B': 'down',
  '\u001bOB': 'down',
};
// biome-ignore lint/suspicious/noControlCharactersInRegex: keys are control sequences
const KEY = /\u001b(?:\[[0-9;]*[ -/]*[@-~]|O[A-Za-z])|[\s\S]/g;

/** The keys in what a terminal sent, which may be several. */
export function keysIn(text: string): readonly string[] {
  return (text.match(KEY) ?? []).map((key) => KEYS[key] ?? '').filter((key) => key !== '');
}

export class TerminalSession {
  readonly #target: URL;
  #frozen: History | null = null;
  #order: RouteOrder = BUSIEST_FIRST;

  constructor(target: URL) {
    this.#target = target;
  }

  /** What a key does; `history` is what the screen shows now. */
  pressed(key: string, history: History): KeyEffect {
    switch (key) {
      case 'quit':
      case 'interrupt':
      case 'suspend':
        return key;
      case 'pause':
        this.#frozen = this.#frozen === null ? History.from(history.record) : null;
        return 'draw';
      case 'next':
        this.#sortBeside(1);
        return 'draw';
      case 'previous':
        this.#sortBeside(-1);
        return 'draw';
      case 'up':
      case 'down':
        this.#order = { ...this.#order, isDescending: key === 'down' };
        return 'draw';
      default:
        return null;
    }
  }

  #sortBeside(step: number): void {
    const count = ROUTE_COLUMNS.length;
    const index = (ROUTE_COLUMNS.indexOf(this.#order.column) + step + count) % count;
    this.#order = firstOrder(ROUTE_COLUMNS[index]);
  }

  render(
    live: History,
    server: ServerFacts | null,
    absence: Absence | null,
    size: ScreenSize,
    hasColor: boolean,
  ): string[] {
    const history = this.#frozen ?? live;
    const recent = history.pointsOf(FIGURE_SECONDS);
    const now = (history.last?.time ?? 0) + (absence?.seconds ?? 0);
    const view = {
      target: this.#target,
      server,
      now,
      health: healthOf(history.pointsOf(HEALTH_SECONDS), absence),
      isPaused: this.#frozen !== null,
      isAway: absence !== null,
      order: this.#order,
      column: recent.length === 0 ? null : columnOf(recent),
      columns: columnsOf(history.lastPoints(size.columns), 1),
      point: history.last,
      routes: history.routesOf(ROUTE_SECONDS),
    };
    return renderScreen(view, size, hasColor);
  }
}
