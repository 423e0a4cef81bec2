// Content that is sent often is a file in memory: when it is made, when it is used, and that all of
// them are closed.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Slab } from '../../src/base/slab.ts';
import { IN_MEMORY } from '../../src/driver/driver.ts';
import {
  BUSY_MS,
  BUSY_SENDS,
  CONTENT_FILE_BYTES_MIN,
  CONTENT_FILES_BYTES_MAX,
  CONTENT_FILES_MAX,
} from '../../src/reactor/content-files.ts';
import { type Region, Regions } from '../../src/reactor/regions.ts';
import { FakeDriver } from '../../testing/fake-driver.ts';

/** The first descriptor. */
const FIRST = 100;

class DriverWithFiles extends FakeDriver {
  isFull = false;
  /** It sends from files. */
  takesFiles = true;
  tries = 0;
  readonly closed: number[] = [];
  readonly identities: number[] = [];
  #next = FIRST;

  readonly memoryFiles = {
    create: (content: Uint8Array): number => {
      this.tries += 1;
      if (this.isFull) return -1;
      const fd = this.#next++;
      this.files.set(fd, new Uint8Array(content));
      return fd;
    },
    close: (fd: number): void => {
      assert.ok(this.files.delete(fd), 'a file that is closed was open');
      this.closed.push(fd);
    },
  };

  override mapFile(region: number, fd: number, identity = 0): boolean {
    assert.ok(this.files.has(fd), 'a file that is used is open: its number may be that of another');
    this.identities.push(identity);
    return this.takesFiles && super.mapFile(region, fd);
  }
}

function made(): { driver: DriverWithFiles; regions: Regions } {
  const driver = new DriverWithFiles(new Slab(64, 1));
  return { driver, regions: new Regions(driver) };
}

function content(bytes = CONTENT_FILE_BYTES_MIN): Uint8Array {
  return new Uint8Array(bytes).fill(7);
}

/** Sends and releases it so often; returns how many were sent from a file. */
function sent(regions: Regions, bytes: Uint8Array, times: number): number {
  let fromFiles = 0;
  for (let time = 0; time < times; time++) {
    const region = regions.mapConstant(bytes);
    if (region.region < 0) fromFiles += 1;
    region.release();
  }
  return fromFiles;
}

