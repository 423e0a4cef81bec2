// The system calls over the real kernel: what each returns when it fails, and what it passes on.

import assert from 'node:assert/strict';
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { describe, it } from 'node:test';
import { ERRNO } from '../../../src/base/errno.ts';
import {
  AF_UNIX,
  EPOLL_CTL_ADD,
  EPOLLIN,
  F_GETFL,
  F_SETFD,
  F_SETFL,
  FD_CLOEXEC,
  O_NONBLOCK,
  SO_KEEPALIVE,
  SO_REUSEADDR,
  SO_TYPE,
  SOCK_STREAM,
  SOCKADDR_BYTES,
  SOL_SOCKET,
  STREAM_SOCKET,
} from '../../../src/driver/linux/layout.ts';
import { prepareInherited } from '../../../src/driver/linux/open-listener.ts';
import { peerFrom, socketAddress } from '../../../src/driver/linux/sockaddr.ts';
import { linuxSyscalls, type Syscalls } from '../../../src/driver/linux/syscalls.ts';
import { linuxUringCalls } from '../../../src/driver/linux/uring-calls.ts';
import { uringProblem } from '../../../src/driver/linux/uring-problem.ts';

const F_GETFD = 1;
const found = linuxSyscalls();
const options = typeof found === 'string' ? { skip: found } : {};
const problem = uringProblem();

function kernel(): Syscalls {
  assert.ok(typeof found !== 'string');
  return found;
}

describe('a system call', options, () => {
  it('that fails returns the errno with a minus', () => {
    const calls = kernel();
    const memory = new Uint8Array(256);
    const address = calls.addressOf(memory);
    const target = socketAddress('127.0.0.1', 1) ?? assert.fail();
    const bad = -ERRNO.EBADF;
    for (const [name, result] of Object.entries({
      setsockopt: calls.setsockopt(-1, SOL_SOCKET, SO_REUSEADDR, 1),
      lingerZero: calls.lingerZero(-1),
      getsockopt: calls.getsockopt(-1, SOL_SOCKET, SO_TYPE),
      bind: calls.bind(-1, target.bytes, target.length),
      connect: calls.connect(-1, target.bytes, target.length),
      listen: calls.listen(-1, 1),
      getsockname: calls.getsockname(-1, memory),
      getpeername: calls.getpeername(-1, memory),
      accept: calls.accept(-1, 0),
      recv: calls.recv(-1, address, 1, 0),
      send: calls.send(-1, address, 1, 0),
      sendfile: calls.sendfile(-1, -1, 0, 1),
      shutdown: calls.shutdown(-1, 1),
      unacknowledged: calls.unacknowledged(-1),
      fcntl: calls.fcntl(-1, F_GETFL, 0),
      close: calls.close(-1),
      epollControl: calls.epollControl(-1, EPOLL_CTL_ADD, -1, EPOLLIN, 0),
      epollWait: calls.epollWait(-1, address, 1),
    })) {
      assert.equal(result, bad, name);
    }
    assert.equal(calls.isCached(-1, 0), false);
    assert.equal(calls.socket(-1, 0, 0), -ERRNO.EAFNOSUPPORT);
  });

  it('reads back what was set', () => {
    const calls = kernel();
    const { family, bytes, length } = socketAddress('127.0.0.1', 0) ?? assert.fail();
    const fd = calls.socket(family, STREAM_SOCKET, 0);
    assert.ok(fd >= 0);
    assert.equal(calls.fcntl(fd, F_GETFD, 0), FD_CLOEXEC);
    assert.equal(calls.getsockopt(fd, SOL_SOCKET, SO_TYPE), SOCK_STREAM);
    for (const value of [1, 0, 1]) {
      assert.equal(calls.setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, value), 0);
      assert.equal(calls.getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE), value);
    }
    assert.equal(calls.bind(fd, bytes, length), 0);
    const name = new Uint8Array(SOCKADDR_BYTES);
    assert.equal(calls.getsockname(fd, name), length);
    const { address, port } = peerFrom(name);
    assert.ok(address === '127.0.0.1' && port > 0);
    assert.equal(calls.getpeername(fd, name), -ERRNO.ENOTCONN);
    assert.equal(calls.unacknowledged(fd), 0);
    assert.equal(calls.close(fd), 0);
    assert.equal(calls.close(fd), -ERRNO.EBADF);
  });

  it('prepares a listener of another process, whatever its flags', () => {
    const calls = kernel();
    const fd = calls.socket(AF_UNIX, SOCK_STREAM, 0);
    calls.fcntl(fd, F_SETFD, 0);
    // O_APPEND, a flag that has to stay.
    calls.fcntl(fd, F_SETFL, 0o2000);
    prepareInherited(calls, fd);
    assert.equal(calls.fcntl(fd, F_GETFD, 0), FD_CLOEXEC);
    const kept = O_NONBLOCK | 0o2000;
    assert.equal(calls.fcntl(fd, F_GETFL, 0) & kept, kept);
    calls.close(fd);
    // Flags that cannot be read: all others are not set by that.
    const set: number[][] = [];
    const failing: Partial<Syscalls> = {
      fcntl: (...given) => {
        if (given[1] === F_GETFL) return -ERRNO.EBADF;
        set.push(given);
        return 0;
      },
      setsockopt: () => -ERRNO.ENOTSOCK,
    };
    prepareInherited(failing as Syscalls, 7);
    assert.deepEqual(set, [
      [7, F_SETFD, FD_CLOEXEC],
      [7, F_SETFL, O_NONBLOCK],
    ]);
  });
});

