// What a listening server consists of: slab, driver, reactor, connections. Made and freed together.

import type { AsyncIo } from '../async-io/async-io.ts';
import { assert } from '../base/assert.ts';
import { errnoName } from '../base/errno.ts';
import { OVERLOAD_SLOTS } from '../base/fixed-limits.ts';
import { trustedPeers } from '../base/ip-range.ts';
import { blockBytesFor } from '../base/limits.ts';
import { Slab } from '../base/slab.ts';
import { closeFirmly, drain, turnAway } from '../connection/close.ts';
import { Connection } from '../connection/connection.ts';
import {
  type ConnectionContext,
  connectionLimits,
  Draining,
  Timeout,
  timeoutsMs,
} from '../connection/context.ts';
import { ExchangePool } from '../connection/exchange-pool.ts';
import type { ProxyPolicy } from '../connection/proxy-policy.ts';
import { ResponseWriter } from '../connection/response-writer.ts';
import { ServerServices } from '../connection/services.ts';
import { SpanPool } from '../connection/span.ts';
import { type Choice, chooseDriver } from '../driver/choose.ts';
import type { Address, DriverOptions } from '../driver/driver.ts';
import type { Begins } from '../exchange/begins.ts';
import type { Siblings } from '../exchange/siblings.ts';
import type { Counts } from '../metrics/counters.ts';
import type { Meter } from '../metrics/meter.ts';
import type { OverloadOptions } from '../reactor/admission.ts';
import { Pump } from '../reactor/pump.ts';
import { Reactor } from '../reactor/reactor.ts';
import { Regions } from '../reactor/regions.ts';
import type { SocketOwner } from '../reactor/sockets.ts';
import type { Application } from './application.ts';
import type { Config } from './config/config.ts';
import { faultWords } from './listen-error.ts';
import type { Log } from './log.ts';

export interface RuntimeOptions {
  readonly config: Config;
  readonly asyncIo: AsyncIo;
  /** The other workers of a worker. */
  readonly siblings?: Siblings | undefined;
  readonly responding?: ConnectionContext['responding'];
  readonly log: Log;
  readonly counters: Counts;
  /** Null without metrics. */
  readonly meter?: Meter | null;
  readonly application: Application;
  /** What is called when it begins to serve, in place of what the middleware asks for. */
  readonly begins?: Iterable<Begins>;
  /** The driver to use instead of the configured one: a simulator's. */
  readonly makeDriver?: (options: DriverOptions) => Choice;
}

/** Null when connections begin with requests. */
function proxyPolicy({ proxyProtocol, proxyProtocolFrom }: Config, log: Log): ProxyPolicy | null {
  if (proxyProtocol === 'off') return null;
  const trusted = trustedPeers([proxyProtocolFrom].flat());
  assert(typeof trusted !== 'string', 'the configuration has checked the list');
  let isNoted = false;
  const untrusted = (address: string) => {
    if (isNoted) return;
    isNoted = true;
    const peer = address === '' ? 'unix' : address;
    log.warn(`connections of ${peer} are closed: it is not in proxy_protocol_from`);
  };
  return { trusted, untrusted };
}

function overloadOptions(waitMs: number): OverloadOptions {
  return { extraSlots: OVERLOAD_SLOTS, waitMs, idleTimeouts: [Timeout.Idle, Timeout.First] };
}

/** How often close() checks whether every socket is closed, which must precede freeing. */
const CLOSE_POLL_MS = 5;

export class Runtime {
  readonly driverName: string;
  /** Why the driver is not the fastest one, or null. */
  readonly driverNote: string | null;
  readonly reactor: Reactor;
  readonly #pump: Pump;
  readonly #regions: Regions;
  readonly #context: ConnectionContext;
  readonly #services: ServerServices;
  readonly #options: RuntimeOptions;
  /** When draining began. */
  #drainsSinceMs = 0;
  /** Closed connections, to be opened again. */
  readonly #free: Connection[] = [];
  #listened: ((result: number) => void) | null = null;
  #unlistened: (() => void) | null = null;

