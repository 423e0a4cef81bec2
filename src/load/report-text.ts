// Writes a report for a terminal or a log: conditions, rates, latencies, statuses, errors.

import { logText, safeJson } from '../base/log-text.ts';
import { barText, bytesText, countText, detailText, percentText, timeText } from './format.ts';
import { rowsOf } from './histogram-rows.ts';
import {
  conditionsText,
  errorStatusText,
  type LoadReport,
  reconnectsText,
  shareText,
  waitingText,
} from './report.ts';

const HISTOGRAM_ROWS = 16;
const BAR_COLUMNS = 40;
const SERIES_ROWS_MAX = 20;
const NAME_COLUMNS = 12;

/** The report as text for a terminal. */
export function reportText(report: LoadReport): string {
  return [
    ...headLines(report),
    '',
    ...rateLines(report),
    '',
    ...latencyLines(report),
    '',
    ...histogramLines(report),
    ...statusLines(report),
    ...seriesLines(report),
    ...ownLines(report),
    '',
  ]
    .map(logText)
    .join('\n');
}

function headLines(report: LoadReport): readonly string[] {
  return [
    ...report.urls.map((url) => `${report.method} ${url}`),
    conditionsText(report),
    ...(report.interrupted ? ['INTERRUPTED: the results up to then'] : []),
  ];
}

function rateLines(report: LoadReport): readonly string[] {
  const { responses, bytes, bytesPerSecond, errorCount, requestsPerSecond, seconds } = report;
  return [
    line('requests/s', countText(requestsPerSecond)),
    line('responses', `${countText(responses)} in ${seconds.toFixed(2)} s${drainText(report)}`),
    line('received', `${bytesText(bytes)}, ${bytesText(bytesPerSecond)}/s`),
    line('errors', countText(errorCount)),
    ...some('4xx, 5xx', errorStatusText(report)),
    ...some('waiting', waitingText(report)),
  ];
}

function some(name: string, value: string): readonly string[] {
  return value === '' ? [] : [line(name, value)];
}

/** A shorter drain is not reported: the last responses of every run take some time. */
const DRAIN_SECONDS_MIN = 0.1;

function drainText({ drainSeconds }: LoadReport): string {
  if (drainSeconds < DRAIN_SECONDS_MIN) return '';
  return ` and ${drainSeconds.toFixed(2)} s after it, until the last response`;
}

function line(name: string, value: string): string {
  return `  ${name.padEnd(NAME_COLUMNS)}${value}`;
}

function latencyLines({ histogram, latencyMs, loop }: LoadReport): readonly string[] {
  if (histogram.length === 0) return ['latency: no response'];
  const since = loop === 'closed' ? 'since each request was sent' : 'since each request was due';
  return [
    `latency, ${since}`,
    ...Object.entries(latencyMs.percentiles).map(([percent, ms]) => {
      return line(`P${percent}`, timeText(ms));
    }),
    line('longest', timeText(latencyMs.most)),
    line('mean', `${timeText(latencyMs.mean)}, deviation ${timeText(latencyMs.deviation)}`),
  ];
}

function histogramLines({ histogram }: LoadReport): readonly string[] {
  const rows = rowsOf(histogram, HISTOGRAM_ROWS);
  const most = rows.reduce((share, row) => Math.max(share, row.share), 0);
  if (most === 0) return [];
  const lines = rows.map(({ count, share, toMs }) => {
    const bar = barText(share / most, BAR_COLUMNS).padEnd(BAR_COLUMNS);
    const to = timeText(toMs).padStart(8);
    return `  to ${to} ${bar} ${percentText(share, 2).padStart(8)} ${count}`;
  });
  const isEmpty = (index: number): boolean => rows[index]?.count === 0;
  // Adjacent empty rows become one, which shows the gap.
  return [...lines.filter((_, index) => !(isEmpty(index) && isEmpty(index + 1))), ''];
}

