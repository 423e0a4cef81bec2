// The value of the Date field (RFC 9110 5.6.7, IMF-fixdate), formatted once a second, and the
// parser of HTTP-dates.

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

/** Bytes of an IMF-fixdate: `Sun, 06 Nov 1994 08:49:37 GMT`. */
export const DATE_BYTES = 29;

/** The field line `Date: `, value and CRLF, ready to be copied. */
export class DateField {
  readonly bytes: Uint8Array = new TextEncoder().encode(`Date: ${' '.repeat(DATE_BYTES)}\r\n`);
  #second = Number.NaN;

  /** Sets the value to the given time; cheap within the same second. */
  update(wallMs: number): void {
    const second = Math.floor(wallMs / 1000);
    if (second === this.#second) return;
    this.#second = second;
    const text = formatDate(second * 1000);
    for (let index = 0; index < DATE_BYTES; index++) this.bytes[6 + index] = text.charCodeAt(index);
  }
}

/** Milliseconds since 1970 as an IMF-fixdate, for the years 0 to 9999. */
export function formatDate(wallMs: number): string {
  const date = new Date(wallMs);
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${DAYS[date.getUTCDay()]}, ${two(date.getUTCDate())}`;
  const year = String(date.getUTCFullYear()).padStart(4, '0');
  const time = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(two).join(':');
  return `${day} ${MONTHS[date.getUTCMonth()]} ${year} ${time} GMT`;
}

const TIME = String.raw`(\d{2}):(\d{2}):(\d{2})`;
const MONTH = '([A-Z][a-z]{2})';
const DAY = '(?:Sun|Mon|Tue|Wed|Thu|Fri|Sat)';
const FULL_DAY = '(?:Sun|Mon|Tues|Wednes|Thurs|Fri|Satur)day';
const IMF = new RegExp(String.raw`^${DAY}, (\d{2}) ${MONTH} (\d{4}) ${TIME} GMT$`);
const RFC850 = new RegExp(String.raw`^${FULL_DAY}, (\d{2})-${MONTH}-(\d{2}) ${TIME} GMT$`);
const ASCTIME = new RegExp(String.raw`^${DAY} ${MONTH} (\d{2}| \d) ${TIME} (\d{4})$`);

/**
 * An HTTP-date in any of the three forms of RFC 9110 5.6.7 as milliseconds since 1970; NaN for
 * other text. `wallMs` is the current time: a date with two digits of a year is at most 50 years in
 * the future. The name of the day is not compared with the date, which is clear without it.
 */
export function parseDate(text: string, wallMs: number): number {
  const imf = IMF.exec(text);
  if (imf !== null) return utc(Number(imf[3]), imf[2], imf[1], imf[4], imf[5], imf[6]);
  const old = RFC850.exec(text);
  if (old !== null) return twoDigitYear(old, wallMs);
  const asc = ASCTIME.exec(text);
  if (asc === null) return Number.NaN;
  return utc(Number(asc[6]), asc[1], asc[2], asc[3], asc[4], asc[5]);
}

function twoDigitYear(match: RegExpExecArray, wallMs: number): number {
  const latest = new Date(wallMs);
  latest.setUTCFullYear(latest.getUTCFullYear() + 50);
  const year = latest.getUTCFullYear();
  const [, day, month, two, ...time] = match;
  const inCentury = year - (year % 100) + Number(two);
  const ms = utc(inCentury, month, day, time[0], time[1], time[2]);
  if (ms <= latest.getTime()) return ms;
  return utc(inCentury - 100, month, day, time[0], time[1], time[2]);
}

function utc(
  year: number,
  month: string,
  day: string,
  hour: string,
  minute: string,
  second: string,
): number {
  const monthIndex = MONTHS.indexOf(month);
  if (monthIndex < 0 || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) {
    return Number.NaN;
  }
  // Date.UTC() would read the years 0 to 99 as 1900 to 1999.
  const midnight = new Date(0);
  midnight.setUTCFullYear(year, monthIndex, Number(day));
  if (midnight.getUTCDate() !== Number(day)) return Number.NaN;
  const seconds = (Number(hour) * 60 + Number(minute)) * 60 + Number(second);
  return midnight.getTime() + seconds * 1000;
}
