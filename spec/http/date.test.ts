// HTTP-dates compared with Date: formatted as by toUTCString(), parsed in all three forms.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DATE_BYTES, DateField, formatDate, parseDate } from '../../src/http/date.ts';
import { parseFixdate } from '../../src/http/fixdate.ts';
import { seeded } from '../../testing/splits.ts';

const NOW_MS = Date.UTC(2026, 5, 15);
const YEAR_0_MS = Date.parse('0000-01-01T00:00:00Z');
const YEAR_9999_MS = Date.parse('9999-12-31T23:59:59Z');
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** Seconds at the ends of days, months and years, and their neighbours. */
const TURNS_MS: readonly number[] = [
  '0000-01-01T00:00:00Z',
  '0099-12-31T23:59:59Z',
  '0100-03-01T00:00:00Z',
  '1899-12-31T23:59:59Z',
  '1900-02-28T23:59:59Z',
  '1970-01-01T00:00:00Z',
  '1999-12-31T23:59:59Z',
  '2000-02-29T00:00:00Z',
  '2004-02-29T23:59:59Z',
  '2023-03-01T00:00:00Z',
  '2024-02-29T12:00:00Z',
  '2026-06-15T08:49:37Z',
  '2100-02-28T23:59:59Z',
  '9999-12-31T23:59:58Z',
].map(Date.parse);

const second = fc
  .integer({ min: YEAR_0_MS / 1000, max: YEAR_9999_MS / 1000 })
  .map((seconds) => seconds * 1000);

describe('formatDate', () => {
  it('equals toUTCString()', (context) => {
    for (const turnMs of TURNS_MS) {
      for (const ms of [turnMs, turnMs + 999]) {
        assert.equal(formatDate(ms), new Date(ms).toUTCString());
      }
    }
    const check = (ms: number) => {
      assert.equal(formatDate(ms), new Date(ms).toUTCString());
      assert.equal(formatDate(ms).length, DATE_BYTES);
    };
    fc.assert(fc.property(second, check), seeded(context, 3000));
  });

  it('is correct for every day of leap years, of others, and of ends of centuries', () => {
    for (const year of [1900, 1999, 2000, 2023, 2024, 2100]) {
      for (let day = 0; day < 366; day++) {
        const ms = Date.UTC(year, 0, 1 + day, 23, 59, 59);
        assert.equal(formatDate(ms), new Date(ms).toUTCString());
      }
    }
  });
});

