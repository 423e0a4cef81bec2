// A worker's side: runs on its own core, serves the listener it was handed and those of siblings
// that it is asked to, tells the primary how that goes, and ends when it is told to or left alone.

import cluster from 'node:cluster';
import { pinTo } from '../driver/linux/affinity.ts';
import { F_SETFD, FD_CLOEXEC } from '../driver/linux/layout.ts';
import { linuxSyscalls } from '../driver/linux/syscalls.ts';
import { optionsOf } from '../server/config/config.ts';
import type { Inherited, Listening, Server } from '../server/server.ts';
import { assignment } from './assignment.ts';
import { fixedValues } from './fixed-keys.ts';
import { type FromPrimary, type FromWorker, LISTENER_FD } from './messages.ts';

/** What else keeps the process going, such as timers of a handler, gets this long after the end. */
const LEAVE_MS = 2_000;

let isPrepared = false;
let isLeaving = false;

/** To be called early: what is started or signalled before that meets an ordinary process. */
export function prepareWorker(): void {
  if (assignment === null || isPrepared) return;
  isPrepared = true;
  keepFromChildren(assignment.listeners);
  // A terminal signals everybody; it is the primary that decides what that means.
  process.on('SIGINT', () => {});
  process.on('SIGHUP', () => {});
  // Else node:cluster would end the process at once when its primary is gone.
  if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true;
}

/** Programs that this process starts must not inherit its listeners. */
function keepFromChildren(listeners: number): void {
  const calls = linuxSyscalls();
  if (typeof calls === 'string') return;
  for (let index = 0; index < listeners; index++) {
    calls.fcntl(LISTENER_FD + index, F_SETFD, FD_CLOEXEC);
  }
}

/** What to listen on and with, as the primary decided; null in a process that is no worker. */
export function inherited(): Inherited | null {
  if (assignment === null) return null;
  const { driver, listener, listeners, address } = assignment;
  return { driver, address: listeners > 0 ? { fd: LISTENER_FD + listener } : address };
}

/** Listens as a worker: the primary hears of it, and its word ends the server. */
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
    // Perhaps nobody is left who could allow it; what listens and closes at once harms nobody.
    allow();
    void (last ? server.closeLast() : server.close()).then(() => leave(server));
  };
  process.on('message', (message: FromPrimary) => {
    if (message?.vibing === 'close') close(message.last);
    else if (message?.vibing === 'listen') allow();
    else if (message?.vibing === 'accept') {
      server.acceptAlso(LISTENER_FD + message.listener, message.on);
    }
  });
  // Without a primary there is nobody to serve for.
  process.on('disconnect', () => close(true));
  process.on('SIGTERM', () => close(false));
  try {
    // A primary that closes kills whom it has not allowed to take clients.
    const { shutdownTimeoutMs } = server.config.limits;
    void tell({ vibing: 'asking', shutdownTimeoutMs });
    if (process.connected) await allowed;
    const listening = await listen();
    tell({
      vibing: 'listening',
      port: listening.port,
      driver: listening.driver,
      fixed: fixedValues(server.config),
      options: optionsOf(server.config),
    });
    return listening;
  } catch (error) {
    const { message, code } = error as Error & { code?: string };
    tell({ vibing: 'failed', message, code: code ?? 'EUNKNOWN' });
    throw error;
  }
}

/** Says that no client is taken any more; a fresh worker can start at once. */
export function closing(server: Server): void {
  tell({ vibing: 'closing' });
  const calls = linuxSyscalls();
  if (assignment === null || typeof calls === 'string') return;
  // Clients must not queue up at a listener of siblings for as long as this process takes to end.
  for (let index = 0; index < assignment.listeners; index++) {
    if (index === assignment.listener) continue;
    server.acceptAlso(LISTENER_FD + index, false);
    calls.close(LISTENER_FD + index);
  }
}

export function note(text: string): void {
  tell({ vibing: 'note', text });
}

/**
 * Tells what was done, and lets the process end: its channel is the last thing that keeps it. The
 * primary's answer comes behind the clients that node:cluster had sent here when the listener was
 * closed; these have then gone back to it, and are lost if the channel closes before.
 */
export async function leave(server: Server): Promise<void> {
  if (isLeaving) return;
  isLeaving = true;
  setTimeout(() => process.exit(), LEAVE_MS).unref();
  const { accepted, requests } = server.counters;
  const heard = new Promise<void>((resolve) => {
    process.once('disconnect', resolve);
    process.on('message', (message: FromPrimary) => {
      if (message?.vibing === 'leave') resolve();
    });
  });
  await tell({ vibing: 'served', connections: accepted, requests });
  if (!process.connected) return;
  await heard;
  if (process.connected) process.disconnect();
}

/** Resolves when the message is on its way, or nobody is there to read it. */
function tell(message: FromWorker): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected) process.send?.(message, undefined, {}, () => resolve());
    else resolve();
  });
}