describe('files with content', () => {
  it('are made at the last of so many sends within so many milliseconds', () => {
    const { driver, regions } = made();
    const bytes = content();
    assert.equal(sent(regions, bytes, BUSY_SENDS - 1), 0);
    assert.equal(driver.tries, 0);
    driver.nowMs += BUSY_MS;
    assert.equal(sent(regions, bytes, 1), 1);
    assert.equal(driver.tries, 1);
    assert.equal(sent(regions, bytes, 5), 5);
    assert.equal(driver.tries, 1);
    assert.deepEqual([...new Set(driver.identities)], [IN_MEMORY]);
    assert.deepEqual(driver.files.get(FIRST), bytes);
  });

  it('are not made for content that is sent less often', () => {
    const { driver, regions } = made();
    const bytes = content();
    for (let round = 0; round < 5; round++) {
      assert.equal(sent(regions, bytes, BUSY_SENDS - 1), 0);
      driver.nowMs += BUSY_MS + 1;
    }
    assert.equal(driver.tries, 0);
  });

  it('are not made for small content, nor by a driver that has none', () => {
    const { driver, regions } = made();
    assert.equal(sent(regions, content(CONTENT_FILE_BYTES_MIN - 1), 3 * BUSY_SENDS), 0);
    assert.equal(driver.tries, 0);
    const without = new Regions(new FakeDriver(new Slab(64, 1)));
    assert.equal(sent(without, content(), 3 * BUSY_SENDS), 0);
  });

  it('are not made for content that is larger than all of them may be', () => {
    const { driver, regions } = made();
    assert.equal(sent(regions, content(CONTENT_FILES_BYTES_MAX), BUSY_SENDS), 1);
    assert.equal(sent(regions, content(CONTENT_FILES_BYTES_MAX + 1), BUSY_SENDS), 0);
    assert.equal(driver.tries, 1);
    assert.deepEqual(driver.closed, [], 'and the one that is there stays');
  });

  it('are used also when the content was not sent for a while', () => {
    const { driver, regions } = made();
    const bytes = content();
    sent(regions, bytes, BUSY_SENDS);
    driver.nowMs += 100 * BUSY_MS;
    assert.equal(sent(regions, bytes, 1), 1);
  });

  it('of equal content in other memory are others', () => {
    const { driver, regions } = made();
    sent(regions, content(), BUSY_SENDS);
    assert.equal(sent(regions, content(), BUSY_SENDS - 1), 0);
    assert.equal(driver.files.size, 1);
  });

  it('that cannot be made are tried again after as many sends', () => {
    const { driver, regions } = made();
    const bytes = content();
    driver.isFull = true;
    assert.equal(sent(regions, bytes, 2 * BUSY_SENDS), 0);
    assert.equal(driver.tries, 2);
    driver.isFull = false;
    assert.equal(sent(regions, bytes, BUSY_SENDS), 1);
  });

  it('are bounded in number: the least recently used one that is idle makes room', () => {
    const { driver, regions } = made();
    const all = Array.from({ length: CONTENT_FILES_MAX }, () => content());
    for (const bytes of all) {
      driver.nowMs += 1;
      sent(regions, bytes, BUSY_SENDS);
    }
    driver.nowMs += 1;
    const busy = regions.mapConstant(all[0]);
    sent(regions, all[1], 1);
    driver.nowMs += 1;
    assert.equal(sent(regions, content(), BUSY_SENDS), 1);
    assert.deepEqual(driver.closed, [FIRST + 2]);
    assert.equal(driver.files.size, CONTENT_FILES_MAX);
    assert.equal(sent(regions, all[2], 1), 0);
    busy.release();
  });

  it('are bounded in bytes, also while all of them are being sent', () => {
    const { driver, regions } = made();
    const half = CONTENT_FILES_BYTES_MAX / 2;
    const all = [content(half), content(half)];
    const regionsInUse: Region[] = [];
    for (const bytes of all) {
      sent(regions, bytes, BUSY_SENDS);
      regionsInUse.push(regions.mapConstant(bytes));
    }
    const more = content();
    assert.equal(sent(regions, more, 2 * BUSY_SENDS), 0);
    assert.equal(driver.tries, 2);
    assert.equal(sent(regions, content(CONTENT_FILES_BYTES_MAX + 1), 2 * BUSY_SENDS), 0);
    for (const region of regionsInUse) region.release();
    assert.equal(sent(regions, more, BUSY_SENDS), 1);
    assert.equal(driver.closed.length, 1);
    assert.equal(sent(regions, content(CONTENT_FILES_BYTES_MAX), BUSY_SENDS), 1, 'all of them');
    assert.equal(driver.closed.length, 3);
  });

  it('that cannot be sent from are idle: they make room like others', () => {
    const { driver, regions } = made();
    driver.takesFiles = false;
    const all = Array.from({ length: CONTENT_FILES_MAX }, () => content());
    for (const bytes of all) assert.equal(sent(regions, bytes, BUSY_SENDS), 0);
    driver.takesFiles = true;
    assert.equal(driver.files.size, CONTENT_FILES_MAX);
    assert.equal(sent(regions, content(), BUSY_SENDS), 1);
    assert.equal(driver.closed.length, 1);
  });

  it('stay when content that is too large for all of them is sent', () => {
    const { driver, regions } = made();
    for (let file = 0; file < 3; file++) sent(regions, content(), BUSY_SENDS);
    assert.equal(sent(regions, content(CONTENT_FILES_BYTES_MAX + 1), 3 * BUSY_SENDS), 0);
    assert.deepEqual(driver.closed, []);
  });

  it('stay when to close those that are idle makes too little room', () => {
    const { driver, regions } = made();
    const [busy, idle] = [content(CONTENT_FILES_BYTES_MAX / 2), content()];
    for (const bytes of [busy, idle]) sent(regions, bytes, BUSY_SENDS);
    driver.nowMs += 1;
    const region = regions.mapConstant(busy);
    const large = content(CONTENT_FILES_BYTES_MAX / 2 + 1);
    assert.equal(sent(regions, large, BUSY_SENDS), 0);
    assert.deepEqual(driver.closed, []);
    region.release();
    assert.equal(sent(regions, large, BUSY_SENDS - 1), 0, 'it is tried again after as many sends');
    assert.equal(sent(regions, large, 1), 1);
    assert.deepEqual(driver.closed, [FIRST + 1, FIRST]);
  });

  it('are all closed at the end', () => {
    const { driver, regions } = made();
    for (let file = 0; file < 3; file++) sent(regions, content(), BUSY_SENDS);
    assert.equal(driver.files.size, 3);
    regions.close();
    assert.equal(driver.files.size, 0);
    assert.equal(regions.count, 0);
  });
});
