// Numbers of reports, for people.

import { ERRNO } from '../base/errno.ts';

/** 1,234,567 */
export function countText(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}

/** Three digits that count, in the unit that suits: 850 us, 1.25 ms, 2.10 s. */
export function timeText(ms: number): string {
  if (ms < 1) return `${(ms * 1000).toFixed(ms < 0.01 ? 1 : 0)} us`;
  if (ms < 1000) return `${ms.toFixed(ms < 10 ? 2 : ms < 100 ? 1 : 0)} ms`;
  return `${(ms / 1000).toFixed(2)} s`;
}

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** In thousands, as networks count. */
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

/** An errno in words, in a line such as `errno 111`; others stay as they are. */
export function detailText(detail: string): string {
  const errno = /^errno (\d+)$/.exec(detail)?.[1];
  return errno === undefined ? detail : (ERRORS[errno] ?? detail);
}

const ERRORS: Readonly<Record<string, string>> = {
  [ERRNO.EMFILE]: 'too many open files (EMFILE)',
  [ERRNO.EPIPE]: 'broken pipe (EPIPE)',
  [ERRNO.EADDRNOTAVAIL]: 'no port left to call from (EADDRNOTAVAIL)',
  [ERRNO.ECONNRESET]: 'connection reset (ECONNRESET)',
  [ERRNO.ETIMEDOUT]: 'no connection in time (ETIMEDOUT)',
  [ERRNO.ECONNREFUSED]: 'connection refused (ECONNREFUSED)',
};
