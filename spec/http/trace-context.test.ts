// traceparent and tracestate: the examples and rules of W3C Trace Context.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { traceContext } from '../../src/http/trace-context.ts';

const ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const VALID = `00-${ID}-${SPAN}-01`;

test('a valid traceparent is read', () => {
  const expected = { traceId: ID, parentId: SPAN, flags: 1, isSampled: true, state: '' };
  assert.deepEqual(traceContext(VALID, undefined), expected);
  const unsampled = traceContext(`00-${ID}-${SPAN}-02`, 'a=1');
  assert.deepEqual(unsampled, { ...expected, flags: 2, isSampled: false, state: 'a=1' });
  // A later version may have more behind the flags.
  assert.deepEqual(traceContext(`cc-${ID}-${SPAN}-01`, undefined), expected);
  assert.deepEqual(traceContext(`cc-${ID}-${SPAN}-01-what-follows`, undefined), expected);
});

test('whatever else is as none', () => {
  for (const parent of [
    undefined,
    '',
    `ff-${ID}-${SPAN}-01`,
    `00-${ID}-${SPAN}-01-more`,
    `cc-${ID}-${SPAN}-01more`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${ID}-${'0'.repeat(16)}-01`,
    `00-${ID.toUpperCase()}-${SPAN}-01`,
    `00-${ID.slice(1)}-${SPAN}-01`,
    `00-${ID}-${SPAN}-1`,
    `00-${ID}-${SPAN}`,
    `${VALID}, ${VALID}`,
    ` ${VALID}`,
    `0x-${ID}-${SPAN}-01`,
  ]) {
    assert.equal(traceContext(parent, 'a=1'), null, parent);
  }
});

test('tracestate is read with a traceparent, when all of it is valid', () => {
  const stateOf = (state: string) => traceContext(VALID, state)?.state;
  for (const [given, expected] of [
    ['rojo=00f067aa0ba902b7,congo=t61rcWkgMzE', 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE'],
    ['a=1, b=2 ,\tc=3', 'a=1,b=2,c=3'],
    ['a=1,,b=2,', 'a=1,b=2'],
    ['fw529a3039@dt=FfAJ5A', 'fw529a3039@dt=FfAJ5A'],
    ['0a=x y', '0a=x y'],
    [`${'k'.repeat(256)}=v`, `${'k'.repeat(256)}=v`],
    [`${'k'.repeat(257)}=v`, ''],
    [`k=${'v'.repeat(257)}`, ''],
    ['a=1,a=2', ''],
    ['A=1', ''],
    ['a=1=2', ''],
    ['a', ''],
    ['=1', ''],
    ['a=', ''],
    ['a=\u00e9', ''],
    [Array.from({ length: 32 }, (_, index) => `k${index}=1`).join(','), 'all'],
    [Array.from({ length: 33 }, (_, index) => `k${index}=1`).join(','), ''],
  ]) {
    assert.equal(stateOf(given), expected === 'all' ? given : expected, given);
  }
});
