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

it('the number of a region that could not be mapped is used again', () => {
  const { driver, regions } = made();
  const map = driver.map.bind(driver);
  driver.map = () => {
    throw new Error('out of memory');
  };
  assert.throws(() => regions.map(new Uint8Array(1)), /out of memory/);
  driver.map = map;
  assert.equal(regions.count, 0);
  assert.equal(regions.map(new Uint8Array(1)).region, 1);
  // No file can be sent from at first.
  for (let count = 0; count < 3; count++) assert.equal(regions.mapFile(5, null), null);
  assert.equal(regions.count, 1);
  driver.files.set(5, new Uint8Array(8));
  assert.equal(regions.mapFile(5, null)?.region, -1);
  assert.equal(regions.count, 2);
});

it('numbers of files and of memory stay apart', () => {
  const { driver, regions } = made();
  driver.files.set(5, new Uint8Array(8));
  for (let count = 0; count < 3; count++) {
    const file = regions.mapFile(5, null);
    assert.equal(file?.region, -1);
    file?.release();
    const memory = regions.map(new Uint8Array(1));
    assert.equal(memory.region, 1);
    memory.release();
  }
  assert.equal(regions.count, 0);
});

it('the owner of a file gets it back when the driver does not have it any more', () => {
  const { driver, regions } = made();
  driver.files.set(5, new Uint8Array(8));
  const mappedThen: number[] = [];
  const released = () => mappedThen.push(driver.regionCount);
  regions.mapFile(5, { file: 5, identity: 1, released })?.release();
  assert.deepEqual(mappedThen, [0]);
});
