// What a viewer has seen of a server, for the longest time that it shows: a point for each
// interval, and the sums of routes in slices of some seconds. A page gets it whole when it opens,
// then step by step.

import { difference } from './difference.ts';
import {
  FINE_SLICES,
  HISTORY_POINTS_MAX,
  HISTORY_SECONDS_MAX,
  JOINED_SLICES,
  SLICE_ROUTES_MAX,
  SLICE_SECONDS,
} from './limits.ts';
import { type Point, pointOf } from './point.ts';
import { mergeRoutes, type RouteRow, type RouteSum, routeRows, routeSums } from './routes.ts';
import type { ServerFacts, Snapshot } from './snapshot.ts';

/** One interval. */
export interface Step {
  readonly server: ServerFacts;
  readonly point: Point;
  readonly routes: readonly RouteSum[];
}

interface Slice {
  /** First and last of its times: seconds since the epoch, divided by SLICE_SECONDS. */
  readonly from: number;
  readonly to: number;
  /** The time that its intervals cover. */
  seconds: number;
  routes: readonly RouteSum[];
}

/** The whole history, as JSON. */
export interface HistoryRecord {
  readonly server: ServerFacts | null;
  readonly points: readonly Point[];
  readonly slices: readonly Readonly<Slice>[];
}

/** Makes steps of the snapshots of one server. */
export class Stepper {
  #last: Snapshot | null = null;
  #isInterrupted = false;

  /** The step from the last snapshot to this one; null for the first, and without progress. */
  next(snapshot: Snapshot): Step | null {
    const before = this.#last;
    this.#last = snapshot;
    if (before === null) return null;
    const change = difference(before, snapshot);
    if (change === null) return null;
    const point = pointOf(change, this.#isInterrupted);
    this.#isInterrupted = false;
    const routes = mergeRoutes([routeSums(change)], SLICE_ROUTES_MAX);
    return { server: snapshot.server, point, routes };
  }

  /** No snapshot came when one was due: the next point stands behind a gap. */
  interrupt(): void {
    this.#isInterrupted = true;
  }
}

export class History {
  #server: ServerFacts | null = null;
  #points: Point[] = [];
  #slices: Slice[] = [];
  #pastKey = '';
  #pastSums: readonly RouteSum[] = [];
  readonly #secondsMax: number;

  /** `secondsMax` is how long points are kept. */
  constructor(secondsMax: number = HISTORY_SECONDS_MAX) {
    this.#secondsMax = secondsMax;
  }

  static from(record: HistoryRecord): History {
    const history = new History();
    history.#server = record.server;
    history.#points = [...record.points];
    history.#slices = record.slices.map((slice) => ({ ...slice }));
    return history;
  }

  get record(): HistoryRecord {
    return { server: this.#server, points: this.#points, slices: this.#slices };
  }

  get server(): ServerFacts | null {
    return this.#server;
  }

  get last(): Point | null {
    return this.#points.at(-1) ?? null;
  }

  add({ server, point, routes }: Step): void {
    const number = Math.floor(point.time / SLICE_SECONDS);
    this.#forgetLater(point.time, number);
    this.#server = server;
    this.#points.push(point);
    let slice = this.#slices.at(-1);
    if (slice?.to !== number) {
      slice = { from: number, to: number, seconds: 0, routes: [] };
      this.#slices.push(slice);
      this.#joinOld();
    }
    slice.seconds += point.seconds;
    slice.routes = mergeRoutes([slice.routes, routes], SLICE_ROUTES_MAX);
    this.#forget(point.time);
  }

  /** Slices that are no longer fine are joined with those before them to longer ones. */
  #joinOld(): void {
    const at = this.#slices.length - 1 - FINE_SLICES;
    if (at < 1) return;
    const [before, slice] = this.#slices.slice(at - 1, at + 1);
    if (Math.floor(before.from / JOINED_SLICES) !== Math.floor(slice.from / JOINED_SLICES)) return;
    const joined = {
      from: before.from,
      to: slice.to,
      seconds: before.seconds + slice.seconds,
      routes: mergeRoutes([before.routes, slice.routes], SLICE_ROUTES_MAX),
    };
    this.#slices.splice(at - 1, 2, joined);
  }

  /** The clock of the server was set back. */
  #forgetLater(time: number, number: number): void {
    while (this.#points.length > 0 && this.#points[this.#points.length - 1].time >= time) {
      this.#points.pop();
    }
    while (this.#slices.length > 0 && this.#slices[this.#slices.length - 1].from > number) {
      this.#slices.pop();
      this.#pastKey = '';
    }
  }

  #forget(time: number): void {
    const points = this.#points;
    const first = points.findIndex((point) => point.time > time - this.#secondsMax);
    points.splice(0, Math.max(first, points.length - HISTORY_POINTS_MAX));
    const number = Math.floor((time - HISTORY_SECONDS_MAX) / SLICE_SECONDS);
    this.#slices.splice(
      0,
      this.#slices.findIndex((slice) => slice.to >= number),
    );
  }

  /** The points of the last `seconds` before `time`, by default before the last point. */
  pointsOf(seconds: number, time: number = this.last?.time ?? 0): readonly Point[] {
    return this.#points.filter((point) => point.time > time - seconds && point.time <= time);
  }

  /** The last points, however long their intervals are. */
  lastPoints(count: number): readonly Point[] {
    return this.#points.slice(-count);
  }

  /** The routes of about the last `seconds`: whole slices, so up to a minute more. */
  routesOf(seconds: number): readonly RouteRow[] {
    const first = Math.floor(((this.last?.time ?? 0) - seconds) / SLICE_SECONDS);
    const slices = this.#slices.filter(({ to }) => to >= first);
    const covered = slices.reduce((sum, slice) => sum + slice.seconds, 0);
    const past = this.#past(slices.slice(0, -1));
    const present = slices.slice(-1).map(({ routes }) => routes);
    return routeRows(mergeRoutes([past, ...present], SLICE_ROUTES_MAX), covered);
  }

  /** The sums of complete slices, which are the same until the next slice begins. */
  #past(slices: readonly Slice[]): readonly RouteSum[] {
    const key = `${slices[0]?.from} ${slices.length} ${slices.at(-1)?.to}`;
    if (this.#pastKey !== key) {
      const lists = slices.map(({ routes }) => routes);
      this.#pastSums = mergeRoutes(lists, SLICE_ROUTES_MAX);
      this.#pastKey = key;
    }
    return this.#pastSums;
  }
}
