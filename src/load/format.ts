// Formats the numbers of reports for people.

import { ERRNO } from '../base/errno.ts';

/** 1,234,567 */
export function countText(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}

/** Three significant digits in a fitting unit: 850 us, 1.25 ms, 2.10 s. */
export function timeText(ms: number): string {
  if (ms < 1) return `${(ms * 1000).toFixed(ms < 0.01 ? 1 : 0)} us`;
  if (ms < 1000) return `${ms.toFixed(ms < 10 ? 2 : ms < 100 ? 1 : 0)} ms`;
  return `${(ms / 1000).toFixed(2)} s`;
}

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** In powers of 1,000. */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < BYTE_UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value.toFixed(unit === 0 || value >= 100 ? 0 : 1)} ${BYTE_UNITS[unit]}`;
}

export function percentText(share: number, digits = 0): string {
  return `${(share * 100).toFixed(digits)} %`;
}

/** The text for a detail such as `errno 111`; others stay as they are. */
export function detailText(detail: string): string {
  const errno = /^errno (\d+)$/.exec(detail)?.[1];
  return errno === undefined ? detail : (ERRORS[errno] ?? detail);
}

const ERRORS: Readonly<Record<string, string>> = {
  [ERRNO.EMFILE]: 'too many open files (EMFILE)',
  [ERRNO.EPIPE]: 'broken pipe (EPIPE)',
  [ERRNO.EADDRNOTAVAIL]: 'no local port left (EADDRNOTAVAIL)',
  [ERRNO.ECONNRESET]: 'connection reset (ECONNRESET)',
  [ERRNO.ETIMEDOUT]: 'connection timed out (ETIMEDOUT)',
  [ERRNO.ECONNREFUSED]: 'connection refused (ECONNREFUSED)',
};

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** A bar of blocks, `share` of `width` columns long, exact to an eighth of a column. */
export function barText(share: number, width: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * width * 8);
  return '█'.repeat(eighths >> 3) + EIGHTHS[eighths & 7];
}
