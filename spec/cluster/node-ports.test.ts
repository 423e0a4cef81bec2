// The ports of primary and worker on the real process. node:cluster is scripted: it forks no
// process. With real processes: supervision-*.test.ts.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import cluster, { type Worker } from 'node:cluster';
import { EventEmitter } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import inspector from 'node:inspector';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, it, mock } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { onReopen, reopenLogs } from '../../src/async-io/log-files.ts';
import { ASSIGNMENT_VARIABLE, type Assignment } from '../../src/cluster/messages.ts';
import { nodePorts } from '../../src/cluster/node-ports.ts';
import { nodeWorkerPorts } from '../../src/cluster/node-worker-ports.ts';
import type { Child, Opened } from '../../src/cluster/ports.ts';
import { allowedCores, pinTo } from '../../src/driver/linux/affinity.ts';
import { epollProblem } from '../../src/driver/linux/epoll.ts';
import { linuxSyscalls } from '../../src/driver/linux/syscalls.ts';
import { configFrom, type ServerOptions } from '../../src/server/config/config.ts';
import { eventually } from '../../testing/with-server.ts';

const LOOPBACK = '127.0.0.1';
/** node:cluster, as it changes itself. */
const changeable: { worker?: Worker; workers?: typeof cluster.workers | undefined } = cluster;
const hasEpoll = epollProblem() === null;
const folder = mkdtempSync(join(tmpdir(), 'vibing-'));
after(() => rmSync(folder, { recursive: true }));

function timeouts(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
}

describe('the process of a primary', () => {
  it('has a clock and timers, which can be cancelled', () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    const due: string[] = [];
    nodePorts.after(20, () => due.push('kept'));
    const cancel = nodePorts.after(20, () => due.push('cancelled'));
    mock.timers.tick(19);
    assert.deepEqual(due, []);
    cancel();
    mock.timers.tick(1);
    assert.deepEqual(due, ['kept']);
    mock.timers.reset();
    const beganMs = performance.now();
    const nowMs = nodePorts.now();
    assert.ok(nowMs >= beganMs && nowMs <= performance.now());
  });

  it('waits until what has arrived is received, unless that is cancelled', async () => {
    const { port1, port2 } = new MessageChannel();
    const order: string[] = [];
    const received = new Promise<void>((resolve) => {
      port2.on('message', () => {
        order.push('message');
        resolve();
      });
    });
    await new Promise<void>((resolve) => {
      // As from the timer of a check.
      nodePorts.after(1, () => {
        port1.postMessage('pong');
        nodePorts.afterEvents(() => order.push('cancelled'))();
        nodePorts.afterEvents(() => {
          order.push('due');
          resolve();
        });
      });
    });
    await received;
    port1.close();
    assert.deepEqual(order, ['message', 'due']);
  });

  it('notifies of its exit and of log files, until that is cancelled', () => {
    const before = process.listenerCount('exit');
    const cancelExit = nodePorts.onExit(() => {});
    assert.equal(process.listenerCount('exit'), before + 1);
    cancelExit();
    assert.equal(process.listenerCount('exit'), before);
    let reopens = 0;
    const cancelReopen = nodePorts.onReopen(() => {
      reopens += 1;
    });
    nodeWorkerPorts.reopenLogs();
    cancelReopen();
    nodeWorkerPorts.reopenLogs();
    assert.equal(reopens, 1);
    assert.deepEqual([nodePorts.onReopen, nodeWorkerPorts.reopenLogs], [onReopen, reopenLogs]);
  });

  it('has the exit code of a failure when it has failed', () => {
    const { exitCode } = process;
    nodePorts.setFailed();
    const failed = process.exitCode;
    process.exitCode = exitCode;
    assert.equal(failed, 1);
  });

  it('knows its cores, and opens memory for metrics', () => {
    assert.deepEqual(nodePorts.cores(), allowedCores());
    const place = { path: '/metrics', hasListener: false };
    const metrics = nodePorts.openMetrics(3, place);
    assert.deepEqual([metrics.file.workers, metrics.file.place], [3, place]);
    metrics.file.close();
  });
});

