// Writes a report as comma-separated values: a line for each second of the run.

import type { LoadReport } from './report.ts';

const COLUMNS = 'end_s,length_s,responses,requests_per_s,errors,bytes,p50_ms,p99_ms';

/** The report as CSV (RFC 4180), with a line for each second. */
export function reportCsv({ series }: LoadReport): string {
  const lines = series.map(({ responses, bytes, endMs, errors, lengthMs, p50Ms, p99Ms }) =>
    [
      (endMs / 1000).toFixed(3),
      (lengthMs / 1000).toFixed(3),
      responses,
      ((responses * 1000) / lengthMs).toFixed(1),
      errors,
      bytes,
      p50Ms.toFixed(4),
      p99Ms.toFixed(4),
    ].join(','),
  );
  return `${[COLUMNS, ...lines].join('\n')}\n`;
}
