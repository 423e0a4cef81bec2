// The side of a worker in this process: what it does for each message of its primary, and what it
// reports, with a channel of the test.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { onReopen } from '../../src/async-io/log-files.ts';
import { LISTENER_FD } from '../../src/cluster/messages.ts';
import { exitWhenDone, listenAsWorker, note } from '../../src/cluster/worker.ts';
import { configFrom } from '../../src/server/config/config.ts';
import type { Listening, Server } from '../../src/server/server.ts';

const LISTENING: Listening = { port: 8_080, host: 'a', driver: 'epoll', workers: 1 };
const EVENTS = ['message', 'disconnect', 'SIGTERM'] as const;

interface Sent {
  readonly vibing: string;
  readonly [name: string]: unknown;
}

/** A server that only notes what is called; it never closes. */
function noting(calls: string[]): Server {
  const never = new Promise<void>(() => {});
  const closing = (call: string) => () => {
    calls.push(call);
    return never;
  };
  return {
    close: closing('close'),
    closeLast: closing('closeLast'),
    acceptAlso: (fd: number, on: boolean) => calls.push(`acceptAlso ${fd} ${on}`),
    config: configFrom({ shutdownTimeoutMs: 1_234 }),
    counters: { accepted: 5, requests: 6 },
  } as unknown as Server;
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
const from = (message: object) => process.emit('message', message, undefined);

describe('a worker', () => {
  let sent: Sent[] = [];
  let calls: string[] = [];
  const before = new Map<string, readonly unknown[]>();
  const replaced = ['connected', 'send', 'disconnect'].map((name) => {
    return [name, Object.getOwnPropertyDescriptor(process, name)] as const;
  });

  beforeEach(() => {
    sent = [];
    calls = [];
    for (const event of EVENTS) before.set(event, process.rawListeners(event));
    const send = (message: Sent, _handle: unknown, _options: object, done: () => void) => {
      sent.push(message);
      done();
    };
    const disconnect = () => calls.push('disconnect');
    for (const [name, value] of Object.entries({ connected: true, send, disconnect })) {
      Object.defineProperty(process, name, { value, configurable: true, writable: true });
    }
  });

  afterEach(() => {
    for (const event of EVENTS) {
      for (const listener of process.rawListeners(event)) {
        if (before.get(event)?.includes(listener) === true) continue;
        process.removeListener(event, listener as () => void);
      }
    }
    for (const [name, own] of replaced) {
      if (own === undefined) Reflect.deleteProperty(process, name);
      else Object.defineProperty(process, name, own);
    }
  });

  const listens = async (): Promise<void> => {
    const listening = listenAsWorker(noting(calls), async () => {
      calls.push('listen');
      return LISTENING;
    });
    from({ vibing: 'listen' });
    await listening;
  };

  it('listens when its primary says so, and reports where', async () => {
    const listening = listenAsWorker(noting(calls), async () => {
      calls.push('listen');
      return LISTENING;
    });
    await settled();
    assert.equal(sent.length, 1);
    assert.deepEqual(sent[0], { vibing: 'starting', shutdownTimeoutMs: 1_234 });
    assert.deepEqual(calls, []);
    from({ vibing: 'listen' });
    assert.equal(await listening, LISTENING);
    assert.deepEqual(calls, ['listen']);
    const { vibing, port, driver, options } = sent[1];
    assert.deepEqual([vibing, port, driver], ['listening', 8_080, 'epoll']);
    assert.equal((options as { shutdownTimeoutMs: number }).shutdownTimeoutMs, 1_234);
  });

  it('reports why it does not listen', async () => {
    for (const [error, code] of [
      [Object.assign(new Error('in use'), { code: 'EADDRINUSE' }), 'EADDRINUSE'],
      [new Error('broken'), 'EUNKNOWN'],
    ] as const) {
      const listening = listenAsWorker(noting(calls), () => Promise.reject(error));
      from({ vibing: 'listen' });
      await assert.rejects(listening, error);
      assert.deepEqual(sent.at(-1), { vibing: 'failed', message: error.message, code });
    }
  });

  it('closes as the last one only when its primary says so, or is gone', async () => {
    for (const [cause, wanted] of [
      [() => from({ vibing: 'close', last: false }), 'close'],
      [() => from({ vibing: 'close', last: true }), 'closeLast'],
      [() => process.emit('disconnect'), 'closeLast'],
      [() => process.emit('SIGTERM', 'SIGTERM'), 'close'],
    ] as const) {
      calls = [];
      const known = EVENTS.map((event) => process.rawListeners(event));
      await listens();
      cause();
      assert.deepEqual(calls, ['listen', wanted], String(cause));
      for (const [index, event] of EVENTS.entries()) {
        for (const listener of process.rawListeners(event)) {
          if (!known[index].includes(listener)) {
            process.removeListener(event, listener as () => void);
          }
        }
      }
    }
  });

  it('that is to close before it may listen does both', async () => {
    const listening = listenAsWorker(noting(calls), async () => {
      calls.push('listen');
      return LISTENING;
    });
    from({ vibing: 'close', last: true });
    await listening;
    assert.deepEqual(calls, ['closeLast', 'listen']);
  });

  it('accepts from the listener of a sibling, and no longer', async () => {
    await listens();
    from({ vibing: 'accept', listener: 0, on: true });
    from({ vibing: 'accept', listener: 3, on: false });
    assert.deepEqual(calls, [
      'listen',
      `acceptAlso ${LISTENER_FD} true`,
      `acceptAlso ${LISTENER_FD + 3} false`,
    ]);
  });

  it('opens its log files again, and ignores messages of the program', async () => {
    await listens();
    let reopened = 0;
    const cancel = onReopen(() => {
      reopened += 1;
    });
    from({ vibing: 'reopen' });
    for (const message of [null, 'close', { last: true }, { vibing: 'other' }]) {
      process.emit('message', message, undefined);
    }
    cancel();
    assert.equal(reopened, 1);
    assert.deepEqual(calls, ['listen']);
  });

  it('sends notes while it has a channel', () => {
    note('slow');
    Object.assign(process, { connected: false });
    note('never sent');
    assert.deepEqual(sent, [{ vibing: 'note', text: 'slow' }]);
  });

  it('reports what it served, and leaves when its primary has replied', async (context) => {
    mock.timers.enable({ apis: ['setTimeout'] });
    context.after(() => mock.timers.reset());
    const exits: unknown[] = [];
    context.mock.method(process, 'exit', (() => exits.push('exit')) as never);
    const server = noting(calls);
    const done = exitWhenDone(server);
    await settled();
    assert.deepEqual(sent, [{ vibing: 'served', connections: 5, requests: 6 }]);
    assert.deepEqual(calls, []);
    from({ vibing: 'accept', listener: 0, on: true });
    await settled();
    assert.deepEqual(calls, []);
    from({ vibing: 'exit' });
    await done;
    assert.deepEqual(calls, ['disconnect']);
    // A second close reports nothing more.
    await exitWhenDone(server);
    assert.equal(sent.length, 1);
    mock.timers.tick(1_999);
    assert.deepEqual(exits, []);
    mock.timers.tick(1);
    assert.deepEqual(exits, ['exit']);
  });
});
