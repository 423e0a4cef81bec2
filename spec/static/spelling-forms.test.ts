// Spellings of names with several Unicode forms, and of links, over results that a system may
// return: only names as the directories have them are exact.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AsyncIo, DirectoryEntry } from '../../src/async-io/async-io.ts';
import { FileKind } from '../../src/async-io/async-io.ts';
import { ERRNO } from '../../src/base/errno.ts';
import { STAT_CACHED_MS } from '../../src/static/freshness.ts';
import { Spelling } from '../../src/static/spelling.ts';

const COMPOSED = '\u00e9';
const DECOMPOSED = 'e\u0301';
/** A letter without case, in both forms. */
const HANGUL = '\uac00';
const HANGUL_PARTS = '\u1100\u1161';

interface System {
  /** Real paths by path; others are missing. */
  readonly real: Readonly<Record<string, string>>;
  /** Inodes by real path; 1 for others. */
  readonly inodes?: Readonly<Record<string, number>>;
  /** Devices by real path; 1 for others. */
  readonly devices?: Readonly<Record<string, number>>;
  /** The names in every directory. */
  readonly names?: readonly string[];
}

class Fixture {
  readonly spelling = new Spelling();
  readonly asked: string[] = [];
  lists = 0;
  readonly #system: System;

  constructor(system: System) {
    this.#system = system;
  }

  isExact(names: readonly string[], real: string, nowMs = 0): Promise<boolean> {
    const { real: reals, inodes = {}, devices = {}, names: entries = [] } = this.#system;
    const stat = (path: string) => ({
      ...{ kind: FileKind.File, bytes: 0, modifiedMs: 0, changedMs: 0 },
      device: devices[path] ?? 1,
      inode: inodes[path] ?? 1,
    });
    const calls: Partial<AsyncIo> = {
      realPath: async (path) => {
        this.asked.push(path);
        return reals[path] ?? -ERRNO.ENOENT;
      },
      statNow: stat,
      list: async () => {
        this.lists += 1;
        return entries.map((name): DirectoryEntry => ({ name, stat: stat(name) }));
      },
    };
    return this.spelling.isExact(calls as AsyncIo, nowMs, '/r', names, real);
  }
}

describe('the spelling of a name', () => {
  it('is not exact in another Unicode form of what it leads to', async () => {
    const real = { [`/r/${DECOMPOSED}`]: `/r/${COMPOSED}` };
    assert.equal(await new Fixture({ real }).isExact([DECOMPOSED], `/r/${COMPOSED}`), false);
    assert.equal(await new Fixture({ real: {} }).isExact([COMPOSED], `/r/${COMPOSED}`), true);
  });

  it('is exact for a link to another name, or to that name elsewhere', async () => {
    for (const target of ['/r/other', `/s/${COMPOSED}`]) {
      const fixture = new Fixture({ real: { [`/r/${DECOMPOSED}`]: target } });
      assert.equal(await fixture.isExact([DECOMPOSED], target), true, target);
    }
  });

  it('in either form is that of the directory, where a system has no case for it', async () => {
    // The system returns what was asked for, and both forms are one file.
    const real = {
      [`/r/${HANGUL}`]: `/r/${HANGUL}`,
      [`/r/${HANGUL_PARTS}`]: `/r/${HANGUL_PARTS}`,
    };
    for (const [name, other] of [
      [HANGUL, HANGUL_PARTS],
      [HANGUL_PARTS, HANGUL],
    ]) {
      const fixture = new Fixture({ real, names: [name] });
      assert.equal(await fixture.isExact([name], `/r/${name}`), true);
      assert.deepEqual([fixture.asked, fixture.lists], [[`/r/${other}`], 1]);
      assert.equal(
        await new Fixture({ real, names: [other] }).isExact([name], `/r/${name}`),
        false,
      );
    }
  });

  it('is exact where the other case is another file, without a list', async () => {
    const real = { '/r/A': '/r/A', '/r/a': '/r/a' };
    for (const differs of [{ inodes: { '/r/A': 2 } }, { devices: { '/r/A': 2 } }]) {
      const fixture = new Fixture({ real, ...differs });
      assert.equal(await fixture.isExact(['a'], '/r/a'), true);
      assert.equal(fixture.lists, 0);
    }
    assert.equal(await new Fixture({ real }).isExact(['a'], '/r/a'), false, 'one file, not listed');
    assert.equal(await new Fixture({ real, names: ['a'] }).isExact(['a'], '/r/a'), true);
  });

  it('of digits has one form, and nothing is asked', async () => {
    const fixture = new Fixture({ real: {} });
    assert.equal(await fixture.isExact(['1', '2-3'], '/r/1/2-3'), true);
    assert.deepEqual(fixture.asked, []);
  });

  it('is not exact for what leads elsewhere than was found', async () => {
    const fixture = new Fixture({ real: { '/r/link': '/r/1' } });
    assert.equal(await fixture.isExact(['link'], '/r/2'), false);
    assert.equal(await fixture.isExact(['gone'], '/r/2'), false);
  });

  it('is asked once in a directory, until that is long ago', async () => {
    const fixture = new Fixture({ real: {} });
    for (const [nowMs, asked] of [
      [1, 1],
      [STAT_CACHED_MS, 1],
      [STAT_CACHED_MS + 1, 2],
      [2 * STAT_CACHED_MS + 1, 2],
      [2 * STAT_CACHED_MS + 2, 3],
    ]) {
      assert.equal(await fixture.isExact(['a'], '/r/a', nowMs), true);
      assert.equal(fixture.asked.length, asked, `at ${nowMs}`);
    }
  });

  it('of a link is that of the directory, where both cases lead to one file', async () => {
    const real = { '/r/LINK': '/r/1', '/r/link': '/r/1' };
    assert.equal(await new Fixture({ real, names: ['LINK'] }).isExact(['link'], '/r/1'), false);
    assert.equal(await new Fixture({ real, names: ['link'] }).isExact(['link'], '/r/1'), true);
  });

  it('is remembered for a thousand directories', async () => {
    const fixture = new Fixture({ real: {} });
    const asked = async (directory: number): Promise<number> => {
      const before = fixture.asked.length;
      assert.equal(await fixture.isExact([String(directory), 'a'], `/r/${directory}/a`), true);
      return fixture.asked.length - before;
    };
    for (let directory = 0; directory < 1_000; directory++) {
      assert.equal(await asked(directory), 1);
    }
    for (const directory of [0, 999]) assert.equal(await asked(directory), 0);
    assert.equal(await asked(1_000), 1);
    assert.equal(await asked(0), 1, 'all are forgotten together');
  });

  it('with a letter that becomes several keeps it', async () => {
    const fixture = new Fixture({ real: {} });
    await fixture.isExact(['stra\u00dfe'], '/r/stra\u00dfe');
    assert.deepEqual(fixture.asked, ['/r/STRA\u00dfE']);
    const upper = new Fixture({ real: {} });
    await upper.isExact(['ABC'], '/r/ABC');
    assert.deepEqual(upper.asked, ['/r/abc']);
  });
});
