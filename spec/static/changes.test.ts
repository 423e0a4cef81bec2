// Files that change while they are served: every change is seen, whatever is cached.

import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { FileStat, OpenFile } from '../../src/async-io/async-io.ts';
import { NodeAsyncIo } from '../../src/async-io/node.ts';
import type { DriverName } from '../../src/driver/choose.ts';
import { DRIVERS, posixOnly, Site, until } from './fixtures/site.ts';

/** The resolution of the clocks of file systems: a file within it counts as just changed. */
const NEW_MS = 20;
/** Two requests this far apart have the file checked in between, also on a slow disk. */
const APART_MS = 10;
const LONG_AGO = new Date('2020-02-29T12:00:00.250Z');

for (const driver of DRIVERS) {
  describe(`changes on ${driver}`, () => changeCases(driver));
  describe(`what is cached on ${driver}`, () => memoryCases(driver));
}

function changeCases(driver: DriverName): void {
  let site: Site;
  before(async () => {
    site = await Site.open({ driver, files: {} });
  });
  after(() => site.close());

  /** Writes a file with an old modification time. */
  function settle(name: string, text: string): void {
    writeFileSync(site.at(name), text);
    utimesSync(site.at(name), LONG_AGO, LONG_AGO);
  }

  /** Requests until the new text arrives; until then every response has the old text. */
  async function becomes(path: string, from: string, to: string): Promise<void> {
    await until(`${path} is ${to}`, async () => {
      const text = await site.text(path);
      assert.ok(text === from || text === to, `${path} is ${text}`);
      return text === to;
    });
  }

  /** Cached before the change. */
  async function known(path: string, text: string): Promise<void> {
    for (let round = 0; round < 3; round++) assert.equal(await site.text(path), text);
  }

  it('a file that is rewritten with the same length', async () => {
    settle('rewritten.txt', 'one');
    await known('/rewritten.txt', 'one');
    writeFileSync(site.at('rewritten.txt'), 'two');
    await becomes('/rewritten.txt', 'one', 'two');
  });

  it('a file that is rewritten within the same clock tick', async () => {
    // Many times, because the tick is one of the kernel's clock. Each with its own file: on a busy
    // machine the last text of a round is old enough to be cached for some requests.
    for (let round = 0; round < 40; round++) {
      const name = `moment-${round}.txt`;
      writeFileSync(site.at(name), 'one');
      await site.text(`/${name}`);
      writeFileSync(site.at(name), 'two');
      await becomes(`/${name}`, 'one', 'two');
    }
  });

  it('a change is seen by the next request', async () => {
    for (let round = 0; round < 20; round++) {
      const text = `round ${round}`;
      writeFileSync(site.at('next.txt'), text);
      utimesSync(site.at('next.txt'), round, round);
      await known('/next.txt', text);
      await delay(APART_MS);
    }
  });

  it('a file that grows, and one that shrinks', async () => {
    settle('length.txt', 'one');
    await known('/length.txt', 'one');
    appendFileSync(site.at('length.txt'), ' and more');
    await becomes('/length.txt', 'one', 'one and more');
    truncateSync(site.at('length.txt'), 0);
    await becomes('/length.txt', 'one and more', '');
  });

  it('a file replaced by another of the same length and time', async () => {
    settle('replaced.txt', 'one');
    await known('/replaced.txt', 'one');
    settle('replaced.new', 'two');
    renameSync(site.at('replaced.new'), site.at('replaced.txt'));
    await becomes('/replaced.txt', 'one', 'two');
  });

  it('a file rewritten in place with the same length, whose time is set back', async () => {
    settle('unpacked.txt', 'one');
    await delay(2 * NEW_MS);
    await known('/unpacked.txt', 'one');
    settle('unpacked.txt', 'two');
    await becomes('/unpacked.txt', 'one', 'two');
  });

  it('a link whose target changes', posixOnly, async () => {
    settle('target-1', 'one');
    settle('target-2', 'two');
    symlinkSync('target-1', site.at('link'));
    await known('/link', 'one');
    symlinkSync('target-2', site.at('link.new'));
    renameSync(site.at('link.new'), site.at('link'));
    await becomes('/link', 'one', 'two');
    symlinkSync('../secret.txt', site.at('link.new'));
    renameSync(site.at('link.new'), site.at('link'));
    await becomes('/link', 'two', '404');
  });

  it('a directory link in the path whose target changes', posixOnly, async () => {
    mkdirSync(site.at('v1'));
    mkdirSync(site.at('v2'));
    settle('v1/page.txt', 'one');
    settle('v2/page.txt', 'two');
    symlinkSync('v1', site.at('current'));
    await known('/current/page.txt', 'one');
    symlinkSync('v2', site.at('current.new'));
    renameSync(site.at('current.new'), site.at('current'));
    await becomes('/current/page.txt', 'one', 'two');
  });

  it('a file that is deleted and created again', async () => {
    settle('gone.txt', 'here');
    await known('/gone.txt', 'here');
    unlinkSync(site.at('gone.txt'));
    await becomes('/gone.txt', 'here', '404');
    settle('gone.txt', 'back');
    await becomes('/gone.txt', '404', 'back');
  });

  it('a file that becomes a directory, and the other way round', async () => {
    settle('both', 'file');
    await known('/both', 'file');
    unlinkSync(site.at('both'));
    mkdirSync(site.at('both'));
    writeFileSync(site.at('both/index.html'), 'index');
    await becomes('/both', 'file', '301');
    assert.equal(await site.text('/both/'), 'index');
    rmSync(site.at('both'), { recursive: true });
    settle('both', 'file again');
    assert.equal(await site.text('/both'), 'file again');
    await becomes('/both/', 'index', '404');
  });

  it('an index that changes, is deleted, and is created again', async () => {
    mkdirSync(site.at('indexed'));
    settle('indexed/index.html', 'one');
    await known('/indexed/', 'one');
    writeFileSync(site.at('indexed/index.html'), 'two');
    await becomes('/indexed/', 'one', 'two');
    unlinkSync(site.at('indexed/index.html'));
    await becomes('/indexed/', 'two', '404');
    settle('indexed/index.html', 'back');
    await becomes('/indexed/', '404', 'back');
  });

  it('another modification time of the same content', async () => {
    settle('touched.txt', 'same');
    const before = await site.ask('/touched.txt');
    const laterMs = LONG_AGO.getTime() + 1000;
    utimesSync(site.at('touched.txt'), new Date(laterMs), new Date(laterMs));
    await until('Last-Modified changes', async () => {
      const { headers } = await site.ask('/touched.txt');
      assert.equal(headers.get('etag'), before.headers.get('etag'), 'the tag names the content');
      return headers.get('last-modified') === new Date(laterMs).toUTCString();
    });
  });
}

