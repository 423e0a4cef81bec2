// The cache of small files versus a plain list: what is found, what is evicted first, memory used.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { partsOf } from '../../src/exchange/prepared.ts';
import { Coding } from '../../src/http/accept-encoding.ts';
import { CachedFile } from '../../src/static/cached-file.ts';
import { FileCache } from '../../src/static/file-cache.ts';
import { seeded } from '../../testing/splits.ts';
import { cachedFile } from './fixtures/cached-file.ts';

function found(cache: FileCache, name: string): CachedFile | null {
  const bytes = Buffer.from(`<${name}>`);
  return cache.get(bytes, 1, bytes.length - 1);
}

/** The memory of a file, as the cache reports it. */
function memoryOf(file: CachedFile): number {
  const cache = new FileCache(Number.POSITIVE_INFINITY);
  cache.add(file);
  return cache.bytes;
}

it('finds a file by its exact path, and removes it', () => {
  const cache = new FileCache(1_000_000);
  const file = cachedFile('/a', 100);
  assert.equal(found(cache, '/a'), null);
  cache.add(file);
  assert.equal(found(cache, '/a'), file);
  assert.equal(found(cache, '/ab'), null);
  assert.equal(found(cache, '/'), null);
  cache.remove(file);
  assert.equal(found(cache, '/a'), null);
  assert.equal(cache.bytes, 0);
  cache.remove(file);
  assert.equal(cache.bytes, 0);
});

it('every variant of a file counts, with its names', () => {
  const one = cachedFile('/a', 1_000);
  const { key, probes, original } = one;
  const two = new CachedFile(key, probes, original, new Map([[Coding.Gzip, original]]), 0);
  const three = new CachedFile(
    key,
    probes,
    original,
    new Map([
      [Coding.Gzip, original],
      [Coding.Brotli, original],
    ]),
    0,
  );
  const variantBytes = two.memoryBytes - one.memoryBytes;
  assert.ok(variantBytes > 2_000, `${variantBytes}`);
  assert.equal(three.memoryBytes - two.memoryBytes, variantBytes);
  const longer = { ...original, real: `${original.real}12345` };
  assert.equal(
    new CachedFile(key, probes, longer, new Map(), 0).memoryBytes - one.memoryBytes,
    10,
    'two bytes for a character',
  );
  const longKey = Buffer.concat([key, Buffer.from('12345')]);
  const named = new CachedFile(longKey, probes, original, new Map(), 0);
  assert.equal(named.memoryBytes - one.memoryBytes, 5, 'a byte for a byte of the path');
  const { response } = cachedFile('/a', 0).original;
  const other = { ...original, notModified: response };
  assert.equal(
    new CachedFile(key, probes, other, new Map(), 0).memoryBytes - one.memoryBytes,
    partsOf(response).bytes.length - partsOf(original.notModified).bytes.length,
    'the 304 counts',
  );
  const more = [...probes, { path: '/abc', stat: null }];
  assert.equal(new CachedFile(key, more, original, new Map(), 0).memoryBytes - one.memoryBytes, 8);
});

it('a file counts at least twice its content', () => {
  assert.ok(memoryOf(cachedFile('/a', 0)) > 0);
  assert.ok(memoryOf(cachedFile('/a', 5000)) >= 10_000);
});

it('a file replaces the one with the same path; removing the old one has no effect', () => {
  const cache = new FileCache(1_000_000);
  const [earlier, later] = [cachedFile('/a', 10), cachedFile('/a', 2000)];
  cache.add(earlier);
  cache.add(later);
  assert.equal(found(cache, '/a'), later);
  assert.equal(cache.bytes, memoryOf(later));
  cache.remove(earlier);
  cache.refresh(earlier, 5);
  cache.remove(earlier);
  assert.equal(found(cache, '/a'), later);
  assert.equal(cache.bytes, memoryOf(later));
});

it('a file larger than the cache is not kept, nor is its predecessor', () => {
  const cache = new FileCache(5000);
  cache.add(cachedFile('/a', 10));
  cache.add(cachedFile('/a', 5000));
  assert.equal(found(cache, '/a'), null);
  assert.equal(cache.bytes, 0);
  const file = cachedFile('/b', 100);
  const exact = new FileCache(memoryOf(file));
  exact.add(file);
  assert.equal(found(exact, '/b'), file, 'one of exactly its size is kept');
  const none = new FileCache(0);
  none.add(cachedFile('/a', 0));
  assert.equal(found(none, '/a'), null);
});

