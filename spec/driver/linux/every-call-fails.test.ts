// Fails each system call of the Linux drivers once, with each errno that it may have: afterwards
// everything is closed and unmapped, and every operation has completed.

import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { ERRNO } from '../../../src/base/errno.ts';
import { whatFailedLeftOver, withHookedMemory } from '../scripted/linux-fixture.ts';
import { SLOTS, stepsOf, Walk } from '../scripted/walk.ts';

const { EACCES, EADDRINUSE, EADDRNOTAVAIL, EAGAIN, EBADF, EBUSY, ECONNABORTED, ECONNREFUSED } =
  ERRNO;
const { ECONNRESET, EHOSTUNREACH, EINTR, EINVAL, EIO, EMFILE, ENETUNREACH, ENFILE, ENOBUFS } =
  ERRNO;
const { ENOMEM, ENOSPC, ENOTCONN, EPERM, EPIPE, EPROTO, ETIMEDOUT } = ERRNO;

/** What the manual pages list, without the errors of wrong arguments. */
const ERRORS: Readonly<Record<string, readonly number[]>> = {
  socket: [EACCES, EMFILE, ENFILE, ENOBUFS, ENOMEM],
  setsockopt: [EINVAL, ENOMEM],
  lingerZero: [EINVAL],
  getsockopt: [ENOMEM, EBADF],
  bind: [EACCES, EADDRINUSE, EADDRNOTAVAIL, ENOMEM],
  connect: [EACCES, EADDRNOTAVAIL, EAGAIN, ECONNREFUSED, EINTR, ENETUNREACH, ETIMEDOUT],
  listen: [EADDRINUSE, EINVAL],
  getsockname: [ENOBUFS],
  getpeername: [ENOTCONN],
  accept: [EAGAIN, ECONNABORTED, EINTR, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPERM, EPROTO],
  recv: [EAGAIN, EINTR, ENOMEM, ECONNRESET, ETIMEDOUT, EHOSTUNREACH],
  send: [EAGAIN, EINTR, ENOBUFS, ENOMEM, ECONNRESET, EPIPE],
  sendfile: [EAGAIN, EINTR, EINVAL, EIO, ENOMEM, ECONNRESET, EPIPE],
  shutdown: [ENOTCONN],
  unacknowledged: [EINVAL],
  broken: [EINTR, ENOMEM],
  fcntl: [EINVAL],
  close: [EINTR, EIO],
  epollCreate: [EMFILE, ENFILE, ENOMEM],
  epollControl: [ENOMEM, ENOSPC],
  epollWait: [EINTR],
  setup: [EMFILE, ENFILE, ENOMEM, EPERM, EINVAL],
  enter: [EAGAIN, EBUSY, EINTR],
  register: [EINVAL, ENOMEM],
  mapMemory: [EAGAIN, ENOMEM],
  unmapMemory: [EINVAL],
  eventfd: [EMFILE, ENFILE, ENOMEM],
  watchOnLoop: [ENOMEM],
};
/**
 * An eventfd that is read without waiting, a descriptor that is registered, memory, questions about
 * a file.
 */
const NEVER_FAILS: readonly string[] = [
  ...['resetEventfd', 'epollRemove', 'load', 'store', 'isCached', 'cachedPages'],
];

/** Uses everything that a driver has: addresses, sockets, listeners, the end of each. */
const SCRIPT = stepsOf(
  'adopt, receive, watch, send, turn, sleep, turn, sendFile, turn, sleep, turn, sleep, ' +
    'shutdown, turn, ' +
    'listen, turn, connect 1, turn, sleep, turn, receive 1, sendFile 1, turn, sleep, ' +
    'pause, turn, resume, turn, sleep, hold, receive, turn, turn, free, turn, ' +
    'reset, turn, close, turn, adopt, receive, watch, turn, abort 1, turn, close 1, turn, ' +
    'unlisten, turn, turn, listen, turn, sleep, turn, unlisten, turn',
);

/** Peers act before each third turn. */
function act(walk: Walk, index: number): void {
  if (index % 7 === 0) walk.happen('connected', 1);
  if (index % 5 === 0) walk.happen('write', index % SLOTS);
  if (index % 11 === 0) walk.happen('client', 0);
  if (index % 13 === 0) walk.happen('take', index % 2);
  if (index % 29 === 0) walk.happen('end', 0);
  if (index % 37 === 0) walk.happen('reset', 1);
}

const CONSTRUCTOR_ERROR = / failed: |^the loop takes no descriptor$/;

/**
 * Runs the scenario; call number `failing` fails with `errno`. Returns the names of all calls. Time
 * stands still: what is known of a file for a moment decides how many calls there are.
 */
function run(name: 'epoll' | 'uring', failing: number, errno: number): readonly string[] {
  const clock = mock.method(performance, 'now', () => 1_000);
  try {
    return scenario(name, failing, errno);
  } finally {
    clock.mock.restore();
  }
}

function scenario(name: 'epoll' | 'uring', failing: number, errno: number): readonly string[] {
  let walk: Walk;
  try {
    walk = new Walk(name, (hooks) => {
      hooks.result = (_call, index) => (index === failing ? -errno : null);
    });
  } catch (error) {
    assert.match((error as Error).message, CONSTRUCTOR_ERROR);
    assert.deepEqual(whatFailedLeftOver(), [], 'a driver that cannot start leaves nothing open');
    return [];
  }
  walk.failed = failing >= 0;
  return withHookedMemory(walk.hooks, () => {
    walk.hooks.before = (_call, index) => act(walk, index);
    walk.run(SCRIPT);
    walk.settle();
    walk.finish();
    return walk.hooks.calls;
  });
}

for (const name of ['epoll', 'uring'] as const) {
  const calls = run(name, -1, 0);
  const names = new Set(calls.filter((call) => !NEVER_FAILS.includes(call)));
  describe(`a call of the ${name} driver fails`, () => {
    for (const call of names) {
      it(`${call}: nothing is left open, and every operation completes`, () => {
        const errors = ERRORS[call];
        assert.ok(errors !== undefined, `the errors of ${call} are listed`);
        for (const [index, each] of calls.entries()) {
          if (each !== call) continue;
          for (const errno of errors) {
            try {
              run(name, index, errno);
            } catch (error) {
              throw new Error(`call ${index} with errno ${errno}`, { cause: error });
            }
          }
        }
      });
    }
  });
}
