// NodeAsyncIo on a temporary directory.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import {
  type DirectoryName,
  FileKind,
  type FileStat,
  isFault,
  type OpenFile,
} from '../../src/async-io/async-io.ts';
import { NodeAsyncIo } from '../../src/async-io/node.ts';
import { ERRNO } from '../../src/base/errno.ts';

const { ENOENT, EBADF, ENOTDIR, EISDIR, ENAMETOOLONG, ELOOP } = ERRNO;
const isWindows = process.platform === 'win32';
const posixOnly = isWindows ? { skip: 'Windows has no such files' } : {};

const root = realpathSync(mkdtempSync(join(tmpdir(), 'vibing-work-')));
after(() => rmSync(root, { recursive: true }));
mkdirSync(join(root, 'folder'));
writeFileSync(join(root, 'file.txt'), 'what it says');
writeFileSync(join(root, 'empty'), '');
if (!isWindows) {
  symlinkSync('file.txt', join(root, 'link'));
  symlinkSync('nowhere', join(root, 'broken'));
  symlinkSync('loop', join(root, 'loop'));
  execFileSync('mkfifo', [join(root, 'fifo')]);
}

const asyncIo = new NodeAsyncIo();

async function opened(name: string): Promise<OpenFile> {
  const result = await asyncIo.open(join(root, name));
  assert.ok(!isFault(result), `open gave ${JSON.stringify(result)}`);
  return result as OpenFile;
}

/** The result of statNow() as soon as it is not null. */
async function statNowResult(path: string): Promise<FileStat | number> {
  for (;;) {
    const seen = asyncIo.statNow(path);
    if (seen !== null) return seen;
    await delay(100);
  }
}

describe('faults of paths', () => {
  const paths: readonly (readonly [string, string, number])[] = [
    ['a missing file', 'missing', -ENOENT],
    ['a file used as a directory', 'file.txt/below', -ENOTDIR],
    ['a name too long', 'x'.repeat(300), -ENAMETOOLONG],
    ['a NUL in a name', 'file.txt\0.html', -ERRNO.EINVAL],
  ];
  for (const [what, name, fault] of paths) {
    it(`${what} is ${fault} in every call`, posixOnly, async () => {
      const path = `${root}/${name}`;
      assert.equal(await asyncIo.stat(path), fault);
      assert.equal(await asyncIo.realPath(path), fault);
      assert.equal(await asyncIo.open(path), fault);
      assert.equal(await asyncIo.list(path), fault);
      assert.equal(await asyncIo.openDirectory(path), fault);
      const seen = await statNowResult(path);
      // statNow() does not distinguish why nothing exists.
      assert.ok(seen === fault || seen === -ENOENT, `statNow gave ${JSON.stringify(seen)}`);
    });
  }

  it('a cycle of links is ELOOP', posixOnly, async () => {
    assert.equal(await asyncIo.stat(join(root, 'loop')), -ELOOP);
    assert.equal(await asyncIo.realPath(join(root, 'loop')), -ELOOP);
  });
});

describe('realPath and stat', () => {
  it('resolves links and dots', posixOnly, async () => {
    assert.equal(await asyncIo.realPath(`${root}/folder/../link`), join(root, 'file.txt'));
  });

  it('distinguishes files, directories and others', posixOnly, async () => {
    const kindOf = async (name: string): Promise<number> =>
      ((await asyncIo.stat(join(root, name))) as FileStat).kind;
    assert.equal(await kindOf('file.txt'), FileKind.File);
    assert.equal(await kindOf('link'), FileKind.File);
    assert.equal(await kindOf('folder'), FileKind.Directory);
    assert.equal(await kindOf('fifo'), FileKind.Other);
  });

  it('returns size, time and inode', async () => {
    const stat = (await asyncIo.stat(join(root, 'file.txt'))) as FileStat;
    const other = (await asyncIo.stat(join(root, 'empty'))) as FileStat;
    assert.equal(stat.bytes, 12);
    assert.ok(stat.modifiedMs > Date.UTC(2020, 0) && stat.inode > 0);
    assert.notEqual(stat.inode, other.inode);
    assert.deepEqual(await statNowResult(join(root, 'file.txt')), stat);
  });
});

