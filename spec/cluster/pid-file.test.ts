// The pid file: which files it may replace, when it appears, and that only its owner removes it.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, mock, test } from 'node:test';
import { type Files, PidFile } from '../../src/cluster/pid-file.ts';
import { ServiceError } from '../../src/cluster/service-error.ts';

const root = mkdtempSync(join(tmpdir(), 'vibing-pid-'));
after(() => rmSync(root, { recursive: true }));

let folder = '';
let path = '';
beforeEach(() => {
  folder = mkdtempSync(join(root, 'x-'));
  path = join(folder, 'server.pid');
});

/** The id of a process that has exited. */
function goneNumber(): number {
  const { pid } = spawnSync(process.execPath, ['--version']);
  assert.ok(pid > 0);
  return pid;
}

function assertError(file: PidFile, message: RegExp): void {
  assert.throws(
    () => file.claim(),
    (error) => {
      assert.ok(error instanceof ServiceError);
      assert.match(error.message, message);
      const [, code] = /\((E[A-Z]+)\)$/.exec(error.message) ?? [];
      const isTaken = error.message.includes('which is running; stop it, or choose another path');
      assert.equal(error.code, code ?? (isTaken ? 'EEXIST' : 'EINVAL'));
      return true;
    },
  );
}

test('is where it was, although the program goes to another folder', () => {
  const before = process.cwd();
  try {
    process.chdir(folder);
    const file = new PidFile('server.pid');
    file.claim();
    file.publish();
    process.chdir(root);
    file.remove();
  } finally {
    process.chdir(before);
  }
  assert.deepEqual(readdirSync(folder), []);
});

test('appears complete when it is published, and is removed by its owner', () => {
  const file = new PidFile(path);
  file.claim();
  assert.equal(existsSync(path), false, 'it does not exist before the server listens');
  file.publish();
  assert.equal(readFileSync(path, 'utf8'), `${process.pid}\n`);
  assert.deepEqual(readdirSync(folder), ['server.pid']);
  file.remove();
  assert.deepEqual(readdirSync(folder), []);
  file.remove();
});

test('a claim that is not published leaves no file', () => {
  const file = new PidFile(path);
  file.claim();
  file.remove();
  assert.deepEqual(readdirSync(folder), []);
});

test('one that names a running process is an error and stays', () => {
  writeFileSync(path, `${process.ppid}\n`);
  assertError(
    new PidFile(path),
    new RegExp(`server.pid names process ${process.ppid}, which is running`),
  );
  assert.equal(readFileSync(path, 'utf8'), `${process.ppid}\n`);
  assert.deepEqual(readdirSync(folder), ['server.pid']);
});

test('one of a dead process is replaced, and so are our own and an empty one', () => {
  const gone = `${goneNumber()}`;
  const texts = [`${gone}\n`, gone, gone.padEnd(32), `${process.pid}\n`, '', '\n'];
  for (const text of texts) {
    writeFileSync(path, text);
    const file = new PidFile(path);
    file.claim();
    assert.equal(readFileSync(path, 'utf8'), text, 'until it listens');
    file.publish();
    assert.equal(readFileSync(path, 'utf8'), `${process.pid}\n`);
    file.remove();
    assert.equal(existsSync(path), false);
  }
});

test('a file without a process id is an error and stays', () => {
  for (const text of [
    'precious',
    '12 34',
    '-1',
    '0',
    '1.5',
    `${'9'.repeat(11)}`,
    'x'.repeat(99),
    ' '.repeat(33),
  ]) {
    writeFileSync(path, text);
    assertError(new PidFile(path), /does not contain a process id/);
    assert.equal(readFileSync(path, 'utf8'), text);
  }
});

test('anything but a regular file is an error', () => {
  mkdirSync(path);
  assertError(
    new PidFile(path),
    /server.pid is not a regular file; remove it, or choose another path$/,
  );
  assertError(new PidFile('/dev/null'), /\/dev\/null is not a regular file; /);
});

test('a missing folder, or a file instead, is an error at once', () => {
  assertError(
    new PidFile(join(folder, 'no', 'x')),
    /cannot be written: no such folder; create it \(ENOENT\)$/,
  );
  writeFileSync(join(folder, 'file'), '');
  assertError(new PidFile(join(folder, 'file', 'x')), /cannot be written \(ENOTDIR\)$/);
});