describe('the process of a worker', () => {
  it('has a timer that keeps no process alive', () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    let isDue = false;
    nodeWorkerPorts.afterAtMost(7, () => {
      isDue = true;
    });
    mock.timers.tick(6);
    assert.equal(isDue, false);
    mock.timers.tick(1);
    assert.equal(isDue, true);
    mock.timers.reset();
    const before = timeouts();
    nodeWorkerPorts.afterAtMost(1, () => {});
    assert.equal(timeouts(), before);
  });

  it('outlives its primary, as node:cluster is told', () => {
    const given = cluster.worker;
    try {
      delete changeable.worker;
      nodeWorkerPorts.outlivePrimary();
      const worker = { exitedAfterDisconnect: false };
      changeable.worker = worker as Worker;
      nodeWorkerPorts.outlivePrimary();
      assert.equal(worker.exitedAfterDisconnect, true);
    } finally {
      if (given === undefined) delete changeable.worker;
      else changeable.worker = given;
    }
  });

  it('is this one, with the calls of its kernel', () => {
    assert.equal(nodeWorkerPorts.calls() === null, typeof linuxSyscalls() === 'string');
    assert.deepEqual([nodeWorkerPorts.process, nodeWorkerPorts.pinTo], [process, pinTo]);
  });
});

describe('the inspector of a worker', () => {
  it('is open or not', () => {
    assert.equal(nodeWorkerPorts.isDebugged(), false);
    inspector.open(0, LOOPBACK);
    const isOpen = nodeWorkerPorts.isDebugged();
    inspector.close();
    assert.deepEqual([isOpen, nodeWorkerPorts.isDebugged()], [true, false]);
  });
});

describe('what workers listen on', () => {
  function open(options: ServerOptions, count = 2): Promise<Opened> {
    const given = options.socket === undefined ? { host: LOOPBACK, port: 0, ...options } : options;
    return nodePorts.open(configFrom(given), null, count);
  }

  it('is a listener for each of them, or one for all', { skip: !hasEpoll }, async () => {
    const { address, listeners } = await open({});
    assert.deepEqual(address, { host: LOOPBACK, port: 0 });
    assert.equal(listeners?.fds.length, 2);
    const taken = { port: listeners.port, driver: 'epoll' } as const;
    await assert.rejects(open(taken), { code: 'EADDRINUSE', message: /^cannot listen on / });
    listeners.close();
    const free = await open(taken);
    assert.equal(free.listeners?.port, taken.port);
    free.listeners.close();
    const path = join(folder, 'shared');
    const unix = await open({ socket: path, socketMode: 0o600 });
    assert.deepEqual(unix.address, { path, mode: 0o600 });
    assert.equal(unix.listeners?.fds.length, 1);
    unix.listeners.close();
  });

  it('is an address on net: the same free port for all', async () => {
    const { address, listeners } = await open({ driver: 'net' });
    assert.ok('port' in address && address.port > 0);
    assert.deepEqual([address.host, listeners], [LOOPBACK, null]);
    const again = await open({ driver: 'net', port: address.port });
    assert.deepEqual(again, { listeners: null, address });
    const given = await nodePorts.open(configFrom({ driver: 'net' }), { fd: 3 }, 2);
    assert.deepEqual(given, { listeners: null, address: { fd: 3 } });
  });

  it('is a path on net, without the socket of a dead server', { skip: !hasEpoll }, async () => {
    const path = join(folder, 'stale');
    const { listeners } = await open({ socket: path });
    const calls = linuxSyscalls();
    assert.ok(listeners !== null && typeof calls !== 'string');
    // As after the death of its process.
    calls.close(listeners.fds[0]);
    assert.ok(existsSync(path));
    const opened = await open({ driver: 'net', socket: path });
    assert.deepEqual(opened, { listeners: null, address: { path } });
    assert.equal(existsSync(path), false);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(path, resolve));
    await open({ driver: 'net', socket: path });
    assert.ok(existsSync(path), 'one that has a listener stays');
    await new Promise((resolve) => server.close(resolve));
  });
});