describe('parseDate', () => {
  it('parses the output of formatDate()', (context) => {
    for (const ms of TURNS_MS) assert.equal(parseDate(formatDate(ms), NOW_MS), ms);
    const check = (ms: number) => assert.equal(parseDate(formatDate(ms), NOW_MS), ms);
    fc.assert(fc.property(second, check), seeded(context, 3000));
  });

  it('parses the three forms of RFC 9110 5.6.7', () => {
    const ms = Date.UTC(1994, 10, 6, 8, 49, 37);
    assert.equal(parseDate('Sun, 06 Nov 1994 08:49:37 GMT', NOW_MS), ms);
    assert.equal(parseDate('Sunday, 06-Nov-94 08:49:37 GMT', NOW_MS), ms);
    assert.equal(parseDate('Sun Nov  6 08:49:37 1994', NOW_MS), ms);
  });

  it('parses the obsolete forms of any second', (context) => {
    const recent = fc
      .integer({ min: Date.UTC(1977) / 1000, max: Date.UTC(2076) / 1000 - 1 })
      .map((seconds) => seconds * 1000);
    const check = (ms: number) => {
      const [, day, month, year, time] = new Date(ms).toUTCString().split(' ');
      const week = new Date(ms).getUTCDay();
      const old = `${DAYS[week]}, ${day}-${month}-${year.slice(2)} ${time} GMT`;
      const two = String(Number(day)).padStart(2, ' ');
      const asctime = `${DAYS[week].slice(0, 3)} ${month} ${two} ${time} ${year}`;
      assert.equal(parseDate(old, NOW_MS), ms, old);
      assert.equal(parseDate(asctime, NOW_MS), ms, asctime);
    };
    fc.assert(fc.property(recent, check), seeded(context, 1000));
  });

  it('reads a year of two digits as one at most 50 years in the future', () => {
    const year = (two: string, now: number) =>
      new Date(parseDate(`Friday, 01-Jan-${two} 00:00:00 GMT`, Date.UTC(now))).getUTCFullYear();
    assert.equal(year('26', 2026), 2026);
    assert.equal(year('75', 2026), 2075);
    assert.equal(year('76', 2026), 2076);
    assert.equal(year('77', 2026), 1977);
    assert.equal(year('00', 2026), 2000);
    assert.equal(year('99', 2099), 2099);
    assert.equal(year('50', 2000), 2050);
    assert.equal(year('51', 2000), 1951);
  });

  it('the 50 years are counted to the second; a day that a year lacks is one before', () => {
    const nowMs = Date.UTC(2026, 5, 15, 12);
    assert.equal(parseDate('Monday, 15-Jun-76 12:00:00 GMT', nowMs), Date.UTC(2076, 5, 15, 12));
    assert.equal(
      parseDate('Monday, 15-Jun-76 12:00:01 GMT', nowMs),
      Date.UTC(1976, 5, 15, 12, 0, 1),
    );
    assert.equal(
      parseDate('Monday, 15-Jun-75 12:00:01 GMT', nowMs),
      Date.UTC(2075, 5, 15, 12, 0, 1),
    );
    // 2000 is a leap year, 2100 is none.
    assert.equal(parseDate('Tuesday, 29-Feb-00 00:00:00 GMT', nowMs), Date.UTC(2000, 1, 29));
    assert.equal(
      parseDate('Tuesday, 29-Feb-00 00:00:00 GMT', Date.UTC(2060)),
      Date.UTC(2000, 1, 29),
    );
  });

  it('accepts leap seconds and leap days', () => {
    const leap = parseDate('Sat, 31 Dec 2016 23:59:60 GMT', NOW_MS);
    assert.equal(leap, Date.UTC(2017, 0, 1));
    assert.equal(parseDate('Thu, 29 Feb 2024 00:00:00 GMT', NOW_MS), Date.UTC(2024, 1, 29));
  });

  const bad = [
    '',
    'Sun, 06 Nov 1994 08:49:37',
    'Sun, 06 Nov 1994 08:49:37 UTC',
    'Sun, 06 Nov 1994 08:49:37 GMT ',
    ' Sun, 06 Nov 1994 08:49:37 GMT',
    'sun, 06 nov 1994 08:49:37 gmt',
    'Sun, 6 Nov 1994 08:49:37 GMT',
    'Sun, 06 Nov 94 08:49:37 GMT',
    'Sun, 06 Nov 1994 8:49:37 GMT',
    'Sun, 06 Nov 1994 24:00:00 GMT',
    'Sun, 06 Nov 1994 08:60:37 GMT',
    'Sun, 06 Nov 1994 08:49:61 GMT',
    'Sun, 00 Nov 1994 08:49:37 GMT',
    'Sun, 31 Nov 1994 08:49:37 GMT',
    'Thu, 31 Nov 2016 23:59:60 GMT',
    'Wed, 29 Feb 2023 08:49:37 GMT',
    'Mon, 29 Feb 1900 08:49:37 GMT',
    'Sun, 06 Foo 1994 08:49:37 GMT',
    'Sun, -6 Nov 1994 08:49:37 GMT',
    'Sunday, 32-Nov-94 08:49:37 GMT',
    'Foo, 06 Nov 1994 08:49:37 GMT',
    'Nosuchday, 06-Nov-94 08:49:37 GMT',
    'Sun, 06-Nov-94 08:49:37 GMT',
    'Tueday, 06-Nov-94 08:49:37 GMT',
    'Foo Nov  6 08:49:37 1994',
    'Sunday Nov  6 08:49:37 1994',
    'Sun Nov 6 08:49:37 1994',
    'Sun Nov  6 08:49:37 94',
    'Sun, 06 Nov 1994 08:49:37 +0000',
    'Sun, 06 Nov 1994 08:49:37.5 GMT',
    'Sun,06 Nov 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994  08:49:37 GMT',
    'Sunday, 06-Nov-1994 08:49:37 GMT',
    'Sun Nov 06 08:49:37 1994 GMT',
    'Sun Nov  0 08:49:37 1994',
    '1994-11-06T08:49:37Z',
    '784111777',
    'Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT',
  ];
  for (const text of bad) {
    it(`rejects ${JSON.stringify(text)}`, () => {
      assert.ok(Number.isNaN(parseDate(text, NOW_MS)));
    });
  }

  it('returns a time or NaN for any text, and never throws', (context) => {
    const near = fc
      .tuple(second, fc.nat({ max: 40 }), fc.string({ maxLength: 3 }))
      .map(([ms, at, put]) => formatDate(ms).slice(0, at) + put + formatDate(ms).slice(at + 1));
    const check = (text: string) => {
      const ms = parseDate(text, NOW_MS);
      assert.ok(Number.isNaN(ms) || Number.isInteger(ms), text);
    };
    fc.assert(fc.property(fc.oneof(near, fc.string()), check), seeded(context, 2000));
  });
});

