// The side of a worker, over a scripted process: what it reports to its primary and when, what it
// does when the primary asks or is gone, and which descriptors it closes.

import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { acceptedOptions, isWorker, takeAssignment } from '../../src/cluster/assignment.ts';
import { fixedValues } from '../../src/cluster/fixed-keys.ts';
import {
  ASSIGNMENT_VARIABLE,
  type Assignment,
  type FromWorker,
} from '../../src/cluster/messages.ts';
import type { MetricsAssignment } from '../../src/cluster/metrics-file.ts';
import type { HostProcess, WorkerPorts } from '../../src/cluster/ports.ts';
import { EXIT_MS, Worker, type WorkerServer } from '../../src/cluster/worker.ts';
import type { Syscalls } from '../../src/driver/linux/syscalls.ts';
import { configFrom, optionsOf } from '../../src/server/config/config.ts';
import type { Listening } from '../../src/server/server.ts';

const ASSIGNMENT: Assignment = {
  index: 1,
  core: 3,
  listeners: 3,
  listener: 1,
  address: { host: '127.0.0.1', port: 8080 },
  driver: 'epoll',
  metrics: null,
  options: null,
};
const METRICS: MetricsAssignment = {
  fd: 7,
  isMapped: false,
  segment: null,
  slot: 1,
  start: 1,
  place: { path: '/metrics', hasListener: false },
  workers: 3,
  startedSeconds: 5,
};
const LISTENING: Listening = { port: 8080, host: '127.0.0.1', driver: 'epoll', workers: 1 };
const CONFIG = configFrom({ shutdownTimeoutMs: 4_321, workers: 3 });
const STARTING = { vibing: 'starting', shutdownTimeoutMs: 4_321, isDebugged: false };

/** The process of a worker, whose messages leave when leave() is called. */
class ScriptedProcess extends EventEmitter {
  connected = true;
  readonly sent: FromWorker[] = [];
  readonly #leaving: (() => void)[] = [];
  disconnects = 0;
  exits = 0;

  send(message: FromWorker, _handle: unknown, _options: object, sent: () => void): boolean {
    assert.ok(this.connected, 'nothing is sent through a closed channel');
    this.sent.push(message);
    this.#leaving.push(sent);
    return true;
  }

  leave(): void {
    for (const sent of this.#leaving.splice(0)) sent();
  }

  disconnect(): void {
    assert.ok(this.connected, 'it is closed once');
    this.disconnects += 1;
    this.connected = false;
    this.emit('disconnect');
  }

  exit(): void {
    this.exits += 1;
  }

  /** The last kind of message. */
  get said(): string {
    return this.sent.at(-1)?.vibing ?? '';
  }
}

class Scripted {
  readonly process = new ScriptedProcess();
  /** Calls of the kernel, of the ports and of the server, in order. */
  readonly done: string[] = [];
  readonly worker: Worker;
  due: () => void = assert.fail;
  isDebugged = false;
  /** Ends the close of the server. */
  closed: () => void = () => {};
  readonly server: WorkerServer = {
    config: CONFIG,
    counters: { accepted: 11, requests: 12 } as WorkerServer['counters'],
    acceptAlso: (fd, on) => void this.done.push(`accept ${fd} ${on}`),
    close: () => this.#close('close'),
    closeLast: () => this.#close('close last'),
  };

  constructor(assignment: Partial<Assignment> = {}, hasCalls = true) {
    const calls: Partial<Syscalls> = {
      fcntl: (...given) => this.done.push(`fcntl ${given.join(' ')}`),
      close: (fd) => this.done.push(`close ${fd}`),
    };
    const ports: WorkerPorts = {
      process: this.process as unknown as HostProcess,
      calls: () => (hasCalls ? (calls as Syscalls) : null),
      pinTo: (core) => this.done.push(`pin to ${core}`),
      reopenLogs: () => void this.done.push('reopen logs'),
      isDebugged: () => this.isDebugged,
      outlivePrimary: () => void this.done.push('outlive'),
      afterAtMost: (delayMs, due) => {
        this.done.push(`timer of ${delayMs}`);
        this.due = due;
      },
    };
    this.worker = new Worker({ ...ASSIGNMENT, ...assignment }, ports);
  }

  #close(how: string): Promise<void> {
    this.done.push(how);
    return new Promise((resolve) => {
      this.closed = resolve;
    });
  }

  /** A worker that listens; what was done until then is forgotten. */
  static async listening(): Promise<Scripted> {
    const scripted = new Scripted();
    const listened = scripted.worker.listen(scripted.server, async () => LISTENING);
    scripted.receives({ vibing: 'listen' });
    await listened;
    scripted.done.length = 0;
    scripted.process.sent.length = 0;
    return scripted;
  }

  receives(message: unknown): void {
    this.process.emit('message', message);
  }
}

