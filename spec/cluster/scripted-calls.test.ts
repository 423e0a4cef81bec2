// Socket activation and notifications over scripted calls: every form of the variables, and each
// call that fails once. The real kernel and real processes are in notify.test.ts and service-*.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { ERRNO } from '../../src/base/errno.ts';
import { type Activated, takeActivated } from '../../src/cluster/activation.ts';
import { type Notifier, takeNotifier } from '../../src/cluster/notify.ts';
import { ServiceError } from '../../src/cluster/service-error.ts';
import { MSG_DONTWAIT, MSG_NOSIGNAL, SOCK_DGRAM } from '../../src/driver/linux/layout.ts';
import { abstractAddress, socketAddress, unixAddress } from '../../src/driver/linux/sockaddr.ts';
import { type Failure, type Given, ScriptedKernel } from './fixtures/scripted-kernel.ts';

const PID = 77;
const TCP: Given = { name: socketAddress('127.0.0.1', 8_080) ?? assert.fail() };
const TCP6: Given = { name: socketAddress('::1', 8_081) ?? assert.fail() };
const UNIX: Given = { name: unixAddress('/run/a.sock') ?? assert.fail() };
const ABSTRACT: Given = { name: abstractAddress('a') ?? assert.fail() };
const NETLINK: Given = { name: { family: 16, bytes: new Uint8Array([16, 0]), length: 12 } };
const FILE: Given = { type: 0 };

type Environment = Record<string, string | undefined>;

interface Taken {
  readonly kernel: ScriptedKernel;
  readonly env: Environment;
  readonly activated: Activated | null;
  readonly warnings: readonly string[];
}

function take(
  given: readonly Given[],
  env: Environment,
  options: { readonly failure?: Failure; readonly isPlain?: boolean } = {},
): Taken {
  const kernel = new ScriptedKernel(given, options.failure ?? null);
  const warnings: string[] = [];
  const warn = (line: string): void => void warnings.push(line);
  const calls = options.isPlain === true ? null : kernel.calls;
  const left = { LISTEN_PID: String(PID), LISTEN_PIDFDID: '1', OTHER: 'x', ...env };
  const activated = takeActivated(left, PID, calls, warn, kernel.descriptors);
  return { kernel, env: left, activated, warnings };
}

