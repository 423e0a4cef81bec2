// Hot: runs for every request. Measured by perf/micro/route.ts.
// The middleware of a server, run by an index: each is called with a next() that runs those behind
// it and at last the endpoint. A request that is handled at once makes no promise.

import { SLASH } from '../base/ascii.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { lateRejection, noteLate, quietly } from '../exchange/late.ts';
import type { Middleware, Next } from '../exchange/middleware.ts';
import { beginPart, endPart, failPart } from '../exchange/parts.ts';
import { Phase } from '../exchange/phase.ts';
import { Request } from '../exchange/request.ts';
import type { Response } from '../exchange/response.ts';

/** A middleware and the part of the site that it covers. */
export interface Step {
  /** As decoded bytes without a slash at the end; empty for everything. */
  readonly prefix: Uint8Array;
  readonly run: Middleware;
}

/** What next() returns for all requests whose rest was done at once. */
export const DONE: Promise<void> = Promise.resolve();

export class Chain {
  readonly #steps: Step[] = [];

  add(step: Step): void {
    this.#steps.push(step);
  }

  /** Runs everything for an exchange whose endpoint is set. Never throws. */
  run(exchange: Exchange): void {
    exchange.running = 1;
    exchange.entered = true;
    let later: Promise<void> | null;
    try {
      later = laterPart(this.#enter(exchange, 0));
    } catch (error) {
      exchange.entered = false;
      failPart(exchange, error, false);
      return;
    }
    exchange.entered = false;
    if (later === null) endPart(exchange);
    else void this.#join(exchange, later, false);
  }

  /** Runs further work of the exchange as a part of its chain. */
  also(exchange: Exchange, work: Promise<void>): void {
    beginPart(exchange);
    void this.#join(exchange, work, false);
  }

  /** Calls the first step from `index` on that covers the request, or the endpoint. */
  #enter(exchange: Exchange, index: number): void | Promise<void> {
    const steps = this.#steps;
    let at = index;
    while (at < steps.length && !covers(steps[at].prefix, exchange)) at += 1;
    exchange.step = at;
    if (at === steps.length) {
      const result = exchange.endpoint(exchange.request, exchange.response);
      if (needsResponse(exchange) && !isPromise(result)) exchange.awaited = true;
      return result;
    }
    const { prefix, run } = steps[at];
    const request = prefix.length === 0 ? exchange.request : mounted(exchange, prefix.length);
    const result = run(request, exchange.response, this.#makeNext(exchange, exchange.response, at));
    // It keeps next(), or means to respond later.
    if (exchange.step === at && needsResponse(exchange) && !isPromise(result))
      exchange.awaited = true;
    return result;
  }

  /**
   * A next() for one step of one request: it may be kept, so it is not used again, and names its
   * request by the identity. Apart: a function that makes one keeps its variables on the heap.
   */
  #makeNext(exchange: Exchange, identity: Response, at: number): Next {
    return () => this.#next(exchange, identity, at);
  }

  #next(exchange: Exchange, identity: Response, at: number): Promise<void> {
    const isOver = exchange.identity !== identity;
    // A request whose client is gone is over when all that it started has settled.
    const isLeft = exchange.gone && exchange.running === 0;
    if (isOver || isLeft || exchange.phase === Phase.Ended || exchange.step !== at) {
      return lateNext(exchange, isOver, at);
    }
    beginPart(exchange);
    // Whether the step itself meant to respond later counts no more: what follows decides.
    exchange.awaited = false;
    // Within the call of the handler, or of a middleware that kept next() and calls it now.
    const { entered } = exchange;
    exchange.entered = true;
    let later: Promise<void> | null;
    try {
      later = laterPart(this.#enter(exchange, at + 1));
    } catch (error) {
      exchange.entered = entered;
      failPart(exchange, error, true);
      return quietly(Promise.reject(error));
    }
    exchange.entered = entered;
    if (later !== null) return this.#join(exchange, later, true);
    endPart(exchange);
    return DONE;
  }

  /**
   * Waits for one part of the chain; what it returns may be awaited or not. The error of a part
   * that a middleware called may be `caught` there; it counts only when nothing responds.
   */
  #join(exchange: Exchange, part: Promise<void>, caught: boolean): Promise<void> {
    exchange.deferred = true;
    // What can be awaited may be of a handler's own making, and Promise.resolve() can throw then.
    const joined = new Promise<void>((resolve) => resolve(part)).then(
      () => endPart(exchange),
      (error: unknown) => {
        failPart(exchange, error, caught);
        throw error;
      },
    );
    return quietly(joined);
  }
}

/** The request as a middleware below a prefix sees it. */
function mounted(exchange: Exchange, prefixBytes: number): Request {
  return new Request(exchange, exchange.response, prefixBytes);
}

/** A second next(), or one after the response: nothing runs. */
function lateNext(exchange: Exchange, isOver: boolean, at: number): Promise<void> {
  const isTwice = !isOver && exchange.step !== at;
  const what = isTwice ? 'next() was called twice' : 'next() was called after the response';
  if (isTwice && exchange.entered) throw new Error(what);
  // A part of the chain that still runs awaits it, as a rule, and fails: that is told then.
  if (isOver || exchange.running === 0) noteLate(exchange, what, isOver);
  else exchange.services.countLateCall(false);
  return lateRejection(exchange, isOver, new Error(what));
}

/** What is to be waited for; null also where a middleware returns what next() did at once. */
export function laterPart(result: void | Promise<void>): Promise<void> | null {
  return result !== DONE && isPromise(result) ? result : null;
}

/** True for a promise and for whatever can be awaited. */
function isPromise(result: void | Promise<void>): result is Promise<void> {
  return typeof result === 'object' && result !== null && typeof result.then === 'function';
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
export function needsResponse(exchange: Exchange): boolean {
  return exchange.phase === Phase.Open && !exchange.gone;
}
