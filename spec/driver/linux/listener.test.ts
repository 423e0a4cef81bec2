// The listener by itself: over the kernel with one call replaced, and over a kernel whose clients
// never end.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ERRNO } from '../../../src/base/errno.ts';
import { Completions, Op } from '../../../src/driver/driver.ts';
import { EPOLL_CTL_ADD } from '../../../src/driver/linux/layout.ts';
import { Listener } from '../../../src/driver/linux/listener.ts';
import { linuxSyscalls, type Syscalls } from '../../../src/driver/linux/syscalls.ts';

const BACKLOG = 100;
const EPOLL = 9;
const FD = 10;

const found = linuxSyscalls();

/** Accepts what `next` returns; every other call succeeds. */
function listenerOver(next: () => number, watched: string[] = []): Listener {
  const calls = {
    socket: () => FD,
    setsockopt: () => 0,
    bind: () => 0,
    listen: () => 0,
    getsockname: () => 0,
    epollControl: (_epoll: number, operation: number, fd: number) => {
      watched.push(`${operation === EPOLL_CTL_ADD ? '+' : '-'}${fd}`);
      return 0;
    },
    close: () => 0,
    accept: next,
  };
  const listener = new Listener(calls as unknown as Syscalls, EPOLL, -1);
  assert.ok(listener.open({ host: '127.0.0.1', port: 1 }, BACKLOG) >= 0);
  return listener;
}

/** The handles and faults of accepted clients. */
function acceptedIn(out: Completions, count: number): number[] {
  const results: number[] = [];
  for (let index = 0; index < count; index++) {
    if (out.op[index] === Op.Accept) results.push(out.result[index]);
  }
  return results;
}

describe('the listener', () => {
  it('closes after as many clients as its queue has, however many connect', () => {
    let handle = FD;
    const listener = listenerOver(() => ++handle);
    const out = new Completions(16);
    listener.startClose(false);
    let accepted = 0;
    for (let turn = 0; listener.isAcceptingRest; turn++) {
      assert.ok(turn < BACKLOG, 'the listener closes');
      accepted += acceptedIn(out, listener.acceptRest(out, 0)).length;
    }
    assert.ok(accepted >= BACKLOG && accepted <= BACKLOG + out.capacity, `${accepted} accepted`);
    assert.equal(listener.isOpen, false);
  });

  it('watches other listeners with its own, and only while it accepts', () => {
    const watched: string[] = [];
    let accepts = 0;
    const listener = listenerOver(() => {
      accepts += 1;
      return -ERRNO.EAGAIN;
    }, watched);
    const out = new Completions(16);
    const seen = (): string => watched.splice(0).join(' ');
    assert.equal(seen(), '+10');
    listener.setAccepting(false);
    listener.acceptAlso(20, true);
    listener.acceptAlso(21, true);
    listener.acceptAlso(21, false);
    assert.equal(seen(), '-10');
    assert.equal(listener.accept(out, 0), 0);
    assert.equal(accepts, 0, 'what was reported before the pause is left to wait');
    listener.setAccepting(true);
    listener.setAccepting(true);
    assert.equal(seen(), '+10 +20');
    listener.accept(out, 0);
    assert.equal(accepts, 2);
    listener.acceptAlso(22, true);
    listener.acceptAlso(20, false);
    listener.acceptAlso(20, false);
    assert.equal(seen(), '+22 -20');
    listener.startClose(false);
    assert.equal(seen(), '-10 -22');
  });

  it('accepts on after an interruption and after a client that has left', () => {
    const { EAGAIN, ECONNABORTED, EINTR } = ERRNO;
    const results = [11, -EINTR, 12, -ECONNABORTED, -EINTR, 13, -EAGAIN];
    const listener = listenerOver(() => results.shift() ?? -EAGAIN);
    const out = new Completions(16);
    assert.deepEqual(acceptedIn(out, listener.accept(out, 0)), [11, 12, 13]);
  });

  it('removes its socket when it cannot be watched', { skip: typeof found === 'string' }, (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'vibing-listener-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'socket');
    const real = found as Syscalls;
    const closed: number[] = [];
    const replaced: Partial<Syscalls> = {
      epollControl: () => -ERRNO.ENOSPC,
      close: (fd) => {
        closed.push(fd);
        return real.close(fd);
      },
    };
    const calls = new Proxy(real, {
      get: (_target, name: keyof Syscalls) => {
        const own = real[name];
        return replaced[name] ?? (typeof own === 'function' ? own.bind(real) : own);
      },
    });
    const listener = new Listener(calls, EPOLL, -1);
    assert.equal(listener.open({ path }, BACKLOG), -ERRNO.ENOSPC);
    assert.equal(existsSync(path), false);
    assert.equal(closed.length, 1);
    assert.equal(listener.isOpen, false);
  });
});
