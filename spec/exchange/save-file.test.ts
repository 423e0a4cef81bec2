// Writing an upload into a file: a new one, all of it, or none.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { NodeAsyncIo } from '../../src/async-io/node.ts';
import { ERRNO } from '../../src/base/errno.ts';
import type { HttpError } from '../../src/exchange/http-error.ts';
import { saveChunks } from '../../src/exchange/save-file.ts';

async function* chunks(): AsyncIterable<Uint8Array> {
  yield Buffer.from('one');
  yield Buffer.from('two');
}

/** The client learns no path. */
function isNoRoom(error: HttpError): boolean {
  assert.deepEqual([error.status, error.message], [507, 'Insufficient Storage']);
  const { message } = error.cause as Error;
  assert.match(message, /^saveTo\(\): the file .* cannot be written: ENOSPC$/);
  return true;
}

describe('saveChunks()', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'vibing-save-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('a path: that file, never one that exists, also not through a link', async () => {
    const io = new NodeAsyncIo();
    const path = join(folder, 'new');
    assert.deepEqual(await saveChunks(io, path, chunks()), { path, bytes: 6 });
    assert.equal(readFileSync(path, 'latin1'), 'onetwo');
    await assert.rejects(saveChunks(io, path, chunks()), /cannot be created: EEXIST/);
    assert.equal(readFileSync(path, 'latin1'), 'onetwo');
    symlinkSync(join(folder, 'elsewhere'), join(folder, 'link'));
    await assert.rejects(saveChunks(io, join(folder, 'link'), chunks()), /EEXIST/);
    await assert.rejects(saveChunks(io, join(folder, 'no', 'x'), chunks()), /ENOENT/);
    await assert.rejects(saveChunks(io, join(folder, 'a\0b'), chunks()), /EINVAL/);
    assert.deepEqual(readdirSync(folder).sort(), ['link', 'new']);
  });

  test('writes all of a chunk of which the system takes a part', async () => {
    class Slow extends NodeAsyncIo {
      override write(to: number, bytes: Uint8Array, position: number): Promise<number> {
        return super.write(to, bytes.subarray(0, 2), position);
      }
    }
    const path = join(folder, 'new');
    assert.deepEqual(await saveChunks(new Slow(), path, chunks()), { path, bytes: 6 });
    assert.equal(readFileSync(path, 'latin1'), 'onetwo');
  });

  test('a full disk: an error, the file is closed and removed', async () => {
    class Full extends NodeAsyncIo {
      readonly open$ = new Set<number>();
      override async create(path: string): Promise<number> {
        const opened = await super.create(path);
        this.open$.add(opened);
        return opened;
      }
      override write(_to: number, _bytes: Uint8Array, position: number): Promise<number> {
        return Promise.resolve(position > 0 ? -ERRNO.ENOSPC : 3);
      }
      override close(opened: number): Promise<number> {
        assert.ok(this.open$.delete(opened), 'a file is closed once');
        return super.close(opened);
      }
    }
    const io = new Full();
    await assert.rejects(saveChunks(io, folder, chunks()), isNoRoom);
    assert.deepEqual([readdirSync(folder), io.open$.size], [[], 0]);
  });

  test('a quota that is used up is a full disk, other faults are not', async () => {
    for (const [fault, status] of [
      [ERRNO.EDQUOT, 507],
      [ERRNO.EIO, undefined],
    ] as const) {
      class Faulty extends NodeAsyncIo {
        override write(): Promise<number> {
          return Promise.resolve(-fault);
        }
      }
      const error = await saveChunks(new Faulty(), join(folder, 'x'), chunks()).catch(
        (reason: HttpError) => reason,
      );
      assert.equal((error as HttpError).status, status);
      assert.deepEqual(readdirSync(folder), []);
    }
  });

  test('a file that cannot be closed is not saved', async () => {
    class Full extends NodeAsyncIo {
      override close(file: number): Promise<number> {
        return super.close(file).then(() => -ERRNO.ENOSPC);
      }
    }
    const path = join(folder, 'not-closed');
    const saving = saveChunks(new Full(), path, chunks());
    await assert.rejects(saving, isNoRoom);
    assert.equal(existsSync(path), false);
  });
});