function statusLines(report: LoadReport): readonly string[] {
  const { responsesByRequest, badBytes, errorDetails, errors, statuses } = report;
  const counts = (of: Readonly<Record<string, number>>): string =>
    Object.entries(of)
      .map(([name, count]) => `${name}: ${countText(count)}`)
      .join(', ');
  const lines = [line('status', counts(statuses) || 'no response')];
  if (Object.keys(responsesByRequest).length > 1) {
    for (const [name, count] of Object.entries(responsesByRequest)) {
      lines.push(line('', `${name}: ${countText(count)}`));
    }
  }
  if (Object.keys(errors).length > 0) lines.push(line('errors', counts(errors)));
  for (const [detail, count] of Object.entries(errorDetails)) {
    lines.push(line('', `${detailText(detail)}: ${countText(count)}`));
  }
  if (badBytes !== '') {
    lines.push(line('', `first invalid bytes: ${safeJson(badBytes)}${hint(badBytes)}`));
  }
  if (report.reconnects > 0) lines.push(line('reconnects', reconnectsText(report)));
  return lines;
}

/** The beginning of a TLS alert and of a TLS handshake. */
const TLS_RECORDS = ['\u0015\u0003', '\u0016\u0003'];

function hint(bytes: string): string {
  return TLS_RECORDS.some((record) => bytes.startsWith(record)) ? ', which is TLS' : '';
}

interface SeriesRow {
  readonly endMs: number;
  readonly rate: number;
  readonly p99Ms: number;
  readonly errors: number;
  /** All of it came after the end. */
  readonly isLate: boolean;
}

/** Many seconds are joined into few rows, so that the series fits on a screen. */
function seriesLines({ seconds: lasted, series }: LoadReport): readonly string[] {
  if (series.length < 2) return [];
  const step = Math.ceil(series.length / SERIES_ROWS_MAX);
  const rows: SeriesRow[] = [];
  for (let index = 0; index < series.length; index += step) {
    const part = series.slice(index, index + step);
    const lengthMs = part.reduce((sum, second) => sum + second.lengthMs, 0);
    rows.push({
      endMs: part[part.length - 1].endMs,
      isLate: part[0].endMs - part[0].lengthMs > lasted * 1000 - 1,
      rate: (part.reduce((sum, second) => sum + second.responses, 0) * 1000) / lengthMs,
      p99Ms: part.reduce((most, second) => Math.max(most, second.p99Ms), 0),
      errors: part.reduce((sum, second) => sum + second.errors, 0),
    });
  }
  const most = rows.reduce((rate, row) => Math.max(rate, row.rate), 0) || 1;
  return [
    '',
    'over time: requests/s, P99',
    ...rows.map(({ endMs, errors, isLate, p99Ms, rate }) => {
      const at = `${(endMs / 1000).toFixed(1)} s`.padStart(8);
      const bar = barText(rate / most, BAR_COLUMNS / 2).padEnd(BAR_COLUMNS / 2);
      const failed = errors === 0 ? '' : `  ${countText(errors)} errors`;
      const p99 = p99Ms === 0 ? '-' : timeText(p99Ms);
      const figures = `${countText(rate).padStart(10)} ${p99.padStart(9)}`;
      const late = isLate ? '  after the end' : '';
      return `  ${at} ${bar} ${figures}${failed}${late}`;
    }),
  ];
}

/** What the load itself cost, with a warning when it may have limited the results. */
function ownLines(report: LoadReport): readonly string[] {
  const { load, loop } = report;
  const core = load.core < 0 ? 'not pinned' : `core ${load.core}`;
  const lines = ['', line('this load', `${shareText(report)} (${core})`)];
  if (loop !== 'closed') {
    lines.push(
      line('', `requests were sent at most ${timeText(load.lateMsMax)} after they were due`),
    );
  }
  if (load.isBound) {
    lines.push(
      'LOAD-BOUND: this load was busy all the time, the server may be faster than measured',
    );
  }
  return lines;
}