describe('a call of io_uring', problem === null ? {} : { skip: problem }, () => {
  it('that fails returns the errno with a minus', () => {
    const calls = linuxUringCalls();
    assert.ok(typeof calls !== 'string');
    const bad = -ERRNO.EBADF;
    assert.equal(calls.setup(0, new Uint32Array(30)), -ERRNO.EINVAL);
    assert.equal(calls.enter(-1, 0, 0), bad);
    // Which of the two mistakes is found first depends on the kernel.
    const registered = calls.register(-1, 0, new Uint8Array(64), 0);
    assert.ok([bad, -ERRNO.EINVAL].includes(registered), String(registered));
    assert.equal(calls.mapMemory(-1, 0, 0), -ERRNO.EINVAL);
    assert.equal(calls.close(-1), bad);
  });

  it('resets an eventfd, which never blocks and which no child inherits', () => {
    const calls = linuxUringCalls();
    assert.ok(typeof calls !== 'string');
    const fd = calls.eventfd();
    assert.ok(fd >= 0);
    assert.equal(kernel().fcntl(fd, F_GETFD, 0), FD_CLOEXEC);
    const count = new BigUint64Array([3n]);
    const read = (): number => readSync(fd, count, 0, 8, null);
    writeSync(fd, count);
    calls.resetEventfd(fd);
    assert.throws(read, { code: 'EAGAIN' });
    calls.resetEventfd(fd);
    writeSync(fd, count);
    assert.equal(read(), 8);
    assert.equal(count[0], 3n);
    assert.equal(calls.close(fd), 0);
    const next = openSync('/dev/null', 'r');
    assert.equal(next, fd, 'it is free again');
    closeSync(next);
  });

  it('maps memory of its own', () => {
    const calls = linuxUringCalls();
    assert.ok(typeof calls !== 'string');
    const mapping = calls.mapMemory(-1, 8_192, 0);
    assert.ok(typeof mapping !== 'number');
    const bytes = new Uint8Array(mapping.memory);
    assert.equal(bytes.length, 8_192);
    assert.ok(bytes.every((byte) => byte === 0));
    bytes[8_191] = 1;
    assert.equal(calls.addressOf(bytes), mapping.address);
    calls.unmapMemory(mapping);
  });
});
