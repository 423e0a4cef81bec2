// The memory of listings: how many entries they keep to sort them, and what happens beyond that.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { JsonView } from '../../../src/static/listing/json-view.ts';
import { type KeptEntries, ListingParts } from '../../../src/static/listing/listing-parts.ts';
import { DirectoryReader, type ListedEntry } from '../../../src/static/listing/reader.ts';
import { listingQuery } from '../../../src/static/listing/view.ts';
import { LargeFolder } from './fixtures/large-folder.ts';

interface Run {
  readonly asyncIo: LargeFolder;
  readonly reader: DirectoryReader;
  readonly kept: KeptEntries;
  readonly parts: ListingParts;
  readonly isSorted: () => boolean | null;
  readonly all: () => AsyncGenerator<string>;
}

class WatchedView extends JsonView {
  isSorted: boolean | null = null;

  override begin(isSorted = true): string {
    this.isSorted = isSorted;
    return super.begin();
  }
}

async function start(count: number, query: string, sortedMax: number, others = 0): Promise<Run> {
  const names = Array.from({ length: count }, (_, index) => `file-${(index * 7) % count}`);
  const asyncIo = new LargeFolder(names);
  const listed = { directory: '/large', dotfiles: false, resolve: async () => null };
  const reader = await DirectoryReader.open(asyncIo, listed, '');
  assert.ok(typeof reader !== 'number');
  const kept = { count: others };
  const limits = { kept, keptMax: 10_000, sortedMax };
  const view = new WatchedView('/large/');
  const parts = new ListingParts({
    asyncIo,
    listed,
    limits,
    query: listingQuery(query),
    reader,
    view,
  });
  const first = (await reader.next()) as readonly ListedEntry[];
  return {
    asyncIo,
    reader,
    kept,
    parts,
    isSorted: () => view.isSorted,
    all: () => parts.all(first),
  };
}

async function entriesOf(run: Run): Promise<{ name: string; bytes: number }[]> {
  let text = '';
  for await (const part of run.all()) text += part;
  return JSON.parse(text).entries;
}

function isAscending(values: readonly number[]): boolean {
  return values.every((value, index) => index === 0 || values[index - 1] <= value);
}

describe('entries that are kept', () => {
  it('count until the listing is released', async () => {
    const run = await start(3_001, '', 5_000, 40);
    const entries = await entriesOf(run);
    assert.ok(run.isSorted());
    assert.equal(entries.length, 3_001);
    assert.ok(isAscending(entries.map(({ name }) => Number(name.slice(5)))));
    assert.equal(run.kept.count, 3_041);
    run.parts.release();
    run.parts.release();
    assert.equal(run.kept.count, 40);
  });

  it('by size need every stat before the first row, by name only those of the rows', async () => {
    for (const [query, least, most] of [
      ['sort=size', 3_001, 3_001],
      ['sort=date', 3_001, 3_001],
      ['sort=name', 0, 64],
    ] as const) {
      const run = await start(3_001, query, 5_000);
      const parts = run.all();
      await parts.next();
      await parts.next();
      await parts.next();
      assert.ok(run.asyncIo.stats >= least && run.asyncIo.stats <= most, query);
      await parts.return(undefined);
    }
    const bySize = await entriesOf(await start(3_001, 'sort=size', 5_000));
    assert.ok(isAscending(bySize.map(({ bytes }) => bytes)));
  });
});

describe('entries that are too many', () => {
  for (const query of ['', 'sort=size&order=desc']) {
    it(`for one listing are in the order of the directory: ${query || 'by name'}`, async () => {
      const run = await start(3_001, query, 2_000);
      const entries = await entriesOf(run);
      assert.equal(run.isSorted(), false);
      assert.equal(new Set(entries.map(({ name }) => name)).size, 3_001);
      assert.equal(run.asyncIo.stats, 3_001);
      assert.equal(run.kept.count, 0, 'nothing is kept when the rest is read');
    });
  }

  it('for all listings together are not sorted either', async () => {
    const run = await start(3_001, '', 5_000, 9_500);
    assert.equal((await entriesOf(run)).length, 3_001);
    assert.equal(run.isSorted(), false);
    assert.equal(run.kept.count, 9_500);
  });

  it('are sorted when they are exactly as many as allowed', async () => {
    const run = await start(3_000, '', 3_000);
    await entriesOf(run);
    assert.equal(run.isSorted(), true);
  });
});

describe('a reader that is closed', () => {
  it('ends the listing, sorted or not', async () => {
    for (const sortedMax of [500, 50_000]) {
      const run = await start(20_000, '', sortedMax);
      const parts = run.all();
      await parts.next();
      await run.reader.close();
      await run.reader.close();
      for await (const _ of parts);
      assert.ok(run.asyncIo.reads <= 2, `${run.asyncIo.reads} reads`);
      assert.ok(run.asyncIo.stats <= 64);
      assert.equal(run.asyncIo.closed, 1);
    }
  });

  it('is closed after the names that are being read', async () => {
    const run = await start(2_500, '', 5_000);
    let release = (_fault: number) => {};
    run.asyncIo.beforeRead = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    const next = run.reader.next();
    const closing = run.reader.close();
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(run.asyncIo.closed, 0);
    release(0);
    await next;
    await closing;
    assert.equal(run.asyncIo.closed, 1);
    assert.deepEqual(await run.reader.next(), []);
    assert.equal(run.asyncIo.reads, 2, 'nothing is read of a closed directory');
  });
});
