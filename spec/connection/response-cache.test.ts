// The cache of encoded heads by itself: which heads get an entry, when, and for how long. Responses
// are the same without it, so that no other test sees when it grows or is of no use.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type CachedHead, noteText, ResponseCache } from '../../src/connection/response-cache.ts';
import type { Exchange } from '../../src/exchange/exchange.ts';
import { ResponseFields } from '../../src/http/response-fields.ts';

const ENTRIES = 8;
const WALL_MS = Date.UTC(2024, 1, 29, 12);

type Pairs = readonly (readonly [string, string])[];

/** What the cache reads of an exchange. */
function exchangeOf(pairs: Pairs, status = 200): Exchange {
  const fields = new ResponseFields();
  for (const [name, value] of pairs) fields.append(name, name.toLowerCase(), value);
  return { fields, status, keepAlive: true, head: { minor: 1 } } as unknown as Exchange;
}

function numbered(value: number): Exchange {
  return exchangeOf([['X-A', String(value)]]);
}

/** The entry of a head that is looked for as often as it takes. */
function added(cache: ResponseCache, exchange: Exchange): CachedHead {
  for (let times = 0; times < 40; times++) {
    const entry = cache.find(exchange, WALL_MS);
    if (entry !== null) return entry;
  }
  return assert.fail('the head gets no entry');
}

function textOf({ bytes }: CachedHead): string {
  return Buffer.from(bytes).toString('latin1');
}

