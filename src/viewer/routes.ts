// Requests by route and method: their sums over an interval, and the rows of the table of routes.

import { type Buckets, coarsened, mergeBuckets, percentile } from './buckets.ts';
import type { Difference } from './difference.ts';
import { POINT_BUCKETS_MAX, SLICE_BUCKETS_MAX } from './limits.ts';
import { statusClass } from './point.ts';

/** What one route and method did in some time. */
export interface RouteSum {
  /** The pattern; '' for requests that no route matched. */
  readonly route: string;
  readonly method: string;
  readonly count: number;
  /** How many of them had a status of class 4xx, and of 5xx. */
  readonly clientErrors: number;
  readonly serverErrors: number;
  /** Durations in seconds. */
  readonly latency: Buckets;
}

export interface RouteRow {
  readonly route: string;
  readonly method: string;
  /** Requests a second. */
  readonly rate: number;
  /** The part of all requests, from 0 to 1. */
  readonly share: number;
  /** Seconds; null without requests. */
  readonly p50: number | null;
  readonly p99: number | null;
  /** The parts of its responses that are 5xx, and 4xx. */
  readonly serverErrors: number;
  readonly clientErrors: number;
}

const CLIENT_ERROR = 3;
const SERVER_ERROR = 4;

/** The text of the route of what did not fit. */
export const OTHER_ROUTES = '(other routes)';

export function routeSums(difference: Difference): readonly RouteSum[] {
  const durations = difference.histogram('http_server_request_duration_seconds') ?? [];
  return durations.map(({ labels, count, buckets }) => {
    const index = statusClass(labels);
    return {
      route: labels['http_route'] ?? '',
      method: labels['http_request_method'] ?? '',
      count,
      clientErrors: index === CLIENT_ERROR ? count : 0,
      serverErrors: index === SERVER_ERROR ? count : 0,
      latency: buckets,
    };
  });
}

/** One sum for each route and method; beyond `most` of them the rest is in one sum. */
export function mergeRoutes(
  lists: Iterable<readonly RouteSum[]>,
  most: number,
): readonly RouteSum[] {
  const groups = new Map<string, RouteSum[]>();
  for (const list of lists) {
    for (const one of list) {
      const key = JSON.stringify([one.route, one.method]);
      const isOther = !groups.has(key) && groups.size >= most;
      const [place, route] = isOther ? ['', { ...one, ...OTHER }] : [key, one];
      const group = groups.get(place);
      if (group === undefined) groups.set(place, [route]);
      else group.push(route);
    }
  }
  const room = Math.max(ROUTE_BUCKETS_MIN, Math.floor(SLICE_BUCKETS_MAX / groups.size));
  const bucketsMax = Math.min(POINT_BUCKETS_MAX, room);
  return [...groups.values()].map((group) => merged(group, bucketsMax));
}

/** Octaves, about: fewer buckets would say nothing. */
const ROUTE_BUCKETS_MIN = 32;

const OTHER = { route: OTHER_ROUTES, method: '' } as const;

function merged(group: readonly RouteSum[], bucketsMax: number): RouteSum {
  const [one] = group;
  if (group.length === 1) {
    const latency = coarsened(one.latency, bucketsMax);
    return latency === one.latency ? one : { ...one, latency };
  }
  let [count, clientErrors, serverErrors] = [0, 0, 0];
  for (const sum of group) {
    count += sum.count;
    clientErrors += sum.clientErrors;
    serverErrors += sum.serverErrors;
  }
  const latency = mergeBuckets(
    group.map((sum) => sum.latency),
    bucketsMax,
  );
  const { route, method } = one;
  return { route, method, count, clientErrors, serverErrors, latency };
}

/** `seconds` is the time that the sums cover. */
export function routeRows(sums: readonly RouteSum[], seconds: number): readonly RouteRow[] {
  const total = sums.reduce((all, { count }) => all + count, 0);
  return sums.map(({ route, method, count, clientErrors, serverErrors, latency }) => ({
    route,
    method,
    rate: seconds > 0 ? count / seconds : 0,
    share: total > 0 ? count / total : 0,
    p50: percentile(latency, 0.5),
    p99: percentile(latency, 0.99),
    serverErrors: count > 0 ? serverErrors / count : 0,
    clientErrors: count > 0 ? clientErrors / count : 0,
  }));
}

/**
 * The columns by which the table can be sorted, in their order on the screen; `client` and `server`
 * are the parts of 4xx and 5xx.
 */
export const ROUTE_COLUMNS = ['route', 'rate', 'p50', 'p99', 'client', 'server'] as const;
export type RouteColumn = (typeof ROUTE_COLUMNS)[number];

export interface RouteOrder {
  readonly column: RouteColumn;
  readonly isDescending: boolean;
}

export const BUSIEST_FIRST: RouteOrder = { column: 'rate', isDescending: true };

/** Names begin with the first, numbers with the largest. */
export function firstOrder(column: RouteColumn): RouteOrder {
  return { column, isDescending: column !== 'route' };
}

export function nextOrder({ column, isDescending }: RouteOrder, chosen: RouteColumn): RouteOrder {
  return chosen === column ? { column, isDescending: !isDescending } : firstOrder(chosen);
}

/** Equal rows are in the order of their names, so that rows do not change places. */
export function sortRoutes(rows: readonly RouteRow[], order: RouteOrder): readonly RouteRow[] {
  const sign = order.isDescending ? -1 : 1;
  const compare = COMPARISONS[order.column];
  return [...rows].sort((a, b) => sign * compare(a, b) || byRoute(a, b));
}

const COMPARISONS: Readonly<Record<RouteColumn, (a: RouteRow, b: RouteRow) => number>> = {
  route: byRoute,
  rate: (a, b) => a.rate - b.rate,
  p50: (a, b) => (a.p50 ?? -1) - (b.p50 ?? -1),
  p99: (a, b) => (a.p99 ?? -1) - (b.p99 ?? -1),
  client: (a, b) => a.clientErrors - b.clientErrors,
  server: (a, b) => a.serverErrors - b.serverErrors,
};

function byRoute(a: RouteRow, b: RouteRow): number {
  return byText(a.route, b.route) || byText(a.method, b.method);
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
