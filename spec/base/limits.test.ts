// The table of limits: its order, its defaults, and what follows from them.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { blockBytesFor, LIMITS, type LimitName, limitsFrom } from '../../src/base/limits.ts';

const NAMES = Object.keys(LIMITS) as LimitName[];
const FOLLOWING: readonly LimitName[] = [
  'keepAliveTimeoutMs',
  'headTimeoutMs',
  'bodyTimeoutMs',
  'writeTimeoutMs',
];

it('every limit has a default in its range, a unit that its name ends in, and a sentence', () => {
  for (const name of NAMES) {
    const { default: byDefault, min, max, unit, what } = LIMITS[name];
    assert.ok(Number.isSafeInteger(min) && min >= 0, name);
    assert.ok(Number.isSafeInteger(max) && max > min, name);
    assert.ok(byDefault >= min && byDefault <= max, name);
    if (unit === 'bytes') assert.match(name, /BytesMax$/);
    if (unit === 'ms') assert.match(name, /Ms$/);
    assert.ok(what.length > 10, name);
  }
});

it('unset limits have their default, except those that follow another', () => {
  const limits = limitsFrom();
  for (const name of NAMES) {
    const follows = FOLLOWING.includes(name);
    const expected = follows ? limits.connectionTimeoutMs : LIMITS[name].default;
    assert.equal(limits[name], expected, name);
  }
  assert.ok(Object.isFrozen(limits));
});

it('timeouts follow connectionTimeoutMs unless they are set', () => {
  const limits = limitsFrom({ connectionTimeoutMs: 1234, bodyTimeoutMs: 77, writeTimeoutMs: 0 });
  assert.equal(limits.keepAliveTimeoutMs, 1234);
  assert.equal(limits.headTimeoutMs, 1234);
  assert.equal(limits.bodyTimeoutMs, 77);
  assert.equal(limits.writeTimeoutMs, 1234);
  assert.equal(limits.handlerTimeoutMs, LIMITS.handlerTimeoutMs.default);
});

it('a limit of zero is a limit', () => {
  const limits = limitsFrom({ bodyBytesMax: 0, fileCacheBytesMax: 0, shutdownTimeoutMs: 0 });
  assert.equal(limits.bodyBytesMax, 0);
  assert.equal(limits.fileCacheBytesMax, 0);
  assert.equal(limits.shutdownTimeoutMs, 0);
});

it('a block holds the longest head, or 16 KiB with a head, in whole cache lines', () => {
  const { min, max } = LIMITS.headBytesMax;
  for (const headBytesMax of [min, 1000, 16_384, 16_385, 99_999, max]) {
    const bytes = blockBytesFor(limitsFrom({ headBytesMax }));
    assert.equal(bytes % 64, 0);
    assert.ok(bytes > headBytesMax && bytes > 16_384 + 512, `${headBytesMax}: ${bytes}`);
  }
});
