// One sentence on the state of a server: whether it is healthy, and if not, why. The rules are few
// and fixed; each names what it saw, so that a reader can judge it.

import { longest, mergeBuckets, percentile } from './buckets.ts';
import type { Point } from './point.ts';
import { secondsText, shareText, spanText, wholeText } from './text.ts';

export const Level = { Waiting: 'waiting', Good: 'good', Watch: 'watch', Bad: 'bad' } as const;
export type Level = (typeof Level)[keyof typeof Level];

export interface Health {
  readonly level: Level;
  /** One or two words. */
  readonly title: string;
  /** What was seen, the most serious first. */
  readonly reasons: readonly string[];
}

/** The time that the rules look at. */
export const HEALTH_SECONDS = 60;

/** From this part of 5xx on a server is in trouble; below, one response is worth a look. */
export const SERVER_ERRORS_BAD = 0.01;
/** A worker uses one core: from here on requests wait for it. */
export const HOT_CORE = 0.9;
/** With several workers: one takes so many times its share of the requests. */
const UNEVEN = 2;
/** Below this rate a share says nothing. */
const UNEVEN_RATE_MIN = 10;
/** Turns are some hundred microseconds; a handler that computes for so long delays all others. */
const LONG_TURN_SECONDS = 0.05;
const LONG_PAUSE_SECONDS = 0.05;

/** Why nothing is known of the present; null while snapshots come. */
export interface Absence {
  readonly seconds: number;
  readonly problem: string;
}

/** `points` are those of the last HEALTH_SECONDS. */
export function healthOf(points: readonly Point[], absence: Absence | null): Health {
  if (absence !== null) {
    const since = `no metrics for ${spanText(absence.seconds)}: ${absence.problem}`;
    return { level: Level.Bad, title: 'Reconnecting', reasons: [since] };
  }
  if (points.length === 0) {
    return {
      level: Level.Waiting,
      title: 'Waiting',
      reasons: ['the first figures come in a second'],
    };
  }
  const [bad, watch] = [serious(points), minor(points)];
  if (bad.length > 0) return { level: Level.Bad, title: 'Trouble', reasons: [...bad, ...watch] };
  if (watch.length > 0) return { level: Level.Watch, title: 'Worth a look', reasons: watch };
  const requests = points.reduce((sum, point) => sum + point.requests, 0);
  const what = requests === 0 ? 'no requests' : 'no 5xx, no hot core, no long pause';
  return {
    level: Level.Good,
    title: requests === 0 ? 'Idle' : 'Healthy',
    reasons: [`${what} in the last minute`],
  };
}

function serious(points: readonly Point[]): readonly string[] {
  const { errors, requests } = serverErrors(points);
  if (errors < SERVER_ERRORS_BAD * requests || errors === 0) return [];
  return [`${shareText(errors / requests)} of the responses are 5xx`];
}

function minor(points: readonly Point[]): readonly string[] {
  const { errors, requests } = serverErrors(points);
  const few = errors > 0 && errors < SERVER_ERRORS_BAD * requests;
  const some = few ? [`${wholeText(errors)} of ${wholeText(requests)} responses were 5xx`] : [];
  return [...some, ...starts(points), ...uneven(points), ...slow(points)];
}

/** A restart of the server, or of one worker. */
function starts(points: readonly Point[]): readonly string[] {
  const last = points[points.length - 1];
  const restart = points.findLast((point) => point.restarted);
  if (restart !== undefined) {
    return [`it restarted ${spanText(last.time - restart.time + restart.seconds)} ago`];
  }
  const before = new Map(points[0].workers.map(({ worker, started }) => [worker, started]));
  return last.workers.flatMap(({ worker, started }) => {
    const had = before.get(worker) ?? null;
    if (started === null || had === null || started <= had) return [];
    return [`worker ${worker} was replaced ${spanText(last.time - started)} ago`];
  });
}

function serverErrors(points: readonly Point[]): { errors: number; requests: number } {
  let [errors, requests] = [0, 0];
  for (const point of points) {
    errors += point.statuses[4];
    requests += point.requests;
  }
  return { errors, requests };
}

interface Load {
  readonly worker: string;
  readonly cpu: number;
  readonly rate: number;
}

/** Processor time in cores, and requests a second. */
export function loadsOf(points: readonly Point[]): readonly Load[] {
  const sums = new Map<string, { cpu: number; requests: number }>();
  let seconds = 0;
  for (const point of points) {
    seconds += point.seconds;
    for (const { worker, cpuSeconds, requests } of point.workers) {
      const sum = sums.get(worker) ?? { cpu: 0, requests: 0 };
      sum.cpu += cpuSeconds ?? 0;
      sum.requests += requests ?? 0;
      sums.set(worker, sum);
    }
  }
  return [...sums].map(([worker, { cpu, requests }]) => ({
    worker,
    cpu: seconds > 0 ? cpu / seconds : 0,
    rate: seconds > 0 ? requests / seconds : 0,
  }));
}

function uneven(points: readonly Point[]): readonly string[] {
  const loads = loadsOf(points);
  const reasons: string[] = [];
  const hot = loads.filter(({ cpu }) => cpu >= HOT_CORE);
  if (hot.length === loads.length && hot.length > 1) {
    reasons.push('every worker uses a whole core');
  } else {
    for (const { worker, cpu } of hot.slice(0, 3)) {
      reasons.push(`worker ${worker} uses ${shareText(Math.min(cpu, 9.99))} of a core`);
    }
  }
  const rate = loads.reduce((sum, load) => sum + load.rate, 0);
  const busiest = loads.reduce((most, load) => (load.rate > most.rate ? load : most), NO_LOAD);
  const isUneven = busiest.rate > (UNEVEN * rate) / loads.length;
  if (loads.length > 2 && rate >= UNEVEN_RATE_MIN && isUneven) {
    reasons.push(`worker ${busiest.worker} gets ${shareText(busiest.rate / rate)} of the requests`);
  }
  return reasons;
}

const NO_LOAD: Load = { worker: '', cpu: 0, rate: 0 };

function slow(points: readonly Point[]): readonly string[] {
  const turns = mergeBuckets(points.map((point) => point.turns));
  const turn = percentile(turns, 0.999);
  const pause = longest(mergeBuckets(points.map((point) => point.pauses)));
  const reasons: string[] = [];
  if (turn !== null && turn >= LONG_TURN_SECONDS) {
    const cause = 'a handler or another program holds the core';
    reasons.push(`turns take up to ${secondsText(turn)}: ${cause}`);
  }
  if (pause !== null && pause >= LONG_PAUSE_SECONDS) {
    reasons.push(`garbage collection paused for ${secondsText(pause)}`);
  }
  return reasons;
}