test('a link under the temporary name is not followed', () => {
  const victim = join(folder, 'victim');
  writeFileSync(victim, 'precious');
  symlinkSync(victim, `${path}.${process.pid}.tmp`);
  const file = new PidFile(path);
  file.claim();
  file.publish();
  assert.equal(readFileSync(victim, 'utf8'), 'precious');
  assert.ok(lstatSync(path).isFile());
  file.remove();
});

test('the file of a server that started since then is not replaced', () => {
  const file = new PidFile(path);
  file.claim();
  writeFileSync(path, `${process.ppid}\n`);
  assert.throws(() => file.publish(), ServiceError);
  assert.equal(readFileSync(path, 'utf8'), `${process.ppid}\n`);
  assert.deepEqual(readdirSync(folder), ['server.pid']);
});

test('the file of another process is not removed', () => {
  const file = new PidFile(path);
  file.claim();
  file.publish();
  writeFileSync(path, `${process.ppid}\n`);
  file.remove();
  assert.equal(readFileSync(path, 'utf8'), `${process.ppid}\n`);
});

test('a link that appears under the temporary name is not followed either', () => {
  const victim = join(folder, 'victim');
  writeFileSync(victim, 'precious');
  const files: Files = {
    ...fs,
    writeFileSync: (...given) => {
      symlinkSync(victim, `${path}.${process.pid}.tmp`);
      fs.writeFileSync(...given);
    },
  };
  assert.throws(() => new PidFile(path, process.pid, files).claim(), { code: 'EEXIST' });
  assert.equal(readFileSync(victim, 'utf8'), 'precious');
  assert.deepEqual(readdirSync(folder), ['victim']);
});

test('a process that this one may not signal is running', () => {
  for (const [code, isRunning] of [
    ['EPERM', true],
    ['ESRCH', false],
  ] as const) {
    const signals = mock.method(process, 'kill', () => {
      throw Object.assign(new Error(code), { code });
    });
    writeFileSync(path, '4711\n');
    const claim = (): void => new PidFile(path).claim();
    if (isRunning) assert.throws(claim, /names process 4711, which is running/);
    else claim();
    assert.deepEqual(signals.mock.calls[0].arguments, [4711, 0], 'it is not disturbed');
    mock.restoreAll();
  }
});

const CALLS = ['readFileSync', 'renameSync', 'rmSync', 'statSync', 'writeFileSync'] as const;

test('when any call on files fails, no file is left', () => {
  for (const name of CALLS) {
    for (let at = 1; at <= 3; at++) {
      for (const given of ['ENOSPC', 'EACCES', 'EIO', 'EROFS', undefined]) {
        const code = given ?? 'EIO';
        const inner = mkdtempSync(join(folder, 'fails-'));
        const path = join(inner, 'pid');
        const pidFile = new PidFile(path, process.pid, failing(name, at, given));
        let failed = '';
        try {
          pidFile.claim();
          pidFile.publish();
        } catch (error) {
          assert.ok(error instanceof ServiceError);
          assert.equal(error.code, code);
          assert.equal(error.message, `pid_file: ${path} cannot be written (${code})`);
          failed = error.message;
        }
        // A server that could not start removes nothing more.
        if (failed === '') pidFile.remove();
        // The last call removes the file, the one before reads whose it is.
        const isKept = (name === 'rmSync' && at === 3) || (name === 'readFileSync' && at === 1);
        if (!isKept) assert.deepEqual(readdirSync(inner), [], `${name} ${at} ${code}`);
      }
    }
  }
});

/** The calls on files, of which call number `at` of `name` fails; a write leaves an empty file. */
function failing(name: (typeof CALLS)[number], at: number, code: string | undefined): Files {
  let count = 0;
  return new Proxy(fs, {
    get: (target, called: (typeof CALLS)[number]) => {
      return (...args: never[]): unknown => {
        if (called === name) count += 1;
        if (called === name && count === at) {
          if (called === 'writeFileSync') fs.writeFileSync(args[0], '');
          throw Object.assign(new Error(code), { code });
        }
        return (target[called] as (...given: never[]) => unknown)(...args);
      };
    },
  });
}