describe('open, read, close', () => {
  it('reads at positions, as much as is available, 0 at the end', async () => {
    const { file, stat } = await opened('file.txt');
    assert.equal(stat.bytes, 12);
    const into = new Uint8Array(8);
    assert.equal(await asyncIo.read(file, into, 0), 8);
    assert.equal(Buffer.from(into).toString(), 'what it ');
    assert.equal(await asyncIo.read(file, into, 8), 4);
    assert.equal(Buffer.from(into.subarray(0, 4)).toString(), 'says');
    assert.equal(await asyncIo.read(file, into, 12), 0);
    await asyncIo.close(file);
    assert.equal(await asyncIo.read(file, into, 0), -EBADF);
  });

  it('reads only into its part of a larger buffer', async () => {
    const { file } = await opened('file.txt');
    const memory = new Uint8Array(16).fill(0x2e);
    assert.equal(await asyncIo.read(file, memory.subarray(4, 8), 5), 4);
    assert.equal(Buffer.from(memory).toString(), '....it s........');
    await asyncIo.close(file);
  });

  it('returns the stat of the open file, also after its name is deleted', posixOnly, async () => {
    writeFileSync(join(root, 'doomed'), 'still there');
    const { file, stat } = await opened('doomed');
    rmSync(join(root, 'doomed'));
    assert.equal(stat.bytes, 11);
    assert.equal(await asyncIo.read(file, new Uint8Array(20), 0), 11);
    await asyncIo.close(file);
  });

  it('rejects a directory', posixOnly, async () => {
    assert.equal(await asyncIo.open(join(root, 'folder')), -EISDIR);
  });

  it('rejects a FIFO without waiting for a writer', posixOnly, async () => {
    assert.equal(await asyncIo.open(join(root, 'fifo')), -ERRNO.EACCES);
  });

  it('rejects a device', posixOnly, async () => {
    assert.equal(await asyncIo.open('/dev/null'), -ERRNO.EACCES);
  });

  it('rejects a Unix socket', posixOnly, async () => {
    const server = createServer();
    const path = join(root, 'socket');
    await new Promise<void>((resolve) => server.listen(path, resolve));
    assert.equal(await asyncIo.open(path), -ERRNO.EACCES);
    await new Promise((resolve) => server.close(resolve));
  });

  it('closes the descriptor of what it rejects', posixOnly, async () => {
    const { file } = await opened('file.txt');
    await asyncIo.close(file);
    for (let count = 0; count < 20; count++) await asyncIo.open(join(root, 'folder'));
    const again = await opened('file.txt');
    await asyncIo.close(again.file);
    assert.ok(again.file < file + 20, `descriptor ${again.file} after ${file}`);
  });
});

describe('list', () => {
  it('returns the stat of the target of each entry, without broken links', posixOnly, async () => {
    const entries = await asyncIo.list(root);
    assert.ok(typeof entries !== 'number');
    const kinds = new Map(entries.map(({ name, stat }) => [name, stat.kind]));
    assert.equal(kinds.get('folder'), FileKind.Directory);
    assert.equal(kinds.get('link'), FileKind.File);
    assert.equal(kinds.get('fifo'), FileKind.Other);
    assert.equal(kinds.has('broken'), false);
    assert.equal(kinds.has('loop'), false);
  });

  it('returns every entry of a large directory once', async () => {
    const names = Array.from({ length: 100 }, (_, index) => `entry ${index}`);
    mkdirSync(join(root, 'large'));
    for (const name of names) writeFileSync(join(root, 'large', name), name);
    const entries = await asyncIo.list(join(root, 'large'));
    assert.ok(typeof entries !== 'number');
    assert.deepEqual(entries.map(({ name }) => name).sort(), names.sort());
    for (const { name, stat } of entries) assert.equal(stat.bytes, name.length);
  });

  it('returns no entries for an empty directory, and a fault for a file', posixOnly, async () => {
    assert.deepEqual(await asyncIo.list(join(root, 'folder')), []);
    assert.equal(await asyncIo.list(join(root, 'file.txt')), -ENOTDIR);
  });
});

