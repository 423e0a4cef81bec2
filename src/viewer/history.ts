// What a viewer has seen of a server, for the longest time that it shows: a point for each
// interval, and the sums of routes in slices of some seconds. A page gets it whole when it opens,
// then step by step.

import { difference } from './difference.ts';
import {
  HISTORY_POINTS_MAX,
  HISTORY_SECONDS_MAX,
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
  /** Its number: seconds since the epoch, divided by SLICE_SECONDS. */
  readonly number: number;
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
    return { server: snapshot.server, point, routes: routeSums(change) };
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
    if (slice?.number !== number) {
      slice = { number, seconds: 0, routes: [] };
      this.#slices.push(slice);
    }
    slice.seconds += point.seconds;
    slice.routes = mergeRoutes([slice.routes, routes], SLICE_ROUTES_MAX);
    this.#forget(point.time - HISTORY_SECONDS_MAX);
  }

  /** The clock of the server was set back. */
  #forgetLater(time: number, number: number): void {
    while (this.#points.length > 0 && this.#points[this.#points.length - 1].time >= time) {
      this.#points.pop();
    }
    while (this.#slices.length > 0 && this.#slices[this.#slices.length - 1].number > number) {
      this.#slices.pop();
    }
  }

  #forget(time: number): void {
    const points = this.#points;
    const first = points.findIndex((point) => point.time > time);
    points.splice(0, Math.max(first, points.length - HISTORY_POINTS_MAX));
    const number = Math.floor(time / SLICE_SECONDS);
    this.#slices.splice(
      0,
      this.#slices.findIndex((slice) => slice.number >= number),
    );
  }

  /** The points of the last `seconds` before `time`, by default before the last point. */
  pointsOf(seconds: number, time: number = this.last?.time ?? 0): readonly Point[] {
    return this.#points.filter((point) => point.time > time - seconds && point.time <= time);
  }

  /** The routes of about the last `seconds`: whole slices, up to SLICE_SECONDS more. */
  routesOf(seconds: number): readonly RouteRow[] {
    const first = Math.floor(((this.last?.time ?? 0) - seconds) / SLICE_SECONDS);
    const slices = this.#slices.filter(({ number }) => number >= first);
    const covered = slices.reduce((sum, slice) => sum + slice.seconds, 0);
    const sums = mergeRoutes(
      slices.map(({ routes }) => routes),
      SLICE_ROUTES_MAX,
    );
    return routeRows(sums, covered);
  }
}
