// The side of a worker: pins itself to its core, accepts from its own listener and, when asked,
// from those of siblings, reports to the primary, and exits when asked or when the primary is gone.

import { F_SETFD, FD_CLOEXEC } from '../driver/linux/layout.ts';
import { optionsOf } from '../server/config/config.ts';
import type { Inherited, Listening, Server } from '../server/server.ts';
import type { SharedMetrics } from '../server/server-metrics.ts';
import { fixedValues } from './fixed-keys.ts';
import { type Assignment, type FromPrimary, type FromWorker, LISTENER_FD } from './messages.ts';
import { MetricsFile } from './metrics-file.ts';
import { nodeWorkerPorts } from './node-worker-ports.ts';
import type { WorkerPorts } from './ports.ts';

/** Timers of handlers and the like may keep the process running this long after the close. */
export const EXIT_MS = 2_000;

/** How often a busy worker reports by itself; the least worker_timeout_ms is four times as long. */
const RESPONDING_MS = 250;

/** The parts of a server that a worker uses. */
export type WorkerServer = Pick<
  Server,
  'acceptAlso' | 'close' | 'closeLast' | 'config' | 'counters'
>;

export class Worker {
  readonly #assignment: Assignment;
  readonly #ports: WorkerPorts;
  #isPrepared = false;
  #hasMetrics = false;
  #isExiting = false;
  #respondedMs = Number.NEGATIVE_INFINITY;

  constructor(assignment: Assignment, ports: WorkerPorts = nodeWorkerPorts) {
    this.#assignment = assignment;
    this.#ports = ports;
  }

  /** To be called early: before it, children inherit listeners and signals end the process. */
  prepare(): void {
    if (this.#isPrepared) return;
    this.#isPrepared = true;
    this.#setCloseOnExec();
    const { process } = this.#ports;
    // A terminal sends signals to every process of its group; only the primary acts on them.
    process.on('SIGINT', () => {});
    process.on('SIGHUP', () => {});
    this.#ports.outlivePrimary();
  }

  /** Children of this process must not inherit its listeners and its file of metrics. */
  #setCloseOnExec(): void {
    const calls = this.#ports.calls();
    if (calls === null) return;
    const { listeners, metrics } = this.#assignment;
    const count = listeners + (metrics === null ? 0 : 1);
    for (let index = 0; index < count; index++) {
      calls.fcntl(LISTENER_FD + index, F_SETFD, FD_CLOEXEC);
    }
  }

  /** The beginning of every line of its log. */
  get logPrefix(): string {
    return `worker ${this.#assignment.index}: `;
  }

  /** The address and the driver that the primary chose. */
  get inherited(): Inherited {
    const { driver, listener, listeners, address } = this.#assignment;
    return { driver, address: listeners > 0 ? { fd: LISTENER_FD + listener } : address };
  }

  /** Where this worker counts: the first server of the process has it. */
  takeMetrics(): SharedMetrics | null {
    const { metrics } = this.#assignment;
    if (metrics === null || this.#hasMetrics) return null;
    this.#hasMetrics = true;
    return new MetricsFile(metrics);
  }

  /** Listens as a worker: reports to the primary, and closes the server when the primary asks. */
  async listen(server: WorkerServer, listen: () => Promise<Listening>): Promise<Listening> {
    const { core } = this.#assignment;
    const { process } = this.#ports;
    if (core !== null) this.#ports.pinTo(core);
    const allowed = this.#obeyPrimary(server);
    try {
      // A primary that closes kills workers that it has not allowed to listen.
      const { shutdownTimeoutMs } = server.config.limits;
      const isDebugged = this.#ports.isDebugged();
      void this.#send({ vibing: 'starting', shutdownTimeoutMs, isDebugged });
      if (process.connected) await allowed;
      const listening = await listen();
      void this.#send({
        vibing: 'listening',
        port: listening.port,
        driver: listening.driver,
        fixed: fixedValues(server.config),
        options: optionsOf(server.config),
      });
      return listening;
    } catch (error) {
      const { message, code } = error as Error & { code?: string };
      void this.#send({ vibing: 'failed', message, code: code ?? 'EUNKNOWN' });
      throw error;
    }
  }

  /** Resolves when the primary has allowed to listen. */
  #obeyPrimary(server: WorkerServer): Promise<void> {
    const { process } = this.#ports;
    return new Promise((allow) => {
      const close = (last: boolean) => {
        // The primary may be gone and never allow it. To listen and close at once does no harm.
        allow();
        void (last ? server.closeLast() : server.close()).then(() => this.exitWhenDone(server));
      };
      process.on('message', (message: FromPrimary) => {
        if (message?.vibing === 'close') close(message.last);
        else if (message?.vibing === 'listen') allow();
        else if (message?.vibing === 'reopen') this.#ports.reopenLogs();
        else if (message?.vibing === 'ping') this.#pong();
        else if (message?.vibing === 'accept') {
          server.acceptAlso(LISTENER_FD + message.listener, message.on);
        }
      });
      // The primary is gone.
      process.on('disconnect', () => close(true));
      process.on('SIGTERM', () => close(false));
    });
  }

  #pong(): void {
    void this.#send({ vibing: 'pong', isDebugged: this.#ports.isDebugged() });
  }

  /**
   * A handler responds. Many slow ones may do so before the event loop reads messages: this worker
   * is busy and not stuck, so it responds before it is asked.
   */
  responding(nowMs: number): void {
    if (Math.abs(nowMs - this.#respondedMs) < RESPONDING_MS) return;
    this.#respondedMs = nowMs;
    this.#pong();
  }

  /** Reports that this worker accepts no more clients, so that its replacement can start. */
  closing(server: WorkerServer): void {
    void this.#send({ vibing: 'closing' });
    const calls = this.#ports.calls();
    if (calls === null) return;
    const { listener, listeners } = this.#assignment;
    // Clients must not queue at the listener of a sibling that only this closing process holds
    // open.
    for (let index = 0; index < listeners; index++) {
      if (index === listener) continue;
      server.acceptAlso(LISTENER_FD + index, false);
      calls.close(LISTENER_FD + index);
    }
  }

  note(text: string): void {
    void this.#send({ vibing: 'note', text });
  }

  /**
   * Reports what was served, then disconnects the channel, so that the process can exit. The
   * primary's reply comes after the clients that node:cluster had sent here before the listener
   * closed. They go back to the primary; if the channel closed before, they would be lost.
   */
  async exitWhenDone(server: WorkerServer): Promise<void> {
    if (this.#isExiting) return;
    this.#isExiting = true;
    const { process } = this.#ports;
    this.#ports.afterAtMost(EXIT_MS, () => process.exit());
    const { accepted, requests } = server.counters;
    const replied = new Promise<void>((resolve) => {
      process.once('disconnect', resolve);
      process.on('message', (message: FromPrimary) => {
        if (message?.vibing === 'exit') resolve();
      });
    });
    await this.#send({ vibing: 'served', connections: accepted, requests });
    if (!process.connected) return;
    await replied;
    if (process.connected) process.disconnect();
  }

  /** Resolves when the message is sent, or the channel is closed. */
  #send(message: FromWorker): Promise<void> {
    const { process } = this.#ports;
    return new Promise((resolve) => {
      if (process.connected) process.send?.(message, undefined, {}, () => resolve());
      else resolve();
    });
  }
}
