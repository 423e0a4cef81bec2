// The local addresses of connections.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Sources } from '../../src/load/sources.ts';

const loopback = { host: '127.0.0.1', port: 80 };

it('few connections leave the address to the kernel', () => {
  assert.deepEqual(new Sources(loopback, 100).target(99), loopback);
});

it('many connections are spread over the addresses of loopback', () => {
  const sources = new Sources(loopback, 50_000);
  assert.deepEqual(sources.target(15_999), loopback);
  assert.deepEqual(sources.target(16_000), { ...loopback, from: '127.0.0.2' });
  assert.deepEqual(sources.target(49_999), { ...loopback, from: '127.0.0.4' });
});

it('an address without free ports is followed by the next, if there is one', () => {
  const sources = new Sources(loopback, 1);
  assert.equal(sources.exhausted(0), true);
  assert.deepEqual(sources.target(0), { ...loopback, from: '127.0.0.2' });
  let count = 1;
  while (sources.exhausted(0)) count += 1;
  assert.equal(count, 249);
  for (const target of [
    { host: '192.0.2.1', port: 80 },
    { host: '::1', port: 80 },
    { path: '/a' },
  ]) {
    const others = new Sources(target, 50_000);
    assert.equal(others.exhausted(0), false);
    assert.deepEqual(others.target(49_999), target);
  }
});
