// Reports the state of the service to the service manager, as datagrams to the socket in
// NOTIFY_SOCKET (sd_notify(3)).

import { MSG_DONTWAIT, MSG_NOSIGNAL, SOCK_CLOEXEC, SOCK_DGRAM } from '../driver/linux/layout.ts';
import { abstractAddress, type SocketAddress, unixAddress } from '../driver/linux/sockaddr.ts';
import type { Syscalls } from '../driver/linux/syscalls.ts';
import type { Environment } from './activation.ts';

const VARIABLES = ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID'];

/** Smaller memory may lie on V8's heap, where the garbage collector moves it. */
const MESSAGE_BYTES_MIN = 64;

export class Notifier {
  readonly #calls: Syscalls;
  readonly #target: SocketAddress;
  readonly #watchdogUs: number;
  #watchdog: NodeJS.Timeout | null = null;

  constructor(calls: Syscalls, target: SocketAddress, watchdogUs: number) {
    this.#calls = calls;
    this.#target = target;
    this.#watchdogUs = watchdogUs;
  }

  /** The service accepts clients. Starts to reset the watchdog, if there is one. */
  ready(status: string): void {
    this.#notify(`READY=1\nSTATUS=${oneLine(status)}\nMAINPID=${process.pid}\n`, 0);
    if (this.#watchdogUs === 0 || this.#watchdog !== null) return;
    // Half the timeout, as sd_watchdog_enabled(3) recommends.
    const everyMs = Math.max(1, Math.floor(this.#watchdogUs / 2_000));
    this.#watchdog = setInterval(() => this.#notify('WATCHDOG=1\n', MSG_DONTWAIT), everyMs);
    this.#watchdog.unref();
  }

  /** The service reloads; ready() follows when that is done. */
  reloading(): void {
    const nowUs = process.hrtime.bigint() / 1_000n;
    this.#notify(`RELOADING=1\nMONOTONIC_USEC=${nowUs}\nSTATUS=reloading\n`, 0);
  }

  /** The service accepts no more clients and finishes its requests. */
  stopping(): void {
    this.#notify('STOPPING=1\nSTATUS=finishing requests in flight\n', 0);
  }

  /** Sends nothing more. */
  close(): void {
    if (this.#watchdog !== null) clearInterval(this.#watchdog);
    this.#watchdog = null;
  }

  /** Ignores errors: the server serves with or without its manager. */
  #notify(state: string, flags: number): void {
    const calls = this.#calls;
    const { family, bytes, length } = this.#target;
    const fd = calls.socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return;
    const text = new TextEncoder().encode(state);
    const message = new Uint8Array(Math.max(text.length, MESSAGE_BYTES_MIN));
    message.set(text);
    if (calls.connect(fd, bytes, length) === 0) {
      calls.send(fd, calls.addressOf(message), text.length, flags | MSG_NOSIGNAL);
    }
    calls.close(fd);
  }
}

/**
 * The notifier for NOTIFY_SOCKET, or null. Deletes the variables, so that no worker or child
 * notifies. `calls` is a text that says why when foreign functions cannot be called.
 */
export function takeNotifier(
  env: Environment,
  pid: number,
  calls: Syscalls | string,
  warn: (message: string) => void,
): Notifier | null {
  const target = env['NOTIFY_SOCKET'];
  const watchdogUs = watchdogFrom(env, pid);
  for (const name of VARIABLES) delete env[name];
  if (target === undefined || target === '') return null;
  const address = targetAddress(target);
  if (address === null) {
    warn(`NOTIFY_SOCKET is not the path of a unix socket: ${JSON.stringify(target)}`);
    return null;
  }
  if (typeof calls === 'string') {
    warn(`cannot notify the service manager (NOTIFY_SOCKET): ${calls}`);
    return null;
  }
  return new Notifier(calls, address, watchdogUs);
}

/** A path, or an abstract name after an @. */
function targetAddress(target: string): SocketAddress | null {
  if (target.startsWith('@')) return abstractAddress(target.slice(1));
  return target.startsWith('/') ? unixAddress(target) : null;
}

/** The timeout of the watchdog in microseconds; 0 without one for this process. */
function watchdogFrom(env: Environment, pid: number): number {
  const text = env['WATCHDOG_USEC'] ?? '';
  const watchedPid = env['WATCHDOG_PID'] ?? String(pid);
  return watchedPid === String(pid) && /^[1-9][0-9]{0,14}$/.test(text) ? Number(text) : 0;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ');
}