describe('the names of a directory', () => {
  it('come in batches, fewer than wanted only at the end, with the kind of each', async () => {
    const folder = join(root, 'names');
    mkdirSync(join(folder, 'sub'), { recursive: true });
    for (let count = 0; count < 9; count++) writeFileSync(join(folder, `file ${count}`), '');
    const directory = await asyncIo.openDirectory(folder);
    assert.ok(directory > 0);
    const found: DirectoryName[] = [];
    for (const expected of [4, 4, 2, 0]) {
      const names = await asyncIo.readNames(directory, 4);
      assert.ok(typeof names !== 'number');
      assert.equal(names.length, expected);
      found.push(...names);
    }
    await asyncIo.closeDirectory(directory);
    assert.deepEqual(
      found.sort((one, other) => (one.name < other.name ? -1 : 1)),
      [
        ...Array.from({ length: 9 }, (_, count) => {
          return { name: `file ${count}`, kind: FileKind.File, isLink: false };
        }),
        { name: 'sub', kind: FileKind.Directory, isLink: false },
      ],
    );
  });

  it('are not those of the targets of links', posixOnly, async () => {
    const directory = await asyncIo.openDirectory(root);
    const names = await asyncIo.readNames(directory, 1_000);
    assert.ok(typeof names !== 'number');
    for (const name of ['link', 'broken', 'loop']) {
      const found: DirectoryName | undefined = names.find((one) => one.name === name);
      assert.deepEqual(found, { name, kind: FileKind.Other, isLink: true });
    }
    const fifo = names.find(({ name }) => name === 'fifo');
    assert.deepEqual(fifo, { name: 'fifo', kind: FileKind.Other, isLink: false });
    await asyncIo.closeDirectory(directory);
  });

  it('of several directories do not mix, and a closed one has none', async () => {
    const one = await asyncIo.openDirectory(join(root, 'names'));
    const other = await asyncIo.openDirectory(join(root, 'names', 'sub'));
    assert.deepEqual(await asyncIo.readNames(other, 10), []);
    await asyncIo.closeDirectory(other);
    assert.equal(await asyncIo.readNames(other, 10), -ERRNO.EBADF);
    await asyncIo.closeDirectory(other);
    const names = await asyncIo.readNames(one, 100);
    assert.ok(typeof names !== 'number' && names.length === 10);
    await asyncIo.closeDirectory(one);
  });

  it('of a file are a fault', posixOnly, async () => {
    assert.equal(await asyncIo.openDirectory(join(root, 'file.txt')), -ENOTDIR);
  });
});

describe('compress and hash', () => {
  const bytes = Buffer.from('the same again and '.repeat(500));

  it('produces the content codings', async () => {
    const gzip = await asyncIo.compress('gzip', bytes, 6);
    const deflate = await asyncIo.compress('deflate', bytes, 6);
    const brotli = await asyncIo.compress('br', bytes, 4);
    assert.ok(gunzipSync(gzip).equals(bytes));
    // RFC 9110 8.4.1.2: deflate is the zlib format, not the raw stream.
    assert.ok(inflateSync(deflate).equals(bytes));
    assert.ok(brotliDecompressSync(brotli).equals(bytes));
  });

  it('produces fewer bytes at a higher level', async () => {
    const words = Buffer.from(Array.from({ length: 4000 }, (_, at) => at ** 2 % 997).join(' '));
    for (const coding of ['gzip', 'deflate', 'br'] as const) {
      const fast = await asyncIo.compress(coding, words, 1);
      const small = await asyncIo.compress(coding, words, 9);
      assert.ok(small.length < fast.length, `${coding}: ${small.length} of ${fast.length}`);
    }
  });

  it('compresses empty content', async () => {
    assert.equal(gunzipSync(await asyncIo.compress('gzip', new Uint8Array(0), 6)).length, 0);
  });

  it('returns digests in lower-case hexadecimal', async () => {
    for (const algorithm of ['sha1', 'sha256'] as const) {
      const expected = createHash(algorithm).update(bytes).digest('hex');
      assert.equal(await asyncIo.hash(algorithm, bytes), expected);
      const part = new Uint8Array(bytes.buffer, bytes.byteOffset + 3, 40);
      const expectedPart = createHash(algorithm).update(part).digest('hex');
      assert.equal(await asyncIo.hash(algorithm, part), expectedPart);
    }
  });
});