describe('the cache of heads', () => {
  it('has a head from the third time on that it is looked for', () => {
    const cache = new ResponseCache();
    const [one, other] = [numbered(1), numbered(2)];
    assert.deepEqual([cache.find(one, WALL_MS), cache.find(one, WALL_MS)], [null, null]);
    assert.equal(cache.find(other, WALL_MS), null, 'another head meanwhile');
    const entry = cache.find(one, WALL_MS);
    assert.ok(entry !== null);
    assert.match(textOf(entry), /^HTTP\/1\.1 200 OK\r\n.*X-A: 1\r\nContent-Length: $/s);
    assert.equal(cache.find(one, WALL_MS), entry);
    assert.equal(cache.find(numbered(1), WALL_MS), entry, 'of another response');
    // The first 32 times it is encoded again.
    for (let count = 0; count < 32; count++) cache.find(one, WALL_MS);
    const { bytes } = entry;
    const later = cache.find(one, WALL_MS + 999);
    assert.equal(later?.bytes, bytes, 'it is encoded once a second');
    cache.find(one, WALL_MS + 1000);
    assert.notEqual(entry.bytes, bytes);
    const { bytes: next } = entry;
    cache.find(one, WALL_MS + 1001);
    assert.equal(entry.bytes, next);
    // As soon as it has an entry, the next head is watched at once.
    assert.deepEqual([cache.find(other, WALL_MS), cache.find(other, WALL_MS)], [null, null]);
    assert.ok(cache.find(other, WALL_MS) !== null);
  });

  it('watches another head after 16 other ones', () => {
    const cache = new ResponseCache();
    assert.equal(cache.find(numbered(0), WALL_MS), null);
    for (let value = 1; value <= 16; value++) cache.find(numbered(value), WALL_MS);
    assert.equal(cache.find(numbered(0), WALL_MS), null);
    assert.ok(cache.find(numbered(0), WALL_MS) !== null, 'it was still watched');
    cache.find(numbered(1), WALL_MS);
    // The 17th other one takes its place, and is found twice more.
    for (let value = 2; value <= 17; value++) cache.find(numbered(value), WALL_MS);
    for (let times = 0; times < 2; times++) cache.find(numbered(1), WALL_MS);
    assert.ok(cache.find(numbered(1), WALL_MS) !== null, 'the others were counted anew');
    for (const value of [20, ...Array.from({ length: 17 }, (_, index) => 30 + index)]) {
      cache.find(numbered(value), WALL_MS);
    }
    assert.equal(cache.find(numbered(46), WALL_MS), null);
    assert.ok(cache.find(numbered(46), WALL_MS) !== null, 'the last one is watched');
  });

  it('replaces the oldest entry, and has no more than a few', () => {
    const cache = new ResponseCache();
    for (let round = 0; round < 3; round++) {
      const from = round * ENTRIES;
      const entries = Array.from({ length: ENTRIES }, (_, index) =>
        added(cache, numbered(from + index)),
      );
      for (const [index, entry] of entries.entries()) {
        assert.equal(cache.find(numbered(from + index), WALL_MS), entry, 'all of the last ones');
        if (from > 0) assert.equal(cache.find(numbered(from - 1 - index), WALL_MS), null);
      }
    }
  });

  it('takes no head for another one', () => {
    const a = ['X-A', '1'] as const;
    const b = ['X-B', '2'] as const;
    const heads: readonly (readonly [Pairs, number])[] = [
      [[a, b], 200],
      [[a], 200],
      [[a, b], 201],
      [[], 200],
      [[b, a], 200],
      [[['x-a', '1'], b], 200],
      [[a, ['X-B', '3']], 200],
    ];
    const cache = new ResponseCache();
    const entries = heads.map(([pairs, status]) => added(cache, exchangeOf(pairs, status)));
    assert.equal(new Set(entries).size, heads.length);
    assert.equal(new Set(entries.map(textOf)).size, heads.length);
    // Also while a longer one is watched.
    const other = new ResponseCache();
    for (let times = 0; times < 2; times++) other.find(exchangeOf([a, b]), WALL_MS);
    assert.equal(other.find(exchangeOf([a]), WALL_MS), null);
    assert.equal(other.find(exchangeOf([a, b], 404), WALL_MS), null);
  });

  it('has heads of 16 fields and 1,024 characters at most', () => {
    const fields = (count: number): Pairs =>
      Array.from({ length: count }, (_, index) => [`X-${index}`, '']);
    const long = (characters: number): Pairs => [['X', 'a'.repeat(characters - 1)]];
    const cache = new ResponseCache();
    for (const fitting of [fields(16), long(1024)]) added(cache, exchangeOf(fitting));
    for (const beyond of [fields(17), long(1025)]) {
      for (let times = 0; times < 40; times++) {
        assert.equal(cache.find(exchangeOf(beyond), WALL_MS), null);
      }
    }
  });

  it('has a full response when a text was sent 8 times in a row', () => {
    const entry = added(new ResponseCache(), numbered(1));
    const memory = Buffer.from('..response..');
    const note = (text: string, times: number): void => {
      for (let count = 0; count < times; count++) noteText(entry, text, memory, 2, 10);
    };
    note('one', 7);
    assert.equal(entry.full, null);
    note('other', 7);
    assert.equal(entry.full, null, 'each text is counted by itself');
    note('other', 1);
    memory.fill('x');
    assert.equal(Buffer.from(entry.full ?? []).toString(), 'response', 'a copy');
    note('one', 1);
    assert.equal(entry.full, null);
  });

  it('forgets the text of a head that was not sent for a second', () => {
    const cache = new ResponseCache();
    const [one, other] = [numbered(1), numbered(2)];
    const [idle, used] = [added(cache, one), added(cache, other)];
    const memory = Buffer.from('response');
    const note = (entry: CachedHead): void => noteText(entry, '12', memory, 0, 8);
    for (let times = 0; times < 8; times++) {
      note(idle);
      note(used);
    }
    cache.find(other, WALL_MS + 1_000);
    assert.deepEqual([idle.text, idle.full === null], ['12', false]);
    note(used);
    cache.find(other, WALL_MS + 2_000);
    assert.deepEqual([idle.text, idle.full, idle.repeats], ['', null, 0]);
    assert.equal(used.text, '12', 'that of the head that is used stays');
    assert.equal(cache.find(one, WALL_MS + 2_000), idle, 'as does the head itself');
  });
});