describe('an assignment', () => {
  it('is taken out of the environment, by a worker only', () => {
    const text = JSON.stringify(ASSIGNMENT);
    for (const [given, isWorker, taken] of [
      [text, true, ASSIGNMENT],
      [text, false, null],
      [undefined, true, null],
    ] as const) {
      const env = { [ASSIGNMENT_VARIABLE]: given, OTHER: 'x' };
      assert.deepEqual(
        takeAssignment(env, () => isWorker),
        taken,
      );
      assert.deepEqual(env, { OTHER: 'x' });
    }
    // This process is no worker.
    assert.deepEqual([isWorker(), acceptedOptions()], [false, null]);
    // node:cluster is not loaded without need.
    assert.equal(takeAssignment({}, assert.fail), null);
  });

  it('names what a worker listens on and where it counts', () => {
    const { worker } = new Scripted();
    assert.equal(worker.logPrefix, 'worker 1: ');
    assert.deepEqual(worker.inherited, { driver: 'epoll', address: { fd: 5 } });
    const [{ worker: shared }, { worker: plain }] = [
      new Scripted({ listeners: 1, listener: 0 }),
      new Scripted({ listeners: 0, listener: 0, driver: 'net' }),
    ];
    assert.deepEqual(shared.inherited, { driver: 'epoll', address: { fd: 4 } });
    assert.deepEqual(plain.inherited, { driver: 'net', address: ASSIGNMENT.address });
    assert.equal(worker.takeMetrics(), null);
    const { worker: counting } = new Scripted({ metrics: METRICS });
    const metrics = counting.takeMetrics();
    assert.deepEqual([metrics?.worker, metrics?.place], [2, METRICS.place]);
    assert.equal(counting.takeMetrics(), null, 'the second server of the process has none');
  });
});

describe('a process that becomes a worker', () => {
  it('keeps what it inherits from its children, and ignores signals of a terminal, once', () => {
    const { done, process, worker } = new Scripted({ metrics: METRICS });
    for (let count = 0; count < 2; count++) worker.prepare();
    // F_SETFD, FD_CLOEXEC
    assert.deepEqual(done, ['fcntl 4 2 1', 'fcntl 5 2 1', 'fcntl 6 2 1', 'fcntl 7 2 1', 'outlive']);
    assert.deepEqual(process.eventNames(), ['SIGINT', 'SIGHUP']);
    process.emit('SIGINT');
    process.emit('SIGHUP');
    assert.deepEqual([process.exits, process.sent], [0, []]);
    const plain = new Scripted();
    plain.worker.prepare();
    assert.equal(plain.done.length, 4, 'no descriptor of metrics');
    const without = new Scripted({}, false);
    without.worker.prepare();
    assert.deepEqual(without.done, ['outlive']);
  });
});

describe('a worker that starts', () => {
  it('listens when the primary allows it, and says with what configuration', async () => {
    const { done, process, server, receives, worker } = bound(new Scripted());
    const listened = worker.listen(server, async () => {
      done.push('listen');
      return LISTENING;
    });
    assert.deepEqual(done, ['pin to 3']);
    assert.deepEqual(process.sent, [STARTING]);
    for (const message of [null, undefined, 1, {}, { vibing: 'exit' }]) receives(message);
    await setImmediate();
    assert.equal(done.includes('listen'), false);
    receives({ vibing: 'listen' });
    assert.equal(await listened, LISTENING);
    assert.deepEqual(done, ['pin to 3', 'listen']);
    assert.deepEqual(process.sent, [
      STARTING,
      {
        vibing: 'listening',
        port: 8080,
        driver: 'epoll',
        fixed: fixedValues(CONFIG),
        options: optionsOf(CONFIG),
      },
    ]);
  });

  it('does not wait for a primary that is gone, nor for a core', async () => {
    const { done, process, server, worker } = new Scripted({ core: null });
    process.connected = false;
    assert.equal(await worker.listen(server, async () => LISTENING), LISTENING);
    assert.deepEqual([done, process.sent], [[], []]);
    const closing = new Scripted();
    const listened = closing.worker.listen(closing.server, async () => LISTENING);
    closing.process.disconnect();
    assert.equal(await listened, LISTENING);
    assert.deepEqual(closing.done, ['pin to 3', 'close last']);
    const first = new Scripted({ core: 0 });
    first.process.connected = false;
    await first.worker.listen(first.server, async () => LISTENING);
    assert.deepEqual(first.done, ['pin to 0'], 'the first core is one like others');
  });

  it('reports why it cannot listen', async () => {
    for (const [error, code] of [
      [Object.assign(new Error('no root'), { code: 'ENOENT' }), 'ENOENT'],
      [new Error('no root'), 'EUNKNOWN'],
    ] as const) {
      const { process, server, receives, worker } = bound(new Scripted());
      const listened = worker.listen(server, () => Promise.reject(error));
      receives({ vibing: 'listen' });
      await assert.rejects(listened, error);
      assert.deepEqual(process.sent, [STARTING, { vibing: 'failed', message: 'no root', code }]);
    }
  });
});

