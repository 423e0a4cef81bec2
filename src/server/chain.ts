// Hot: runs for every request. Measured by perf/micro/route.ts.
// The middleware of a server, run by an index: each is called with a next() that runs those behind
// it and at last the endpoint. A request that everybody handles at once makes no promise and no
// closure.

import type { Exchange } from '../exchange/exchange.ts';
import type { Middleware, Next } from '../exchange/middleware.ts';
import { Phase } from '../exchange/phase.ts';

/** A middleware and the part of the site that it covers. */
export interface Step {
  /** As decoded bytes without a slash at the end; empty for everything. */
  readonly prefix: Uint8Array;
  readonly run: Middleware;
}

/** Told when every part of an exchange's chain has settled. */
export type Settled = (exchange: Exchange) => void;

const SLASH = 47;

/** What next() gives for all requests whose rest was done at once. */
export const DONE: Promise<void> = Promise.resolve();

export class Chain {
  readonly #steps: Step[] = [];
  readonly #settled: Settled;

  constructor(settled: Settled) {
    this.#settled = settled;
  }

  add(step: Step): void {
    this.#steps.push(step);
  }

  /** Runs everything for an exchange whose endpoint is set. Never throws. */
  run(exchange: Exchange): void {
    exchange.running = 1;
    try {
      const result = this.#enter(exchange, 0);
      if (isLater(result)) {
        this.#join(exchange, result, 0, false);
        return;
      }
    } catch (error) {
      exchange.failure = { error, caught: false };
    }
    this.#leave(exchange);
  }

  /** Runs further work of the exchange as a part of its chain. */
  also(exchange: Exchange, work: Promise<void>): void {
    exchange.running += 1;
    this.#join(exchange, work, exchange.mountBytes, false);
  }

  /** Calls the first step from `index` on that covers the request, or the endpoint. */
  #enter(exchange: Exchange, index: number): void | Promise<void> {
    const steps = this.#steps;
    let at = index;
    while (at < steps.length && !covers(steps[at].prefix, exchange)) at += 1;
    exchange.step = at;
    if (at === steps.length) {
      exchange.mountBytes = 0;
      return exchange.endpoint(exchange.request, exchange.response);
    }
    exchange.mountBytes = steps[at].prefix.length;
    const next = exchange.nexts[at] ?? this.#makeNext(exchange, at);
    return steps[at].run(exchange.request, exchange.response, next);
  }

  /** Apart, since a function that makes one keeps its variables on the heap each time it runs. */
  #makeNext(exchange: Exchange, at: number): Next {
    const next = () => this.#next(exchange, at);
    exchange.nexts[at] = next;
    return next;
  }

  #next(exchange: Exchange, at: number): Promise<void> {
    if (!exchange.live) throw new Error('next() was called after the request was over');
    if (exchange.step !== at) throw new Error('next() was called twice');
    const { mountBytes } = exchange;
    let result: void | Promise<void>;
    try {
      result = this.#enter(exchange, at + 1);
    } catch (error) {
      exchange.failure ??= { error, caught: true };
      exchange.mountBytes = mountBytes;
      return quietly(Promise.reject(error));
    }
    if (!isLater(result)) {
      exchange.mountBytes = mountBytes;
      return DONE;
    }
    exchange.running += 1;
    return this.#join(exchange, result, mountBytes, true);
  }

  /**
   * Waits for one part of the chain; what it gives may be awaited or not. The error of a part that
   * a middleware called may be `caught` there; it counts only when nobody answers.
   */
  #join(
    exchange: Exchange,
    part: Promise<void>,
    mountBytes: number,
    caught: boolean,
  ): Promise<void> {
    exchange.deferred = true;
    // Whatever can be awaited may come from a handler, with a then() of its own making.
    const joined = Promise.resolve(part).then(
      () => {
        exchange.mountBytes = mountBytes;
        this.#leave(exchange);
      },
      (error: unknown) => {
        if (!caught || exchange.failure === null) exchange.failure = { error, caught };
        exchange.mountBytes = mountBytes;
        this.#leave(exchange);
        throw error;
      },
    );
    return quietly(joined);
  }

  /**
   * The middleware that awaits a part goes on only after this, so it is asked again whether
   * everything has settled when its own part ends.
   */
  #leave(exchange: Exchange): void {
    exchange.running -= 1;
    if (exchange.running === 0) this.#settled(exchange);
  }
}

/** False for what a middleware returns that passes on what next() gave it, all being done. */
function isLater(result: void | Promise<void>): result is Promise<void> {
  return result !== DONE && isPromise(result);
}

/** True for a promise and for whatever can be awaited. */
export function isPromise(result: void | Promise<void>): result is Promise<void> {
  return typeof result === 'object' && result !== null && typeof result.then === 'function';
}

/** A rejection is kept in the exchange: that nobody awaits it must not end the process. */
function quietly(promise: Promise<void>): Promise<void> {
  promise.catch(() => {});
  return promise;
}

/** True when the path is the prefix or lies below it. */
function covers(prefix: Uint8Array, exchange: Exchange): boolean {
  const length = prefix.length;
  if (length === 0) return true;
  const { pathBytes, pathFrom, pathTo } = exchange;
  if (pathTo - pathFrom < length) return false;
  for (let index = 0; index < length; index++) {
    if (pathBytes[pathFrom + index] !== prefix[index]) return false;
  }
  return pathFrom + length === pathTo || pathBytes[pathFrom + length] === SLASH;
}

/** True when an exchange still waits for its answer. */
export function unanswered(exchange: Exchange): boolean {
  return exchange.phase === Phase.Open && !exchange.gone;
}
