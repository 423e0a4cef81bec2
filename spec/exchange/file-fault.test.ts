// res.file() when a file cannot be opened or read: what the client gets, and what the log says.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ERRNO } from '../../src/base/errno.ts';
import { SHORTAGE_NOTE_MS } from '../../src/base/fixed-limits.ts';
import { faultError, isMissing, openError } from '../../src/exchange/file-fault.ts';
import { HttpError } from '../../src/exchange/http-error.ts';

const STATUSES: readonly (readonly [name: keyof typeof ERRNO, status: number])[] = [
  ['ENOENT', 404],
  ['ENOTDIR', 404],
  ['EISDIR', 404],
  ['ENAMETOOLONG', 404],
  ['ELOOP', 404],
  ['EINVAL', 404],
  ['EILSEQ', 404],
  ['EACCES', 403],
  ['EPERM', 403],
  ['EMFILE', 503],
  ['ENFILE', 503],
  ['ENOMEM', 503],
  ['EAGAIN', 503],
];

describe('faultError', () => {
  for (const [name, status] of STATUSES) {
    it(`${name} is ${status}`, () => {
      const error = faultError(-ERRNO[name], '/a');
      assert.ok(error instanceof HttpError);
      assert.equal(error.status, status);
      assert.ok(!error.message.includes('/a'), 'the client does not learn the path');
      assert.equal(isMissing(-ERRNO[name]), status === 404);
    });
  }

  it('other faults are errors of the server, which it logs', () => {
    for (const name of ['EIO', 'ENODEV', 'EBADF'] as const) {
      const error = faultError(-ERRNO[name], '/a\nb');
      assert.ok(!(error instanceof HttpError));
      assert.match(error.message, new RegExp(`: ${name}$`));
      assert.ok(!error.message.includes('\n'), 'a path cannot begin a line of the log');
      assert.equal(isMissing(-ERRNO[name]), false);
    }
  });
});

describe('openError', () => {
  it('logs a shortage at most once in SHORTAGE_NOTE_MS, and what to do', () => {
    const lines: string[] = [];
    let nowMs = 0;
    const services = { nowMs: () => nowMs, logError: (line: string) => void lines.push(line) };
    const statusOf = (name: keyof typeof ERRNO) => {
      const error = openError(-ERRNO[name], '/a\nb', services);
      return error instanceof HttpError ? error.status : 500;
    };
    assert.equal(statusOf('ENOENT'), 404);
    assert.deepEqual(lines, [], 'a file that is missing is not logged');
    assert.equal(statusOf('EMFILE'), 503);
    nowMs += SHORTAGE_NOTE_MS - 1;
    assert.equal(statusOf('EMFILE'), 503);
    const what = 'requests for files get 503: "/a\\nb" cannot be opened';
    const advice = 'raise the limit of descriptors (ulimit -n)';
    assert.deepEqual(lines, [`${what} (EMFILE); ${advice}`]);
    nowMs += 1;
    assert.equal(statusOf('ENOMEM'), 503);
    assert.deepEqual(lines.slice(1), [`${what} (ENOMEM)`]);
  });
});
