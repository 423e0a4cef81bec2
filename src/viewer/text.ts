// Formats the figures of the viewers for people.

import { logText } from '../base/log-text.ts';
import { bytesText, countText, timeText } from '../load/format.ts';

/** In place of a figure that is not known. */
export const UNKNOWN = '–';

/** Rates below 10 with one digit behind the point: 12,340 / 3.4 / 0. */
export function rateText(rate: number | null): string {
  if (rate === null) return UNKNOWN;
  if (rate === 0) return '0';
  if (rate < 0.05) return '<0.1';
  return rate < 9.95 ? rate.toFixed(1) : countText(rate);
}

/** For the axes of charts: 950, 1.25k, 12.5k, 3.4M. */
export function shortText(value: number): string {
  for (const [unit, name] of SHORT) {
    if (Math.abs(value) < unit) continue;
    const scaled = value / unit;
    return `${Number(scaled.toFixed(scaled < 10 ? 2 : scaled < 100 ? 1 : 0))}${name}`;
  }
  return String(Number(value.toPrecision(3)));
}

const SHORT = [
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
] as const;

/** A time given in seconds: 850 us, 1.25 ms, 2.10 s. */
export function secondsText(seconds: number | null): string {
  return seconds === null ? UNKNOWN : timeText(seconds * 1000);
}

export function wholeText(count: number | null): string {
  return count === null ? UNKNOWN : countText(count);
}

export function sizeText(bytes: number | null): string {
  return bytes === null ? UNKNOWN : bytesText(bytes);
}

/** 0 %, 0.02 %, 1.5 %, 12 %; a part that is not zero is never shown as 0. */
export function shareText(share: number | null): string {
  if (share === null) return UNKNOWN;
  const percent = share * 100;
  if (percent === 0) return '0 %';
  if (percent < 0.01) return '<0.01 %';
  return `${percent.toFixed(percent < 0.995 ? 2 : percent < 9.95 ? 1 : 0)} %`;
}

/** How long something has lasted: 45 s, 12 min, 3 h 05 min, 4 d 2 h. */
export function spanText(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${String(minutes % 60).padStart(2, '0')} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** The route of a row; labels come from the network. */
export function routeText(route: string): string {
  return route === '' ? '(no route)' : logText(route);
}