  constructor(options: RuntimeOptions) {
    this.#options = options;
    const { application, config, log, counters, meter = null } = options;
    const { limits } = config;
    const slab = new Slab(blockBytesFor(limits), limits.blockCount);
    const slots = limits.connectionsMax + OVERLOAD_SLOTS;
    const makeDriver = options.makeDriver ?? ((given) => chooseDriver(config.driver, given));
    const choice = makeDriver({ slab, slots, backlog: limits.backlog });
    this.driverName = choice.driver.name;
    this.driverNote = choice.note;
    this.reactor = new Reactor({
      driver: choice.driver,
      slab,
      slots,
      timeoutsMs: timeoutsMs(limits),
      sendTimeout: Timeout.Write,
      meter,
      backlog: limits.backlog,
      overload: overloadOptions(limits.overloadWaitMs),
      events: {
        accepted: (slot, overloaded) => this.#accepted(slot, overloaded),
        acceptFault: (result) => this.#acceptFault(result),
        listenDone: (result) => {
          services.unixSocket = result === 0; // It has no port.
          this.#listened?.(result);
        },
        unlistenDone: () => this.#unlistened?.(),
      },
    });
    this.#pump = new Pump(this.reactor);
    const limitsOfConnections = connectionLimits(limits);
    const services = new ServerServices({
      reactor: this.reactor,
      asyncIo: options.asyncIo,
      siblings: options.siblings,
      limits: limitsOfConnections,
      counters,
      meter,
      pause: (ms) => this.#pump.pause(ms),
      settled: (exchange) => application.settled(exchange),
      handlerFailed: (exchange, error, what) => application.handlerFailed(exchange, error, what),
      reroute: (exchange) => application.reroute(exchange),
      timedOut: (exchange, why) => application.timedOut(exchange, why),
      logError: (message) => log.error(message),
    });
    this.#services = services;
    for (const begin of options.begins ?? application.routes.begins) begin(services);
    this.#regions = new Regions(choice.driver);
    this.#context = {
      reactor: this.reactor,
      writer: new ResponseWriter(this.#regions, slab.bytes),
      exchanges: new ExchangePool(services, limits.fieldsMax, !config.debug),
      spans: new SpanPool(),
      limits: limitsOfConnections,
      counters,
      meter,
      services,
      draining: Draining.No,
      idleTimeout: Timeout.Idle,
      headTimeout: Timeout.Head,
      handle: (exchange) => application.handle(exchange),
      responding: options.responding,
      handlerTimedOut: (exchange) =>
        application.timedOut(exchange, 'no response within handler_timeout_ms'),
      proxyPolicy: proxyPolicy(config, log),
      refusedListeners: application.routes.refusedListeners,
      logDebug: (message) => log.debug(message),
      debugEnabled: log.debugEnabled,
    };
  }

  readonly #released = (connection: Connection): void => {
    this.#free.push(connection);
  };

  #accepted(slot: number, overloaded: boolean): SocketOwner {
    const connection = this.#free.pop() ?? new Connection(this.#context, this.#released);
    connection.open(slot);
    if (overloaded) turnAway(connection);
    return connection;
  }

  #acceptFault(result: number): void {
    const { counters, log, meter } = this.#options;
    meter?.add('acceptFaults');
    // Logged once.
    if (counters.acceptFaults === 0)
      log.warn(`clients wait, accept() failed: ${faultWords(errnoName(-result))}`);
    counters.acceptFaults += 1;
  }

  /** Whether its deadlines keep the process alive, as they do at first. */
  hold(on: boolean): void {
    this.#pump.hold(on);
  }

  /** The port, or -errno. */
  listen(address: Address): Promise<number> {
    this.#pump.start();
    return new Promise((resolve) => {
      this.#listened = resolve;
      this.reactor.listen(address);
    });
  }

  /** Resolves after so long; does not keep the process alive. */
  pause(ms: number): Promise<void> {
    return this.#pump.pause(ms);
  }

  /** Accepts clients from a listener of another worker too, or stops that. */
  acceptAlso(fd: number, on: boolean): void {
    this.reactor.acceptAlso(fd, on);
  }

  /**
   * From now on the response to the last received request of a connection closes it. The first step
   * of close().
   */
  beginDraining(): void {
    const context = this.#context;
    if (context.draining !== Draining.No) return;
    this.#drainsSinceMs = this.reactor.driver.now();
    context.draining = Draining.Gently;
    context.idleTimeout = Timeout.Drain;
    context.headTimeout = Timeout.DrainHead;
  }

  /** `last`: no other process accepts clients of an inherited listener. */
  async close(last: boolean): Promise<void> {
    const { shutdownTimeoutMs, drainLingerMs } = this.#options.config.limits;
    const context = this.#context;
    const lingerMs = Math.min(drainLingerMs, shutdownTimeoutMs);
    this.beginDraining();
    const beganMs = this.#drainsSinceMs;
    for (const connection of this.#connections()) drain(connection);
    await this.#unlisten(last);
    await this.#emptied(beganMs + lingerMs);
    context.draining = Draining.Firmly;
    await this.#emptied(beganMs + shutdownTimeoutMs);
    this.reactor.refuseWaiting();
    let resets = 0;
    for (const connection of this.#connections()) if (closeFirmly(connection)) resets += 1;
    this.#logResets(resets);
    await this.#emptied(Number.POSITIVE_INFINITY);
    this.free();
  }

  #logResets(count: number): void {
    const { config, log } = this.#options;
    const { shutdownTimeoutMs } = config.limits;
    // Without any time to end, this is what was asked for.
    if (count === 0 || shutdownTimeoutMs === 0) return;
    const what = count === 1 ? '1 connection was' : `${count} connections were`;
    const why = `shutdown_timeout_ms (${shutdownTimeoutMs}) has passed`;
    log.warn(`${what} reset before the response ended: ${why}`);
  }

  #unlisten(last: boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#unlistened = resolve;
      this.reactor.unlisten(last);
    });
  }

  #connections(): Connection[] {
    return this.reactor.sockets.owners.filter((owner) => owner instanceof Connection);
  }

  /** Resolves when every socket is closed and no client waits for one, or at `untilMs`. */
  async #emptied(untilMs: number): Promise<void> {
    const { reactor } = this;
    const { driver, sockets } = reactor;
    while (sockets.openCount + reactor.waitingCount > 0 && driver.now() < untilMs) {
      await this.#pump.wait(CLOSE_POLL_MS);
    }
  }

  /** Only when every socket is closed. */
  free(): void {
    this.#services.end();
    this.#pump.stop();
    this.#regions.close();
    this.reactor.driver.destroy();
  }
}
