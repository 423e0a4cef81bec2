// Files on systems where several spellings lead to one file: only the spelling of the directory
// finds it, so that no other spelling bypasses a guard. The systems are simulated on the real one.

import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { DirectoryEntry, FileStat, OpenFile } from '../../src/async-io/async-io.ts';
import { NodeAsyncIo } from '../../src/async-io/node.ts';
import { oneDriver } from '../../testing/with-server.ts';
import { posixOnly, SECRET, Site } from './fixtures/site.ts';

interface Folding {
  /** Maps names to the form in which they are equal. */
  readonly fold: (name: string) => string;
  /** Whether a real path has the names of the directories, or the requested ones. */
  readonly returnsRealCase: boolean;
}

/** A file system in which names are equal when `fold` maps them to the same name. */
class FoldingAsyncIo extends NodeAsyncIo {
  readonly #folding: Folding;
  lists = 0;
  statCalls = 0;

  constructor(folding: Folding) {
    super();
    this.#folding = folding;
  }

  /** The path as the directories spell it. */
  #found(path: string): string {
    const parent = dirname(path);
    if (parent === path) return path;
    const folder = this.#found(parent);
    const { fold } = this.#folding;
    let name = basename(path);
    try {
      const wanted = name;
      const names = readdirSync(folder);
      name =
        names.find((one) => one === wanted) ??
        names.find((one) => fold(one) === fold(wanted)) ??
        wanted;
    } catch {
      // The system reports the error.
    }
    return join(folder, name);
  }

  override async realPath(path: string): Promise<string | number> {
    this.statCalls += 1;
    const found = this.#found(path);
    const real = await super.realPath(found);
    // Without links the real path is the requested one, in any spelling.
    return real === found && !this.#folding.returnsRealCase ? path : real;
  }

  override stat(path: string): Promise<FileStat | number> {
    return super.stat(this.#found(path));
  }

  override statNow(path: string): FileStat | number | null {
    return super.statNow(this.#found(path));
  }

  override open(path: string): Promise<OpenFile | number> {
    return super.open(this.#found(path));
  }

  override list(path: string): Promise<readonly DirectoryEntry[] | number> {
    this.lists += 1;
    return super.list(this.#found(path));
  }
}

const SYSTEMS: readonly (readonly [what: string, folding: Folding])[] = [
  ['ignores case', { fold: (name) => name.toLowerCase(), returnsRealCase: true }],
  [
    'ignores case and returns the requested spelling',
    { fold: (name) => name.toLowerCase(), returnsRealCase: false },
  ],
  [
    'ignores case and forms of letters',
    { fold: (name) => name.normalize('NFD').toLowerCase(), returnsRealCase: true },
  ],
];

const FILES: Readonly<Record<string, string>> = {
  'admin/secret.txt': SECRET,
  'admin/1234': SECRET,
  'd\u00e9j\u00e0/vu.txt': SECRET,
  'Public/Read Me.txt': 'public',
  'public.bin': 'x'.repeat(100_000),
  '1/2': 'digits',
};

for (const driver of oneDriver()) {
  for (const [what, folding] of SYSTEMS) {
    describe(`a file system that ${what}`, posixOnly, () => {
      const asyncIo = new FoldingAsyncIo(folding);
      let site: Site;
      before(async () => {
        site = await Site.open({ driver, files: FILES, asyncIo });
        symlinkSync('admin', site.at('link'));
        symlinkSync('../public.bin', site.at('Public/link.bin'));
      });
      after(() => site.close());

      it('serves a file by the names of its directories', async () => {
        for (let round = 0; round < 2; round++) {
          assert.equal(await site.text('/admin/secret.txt'), SECRET);
          assert.equal(await site.text('/Public/Read%20Me.txt'), 'public');
          assert.equal(await site.text('/1/2'), 'digits');
          assert.equal(await site.text('/d%C3%A9j%C3%A0/vu.txt'), SECRET);
          assert.equal((await site.ask('/public.bin')).body.length, 100_000);
        }
      });

      it('follows links', async () => {
        assert.equal(await site.text('/link/secret.txt'), SECRET);
        assert.equal((await site.ask('/Public/link.bin')).body.length, 100_000);
      });

      it('finds nothing by another spelling, also of a cached file', async () => {
        for (const path of [
          '/ADMIN/secret.txt',
          '/Admin/secret.txt',
          '/%61Dmin/secret.txt',
          '/admin/SECRET.TXT',
          '/admin/Secret.txt',
          '/ADMIN/1234',
          '/public/Read%20Me.txt',
          '/Public/read%20me.txt',
          '/Public.bin',
          '/LINK/secret.txt',
          '/Link/SECRET.txt',
          '/link/SECRET.txt',
          '/PUBLIC/link.bin',
          '/Public/LINK.bin',
          '/D%C3%89J%C3%80/vu.txt',
          '/de%CC%81ja%CC%80/vu.txt',
        ]) {
          assert.equal((await site.ask(path)).status, 404, path);
          assert.equal((await site.ask(path, { method: 'POST' })).status, 404, path);
        }
      });
    });
  }

  describe('a file system that distinguishes all spellings', posixOnly, () => {
    const asyncIo = new FoldingAsyncIo({ fold: (name) => name, returnsRealCase: true });
    let site: Site;
    before(async () => {
      site = await Site.open({ driver, files: FILES, asyncIo });
      mkdirSync(site.at('Admin'));
      writeFileSync(site.at('Admin/secret.txt'), 'other');
      symlinkSync('admin', site.at('ADMIN'));
      symlinkSync('admin', site.at('link'));
    });
    after(() => site.close());

    it('has a file for each', async () => {
      assert.equal(await site.text('/admin/secret.txt'), SECRET);
      assert.equal(await site.text('/Admin/secret.txt'), 'other');
      assert.equal(await site.text('/ADMIN/secret.txt'), SECRET);
      assert.equal(await site.text('/link/secret.txt'), SECRET);
      assert.equal(await site.text('/aDMIN/secret.txt'), '404');
    });

    it('needs one realPath() and no list() in a directory that is known', async () => {
      await site.ask('/admin/secret.txt');
      const { statCalls, lists } = asyncIo;
      assert.equal((await site.ask('/admin/1234')).status, 200);
      assert.deepEqual([asyncIo.statCalls - statCalls, asyncIo.lists - lists], [1, 0]);
    });
  });
}
