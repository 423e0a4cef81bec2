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
import type { Cancel } from './ports.ts';

type Warn = (message: string) => void;
type PidFileLife = Pick<PidFile, 'claim' | 'publish' | 'remove'>;
type NotifierLife = Pick<Notifier, 'ready' | 'reloading' | 'stopping' | 'close'>;

/** What a service uses of its process. Tests pass in a model. */
export interface ServicePorts {
  pidFile(path: string): PidFileLife;
  /** Takes the socket that the service manager opened. Throws ServiceError. */
  activated(warn: Warn): Activated | null;
  notifier(warn: Warn): NotifierLife | null;
  /** Calls `listener` when this process exits, unless it is cancelled before. */
  onExit(listener: () => void): Cancel;
}

const nodeServicePorts: ServicePorts = {
  pidFile: (path) => new PidFile(path),
  activated: (warn) => {
    const calls = linuxSyscalls();
    return takeActivated(process.env, process.pid, typeof calls === 'string' ? null : calls, warn);
  },
  notifier: (warn) => takeNotifier(process.env, process.pid, linuxSyscalls(), warn),
  onExit: (listener) => {
    process.once('exit', listener);
    return () => process.off('exit', listener);
  },
};

export class Service implements ServiceLife {
  readonly #ports: ServicePorts;
  #activated: Activated | null = null;
  #notifier: NotifierLife | null = null;
  #pidFile: PidFileLife | null = null;
  /** Empty until the server listens. */
  #status = '';
  /** Reloads in progress. */
  #reloading = 0;
  #closing = false;
  #cancelExit: Cancel = () => {};

  constructor(ports: ServicePorts = nodeServicePorts) {
    this.#ports = ports;
  }

  /** Claims the pid file, takes an activated socket. Throws ServiceError. */
  begins(config: Config, log: Log): void {
    this.#closing = false;
    this.#status = '';
    const warn: Warn = (message) => log.warn(message);
    if (config.pidFile !== undefined) {
      const pidFile = this.#ports.pidFile(config.pidFile);
      pidFile.claim();
      this.#pidFile = pidFile;
      // Also when a second signal, or an exception in a handler, ends the process.
      this.#cancelExit = this.#ports.onExit(() => pidFile.remove());
    }
    this.#activated = this.#ports.activated(warn);
    this.#notifier ??= this.#ports.notifier(warn);
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
    if (this.#status === '') return reloaded;
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
    this.#cancelExit();
  }
}
