// The ports of a primary on the real process: node:cluster, Node's timers, the kernel's listeners.

import type { ClusterSettings, Worker } from 'node:cluster';
import { readFileSync } from 'node:fs';
import { onReopen } from '../async-io/log-files.ts';
import type { Address } from '../driver/driver.ts';
import { allowedCores } from '../driver/linux/affinity.ts';
import { epollProblem } from '../driver/linux/epoll.ts';
import { linuxSyscalls } from '../driver/linux/syscalls.ts';
import type { Config } from '../server/config/config.ts';
import { listenError } from '../server/listen-error.ts';
import { addressOf } from '../server/server.ts';
import { bindWithMode } from './bind-mode.ts';
import { watchHandoffs } from './handoffs.ts';
import { freePort, openListeners, removeStaleSocket } from './listeners.ts';
import { ASSIGNMENT_VARIABLE, type Assignment, type FromPrimary } from './messages.ts';
import { nodeCluster } from './node-cluster.ts';
import type { Cancel, Child, ChildEvents, Opened, PrimaryPorts } from './ports.ts';
import { WorkerMetrics } from './worker-metrics.ts';
import { workerOptions } from './worker-options.ts';

export const nodePorts: PrimaryPorts = {
  now: () => performance.now(),
  after: (delayMs, due) => {
    const timer = setTimeout(due, delayMs);
    return () => clearTimeout(timer);
  },
  afterEvents: (due) => {
    // Node polls between its timers and this.
    const immediate = setImmediate(due);
    return () => clearImmediate(immediate);
  },
  cores: allowedCores,
  open,
  openMetrics: (workers, place) => new WorkerMetrics(workers, place),
  fork,
  onExit: (listener): Cancel => {
    process.on('exit', listener);
    return () => process.off('exit', listener);
  },
  onReopen,
  setFailed: () => {
    process.exitCode = 1;
  },
};

/** The workers that have listened. */
const listening = new WeakSet<Worker>();

async function open(config: Config, activated: Address | null, count: number): Promise<Opened> {
  const address = activated ?? (await addressOf(config));
  const calls = linuxSyscalls();
  // Without epoll there is no io_uring either; both can inherit listeners, `net` cannot.
  const isLinux = config.driver !== 'net' && epollProblem() === null;
  if (isLinux && typeof calls !== 'string') {
    const listeners = openListeners(calls, address, count, config.limits.backlog);
    if (typeof listeners === 'number') throw listenError(-listeners, config);
    return { listeners, address };
  }
  if ('path' in address) await removeStaleSocket(address.path);
  if (!('host' in address) || address.port !== 0) return { listeners: null, address };
  return { listeners: null, address: { host: address.host, port: await freePort(address.host) } };
}

function fork(assignment: Assignment, fds: readonly number[], count: number): Child {
  const stdio = ['inherit', 'inherit', 'inherit', 'ipc', ...fds];
  const cluster = nodeCluster();
  cluster.setupPrimary({
    stdio: stdio as NonNullable<ClusterSettings['stdio']>,
    execArgv: workerOptions(count),
  });
  const worker = cluster.fork({ [ASSIGNMENT_VARIABLE]: JSON.stringify(assignment) });
  worker.once('listening', () => listening.add(worker));
  const { address, listeners } = assignment;
  if (listeners === 0) watchHandoffs(worker, () => othersListen(worker));
  if (listeners === 0 && 'path' in address && address.mode !== undefined) {
    bindWithMode(worker, address.mode);
  }
  return new NodeChild(worker);
}

function othersListen(worker: Worker): boolean {
  const { workers } = nodeCluster();
  return Object.values(workers ?? {}).some((other) => {
    return other !== worker && other?.isConnected() === true && listening.has(other);
  });
}

class NodeChild implements Child {
  readonly #worker: Worker;

  constructor(worker: Worker) {
    this.#worker = worker;
  }

  get pid(): number | undefined {
    return this.#worker.process.pid;
  }

  watch(events: ChildEvents): void {
    const worker = this.#worker;
    worker.on('message', (message: unknown) => events.received(message));
    worker.on('exit', (code, signal) => {
      events.exited(signal ?? `exit code ${code}`, signal === 'SIGKILL');
    });
    // A process that could not be spawned has no 'exit'. Other errors are of messages to a worker
    // that is exiting; its 'exit' follows.
    worker.on('error', (error: Error) => {
      if (worker.process.pid === undefined) events.exited(error.message, false);
    });
  }

  send(message: FromPrimary, sent: () => void = () => {}): void {
    // A worker that has exited needs no message; its 'exit' is handled.
    if (this.#worker.isConnected()) this.#worker.send(message, () => sent());
  }

  kill(): void {
    this.#worker.process.kill('SIGKILL');
  }

  isStopped(): boolean {
    try {
      // The state follows the name, which is in parentheses and may contain anything.
      return /\) [Tt][^)]*$/.test(readFileSync(`/proc/${this.pid}/stat`, 'latin1'));
    } catch {
      return false;
    }
  }
}