it('the last refreshed file is evicted last', () => {
  const files = ['/a', '/b', '/c', '/d'].map((name) => cachedFile(name, 1000));
  const cache = new FileCache(3 * memoryOf(files[0]));
  for (const file of files.slice(0, 3)) cache.add(file);
  cache.refresh(files[0], 77);
  assert.equal(files[0].checkedMs, 77);
  cache.add(files[3]);
  const left = ['/a', '/b', '/c', '/d'].filter((name) => found(cache, name) !== null);
  assert.deepEqual(left, ['/a', '/c', '/d']);
});

it('a crawl of many files evicts none that was requested again', () => {
  const names = Array.from({ length: 8 }, (_, index) => `/busy-${index}`);
  const cache = new FileCache(10 * memoryOf(cachedFile('/busy-0', 1000)));
  for (const name of names) cache.add(cachedFile(name, 1000));
  for (const name of names) {
    const file = found(cache, name);
    assert.ok(file !== null);
    cache.refresh(file, 1);
  }
  for (let index = 0; index < 1000; index++) cache.add(cachedFile(`/once-${index}`, 1000));
  for (const name of names) assert.notEqual(found(cache, name), null, name);
  assert.notEqual(found(cache, '/once-999'), null, 'new files have room, too');
});

it('kept files do not take all of the memory', () => {
  const cache = new FileCache(10 * memoryOf(cachedFile('/00', 1000)));
  const files = Array.from({ length: 10 }, (_, index) => cachedFile(`/0${index}`, 1000));
  for (const file of files) {
    cache.add(file);
    cache.refresh(file, 1);
  }
  // Two of the ten are on probation: those that were checked first.
  for (const name of ['/10', '/11']) cache.add(cachedFile(name, 1000));
  const left = files.filter((file) => found(cache, file.key.toString()) === file);
  assert.deepEqual(left, files.slice(2));
});

/** Two lists, the next one to evict first. */
class Model {
  probation: CachedFile[] = [];
  kept: CachedFile[] = [];
  readonly max: number;

  constructor(max: number) {
    this.max = max;
  }

  get all(): CachedFile[] {
    return [...this.probation, ...this.kept];
  }

  find(name: string): CachedFile | undefined {
    return this.all.find((file) => file.key.toString() === name);
  }

  remove(file: CachedFile): void {
    this.probation = this.probation.filter((one) => one !== file);
    this.kept = this.kept.filter((one) => one !== file);
  }

  add(file: CachedFile): void {
    const old = this.find(file.key.toString());
    if (old !== undefined) this.remove(old);
    const bytes = memoryOf(file);
    if (bytes > this.max) return;
    while (total(this.all) + bytes > this.max) this.remove(this.all[0]);
    this.probation.push(file);
  }

  refresh(file: CachedFile): void {
    this.remove(file);
    this.kept.push(file);
    while (total(this.kept) > 0.8 * this.max) {
      const [first] = this.kept;
      this.remove(first);
      this.probation.push(first);
    }
  }
}

it('behaves as two lists for any order of calls', (context) => {
  const names = ['/a', '/b', '/c', '/d', '/e', '/f'];
  const step = fc.record({
    op: fc.constantFrom('add', 'add', 'refresh', 'refresh', 'remove'),
    name: fc.constantFrom(...names),
    bytes: fc.constantFrom(0, 10, 500, 3000),
  });
  const max = 16_000;
  const property = fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const cache = new FileCache(max);
    const model = new Model(max);
    for (const { op, name, bytes } of steps) {
      const known = model.find(name);
      if (op === 'add') {
        const file = cachedFile(name, bytes);
        cache.add(file);
        model.add(file);
      } else if (known !== undefined) {
        if (op === 'remove') cache.remove(known);
        else cache.refresh(known, 1);
        if (op === 'remove') model.remove(known);
        else model.refresh(known);
      }
      for (const each of names) assert.equal(found(cache, each), model.find(each) ?? null);
      assert.equal(cache.bytes, total(model.all));
      assert.ok(cache.bytes <= max);
    }
  });
  fc.assert(property, seeded(context, 300));
});

function total(files: readonly CachedFile[]): number {
  return files.reduce((sum, file) => sum + memoryOf(file), 0);
}
