// The file of a unix socket: only the own one is removed, another one stays while ours is closed,
// and the mask of the process is changed for the length of a bind only.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs, {
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, describe, it, mock } from 'node:test';
import {
  keepingOthers,
  removeSocketFile,
  type SocketFile,
  socketFileAt,
  withMode,
} from '../../src/driver/socket-file.ts';

const unixOnly = process.platform === 'win32' ? { skip: 'Windows has named pipes' } : {};
const folder = mkdtempSync(join(tmpdir(), 'vibing-'));
const servers: Server[] = [];
let count = 0;

after(() => rmSync(folder, { recursive: true }));
afterEach(() => {
  mock.restoreAll();
  syncBuiltinESMExports();
  for (const server of servers.splice(0)) server.close();
});

function newPath(): string {
  count += 1;
  return join(folder, `socket-${count}`);
}

async function socketAt(path: string): Promise<SocketFile> {
  const server = createServer().listen(path);
  servers.push(server);
  await once(server, 'listening');
  return socketFileAt(path) ?? assert.fail();
}

/** Another server took the path over. */
async function replaced(path: string): Promise<[ours: SocketFile, theirs: SocketFile]> {
  const ours = await socketAt(path);
  // It keeps its inode, so that the next file has another one.
  fs.renameSync(path, `${path}.ours`);
  return [ours, await socketAt(path)];
}

/** A call of node:fs fails. */
function failing(name: 'renameSync' | 'unlinkSync', fromCall = 1): void {
  const real = fs[name] as (...given: unknown[]) => unknown;
  let calls = 0;
  mock.method(fs, name, (...given: unknown[]) => {
    calls += 1;
    if (calls >= fromCall) throw Object.assign(new Error('EACCES'), { code: 'EACCES' });
    return real(...given);
  });
  syncBuiltinESMExports();
}

describe('the file of a socket', unixOnly, () => {
  it('is known by its device and inode; other files are none', async () => {
    const path = newPath();
    assert.equal(socketFileAt(path), null);
    writeFileSync(path, 'text');
    assert.equal(socketFileAt(path), null);
    rmSync(path);
    const file = await socketAt(path);
    const { dev, ino } = lstatSync(path, { bigint: true });
    assert.deepEqual(file, { path, device: dev, inode: ino });
  });

  it('is removed unless it is that of another server, or cannot be', async () => {
    const path = newPath();
    const [ours, theirs] = await replaced(path);
    removeSocketFile(ours);
    removeSocketFile({ ...theirs, device: theirs.device + 1n });
    removeSocketFile({ ...theirs, inode: theirs.inode + 1n });
    assert.deepEqual(socketFileAt(path), theirs);
    failing('unlinkSync');
    removeSocketFile(theirs);
    assert.deepEqual(socketFileAt(path), theirs);
    mock.restoreAll();
    syncBuiltinESMExports();
    removeSocketFile(theirs);
    assert.equal(existsSync(path), false);
    removeSocketFile(theirs);
  });
});

describe('a close that removes whatever is at the path', unixOnly, () => {
  /** What is there while it closes. */
  function closing(file: SocketFile | null, path: string): (SocketFile | null)[] {
    const seen: (SocketFile | null)[] = [];
    keepingOthers(file, () => {
      seen.push(socketFileAt(path));
      rmSync(path, { force: true });
    });
    return seen;
  }

  it('removes the own socket, and what is no socket', async () => {
    const path = newPath();
    const ours = await socketAt(path);
    assert.deepEqual(closing(ours, path), [ours]);
    assert.deepEqual(closing(ours, path), [null], 'it is gone already');
    assert.deepEqual(closing(null, path), [null]);
    const [, theirs] = await replaced(newPath());
    assert.deepEqual(closing(null, theirs.path), [theirs], 'none of ours is known');
  });

  it('leaves that of another server, under its name', async () => {
    const path = newPath();
    const [ours, theirs] = await replaced(path);
    assert.deepEqual(closing(ours, path), [null]);
    assert.deepEqual(socketFileAt(path), theirs);
    const left = readdirSync(folder).filter((name) =>
      name.startsWith(path.slice(folder.length + 1)),
    );
    assert.equal(left.length, 2, left.join());
  });

  it('closes where files cannot be renamed', async () => {
    const path = newPath();
    const [ours] = await replaced(path);
    failing('renameSync');
    let closes = 0;
    keepingOthers(ours, () => {
      closes += 1;
    });
    assert.equal(closes, 1);
  });

  it('closes once where a file cannot be renamed back', async () => {
    const path = newPath();
    const [ours] = await replaced(path);
    failing('renameSync', 2);
    let closes = 0;
    keepingOthers(ours, () => {
      closes += 1;
    });
    assert.equal(closes, 1);
  });
});

describe('the mask of the process', unixOnly, () => {
  it('is that of the mode during a bind, also when that fails', () => {
    const given = process.umask(0o022);
    try {
      for (const own of [0o022, 0]) {
        process.umask(own);
        for (const [mode, during] of [
          [undefined, own],
          [0o600, 0o177],
          [0o777, 0],
          [0o660, 0o117],
        ] as const) {
          const seen = withMode(mode, () => process.umask());
          assert.equal(seen, during);
          assert.equal(process.umask(), own);
          const fails = (): never => {
            throw new Error('bind');
          };
          assert.throws(() => withMode(mode, fails), /bind/);
          assert.equal(process.umask(), own);
        }
      }
    } finally {
      process.umask(given);
    }
  });

  it('stays in a thread, which cannot set it', () => {
    let sets = 0;
    mock.method(process, 'umask', () => {
      sets += 1;
      throw new Error('ERR_WORKER_UNSUPPORTED_OPERATION');
    });
    assert.equal(
      withMode(0o600, () => 7),
      7,
    );
    assert.equal(sets, 1);
  });
});
