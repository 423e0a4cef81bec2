// Parses an IMF-fixdate (RFC 9110 5.6.7), the form that clients send, from bytes and without
// garbage. It accepts what parseDate() accepts of this form, and returns the same.

import { DATE_BYTES } from './date.ts';

const SECOND_MS = 1000;
const DAY_MS = 86_400_000;

const DAYS = wordsOf('Sun Mon Tue Wed Thu Fri Sat');
const MONTHS = wordsOf('Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec');
const DAYS_IN_MONTH = new Uint8Array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]);

const FEBRUARY = 1;
const ZERO = 0x30;

/** Characters between the parts of `Sun, 06 Nov 1994 08:49:37 GMT`, by their place. */
const SEPARATORS: readonly (readonly [at: number, byte: number])[] = [
  ...[...', '].map((text, index) => [3 + index, text.charCodeAt(0)] as const),
  ...[7, 11, 16].map((at) => [at, 0x20] as const),
  ...[19, 22].map((at) => [at, 0x3a] as const),
  ...[...' GMT'].map((text, index) => [25 + index, text.charCodeAt(0)] as const),
];
const SEPARATOR_AT = Uint8Array.from(SEPARATORS, ([at]) => at);
const SEPARATOR_BYTE = Uint8Array.from(SEPARATORS, ([, byte]) => byte);

/** Milliseconds since 1970; NaN for other bytes, other forms of dates included. */
export function parseFixdate(bytes: Uint8Array, from: number, to: number): number {
  if (to - from !== DATE_BYTES || DAYS.indexOf(word(bytes, from)) < 0) return Number.NaN;
  for (let index = 0; index < SEPARATOR_AT.length; index++) {
    if (bytes[from + SEPARATOR_AT[index]] !== SEPARATOR_BYTE[index]) return Number.NaN;
  }
  const day = pair(bytes, from + 5);
  const month = MONTHS.indexOf(word(bytes, from + 8));
  const century = pair(bytes, from + 12);
  const yearOfCentury = pair(bytes, from + 14);
  const hour = pair(bytes, from + 17);
  const minute = pair(bytes, from + 20);
  const second = pair(bytes, from + 23);
  if ((century | yearOfCentury | month) < 0 || hour < 0 || minute < 0 || second < 0) {
    return Number.NaN;
  }
  const year = century * 100 + yearOfCentury;
  // A leap second is 60.
  if (hour > 23 || minute > 59 || second > 60) return Number.NaN;
  if (day < 1 || day > daysIn(year, month)) return Number.NaN;
  const seconds = (hour * 60 + minute) * 60 + second;
  return dayNumber(year, month, day) * DAY_MS + seconds * SECOND_MS;
}

/** Days since 1970-01-01 in the Gregorian calendar; the months of a year count from March. */
function dayNumber(year: number, month: number, day: number): number {
  const y = month > FEBRUARY ? year : year - 1;
  const monthsSinceMarch = (month + 10) % 12;
  const dayOfYear = Math.floor((153 * monthsSinceMarch + 2) / 5) + day - 1;
  const leapDays = Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400);
  return y * 365 + leapDays + dayOfYear - DAYS_TO_1970;
}

/** Days from the first of March of the year 0. */
const DAYS_TO_1970 = 719_468;

function daysIn(year: number, month: number): number {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === FEBRUARY && isLeap ? 29 : DAYS_IN_MONTH[month];
}

/** A number of two digits; -1 for other bytes. */
function pair(bytes: Uint8Array, at: number): number {
  const tens = bytes[at] - ZERO;
  const ones = bytes[at + 1] - ZERO;
  return tens >>> 0 > 9 || ones >>> 0 > 9 ? -1 : tens * 10 + ones;
}

/** Three bytes as one number. */
function word(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 16) | (bytes[at + 1] << 8) | bytes[at + 2];
}

function wordsOf(text: string): Int32Array {
  return Int32Array.from(text.split(' '), (name) => word(Buffer.from(name), 0));
}