describe('a socket that the manager opened', () => {
  it('is named by its address', () => {
    for (const [given, address] of [
      [TCP, 'http://127.0.0.1:8080'],
      [TCP6, 'http://[::1]:8081'],
      [UNIX, 'unix:/run/a.sock'],
      [ABSTRACT, 'unix:@a'],
    ] as const) {
      const { activated, env, kernel, warnings } = take([given], { LISTEN_FDS: '1' });
      assert.deepEqual(activated, { fd: 3, address });
      assert.deepEqual(env, { OTHER: 'x' }, 'no child takes it for its own');
      assert.deepEqual([...kernel.prepared], [3]);
      assert.deepEqual(warnings, []);
    }
  });

  it('of several is the one named vibing, else the first; the others are closed', () => {
    for (const [names, fd] of [
      ['other:vibing', 4],
      ['vibing:vibing', 3],
      ['other:other', 3],
      ['', 3],
      // A name without a socket.
      ['a:b:vibing', 3],
    ] as const) {
      const env = { LISTEN_FDS: '2', LISTEN_FDNAMES: names };
      const { activated, kernel, warnings } = take([TCP, TCP, TCP], env);
      assert.equal(activated?.fd, fd, names);
      assert.deepEqual([...kernel.open.keys()], [fd, 5], 'those that were not passed stay');
      const line = `LISTEN_FDS passes 2 sockets: descriptor ${fd} is used, the others are closed`;
      assert.deepEqual(warnings, [line]);
    }
  });

  it('is none for another process, or without a number', () => {
    for (const [env, warning] of [
      [{ LISTEN_FDS: '1', LISTEN_PID: '7' }, /^LISTEN_PID is 7, this process is 77: /],
      [{ LISTEN_FDS: '0' }, null],
      [{ LISTEN_FDS: '' }, /^LISTEN_FDS is not a number: ""$/],
      [{ LISTEN_FDS: '01' }, /is not a number/],
      [{ LISTEN_FDS: '-1' }, /is not a number/],
      [{ LISTEN_FDS: '1x' }, /is not a number/],
      [{ LISTEN_FDS: '10000' }, /is not a number/],
    ] as const) {
      const { activated, env: left, kernel, warnings } = take([TCP], env);
      assert.equal(activated, null);
      assert.deepEqual(left, { OTHER: 'x' });
      assert.deepEqual(kernel.made, []);
      if (warning === null) assert.deepEqual(warnings, []);
      else assert.match(warnings.join('\n'), warning);
    }
    for (const name of ['LISTEN_FDS', 'LISTEN_PID']) {
      const { activated, warnings } = take([TCP], { LISTEN_FDS: '1', [name]: undefined });
      assert.equal(activated, null);
      assert.deepEqual(warnings, []);
    }
  });

  it('may be one of thousands', () => {
    const given = Array.from({ length: 9_999 }, () => TCP);
    const { activated, kernel } = take(given, { LISTEN_FDS: '9999' });
    assert.equal(activated?.fd, 3);
    assert.equal(kernel.open.size, 1);
  });

  it('must be a stream socket that listens, of TCP or unix', () => {
    for (const [given, why] of [
      [FILE, 'not a socket'],
      [{ ...TCP, type: SOCK_DGRAM }, 'not a stream socket'],
      [{ ...TCP, isListening: false }, 'not listening'],
      [NETLINK, 'neither TCP nor a unix socket'],
    ] as const) {
      const message = `LISTEN_FDS: descriptor 3 is ${why}; a listening stream socket is needed`;
      assert.throws(() => take([given], { LISTEN_FDS: '1' }), new ServiceError(message, 'EINVAL'));
    }
  });

  it('must be a socket where its address cannot be read', () => {
    const plain = (given: readonly Given[]) => take(given, { LISTEN_FDS: '1' }, { isPlain: true });
    assert.deepEqual(plain([TCP]).activated, { fd: 3, address: 'descriptor 3' });
    for (const given of [[FILE], []]) assert.throws(() => plain(given), /is not a socket/);
  });

  it('is the same, or an error, when a call fails', () => {
    const env = { LISTEN_FDS: '3', LISTEN_FDNAMES: 'a:vibing:b' };
    for (const isPlain of [false, true]) {
      const given = [TCP, UNIX, TCP6];
      const { made } = take(given, env, { isPlain }).kernel;
      assert.ok(made.length >= 3, made.join());
      for (const [at, name] of made.entries()) {
        for (const errno of [ERRNO.EBADF, ERRNO.EINTR, ERRNO.ENOMEM, ERRNO.EIO]) {
          const what = `${name} fails with errno ${errno}`;
          const failing = () => take(given, env, { failure: { at, errno }, isPlain });
          // What cannot be asked of the socket makes it unusable; what cannot be set does not.
          if (['getsockopt', 'getsockname', 'fstatSync'].includes(name)) {
            assert.throws(failing, ServiceError, what);
          } else {
            const { activated, kernel } = failing();
            assert.equal(activated?.fd, 4, what);
            assert.deepEqual([...kernel.open.keys()], [4], what);
          }
        }
      }
    }
  });
});

function notifierOf(kernel: ScriptedKernel, env: Environment = {}): Notifier {
  const given = { NOTIFY_SOCKET: '/run/manager', ...env };
  const notifier = takeNotifier(given, PID, kernel.calls, assert.fail);
  assert.ok(notifier !== null);
  return notifier;
}

function lifeOf(notifier: Notifier): void {
  notifier.ready('serving');
  notifier.reloading();
  notifier.ready('serving');
  notifier.stopping();
  notifier.close();
}