describe('parseFixdate', () => {
  /** The bytes lie somewhere in memory, with digits around them. */
  const parsed = (text: string): number => {
    const bytes = Buffer.from(`1${text}1`, 'latin1');
    return parseFixdate(bytes, 1, bytes.length - 1);
  };
  const isFixdate = (text: string): boolean => /^[A-Z][a-z]{2}, /.test(text);
  const expected = (text: string): number =>
    isFixdate(text) ? parseDate(text, NOW_MS) : Number.NaN;

  it('returns what parseDate() returns, for every second', (context) => {
    for (const ms of TURNS_MS) assert.equal(parsed(formatDate(ms)), ms);
    fc.assert(
      fc.property(second, (ms) => assert.equal(parsed(formatDate(ms)), ms)),
      seeded(context, 3000),
    );
  });

  it('accepts what parseDate() accepts of this form, and nothing else', (context) => {
    const day = 'Mon, 31 Dec 2024 23:59:59 GMT';
    for (let at = 0; at < day.length; at++) {
      for (let code = 0; code < 128; code++) {
        const text = day.slice(0, at) + String.fromCharCode(code) + day.slice(at + 1);
        assert.equal(parsed(text), expected(text), text);
      }
    }
    const numbers = fc.record({
      day: fc.integer({ min: 0, max: 32 }),
      month: fc.constantFrom(...'Jan Feb Mar Apr Jun Sep Nov Dec jan Foo'.split(' ')),
      year: fc.constantFrom(0, 1, 99, 100, 400, 1900, 1970, 2000, 2023, 2024, 9999),
      hour: fc.integer({ min: 0, max: 25 }),
      minute: fc.integer({ min: 0, max: 61 }),
      second: fc.integer({ min: 0, max: 62 }),
    });
    const two = (value: number): string => String(value).padStart(2, '0');
    const check = (
      n: { [K in 'day' | 'year' | 'hour' | 'minute' | 'second']: number } & {
        month: string;
      },
    ) => {
      const time = [n.hour, n.minute, n.second].map(two).join(':');
      const text = `Sat, ${two(n.day)} ${n.month} ${String(n.year).padStart(4, '0')} ${time} GMT`;
      assert.equal(parsed(text), expected(text), text);
    };
    fc.assert(fc.property(numbers, check), seeded(context, 5000));
  });
});

describe('DateField', () => {
  const text = (field: DateField) => Buffer.from(field.bytes).toString('latin1');

  it('is a complete field line that follows the clock', () => {
    const field = new DateField();
    for (const ms of [0, 1, 999, 1000, Date.UTC(2024, 1, 29, 23, 59, 59, 999), 86_400_000]) {
      field.update(ms);
      assert.equal(text(field), `Date: ${new Date(ms).toUTCString()}\r\n`);
    }
  });

  it('keeps its memory, so that callers can keep it', () => {
    const field = new DateField();
    const { bytes } = field;
    field.update(NOW_MS);
    assert.equal(field.bytes, bytes);
  });
});

it('a date with text before or after it is not valid', () => {
  const nowMs = Date.UTC(2024, 0, 1);
  for (const text of [
    'Sun, 06 Nov 1994 08:49:37 GMT',
    'Sunday, 06-Nov-94 08:49:37 GMT',
    'Sun Nov  6 08:49:37 1994',
  ]) {
    assert.equal(parseDate(text, nowMs), Date.UTC(1994, 10, 6, 8, 49, 37), text);
    for (const more of [`x${text}`, `${text}x`, ` ${text}`, `${text} `, `A${text}`, `${text}0`]) {
      assert.ok(Number.isNaN(parseDate(more, nowMs)), more);
    }
  }
});
