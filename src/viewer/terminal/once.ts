// One snapshot as text: what a server did since it started. And the one line a second for a pipe.

import { type Column, columnOf } from '../columns.ts';
import { difference } from '../difference.ts';
import type { Absence } from '../health.ts';
import { SLICE_ROUTES_MAX } from '../limits.ts';
import { type Point, pointOf } from '../point.ts';
import { BUSIEST_FIRST, mergeRoutes, routeRows, routeSums } from '../routes.ts';
import type { Snapshot } from '../snapshot.ts';
import { rateText, secondsText, shareText, sizeText, spanText, wholeText } from '../text.ts';
import { type Line, paint, part } from './line.ts';
import { factsText, latencyLine, loopLine, routeTable, statusLine, workerTable } from './screen.ts';

const WIDTH = 100;
/** All workers and all routes. */
const ROWS_MAX = Number.MAX_SAFE_INTEGER;

export function onceText(snapshot: Snapshot, target: URL): string {
  const { server, time } = snapshot;
  const head: Line = [part(`${target.host}  ${factsText(server, time)}`)];
  if (server.started === 0) {
    const text = 'the snapshot does not say since when the server counts; --json prints it';
    return textOf([head, [part(text)]]);
  }
  const change = difference(null, snapshot);
  if (change === null) return textOf([head, [part('it has just started')]]);
  const point = pointOf(change, false);
  const column = columnOf([point]);
  const sums = mergeRoutes([routeSums(change)], SLICE_ROUTES_MAX);
  return textOf([
    head,
    [],
    [part(`Since it started, ${spanText(change.seconds)} ago:`)],
    [
      part('Requests     '),
      part(`${wholeText(point.requests)}, ${rateText(column.rate)} a second`),
    ],
    latencyLine(column, WIDTH),
    statusLine(column, WIDTH),
    loopLine(column, WIDTH),
    [part('Connections  '), part(connectionsText(point))],
    [],
    ...workerTable(point, WIDTH, ROWS_MAX),
    [],
    ...routeTable(routeRows(sums, change.seconds), BUSIEST_FIRST, WIDTH, ROWS_MAX),
  ]);
}

function connectionsText({ accepted, open, receivedBytes, sentBytes }: Point): string {
  const bytes = `${sizeText(receivedBytes)} received, ${sizeText(sentBytes)} sent`;
  return `${wholeText(open)} open, ${wholeText(accepted)} accepted, ${bytes}`;
}

function textOf(lines: readonly Line[]): string {
  return lines.map((line) => `${paint(line, WIDTH, false).trimEnd()}\n`).join('');
}

/** The line of one interval, for a pipe. */
export function lineText(column: Column): string {
  const { cpu, open, percentiles, rate, statusRates, time } = column;
  const [p50, , p99] = percentiles;
  return [
    clockText(time),
    `${rateText(rate)} requests/s`,
    `P50 ${secondsText(p50)}`,
    `P99 ${secondsText(p99)}`,
    `5xx ${shareText(rate > 0 ? statusRates[4] / rate : 0)}`,
    `open ${wholeText(open)}`,
    `busiest core ${shareText(cpu.size === 0 ? null : Math.max(...cpu.values()))}`,
  ].join('  ');
}

/** `time` is in seconds since the epoch. */
export function absenceText(time: number, { problem, seconds }: Absence): string {
  return `${clockText(time)}  no metrics for ${spanText(seconds)}: ${problem}`;
}

function clockText(time: number): string {
  const date = new Date(time * 1000);
  const parts = [date.getHours(), date.getMinutes(), date.getSeconds()];
  return parts.map((each) => String(each).padStart(2, '0')).join(':');
}
