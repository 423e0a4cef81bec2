// The notifications to the service manager, verbatim, over a real datagram socket.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { type Notifier, takeNotifier } from '../../src/cluster/notify.ts';
import type { Syscalls } from '../../src/driver/linux/syscalls.ts';
import { eventually } from '../../testing/with-server.ts';
import { kernel, LINUX_ONLY, Mailbox } from './fixtures/service-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'vibing-notify-'));
after(() => rmSync(folder, { recursive: true }));

type Environment = Record<string, string | undefined>;

function taken(env: Environment): Notifier {
  const notifier = takeNotifier(env, process.pid, kernel(), assert.fail);
  assert.ok(notifier !== null);
  return notifier;
}

describe('the service manager', LINUX_ONLY, () => {
  for (const name of [join(folder, 'manager'), `@vibing-spec-${process.pid}`]) {
    it(`is notified at ${name[0]}...`, () => {
      const mailbox = new Mailbox(name);
      const notifier = taken({ NOTIFY_SOCKET: name });
      const beforeUs = process.hrtime.bigint() / 1_000n;
      notifier.ready('serving\non two lines');
      notifier.reloading();
      notifier.ready('x');
      notifier.stopping();
      notifier.close();
      const [ready, reloading = '', again, stopping, ...more] = mailbox.read();
      assert.equal(ready, `READY=1\nSTATUS=serving on two lines\nMAINPID=${process.pid}\n`);
      const nowUs = BigInt(/^RELOADING=1\nMONOTONIC_USEC=(\d+)\n/.exec(reloading)?.[1] ?? 0);
      assert.ok(nowUs >= beforeUs && nowUs <= process.hrtime.bigint() / 1_000n);
      assert.match(again ?? '', /^READY=1\n/);
      assert.match(stopping ?? '', /^STOPPING=1\n/);
      assert.deepEqual(more, []);
      mailbox.close();
    });
  }

  it('a watchdog is reset from ready() to close()', async () => {
    const name = join(folder, 'watchdog');
    const mailbox = new Mailbox(name);
    const env = { NOTIFY_SOCKET: name, WATCHDOG_USEC: '20000', WATCHDOG_PID: String(process.pid) };
    const notifier = taken(env);
    const fed = () => mailbox.read().filter((message) => message === 'WATCHDOG=1\n').length;
    notifier.ready('');
    await eventually('the watchdog is reset three times', () => fed() >= 3);
    notifier.close();
    const count = fed();
    await new Promise((resolve) => setTimeout(resolve, 60));
    assert.equal(fed(), count);
    mailbox.close();
  });

  it('a watchdog for another process, or with an invalid timeout, is not reset', async () => {
    const name = join(folder, 'quiet');
    const mailbox = new Mailbox(name);
    for (const more of [
      { WATCHDOG_USEC: '2000', WATCHDOG_PID: '1' },
      { WATCHDOG_USEC: '0' },
      { WATCHDOG_USEC: '-5' },
      { WATCHDOG_USEC: 'x' },
    ]) {
      const notifier = taken({ NOTIFY_SOCKET: name, ...more });
      notifier.ready('');
      await new Promise((resolve) => setTimeout(resolve, 20));
      notifier.close();
    }
    assert.equal(mailbox.read().length, 4);
    mailbox.close();
  });

  it('may be gone', () => {
    taken({ NOTIFY_SOCKET: join(folder, 'gone') }).ready('');
  });

  it('the variables are deleted, whatever they contain', () => {
    for (const NOTIFY_SOCKET of [
      join(folder, 'x'),
      '@x',
      'relative',
      '',
      '@',
      `/${'x'.repeat(200)}`,
    ]) {
      const env = { NOTIFY_SOCKET, WATCHDOG_USEC: '5', WATCHDOG_PID: '1', OTHER: 'x' };
      takeNotifier(env, process.pid, kernel(), () => {});
      assert.deepEqual(env, { OTHER: 'x' });
    }
  });
});

describe('without a service manager', () => {
  it('there is no notifier without the variable', () => {
    assert.equal(takeNotifier({}, 1, 'no library', assert.fail), null);
    assert.equal(takeNotifier({ NOTIFY_SOCKET: '' }, 1, 'no library', assert.fail), null);
  });

  it('has one timer, of half the watchdog, and no message leaves a socket', (context) => {
    const timers: number[] = [];
    context.mock.method(globalThis, 'setInterval', (_run: () => void, ms: number) => {
      timers.push(ms);
      return { unref: () => {} };
    });
    context.mock.method(globalThis, 'clearInterval', () => {});
    const open = new Set<number>();
    let [next, refusal] = [10, 0];
    const calls = {
      socket: () => {
        next += 1;
        open.add(next);
        return next;
      },
      connect: () => refusal,
      send: () => refusal,
      close: (fd: number) => open.delete(fd),
      addressOf: () => 0,
    } as unknown as Syscalls;
    for (const [watchdog, everyMs] of [
      ['20000', 10],
      ['3000', 1],
      ['1', 1],
      ['30000000', 15_000],
    ] as const) {
      const env = { NOTIFY_SOCKET: '/run/x', WATCHDOG_USEC: watchdog };
      const notifier = takeNotifier(env, process.pid, calls, assert.fail);
      for (refusal of [0, -1]) {
        notifier?.ready('');
        notifier?.reloading();
        notifier?.stopping();
        assert.equal(open.size, 0);
      }
      notifier?.close();
      assert.deepEqual(timers.splice(0), [everyMs]);
    }
  });

  it('an invalid address is a warning', LINUX_ONLY, () => {
    for (const target of ['relative', '@', 'vsock:2:1', `/${'x'.repeat(200)}`]) {
      const warnings: string[] = [];
      const env = { NOTIFY_SOCKET: target };
      assert.equal(
        takeNotifier(env, 1, kernel(), (line) => warnings.push(line)),
        null,
      );
      assert.match(warnings.join('\n'), /^NOTIFY_SOCKET is not the path of a unix socket: [^\n]*$/);
    }
  });

  it('without foreign functions there is one warning', () => {
    const warnings: string[] = [];
    const env = { NOTIFY_SOCKET: '/run/x' };
    assert.equal(
      takeNotifier(env, 1, 'no library', (line) => warnings.push(line)),
      null,
    );
    assert.deepEqual(warnings, ['cannot notify the service manager (NOTIFY_SOCKET): no library']);
    assert.deepEqual(env, {});
  });
});