it('a watchdog keeps no process alive', () => {
  const timers = (): number =>
    process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  const notifier = notifierOf(new ScriptedKernel(), { WATCHDOG_USEC: '60000000' });
  notifier.ready('x');
  const during = timers();
  notifier.close();
  assert.equal(during, before);
});

describe('notifications', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setInterval'] }));
  afterEach(() => mock.timers.reset());

  it('have a socket each, which is closed, and memory outside of the heap', () => {
    const kernel = new ScriptedKernel();
    lifeOf(notifierOf(kernel));
    assert.equal(kernel.sent.length, 4);
    assert.equal(kernel.open.size, 0);
    for (const { flags, memoryBytes, text } of kernel.sent) {
      assert.ok(memoryBytes >= 64, text);
      assert.equal(flags, MSG_NOSIGNAL, 'they wait for the manager');
    }
  });

  it('are given up when a call fails, which changes nothing else', () => {
    const whole = new ScriptedKernel();
    lifeOf(notifierOf(whole));
    const errors = [ERRNO.EMFILE, ERRNO.ENOMEM, ERRNO.ECONNREFUSED, ERRNO.EAGAIN, ERRNO.EINTR];
    for (const [at, name] of whole.made.entries()) {
      for (const errno of errors) {
        const kernel = new ScriptedKernel([], { at, errno });
        lifeOf(notifierOf(kernel));
        const lost = name === 'close' ? 0 : 1;
        assert.equal(kernel.sent.length, 4 - lost, `${name} fails with errno ${errno}`);
        assert.equal(kernel.open.size, 0, `${name} fails with errno ${errno}`);
      }
    }
  });

  it('of the watchdog come at half of its timeout, and never wait', () => {
    const env = { WATCHDOG_USEC: '3000000' };
    const kernel = new ScriptedKernel();
    const notifier = notifierOf(kernel, env);
    const fed = (): number => kernel.sent.filter(({ text }) => text === 'WATCHDOG=1\n').length;
    mock.timers.tick(10_000);
    assert.equal(fed(), 0, 'not before it is ready');
    notifier.ready('x');
    mock.timers.tick(1_499);
    assert.equal(fed(), 0);
    mock.timers.tick(1);
    assert.equal(fed(), 1);
    notifier.reloading();
    notifier.ready('x');
    mock.timers.tick(3_000);
    assert.equal(fed(), 3, 'a second ready() starts no second watchdog');
    assert.equal(kernel.sent.at(-1)?.flags, MSG_DONTWAIT | MSG_NOSIGNAL);
    assert.ok((kernel.sent.at(-1)?.memoryBytes ?? 0) >= 64);
    notifier.close();
    mock.timers.tick(10_000);
    assert.equal(fed(), 3);
    notifier.ready('x');
    mock.timers.tick(1_500);
    assert.equal(fed(), 4, 'a server that listens again has one, too');
    notifier.close();
  });

  it('of the watchdog of another process, or of an invalid one, do not come', () => {
    for (const env of [
      { WATCHDOG_USEC: '2000', WATCHDOG_PID: '1' },
      { WATCHDOG_USEC: '2000', WATCHDOG_PID: '' },
      { WATCHDOG_USEC: '0' },
      { WATCHDOG_USEC: '-5' },
      { WATCHDOG_USEC: '1'.repeat(16) },
    ]) {
      const kernel = new ScriptedKernel();
      const notifier = notifierOf(kernel, env);
      notifier.ready('x');
      mock.timers.tick(10_000);
      assert.equal(kernel.sent.length, 1, JSON.stringify(env));
      notifier.close();
    }
    // The shortest timeout has a timer of a millisecond.
    const kernel = new ScriptedKernel();
    const notifier = notifierOf(kernel, { WATCHDOG_USEC: '1', WATCHDOG_PID: String(PID) });
    notifier.ready('x');
    mock.timers.tick(5);
    assert.equal(kernel.sent.length, 6);
    notifier.close();
  });
});