/** A process of node:cluster. */
class ScriptedProcess extends EventEmitter {
  pid: number | undefined = 77;
  connected = true;
  readonly signals: string[] = [];
  /** The mask of this process when node:cluster gets a message. */
  readonly masks: number[] = [];

  constructor() {
    super();
    this.on('internalMessage', () => this.masks.push(process.umask()));
  }

  send(): boolean {
    return true;
  }

  kill(signal: string): boolean {
    this.signals.push(signal);
    return true;
  }
}

class ScriptedWorker extends EventEmitter {
  readonly process = new ScriptedProcess();
  readonly sent: unknown[] = [];

  isConnected(): boolean {
    return this.process.connected;
  }

  send(message: unknown, sent: (error: Error | null) => void): boolean {
    this.sent.push(message);
    sent(null);
    return true;
  }
}

describe('a child process', () => {
  const given = cluster.workers;
  let forked: { worker: ScriptedWorker; env: Record<string, string> }[] = [];
  let settings: { stdio?: unknown; execArgv?: readonly string[] }[] = [];

  beforeEach(() => {
    forked = [];
    settings = [];
    mock.method(cluster, 'setupPrimary', (one: (typeof settings)[0]) => void settings.push(one));
    mock.method(cluster, 'fork', (env: Record<string, string>) => {
      const worker = new ScriptedWorker();
      forked.push({ worker, env });
      changeable.workers = { ...cluster.workers, [forked.length]: worker as unknown as Worker };
      return worker;
    });
    changeable.workers = {};
  });
  afterEach(() => {
    mock.restoreAll();
    changeable.workers = given;
  });

  const ASSIGNMENT: Assignment = {
    index: 0,
    core: null,
    listeners: 2,
    listener: 0,
    address: { host: LOOPBACK, port: 8080 },
    driver: 'auto',
    metrics: null,
    options: null,
  };
  const ON_NET: Assignment = { ...ASSIGNMENT, listeners: 0 };

  function fork(assignment: Assignment, fds: readonly number[] = []): [Child, ScriptedWorker] {
    const child = nodePorts.fork(assignment, fds, 2);
    const last = forked.at(-1) ?? assert.fail();
    return [child, last.worker];
  }

  it('inherits descriptors behind its channel, and its assignment', () => {
    const [child, { process: own }] = fork(ASSIGNMENT, [21, 22]);
    assert.deepEqual(settings[0].stdio, ['inherit', 'inherit', 'inherit', 'ipc', 21, 22]);
    assert.deepEqual(settings[0].execArgv?.slice(0, process.execArgv.length), process.execArgv);
    assert.deepEqual(forked[0].env, { [ASSIGNMENT_VARIABLE]: JSON.stringify(ASSIGNMENT) });
    child.kill();
    assert.deepEqual(own.signals, ['SIGKILL']);
    // Its clients and its socket are not those of node:cluster.
    assert.deepEqual(own.eventNames(), ['internalMessage']);
    assert.deepEqual(
      [own.listenerCount('internalMessage'), Object.hasOwn(own, 'send')],
      [1, false],
    );
  });

  it('is sent messages while it is connected', () => {
    const [child, worker] = fork(ASSIGNMENT);
    let left = 0;
    child.send({ vibing: 'listen' }, () => {
      left += 1;
    });
    child.send({ vibing: 'exit' });
    worker.process.connected = false;
    child.send({ vibing: 'reopen' }, assert.fail);
    assert.deepEqual(worker.sent, [{ vibing: 'listen' }, { vibing: 'exit' }]);
    assert.equal(left, 1);
  });

  it('reports its messages, and how it ended', () => {
    for (const [end, how] of [
      [[3, null], 'exit code 3, killed: false'],
      [[null, 'SIGKILL'], 'SIGKILL, killed: true'],
      [[null, 'SIGTERM'], 'SIGTERM, killed: false'],
    ] as const) {
      const [child, worker] = fork(ASSIGNMENT);
      const events: unknown[] = [];
      child.watch({
        received: (message) => events.push(message),
        exited: (reason, wasKilled) => events.push(`${reason}, killed: ${wasKilled}`),
      });
      worker.emit('message', { vibing: 'closing' });
      // Of a message to a process that exits.
      worker.emit('error', new Error('EPIPE'));
      worker.emit('exit', ...end);
      assert.deepEqual(events, [{ vibing: 'closing' }, how]);
    }
  });

  it('is stopped by a signal, or runs', { skip: !existsSync('/proc/self/stat') }, async () => {
    const sleeper = spawn('sleep', ['60']);
    try {
      const [child, { process: own }] = fork(ASSIGNMENT);
      own.pid = sleeper.pid;
      assert.deepEqual([child.pid, child.isStopped()], [sleeper.pid, false]);
      sleeper.kill('SIGSTOP');
      await eventually('it is stopped', () => child.isStopped());
      sleeper.kill('SIGCONT');
      await eventually('it runs', () => !child.isStopped());
      // A process that does not exist.
      own.pid = undefined;
      assert.equal(child.isStopped(), false);
    } finally {
      sleeper.kill('SIGKILL');
    }
  });

  it('that could not be spawned has ended', () => {
    const [child, worker] = fork(ASSIGNMENT);
    worker.process.pid = undefined;
    const ends: unknown[] = [];
    child.watch({ received: assert.fail, exited: (...end) => ends.push(end) });
    worker.emit('error', new Error('spawn EAGAIN'));
    assert.deepEqual(ends, [['spawn EAGAIN', false]]);
  });

  it('that dies on net leaves its clients to others that listen', () => {
    for (const [listens, isConnected, isLeft] of [
      [true, true, true],
      [false, true, false],
      [true, false, false],
    ]) {
      const [, other] = fork(ON_NET);
      if (listens) other.emit('listening');
      other.process.connected = isConnected;
      const [, dying] = fork(ON_NET);
      dying.emit('listening');
      const { process: own } = dying;
      (own.send as (message: object) => boolean)({ act: 'newconn', seq: 5 });
      const confirmed: unknown[] = [];
      own.on('internalMessage', ({ ack, accepted }) => confirmed.push([ack, accepted]));
      own.emit('disconnect');
      // Accepted: node:cluster closes them.
      assert.deepEqual(confirmed, [[5, !isLeft]], `${listens}, ${isConnected}`);
      changeable.workers = {};
    }
  });

  it('that dies when node:cluster knows no worker has its clients closed', () => {
    const [, { process: own }] = fork(ON_NET);
    changeable.workers = undefined;
    (own.send as (message: object) => boolean)({ act: 'newconn', seq: 5 });
    const confirmed: unknown[] = [];
    own.on('internalMessage', ({ accepted }) => confirmed.push(accepted));
    own.emit('disconnect');
    assert.deepEqual(confirmed, [true]);
  });

  it('on net binds a unix socket with its mode', () => {
    const mask = process.umask(0o022);
    try {
      for (const [assignment, seen] of [
        [{ ...ON_NET, address: { path: '/run/a', mode: 0o600 } }, 0o177],
        [{ ...ON_NET, address: { path: '/run/a' } }, 0o022],
        [ON_NET, 0o022],
        [{ ...ASSIGNMENT, address: { path: '/run/a', mode: 0o600 } }, 0o022],
      ] as const) {
        const [, { process: own }] = fork(assignment);
        own.emit('internalMessage', { act: 'queryServer' });
        assert.deepEqual(own.masks, [seen], JSON.stringify(assignment.address));
        assert.equal(process.umask(), 0o022);
      }
    } finally {
      process.umask(mask);
    }
  });
});
