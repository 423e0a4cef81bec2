// The top of the page: which server, its state, its health, and the tiles with the figures of the
// last seconds.

import { logText } from '../../base/log-text.ts';
import { DEFAULT_PATH } from '../address.ts';
import { type Column, columnOf } from '../columns.ts';
import {
  type Absence,
  HEALTH_SECONDS,
  type Health,
  HOT_CORE,
  healthOf,
  loadsOf,
  SERVER_ERRORS_BAD,
} from '../health.ts';
import type { History } from '../history.ts';
import type { Point } from '../point.ts';
import type { ServerFacts } from '../snapshot.ts';
import {
  rateText,
  secondsText,
  shareText,
  sizeText,
  spanText,
  UNKNOWN,
  wholeText,
} from '../text.ts';
import { find, setState, setText } from './dom.ts';
import { clockText } from './time-chart.ts';

/** The tiles show the mean of this time: a second alone is too restless to read. */
const TILE_SECONDS = 10;
const DAY_SECONDS = 86_400;

export function showTarget(target: string): void {
  const { host, pathname, search } = new URL(target);
  const path = `${pathname}${search}`;
  setText(find('#target', HTMLElement), `${host}${path === DEFAULT_PATH ? '' : path}`);
}

/** `now` is the last time at which it was seen, `isAway` that it is not seen any more. */
export function showServer(server: ServerFacts | null, now: number, isAway: boolean): void {
  if (server === null) return;
  const { driver, name, node, started, version, workers } = server;
  const facts = [
    `${name} ${version}`,
    node === '' ? '' : `Node ${node.replace(/^v/, '')}`,
    driver === '' ? '' : `driver ${driver}`,
    workers === 0 ? '' : `${workers} worker${workers === 1 ? '' : 's'}`,
  ];
  const known = facts.map((fact) => logText(fact.trim())).filter((fact) => fact !== '');
  setText(find('#facts', HTMLElement), known.join(' · '));
  const up = isAway ? 'Was up' : 'Up';
  const since = `${up} ${spanText(now - started)}\nsince ${whenText(started, now)}`;
  setText(find('#since', HTMLElement), started > 0 ? since : '');
}

function whenText(time: number, now: number): string {
  const date = new Date(time * 1000);
  const isToday = now - time < DAY_SECONDS && date.getDate() === new Date(now * 1000).getDate();
  return isToday ? clockText(time, true) : `${date.toLocaleDateString()} ${clockText(time, false)}`;
}

/** The state of the page: live, paused, or without news. */
export function showState(absence: Absence | null, isPaused: boolean, isViewerGone: boolean): void {
  const state = find('#state', HTMLElement);
  const isAway = absence !== null || isViewerGone;
  setState(state, 'state', isAway ? 'away' : isPaused ? 'paused' : 'live');
  const text = isViewerGone
    ? 'viewer stopped'
    : absence !== null
      ? `reconnecting, ${spanText(absence.seconds)}`
      : isPaused
        ? 'paused'
        : 'live';
  setText(find('span', HTMLElement, state), text);
}

export const VIEWER_GONE: Health = {
  level: 'bad',
  title: 'Viewer stopped',
  reasons: [
    'this page has no connection to its viewer: start "vibing metrics --web" again, ' +
      'or close other pages of it',
  ],
};

export function showHealth(health: Health): void {
  setState(find('#health', HTMLElement), 'level', health.level);
  setText(find('#health-title', HTMLElement), health.title);
  setText(find('#health-reasons', HTMLElement), logText(health.reasons.join('; ')));
}

export function healthNow(history: History, absence: Absence | null): Health {
  return healthOf(history.pointsOf(HEALTH_SECONDS), absence);
}

export function showTiles(history: History): void {
  const points = history.pointsOf(TILE_SECONDS);
  if (points.length === 0) return;
  const column = columnOf(points);
  const [p50, , p99] = column.percentiles;
  tile('rate', rateText(column.rate), `in flight ${wholeText(column.active)}`);
  tile('p99', secondsText(p99), `P50 ${secondsText(p50)}`);
  errorsTile(column);
  openTile(column, points);
  cpuTile(points);
  const heap = `heap ${sizeText(column.heapBytes)}`;
  tile('memory', sizeText(column.residentBytes), heap);
}

function errorsTile({ rate, statusRates }: Column): void {
  const [, , , client, server] = statusRates;
  const share = rate === 0 ? 0 : server / rate;
  const level = server === 0 ? 'good' : share < SERVER_ERRORS_BAD ? 'watch' : 'bad';
  const clients = `4xx ${shareText(rate === 0 ? 0 : client / rate)}`;
  tile('errors', shareText(share), clients, level);
}

function openTile({ open, seconds }: Column, points: readonly Point[]): void {
  const accepted = points.reduce((sum, point) => sum + (point.accepted ?? 0), 0);
  const isKnown = points[0].accepted !== null;
  tile('open', wholeText(open), `${isKnown ? rateText(accepted / seconds) : UNKNOWN} new/s`);
}

function cpuTile(points: readonly Point[]): void {
  const loads = loadsOf(points);
  const most = loads.reduce((all, { cpu }) => Math.max(all, cpu), 0);
  const sum = loads.reduce((all, { cpu }) => all + cpu, 0);
  const level = most >= HOT_CORE ? 'watch' : 'good';
  tile('cpu', `${shareText(most)}`, `of a core; all: ${sum.toFixed(2)}`, level);
}

function tile(id: string, text: string, more: string, level = 'good'): void {
  const place = find(`#tile-${id}`, HTMLElement);
  setText(find('b', HTMLElement, place), text);
  setText(find('span', HTMLElement, place), more);
  setState(place, 'level', level);
}
