// Compares two reports. Runs of the same server differ, so a change is called better or worse only
// where the distributions of the seconds of both runs are apart.

import { logText } from '../base/log-text.ts';
import { countText, percentText, timeText } from './format.ts';
import type { Second } from './recorder.ts';
import { LOAD_BOUND, type LoadReport } from './report.ts';

/** How one figure differs between two reports. */
export interface Change {
  readonly name: string;
  readonly before: number;
  readonly after: number;
  /** after / before - 1; NaN when `before` is 0. */
  readonly change: number;
  /** Null when neither direction is better. */
  readonly moreIsBetter: boolean | null;
  /** The interquartile ranges of the seconds do not overlap; null without enough seconds. */
  readonly isApart: boolean | null;
}

/** The figures of two reports side by side; times are in milliseconds. */
export function compareReports(before: LoadReport, after: LoadReport): readonly Change[] {
  const rate = ({ responses, lengthMs }: Second): number => (responses * 1000) / lengthMs;
  const changes: Change[] = [
    change('requests/s', before.requestsPerSecond, after.requestsPerSecond, true, {
      before: before.series.map(rate),
      after: after.series.map(rate),
    }),
    change('bytes/s', before.bytesPerSecond, after.bytesPerSecond, null, null),
    change('errors', before.errorCount, after.errorCount, false, null),
    change('mean', before.latencyMs.mean, after.latencyMs.mean, false, null),
  ];
  for (const percent of Object.keys(before.latencyMs.percentiles)) {
    const [was, is] = [before, after].map((report) => report.latencyMs.percentiles[percent]);
    const of = (pick: (second: Second) => number): Spread => ({
      before: before.series.map(pick),
      after: after.series.map(pick),
    });
    const spread =
      percent === '50'
        ? of(({ p50Ms }) => p50Ms)
        : percent === '99'
          ? of(({ p99Ms }) => p99Ms)
          : null;
    changes.push(change(`P${percent}`, was, is ?? Number.NaN, false, spread));
  }
  changes.push(change('longest', before.latencyMs.most, after.latencyMs.most, false, null));
  return changes;
}

interface Spread {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

function change(
  name: string,
  before: number,
  after: number,
  moreIsBetter: boolean | null,
  spread: Spread | null,
): Change {
  const relative = before === 0 ? (after === 0 ? 0 : Number.NaN) : after / before - 1;
  const isApart = spread === null ? null : areApart(spread);
  return { name, before, after, change: relative, moreIsBetter, isApart };
}

/** Fewer seconds have no meaningful quartiles. */
const SECONDS_MIN = 4;

function areApart({ before, after }: Spread): boolean | null {
  if (before.length < SECONDS_MIN || after.length < SECONDS_MIN) return null;
  const [a, b] = [before, after].map((values) => {
    const sorted = [...values].sort((left, right) => left - right);
    const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))];
    return { low: at(0.25), high: at(0.75) };
  });
  return a.high < b.low || b.high < a.low;
}

/** The comparison as a table; `names` are the titles of the two reports. */
export function compareText(
  before: LoadReport,
  after: LoadReport,
  names: readonly [string, string],
): string {
  const found = [['', ...names, 'change', '']];
  for (const one of compareReports(before, after)) {
    found.push([
      one.name,
      value(one.name, one.before),
      value(one.name, one.after),
      ...verdict(one),
    ]);
  }
  // Names and reports are untrusted text.
  const rows = found.map((row) => row.map(logText));
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) =>
        column % 4 === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]),
      )
      .join('  ')
      .trimEnd(),
  );
  return `${[...lines, ...remarks(before, after, names).map(logText)].join('\n')}\n`;
}

function value(name: string, amount: number): string {
  if (Number.isNaN(amount)) return '-';
  return name === 'requests/s' || name === 'bytes/s' || name === 'errors'
    ? countText(amount)
    : timeText(amount);
}

function verdict({ change: share, isApart, moreIsBetter }: Change): readonly [string, string] {
  if (Number.isNaN(share)) return ['-', ''];
  const text = `${share > 0 ? '+' : ''}${percentText(share, 1)}`;
  if (isApart === null || moreIsBetter === null) return [text, ''];
  if (!isApart) return [text, 'within the spread of the seconds'];
  return [text, share > 0 === moreIsBetter ? 'better' : 'WORSE'];
}

function remarks(
  before: LoadReport,
  after: LoadReport,
  names: readonly [string, string],
): readonly string[] {
  const found: string[] = [];
  const conditions = ({ connections, loop, method, pipelining, urls }: LoadReport): string =>
    JSON.stringify([
      connections,
      pipelining,
      loop,
      method,
      urls.map((url) => new URL(url).pathname),
    ]);
  if (conditions(before) !== conditions(after)) {
    found.push('NOT COMPARABLE: requests, connections or rates of the two runs differ');
  }
  [before, after].forEach((report, index) => {
    if (report.load.isBound) {
      const share = percentText(LOAD_BOUND);
      found.push(`LOAD-BOUND: in ${names[index]} the load was busy ${share} of the time or more`);
    }
    if (report.interrupted) found.push(`INTERRUPTED: ${names[index]} was ended early`);
  });
  return found.length === 0 ? [] : ['', ...found];
}

/** A report from JSON text, or the problem of the text. */
export function reportFrom(text: string): LoadReport | string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return 'not JSON';
  }
  if (typeof parsed !== 'object' || parsed === null) return 'not a report of a load';
  const report = parsed as Partial<LoadReport>;
  if (report.format !== 1 || !Array.isArray(report.series) || report.latencyMs === undefined) {
    return 'not a report of a load';
  }
  return report as LoadReport;
}
