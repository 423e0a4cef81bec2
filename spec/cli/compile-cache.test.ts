// The folder of the cache of compiled code: only one that no other user can change.

import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { compileCacheFolder } from '../../src/cli/compile-cache.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** Whether only this user and root can write to a folder and those above it. */
function isPrivate(path: string): boolean {
  const { mode, uid } = statSync(path);
  if ((mode & 0o022) !== 0 || (uid !== 0 && uid !== process.getuid?.())) return false;
  return dirname(path) === path || isPrivate(dirname(path));
}

const options = process.getuid === undefined ? { skip: 'this system has no user numbers' } : {};

describe('compileCacheFolder()', options, () => {
  let home = '';
  before(() => {
    home = mkdtempSync(join(ROOT, 'node_modules', 'home-'));
  });
  after(() => rmSync(home, { recursive: true }));

  it('is below the home folder, or XDG_CACHE_HOME, if these are private', () => {
    const isSafe = isPrivate(home);
    const expected = (path: string) => (isSafe ? path : null);
    assert.equal(
      compileCacheFolder({}, () => home),
      expected(join(home, '.cache', 'vibing')),
    );
    const other = join(home, 'other');
    const noHome = () => assert.fail('the home folder is not looked up');
    assert.equal(
      compileCacheFolder({ XDG_CACHE_HOME: other }, noHome),
      expected(join(other, 'vibing')),
    );
    assert.equal(statSync(join(other, 'vibing')).mode & 0o777, 0o700);
    // Below the home folder, so that it is removed also when it is made.
    const below = join(home, 'below');
    const given = { XDG_CACHE_HOME: relative(process.cwd(), below) };
    assert.equal(
      compileCacheFolder(given, () => home),
      expected(join(home, '.cache', 'vibing')),
    );
    assert.equal(existsSync(below), false);
  });

  it('is none where another user could write', () => {
    for (const mode of [0o777, 0o770, 0o707, 0o702, 0o720]) {
      const open = mkdtempSync(join(home, 'open-'));
      chmodSync(open, mode);
      assert.equal(compileCacheFolder({ XDG_CACHE_HOME: join(open, 'caches') }), null);
    }
    if (process.getuid?.() === 0) {
      const foreign = join(home, 'foreign', 'vibing');
      mkdirSync(foreign, { recursive: true });
      chownSync(foreign, 65_534, 65_534);
      assert.equal(compileCacheFolder({ XDG_CACHE_HOME: join(home, 'foreign') }), null);
    }
    const temporary = mkdtempSync(join(tmpdir(), 'vibing-home-'));
    // All users write to the folder for temporary files, where a system has not one a user.
    if (!isPrivate(temporary))
      assert.equal(
        compileCacheFolder({}, () => temporary),
        null,
      );
    rmSync(temporary, { recursive: true });
  });

  it('is none where the user has no home folder', () => {
    // As for a user number without an entry in the list of users, and no variable HOME.
    const noHome = () => {
      throw new Error('A system error occurred: uv_os_homedir returned ENOENT');
    };
    assert.equal(compileCacheFolder({}, noHome), null);
  });

  it('is none where it cannot be made', () => {
    const file = join(home, 'file');
    writeFileSync(file, '');
    assert.equal(compileCacheFolder({ XDG_CACHE_HOME: file }), null);
    assert.equal(compileCacheFolder({ XDG_CACHE_HOME: '/proc/caches/vibing' }), null);
  });
});
