// The cache of small files versus a plain list: what is found, what is evicted first, memory used.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { FileKind } from '../../src/async-io/async-io.ts';
import { prepare } from '../../src/exchange/prepared.ts';
import { representationOf } from '../../src/exchange/representation.ts';
import { type CachedFile, FileCache } from '../../src/static/file-cache.ts';
import { seeded } from '../../testing/splits.ts';

function cachedFile(name: string, bytes: number): CachedFile {
  const times = { modifiedMs: 0, changedMs: 0 };
  const stat = { kind: FileKind.File, bytes, ...times, inode: 1, device: 1 };
  const response = prepare(200, {}, new Uint8Array(bytes));
  return {
    key: Buffer.from(name),
    file: name,
    stat,
    representation: representationOf(stat, 'text/plain', 1e9),
    response,
    checkedMs: 0,
    checking: null,
  };
}

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
  assert.equal(found(cache, '/a'), later);
  assert.equal(cache.bytes, memoryOf(later));
});

it('a file larger than the cache is not kept, nor is its predecessor', () => {
  const cache = new FileCache(5000);
  cache.add(cachedFile('/a', 10));
  cache.add(cachedFile('/a', 5000));
  assert.equal(found(cache, '/a'), null);
  assert.equal(cache.bytes, 0);
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

it('behaves as a list for any order of calls', (context) => {
  const step = fc.record({
    op: fc.constantFrom('add', 'add', 'refresh', 'remove'),
    name: fc.constantFrom('/a', '/b', '/c', '/d', '/e'),
    bytes: fc.constantFrom(0, 10, 500, 3000),
  });
  const max = 8000;
  const property = fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const cache = new FileCache(max);
    let model: CachedFile[] = [];
    for (const { op, name, bytes } of steps) {
      const known = model.find(({ file }) => file === name);
      if (op === 'add') {
        const file = cachedFile(name, bytes);
        cache.add(file);
        model = added(model, file, max);
      } else if (known !== undefined) {
        model = model.filter((file) => file !== known);
        if (op === 'remove') cache.remove(known);
        else {
          cache.refresh(known, 1);
          model.push(known);
        }
      }
      for (const each of ['/a', '/b', '/c', '/d', '/e']) {
        assert.equal(found(cache, each), model.find(({ file }) => file === each) ?? null);
      }
      assert.equal(cache.bytes, total(model));
      assert.ok(cache.bytes <= max);
    }
  });
  fc.assert(property, seeded(context, 300));
});

function total(files: readonly CachedFile[]): number {
  return files.reduce((sum, file) => sum + memoryOf(file), 0);
}

function added(model: readonly CachedFile[], file: CachedFile, max: number): CachedFile[] {
  const others = model.filter((one) => one.file !== file.file);
  if (memoryOf(file) > max) return others;
  while (total(others) + memoryOf(file) > max) others.shift();
  return [...others, file];
}
