// What a server offers to the requests of all its connections: clocks, pauses, files, and the log.

import type { AsyncIo } from '../async-io/async-io.ts';
import type { Exchange, Services } from '../exchange/exchange.ts';
import type { Siblings } from '../exchange/siblings.ts';
import type { Counts } from '../metrics/counters.ts';
import type { Meter } from '../metrics/meter.ts';
import type { Reactor } from '../reactor/reactor.ts';

export interface ServicesOptions {
  readonly reactor: Reactor;
  readonly asyncIo: AsyncIo;
  readonly siblings?: Siblings | undefined;
  readonly limits: Services['limits'];
  readonly counters: Counts;
  readonly meter?: Meter | null;
  readonly pause: (ms: number) => Promise<void>;
  readonly settled: (exchange: Exchange) => void;
  readonly handlerFailed: (exchange: Exchange, error: unknown, what: string) => void;
  readonly reroute: (exchange: Exchange) => void;
  readonly timedOut: (exchange: Exchange, why: string) => void;
  readonly logError: (message: string) => void;
}

export class ServerServices implements Services {
  readonly asyncIo: AsyncIo;
  readonly meter: Meter | null;
  readonly siblings: Siblings | null;
  readonly limits: Services['limits'];
  unixSocket = false;
  ended = false;
  lateNotedMs: number = Number.NEGATIVE_INFINITY;
  readonly #options: ServicesOptions;
  readonly #endListeners: (() => void)[] = [];

  constructor(options: ServicesOptions) {
    this.asyncIo = options.asyncIo;
    this.meter = options.meter ?? null;
    this.siblings = options.siblings ?? null;
    this.limits = options.limits;
    this.#options = options;
  }

  onEnd(listener: () => void): void {
    this.#endListeners.push(listener);
  }

  end(): void {
    this.ended = true;
    for (const listener of this.#endListeners) listener();
  }

  nowMs(): number {
    const { reactor } = this.#options;
    if (!reactor.inTurn) reactor.readClock();
    return reactor.nowMs;
  }

  wallMs(): number {
    const { reactor } = this.#options;
    if (!reactor.inTurn) reactor.readClock();
    return reactor.wallMs;
  }

  pause(ms: number): Promise<void> {
    return this.#options.pause(ms);
  }

  settled(exchange: Exchange): void {
    this.#options.settled(exchange);
  }

  countLateCall(isMistake: boolean): void {
    const { counters } = this.#options;
    counters.lateWrites += 1;
    this.meter?.add('lateCalls');
    if (!isMistake) return;
    counters.handlerErrors += 1;
    this.meter?.add('handlerErrors');
  }

  handlerFailed(exchange: Exchange, error: unknown, what = ''): void {
    this.#options.handlerFailed(exchange, error, what);
  }

  reroute(exchange: Exchange): void {
    this.#options.reroute(exchange);
  }

  timedOut(exchange: Exchange, why: string): void {
    this.#options.counters.timeouts += 1;
    this.meter?.add('timeouts', 'middleware');
    exchange.disableKeepAlive();
    this.#options.timedOut(exchange, why);
  }

  logError(message: string): void {
    this.#options.logError(message);
  }
}
