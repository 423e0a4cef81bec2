// Tells the service manager how the service is, in datagrams to the socket that NOTIFY_SOCKET names
// (sd_notify(3)). Where nobody asked for it, nothing is told.

import { MSG_DONTWAIT, MSG_NOSIGNAL, SOCK_CLOEXEC, SOCK_DGRAM } from '../driver/linux/layout.ts';
import { abstractAddress, type SocketAddress, unixAddress } from '../driver/linux/sockaddr.ts';
import type { Syscalls } from '../driver/linux/syscalls.ts';
import type { Environment } from './activation.ts';

const VARIABLES = ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID'];

/** What memory for a foreign call takes at least, to lie off V8's heap. */
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

  /** The service accepts clients. From now on the watchdog is fed, if there is one. */
  ready(status: string): void {
    this.#tell(`READY=1\nSTATUS=${oneLine(status)}\nMAINPID=${process.pid}\n`, 0);
    if (this.#watchdogUs === 0 || this.#watchdog !== null) return;
    // Half the time that is allowed, as sd_watchdog_enabled(3) asks for.
    const everyMs = Math.max(1, Math.floor(this.#watchdogUs / 2_000));
    this.#watchdog = setInterval(() => this.#tell('WATCHDOG=1\n', MSG_DONTWAIT), everyMs);
    this.#watchdog.unref();
  }

  /** The service changes over to a new configuration or new workers; ready() says that it did. */
  reloading(): void {
    const nowUs = process.hrtime.bigint() / 1_000n;
    this.#tell(`RELOADING=1\nMONOTONIC_USEC=${nowUs}\nSTATUS=reloading\n`, 0);
  }

  /** The service accepts no more clients and finishes what is in flight. */
  stopping(): void {
    this.#tell('STOPPING=1\nSTATUS=finishing what is in flight\n', 0);
  }

  /** Tells nothing more. */
  end(): void {
    if (this.#watchdog !== null) clearInterval(this.#watchdog);
    this.#watchdog = null;
  }

  /** A manager that does not hear is no reason to stop serving. */
  #tell(state: string, flags: number): void {
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
 * Whom to tell, or null. Takes the variables away, so that no worker or child tells its own state.
 * `calls` is a line that says why there are none where foreign functions cannot be called.
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
    warn(`NOTIFY_SOCKET is no path of a unix socket: ${JSON.stringify(target)}`);
    return null;
  }
  if (typeof calls === 'string') {
    warn(`the service manager is told nothing (NOTIFY_SOCKET): ${calls}`);
    return null;
  }
  return new Notifier(calls, address, watchdogUs);
}

/** A path, or with an @ in front a name that is in no file system. */
function targetAddress(target: string): SocketAddress | null {
  if (target.startsWith('@')) return abstractAddress(target.slice(1));
  return target.startsWith('/') ? unixAddress(target) : null;
}

/** 0 where no watchdog waits for this process. */
function watchdogFrom(env: Environment, pid: number): number {
  const text = env['WATCHDOG_USEC'] ?? '';
  const whom = env['WATCHDOG_PID'] ?? String(pid);
  return whom === String(pid) && /^[1-9][0-9]{0,14}$/.test(text) ? Number(text) : 0;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ');
}
