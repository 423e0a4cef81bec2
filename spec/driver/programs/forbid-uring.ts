// Preloaded into a process: forbids it io_uring as containers do, by a seccomp filter that returns
// EPERM. The filter is of this process alone and cannot be removed.

import assert from 'node:assert/strict';
import { ERRNO } from '../../../src/base/errno.ts';
import { ffi } from '../../../src/driver/linux/ffi.ts';

const SYS_IO_URING_SETUP = 425;
const { EPERM } = ERRNO;

// <linux/prctl.h>, <linux/seccomp.h>
const PR_SET_SECCOMP = 22;
const PR_SET_NO_NEW_PRIVS = 38;
const SECCOMP_MODE_FILTER = 2;
const SECCOMP_RET_ALLOW = 0x7fff0000;
const SECCOMP_RET_ERRNO = 0x00050000;

// <linux/filter.h>: code, jump if true, jump if false, operand.
const FILTER = [
  [0x20, 0, 0, 0], // load the number of the call
  [0x15, 0, 1, SYS_IO_URING_SETUP], // if it is not this one, skip the next line
  [0x06, 0, 0, SECCOMP_RET_ERRNO | EPERM],
  [0x06, 0, 0, SECCOMP_RET_ALLOW],
] as const;

const library = ffi();
assert.ok(typeof library !== 'string', 'there is an FFI');
const program = new DataView(new ArrayBuffer(64));
for (const [index, [code, whenTrue, whenFalse, operand]] of FILTER.entries()) {
  program.setUint16(8 * index, code, true);
  program.setUint8(8 * index + 2, whenTrue);
  program.setUint8(8 * index + 3, whenFalse);
  program.setUint32(8 * index + 4, operand, true);
}
const header = new DataView(new ArrayBuffer(64));
header.setUint16(0, FILTER.length, true);
const address = library.addressOf(new Uint8Array(program.buffer));
header.setBigUint64(8, BigInt(address), true);
const prctl = library.func('int prctl(int, uintptr_t, uintptr_t, uintptr_t, uintptr_t)');
assert.equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
const where = library.addressOf(new Uint8Array(header.buffer));
assert.equal(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, where, 0, 0), 0);