describe('a worker that listens', () => {
  it('accepts from other listeners, and opens log files again, as the primary says', async () => {
    const { done, process, receives, worker } = bound(await Scripted.listening());
    receives({ vibing: 'accept', listener: 0, on: true });
    receives({ vibing: 'reopen' });
    receives({ vibing: 'accept', listener: 2, on: false });
    for (const message of [null, {}, { vibing: 'published' }, { vibing: 'exit' }])
      receives(message);
    assert.deepEqual(done, ['accept 4 true', 'reopen logs', 'accept 6 false']);
    worker.note('slower');
    assert.deepEqual(process.sent, [{ vibing: 'note', text: 'slower' }]);
  });

  it('responds that it runs, and whether its inspector is open', async () => {
    const scripted = await Scripted.listening();
    for (const isDebugged of [false, true, false]) {
      scripted.isDebugged = isDebugged;
      scripted.receives({ vibing: 'ping' });
      assert.deepEqual(scripted.process.sent.splice(0), [{ vibing: 'pong', isDebugged }]);
    }
    scripted.process.connected = false;
    scripted.receives({ vibing: 'ping' });
    assert.deepEqual(scripted.process.sent, []);
  });

  it('responds while its handlers respond, whatever the clock does', async () => {
    const { process, worker } = await Scripted.listening();
    const times = [5_000, 5_001, 5_249, 5_250, 5_251, 5_500, 4_000, 4_249, 4_250, 90_000];
    const responses = times.map((nowMs) => {
      worker.responding(nowMs);
      return process.sent.splice(0).length;
    });
    assert.deepEqual(responses, [1, 0, 0, 1, 0, 1, 1, 0, 1, 1]);
    worker.responding(91_000);
    assert.deepEqual(process.sent, [{ vibing: 'pong', isDebugged: false }]);
  });

  it('closes when it is asked, by a signal, or without its primary, and then exits', async () => {
    for (const [how, end] of [
      ['close', ({ receives }) => receives({ vibing: 'close', last: false })],
      ['close last', ({ receives }) => receives({ vibing: 'close', last: true })],
      ['close', ({ process }) => void process.emit('SIGTERM')],
      ['close last', ({ process }) => process.disconnect()],
    ] as readonly (readonly [string, (scripted: Bound) => void])[]) {
      const scripted = await Scripted.listening();
      end(bound(scripted));
      await setImmediate();
      assert.deepEqual(scripted.done, [how], 'it exits when the server has closed');
      scripted.closed();
      await setImmediate();
      assert.deepEqual(scripted.done, [how, `timer of ${EXIT_MS}`]);
      scripted.due();
      assert.equal(scripted.process.exits, 1);
    }
  });

  it('gives up the listeners of others when it closes, and keeps its own', () => {
    const { done, process, server, worker } = new Scripted();
    worker.closing(server);
    assert.deepEqual(process.sent, [{ vibing: 'closing' }]);
    assert.deepEqual(done, ['accept 4 false', 'close 4', 'accept 6 false', 'close 6']);
    for (const scripted of [
      new Scripted({ listeners: 1, listener: 0 }),
      new Scripted({ listeners: 0, listener: 0 }),
      new Scripted({}, false),
    ]) {
      scripted.worker.closing(scripted.server);
      assert.deepEqual([scripted.done, scripted.process.said], [[], 'closing']);
    }
  });
});

describe('a worker that has closed', () => {
  const SERVED: FromWorker = { vibing: 'served', connections: 11, requests: 12 };

  it('says what it served, and ends its channel after the reply, once', async () => {
    const { process, server, receives, worker } = bound(await Scripted.listening());
    const ends = [worker.exitWhenDone(server), worker.exitWhenDone(server)];
    await ends[1];
    assert.deepEqual(process.sent, [SERVED]);
    await setImmediate();
    process.leave();
    for (const message of [null, {}, { vibing: 'listen' }]) receives(message);
    await setImmediate();
    assert.equal(process.disconnects, 0, 'clients may still come before the reply');
    receives({ vibing: 'exit' });
    await Promise.all(ends);
    assert.equal(process.disconnects, 1);
    assert.deepEqual([process.sent, process.exits], [[SERVED], 0], 'it exits by itself');
  });

  it('may get the reply before it knows that its message has left', async () => {
    const { process, server, receives, worker } = bound(await Scripted.listening());
    const end = worker.exitWhenDone(server);
    receives({ vibing: 'exit' });
    await setImmediate();
    assert.equal(process.disconnects, 0);
    process.leave();
    await end;
    assert.equal(process.disconnects, 1);
  });

  it('needs no reply of a primary that is gone', async () => {
    for (const when of ['before', 'while it is sent', 'before the reply']) {
      const { process, server, worker } = new Scripted();
      if (when === 'before') process.disconnect();
      const end = worker.exitWhenDone(server);
      if (when === 'while it is sent') process.disconnect();
      process.leave();
      await setImmediate();
      if (when === 'before the reply') process.disconnect();
      await end;
      assert.equal(process.disconnects, 1, when);
    }
  });
});

type Bound = Pick<Scripted, 'done' | 'process' | 'server' | 'receives' | 'worker'>;

/** With receives() as a function. */
function bound(scripted: Scripted): Bound {
  const { done, process, server, worker } = scripted;
  return { done, process, server, worker, receives: (message) => scripted.receives(message) };
}
