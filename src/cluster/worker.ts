// The side of a worker: pins itself to its core, accepts from its own listener and, when asked,
// from those of siblings, reports to the primary, and exits when asked or when the primary is gone.

import { reopenLogs } from '../async-io/log-files.ts';
import { pinTo } from '../driver/linux/affinity.ts';
import { F_SETFD, FD_CLOEXEC } from '../driver/linux/layout.ts';
import { linuxSyscalls } from '../driver/linux/syscalls.ts';
import { optionsOf } from '../server/config/config.ts';
import type { Inherited, Listening, Server } from '../server/server.ts';
import type { SharedMetrics } from '../server/server-metrics.ts';
import { assignment } from './assignment.ts';
import { fixedValues } from './fixed-keys.ts';
import { type FromPrimary, type FromWorker, LISTENER_FD } from './messages.ts';
import { MetricsFile } from './metrics-file.ts';
import { nodeCluster } from './node-cluster.ts';

/** Timers of handlers and the like may keep the process running this long after the close. */
const EXIT_MS = 2_000;

let isPrepared = false;
let isExiting = false;

/** To be called early: before it, children inherit listeners and signals end the process. */
export function prepareWorker(): void {
  if (assignment === null || isPrepared) return;
  isPrepared = true;
  setCloseOnExec(assignment.listeners + (assignment.metrics === null ? 0 : 1));
  // A terminal sends signals to every process of its group; only the primary acts on them.
  process.on('SIGINT', () => {});
  process.on('SIGHUP', () => {});
  // Otherwise node:cluster exits the process at once when its primary is gone.
  const { worker } = nodeCluster();
  if (worker !== undefined) worker.exitedAfterDisconnect = true;
}

/** Children of this process must not inherit its listeners. */
function setCloseOnExec(listeners: number): void {
  const calls = linuxSyscalls();
  if (typeof calls === 'string') return;
  for (let index = 0; index < listeners; index++) {
    calls.fcntl(LISTENER_FD + index, F_SETFD, FD_CLOEXEC);
  }
}

/** The address and the driver that the primary chose; null in a process that is not a worker. */
export function inherited(): Inherited | null {
  if (assignment === null) return null;
  const { driver, listener, listeners, address } = assignment;
  return { driver, address: listeners > 0 ? { fd: LISTENER_FD + listener } : address };
}

let hasMetrics = false;

/** Where this worker counts: the first server of the process has it. */
export function workerMetrics(): SharedMetrics | null {
  const metrics = assignment?.metrics ?? null;
  if (metrics === null || hasMetrics) return null;
  hasMetrics = true;
  return new MetricsFile(metrics);
}

/** Listens as a worker: reports to the primary, and closes the server when the primary asks. */
export async function listenAsWorker(
  server: Server,
  listen: () => Promise<Listening>,
): Promise<Listening> {
  const core = assignment?.core ?? null;
  if (core !== null) pinTo(core);
  let allow = (): void => {};
  const allowed = new Promise<void>((resolve) => {
    allow = resolve;
  });
  const close = (last: boolean) => {
    // The primary may be gone and never allow it. To listen and close at once does no harm.
    allow();
    void (last ? server.closeLast() : server.close()).then(() => exitWhenDone(server));
  };
  process.on('message', (message: FromPrimary) => {
    if (message?.vibing === 'close') close(message.last);
    else if (message?.vibing === 'listen') allow();
    else if (message?.vibing === 'reopen') reopenLogs();
    else if (message?.vibing === 'accept') {
      server.acceptAlso(LISTENER_FD + message.listener, message.on);
    }
  });
  // The primary is gone.
  process.on('disconnect', () => close(true));
  process.on('SIGTERM', () => close(false));
  try {
    // A primary that closes kills workers that it has not allowed to listen.
    const { shutdownTimeoutMs } = server.config.limits;
    void send({ vibing: 'starting', shutdownTimeoutMs });
    if (process.connected) await allowed;
    const listening = await listen();
    send({
      vibing: 'listening',
      port: listening.port,
      driver: listening.driver,
      fixed: fixedValues(server.config),
      options: optionsOf(server.config),
    });
    return listening;
  } catch (error) {
    const { message, code } = error as Error & { code?: string };
    send({ vibing: 'failed', message, code: code ?? 'EUNKNOWN' });
    throw error;
  }
}

/** Reports that this worker accepts no more clients, so that its replacement can start. */
export function closing(server: Server): void {
  send({ vibing: 'closing' });
  const calls = linuxSyscalls();
  if (assignment === null || typeof calls === 'string') return;
  // Clients must not queue at the listener of a sibling that only this closing process holds open.
  for (let index = 0; index < assignment.listeners; index++) {
    if (index === assignment.listener) continue;
    server.acceptAlso(LISTENER_FD + index, false);
    calls.close(LISTENER_FD + index);
  }
}

export function note(text: string): void {
  send({ vibing: 'note', text });
}

/**
 * Reports what was served, then disconnects the channel, so that the process can exit. The
 * primary's reply comes after the clients that node:cluster had sent here before the listener
 * closed. They go back to the primary; if the channel closed before, they would be lost.
 */
export async function exitWhenDone(server: Server): Promise<void> {
  if (isExiting) return;
  isExiting = true;
  setTimeout(() => process.exit(), EXIT_MS).unref();
  const { accepted, requests } = server.counters;
  const replied = new Promise<void>((resolve) => {
    process.once('disconnect', resolve);
    process.on('message', (message: FromPrimary) => {
      if (message?.vibing === 'exit') resolve();
    });
  });
  await send({ vibing: 'served', connections: accepted, requests });
  if (!process.connected) return;
  await replied;
  if (process.connected) process.disconnect();
}

/** Resolves when the message is sent, or the channel is closed. */
function send(message: FromWorker): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected) process.send?.(message, undefined, {}, () => resolve());
    else resolve();
  });
}
