// Which clients get a listing as JSON, and what the query of a listing means.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { prefersJson } from '../../../src/static/listing/accept.ts';
import { listingQuery } from '../../../src/static/listing/view.ts';

const JSON_FIRST = [
  'application/json',
  'APPLICATION/JSON',
  'application/*',
  'text/html;q=0.5, application/json',
  'text/html;q=0.5,application/json;q=0.501',
  'application/json;q=0.001',
  'text/html;q=0, */*',
  'text/*;q=0.1, application/*;q=0.2',
  'application/json;charset=utf-8',
  'application/json , text/html; q=0.9',
  '*/*;q=0.1, application/json;q=0.2',
  ', ,application/json',
  'application/json;q=0.1, application/json;q=0.9, text/html;q=0.5',
  'application/json;q=0.9, application/json;q=0.1, text/html;q=0.5',
];

const PAGE_FIRST = [
  undefined,
  '',
  '*/*',
  'text/html',
  'text/html, application/json',
  'application/json;q=0.5, text/html;q=0.5',
  'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'application/json;q=0',
  'application/json;q=0, */*',
  'application/json;q=0.3, text/*;q=0.4',
  'image/png',
  'text/plain',
  'application/jsonp',
  // Invalid weights.
  'application/json;q=2',
  'application/json;q=0.1234',
  'application/json;q=1.001',
  'application/json;q=',
  'application/json;q=x',
  'application/json;q=-1',
  'text/html;q=01, application/json',
];

describe('Accept', () => {
  for (const accept of JSON_FIRST) it(`${accept} wants JSON`, () => assert.ok(prefersJson(accept)));
  for (const accept of PAGE_FIRST) {
    it(`${accept === undefined ? 'no field' : `'${accept}'`} gets the page`, () => {
      assert.equal(prefersJson(accept), false);
    });
  }

  it('takes linear time', () => {
    assert.equal(prefersJson('a/b;q=0.1,'.repeat(2_000)), false);
    assert.equal(prefersJson(`${';'.repeat(10_000)},application/json`), true);
  });
});

describe('the query', () => {
  const DEFAULT = { sort: 'name', isDescending: false, filter: '' };

  it('has defaults for what is absent or unknown', () => {
    for (const query of [
      '',
      'a=b',
      'sort=',
      'sort=owner&order=up',
      'sort=NAME&order=DESC',
      '%&=&&',
    ]) {
      assert.deepEqual(listingQuery(query), DEFAULT, query);
    }
  });

  it('has an order and a filter', () => {
    assert.deepEqual(listingQuery('sort=size&order=desc'), {
      ...DEFAULT,
      sort: 'size',
      isDescending: true,
    });
    assert.deepEqual(listingQuery('filter=a%20%26+b&sort=date'), {
      ...DEFAULT,
      sort: 'date',
      filter: 'a & b',
    });
  });

  it('bounds the filter, without half a character', () => {
    assert.equal(listingQuery(`filter=${'x'.repeat(300)}`).filter, 'x'.repeat(255));
    assert.equal(
      listingQuery(`filter=${encodeURIComponent(`x${'😀'.repeat(200)}`)}`).filter.length,
      255,
    );
    assert.equal(listingQuery(`filter=${encodeURIComponent('😀'.repeat(200))}`).filter.length, 254);
    assert.equal(listingQuery('filter=%ff').filter, '\ufffd');
  });
});
