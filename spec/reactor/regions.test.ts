// Regions: mapped until they are released, unmapped once, their numbers used again.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { AssertionFault } from '../../src/base/assert.ts';
import { Slab } from '../../src/base/slab.ts';
import { Regions, SLAB_REGION } from '../../src/reactor/regions.ts';
import { FakeDriver } from '../../testing/fake-driver.ts';

function made(): { driver: FakeDriver; regions: Regions } {
  const driver = new FakeDriver(new Slab(64, 1));
  return { driver, regions: new Regions(driver) };
}

it('a region is mapped until it is released', () => {
  const { driver, regions } = made();
  const bytes = new Uint8Array(8);
  const region = regions.map(bytes);
  assert.equal(region.bytes, bytes);
  assert.notEqual(region.region, SLAB_REGION);
  assert.equal(driver.regionCount, 1);
  region.release();
  assert.equal(driver.regionCount, 0);
  assert.throws(() => region.release(), AssertionFault);
});

it('numbers differ while they are in use, and are used again', () => {
  const { driver, regions } = made();
  const all = Array.from({ length: 10 }, () => regions.map(new Uint8Array(1)));
  assert.equal(new Set(all.map(({ region }) => region)).size, 10);
  assert.equal(regions.count, 10);
  for (const region of all.slice(0, 5)) region.release();
  assert.equal(regions.count, 5);
  const again = Array.from({ length: 5 }, () => regions.map(new Uint8Array(1)));
  const used = [...all.slice(5), ...again].map(({ region }) => region);
  assert.equal(new Set(used).size, 10);
  assert.equal(Math.max(...used), 10);
  assert.equal(driver.regionCount, 10);
});