/** Counts the calls of the port, and can fail them or change their results. */
class CountingAsyncIo extends NodeAsyncIo {
  opens = 0;
  reads = 0;
  stats = 0;
  statCalls = 0;
  /** statNow() returns null, as on a slow disk. */
  slow = false;
  beforeRead: (() => void) | null = null;

  override open(path: string): Promise<OpenFile | number> {
    this.opens += 1;
    return super.open(path);
  }

  override stat(path: string): Promise<FileStat | number> {
    this.stats += 1;
    return super.stat(path);
  }

  override statNow(path: string): FileStat | number | null {
    if (this.slow) return null;
    this.statCalls += 1;
    return super.statNow(path);
  }

  override read(file: number, into: Uint8Array, position: number): Promise<number> {
    this.reads += 1;
    this.beforeRead?.();
    return super.read(file, into, position);
  }

  override readNow(file: number, into: Uint8Array, position: number): number {
    this.reads += 1;
    this.beforeRead?.();
    return super.readNow(file, into, position);
  }
}

function memoryCases(driver: DriverName): void {
  let site: Site;
  let asyncIo: CountingAsyncIo;
  before(async () => {
    asyncIo = new CountingAsyncIo();
    const files = { 'a/b.txt': 'text', 'a/index.html': 'index', 'large.bin': Buffer.alloc(70_000) };
    site = await Site.open({ driver, files, asyncIo });
    for (const name of Object.keys(files)) utimesSync(site.at(name), LONG_AGO, LONG_AGO);
    await delay(2 * NEW_MS);
  });
  after(() => site.close());

  async function opensFor(path: string, times = 4): Promise<number> {
    const before = asyncIo.opens;
    for (let round = 0; round < times; round++) assert.equal((await site.ask(path)).status, 200);
    return asyncIo.opens - before;
  }

  it('a small file is opened once', async () => {
    assert.equal(await opensFor('/a/b.txt'), 1);
    assert.equal(await opensFor('/a/b.txt?query'), 0);
    assert.equal(await opensFor('/a/%62.txt'), 0);
    assert.equal(await opensFor('/x/../a/b.txt'), 0);
  });

  it('a busy file is checked by statNow(), and by stat() while that is slow', async () => {
    assert.equal(await opensFor('/a/b.txt', 2), 0);
    const { statCalls } = asyncIo;
    for (let round = 0; round < 20 && asyncIo.statCalls === statCalls; round++) {
      await delay(APART_MS);
      assert.equal(await opensFor('/a/b.txt', 1), 0);
    }
    assert.notEqual(asyncIo.statCalls, statCalls);
    asyncIo.slow = true;
    try {
      const { stats } = asyncIo;
      await delay(APART_MS);
      assert.equal(await opensFor('/a/b.txt', 1), 0);
      assert.equal(asyncIo.stats, stats + 1);
    } finally {
      asyncIo.slow = false;
    }
  });

  it('an index is opened once, its directory never', async () => {
    assert.equal(await opensFor('/a/'), 1);
  });

  it('a large file stays open while it is busy, and is not read for HEAD', async () => {
    // The first request opens it to find it, the second one to send it.
    assert.equal(await opensFor('/large.bin'), 2);
    const readsBefore = asyncIo.reads;
    assert.equal((await site.ask('/large.bin', { method: 'HEAD' })).status, 200);
    assert.equal(asyncIo.reads, readsBefore);
  });

  it('a path that names no file opens none, also when the file is cached', async () => {
    assert.equal(await opensFor('/a/b.txt', 1), 0);
    const { opens } = asyncIo;
    for (const path of ['/a%2fb.txt', '/a/%2fb.txt', '/a/b.txt%2f', '/a/b.txt//']) {
      assert.equal((await site.ask(path)).status, 404, path);
    }
    // Other encodings of the same path find the cached file.
    for (const path of ['/a//b.txt', '//a/b.txt', '/a////b.txt']) {
      assert.equal((await site.ask(path)).status, 200, path);
    }
    assert.equal(asyncIo.opens, opens);
  });

  it('a file that has just changed is not cached', async () => {
    writeFileSync(site.at('new.txt'), 'new');
    // On a busy machine the file may have become old meanwhile: try again.
    let opens = 0;
    let ageMs = Number.POSITIVE_INFINITY;
    for (let tries = 0; tries < 100 && ageMs >= NEW_MS; tries++) {
      const name = `new-${tries}.txt`;
      writeFileSync(site.at(name), 'new');
      const writtenMs = statSync(site.at(name)).mtimeMs;
      opens = await opensFor(`/${name}`, 2);
      ageMs = Date.now() - writtenMs;
    }
    assert.equal(opens, 2);
  });

  it('a file that changes while it is read is read again', async () => {
    writeFileSync(site.at('moving.txt'), 'first');
    utimesSync(site.at('moving.txt'), LONG_AGO, LONG_AGO);
    asyncIo.beforeRead = () => {
      asyncIo.beforeRead = null;
      appendFileSync(site.at('moving.txt'), ' and second');
    };
    assert.equal(await site.text('/moving.txt'), 'first and second');
  });

  it('a file that changes whenever it is read is sent with the length that it had', async () => {
    writeFileSync(site.at('restless.txt'), 'x');
    asyncIo.beforeRead = () => appendFileSync(site.at('restless.txt'), 'x');
    try {
      const { status, body, complete } = await site.ask('/restless.txt');
      assert.equal(status, 200);
      assert.ok(complete);
      assert.match(body.toString(), /^x+$/);
    } finally {
      asyncIo.beforeRead = null;
    }
  });

  it('a small file that shrinks while it is read is read again', async () => {
    writeFileSync(site.at('less.txt'), 'first and second');
    asyncIo.beforeRead = () => {
      asyncIo.beforeRead = null;
      truncateSync(site.at('less.txt'), 5);
    };
    assert.equal(await site.text('/less.txt'), 'first');
  });

  it('the least recently checked files are evicted first', async () => {
    const bytes = Buffer.alloc(3000);
    const files: Record<string, Buffer> = {};
    for (let index = 0; index < 10; index++) files[`${index}.bin`] = bytes;
    const counting = new CountingAsyncIo();
    const options = { driver, files, asyncIo: counting, static: { cacheBytesMax: 30_000 } };
    const small = await Site.open(options);
    try {
      for (const name of Object.keys(files)) utimesSync(small.at(name), LONG_AGO, LONG_AGO);
      await delay(2 * NEW_MS);
      for (let round = 0; round < 3; round++) {
        for (const name of Object.keys(files)) {
          assert.ok((await small.ask(`/${name}`)).body.equals(bytes));
        }
      }
      assert.equal(counting.opens, 30, 'each was evicted before its next request');
      assert.equal((await small.ask('/9.bin')).status, 200);
      assert.equal(counting.opens, 30, 'the last one is still cached');
    } finally {
      await small.close();
    }
  });
}
