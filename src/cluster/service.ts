// The interface of a server to its service manager: socket activation, pid file, notifications.
// Only the main process has it, never a worker.

import type { Address } from '../driver/driver.ts';
import { linuxSyscalls } from '../driver/linux/syscalls.ts';
import type { Config } from '../server/config/config.ts';
import type { Log } from '../server/log.ts';
import type { Listening, ServiceLife } from '../server/server.ts';
import { type Activated, takeActivated } from './activation.ts';
import { type Notifier, takeNotifier } from './notify.ts';
import { PidFile } from './pid-file.ts';

export class Service implements ServiceLife {
  #activated: Activated | null = null;
  #notifier: Notifier | null = null;
  #pidFile: PidFile | null = null;
  #status = '';
  /** Reloads in progress. */
  #reloading = 0;
  #closing = false;
  readonly #exit = () => this.#pidFile?.remove();

  /** Claims the pid file, takes an activated socket. Throws ServiceError. */
  begins(config: Config, log: Log): void {
    this.#closing = false;
    const warn = (message: string) => log.warn(message);
    if (config.pidFile !== undefined) {
      const pidFile = new PidFile(config.pidFile);
      pidFile.claim();
      this.#pidFile = pidFile;
      // Also when a second signal, or an exception in a handler, ends the process.
      process.once('exit', this.#exit);
    }
    const calls = linuxSyscalls();
    const syscalls = typeof calls === 'string' ? null : calls;
    this.#activated = takeActivated(process.env, process.pid, syscalls, warn);
    this.#notifier ??= takeNotifier(process.env, process.pid, calls, warn);
  }

  /** The activated listener, which replaces the configured address. */
  get address(): Address | null {
    return this.#activated === null ? null : { fd: this.#activated.fd };
  }

  listens(listening: Listening): Listening {
    this.#pidFile?.publish();
    const { host, port, workers } = listening;
    const activated = this.#activated?.address;
    const where = activated ?? (port === 0 ? 'a unix socket' : `${host} port ${port}`);
    const count = `${workers} ${workers === 1 ? 'worker' : 'workers'}`;
    this.#status = `serving on ${where} with ${count}`;
    this.#notifier?.ready(this.#status);
    return activated === undefined ? listening : { ...listening, activated };
  }

  /** A failed reload leaves the server ready as before. */
  async reloads(reloaded: Promise<void>): Promise<void> {
    this.#reloading += 1;
    if (this.#reloading === 1) this.#notifier?.reloading();
    try {
      await reloaded;
    } finally {
      this.#reloading -= 1;
      if (this.#reloading === 0 && !this.#closing) this.#notifier?.ready(this.#status);
    }
  }

  closes(): void {
    this.#closing = true;
    this.#notifier?.stopping();
  }

  /** The server has closed the activated socket by now. */
  ended(): void {
    this.#activated = null;
    this.#notifier?.close();
    this.#pidFile?.remove();
    this.#pidFile = null;
    process.off('exit', this.#exit);
  }
}
