// res.file() when a file cannot be opened or read: what the client gets, and what the log says.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ERRNO } from '../../src/base/errno.ts';
import { faultError, isMissing } from '../../src/exchange/file-fault.ts';
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
      assert.match(error.message, new RegExp(`errno ${ERRNO[name]}$`));
      assert.ok(!error.message.includes('\n'), 'a path cannot begin a line of the log');
      assert.equal(isMissing(-ERRNO[name]), false);
    }
  });
});
