// The steps of a request, run by an index: each is called with a next() that runs those after
// it and at last the endpoint. A request that is handled at once makes no promise.

import { shown } from '../base/shown.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Next } from '../exchange/handler.ts';
import { lateRejection, noteLate, quietly } from '../exchange/late.ts';
import { beginPart, endPart, failPart } from '../exchange/parts.ts';
import { MountedRequest, type Request } from '../exchange/request.ts';
import { Phase } from '../exchange/state.ts';
import { prefixLength } from '../route/prefix.ts';
import { type Invocation, needsResponse } from './invocation.ts';
import type { Step } from './scope.ts';

/** What next() returns for all requests whose rest was done at once. */
export const DONE: Promise<void> = Promise.resolve();

export class Chain {
  /** Runs everything for a request whose endpoint is set. Never throws. */
  run(invocation: Invocation): void {
    const { exchange } = invocation;
    const { parts } = exchange;
    parts.running = 1;
    parts.entered = true;
    let later: Promise<void> | null;
    try {
      later = laterPart(this.#enter(invocation, 0));
    } catch (error) {
      parts.entered = false;
      failPart(exchange, error, false);
      return;
    }
    parts.entered = false;
    if (later === null) endPart(exchange);
    else this.#wait(exchange, later);
  }

  /** Runs a further promise of the request as a part of its chain. */
  also(exchange: Exchange, promise: Promise<void>): void {
    beginPart(exchange);
    this.#wait(exchange, promise);
  }

  /** Calls the first step from `index` on that covers the request, or the endpoint. */
  #enter(invocation: Invocation, index: number): void | Promise<void> {
    const { exchange, response, steps } = invocation;
    let at = index;
    let mountBytes = -1;
    while (at < steps.length) {
      mountBytes = coveredBytes(steps[at], exchange);
      if (mountBytes >= 0) break;
      at += 1;
    }
    invocation.step = at;
    if (at === steps.length) {
      const result = invocation.endpoint(invocation.request, response);
      if (needsResponse(exchange) && !isPromise(result)) invocation.mayRespondLater = true;
      return result;
    }
    const { run } = steps[at];
    const request = mountBytes === 0 ? invocation.request : mounted(invocation, mountBytes);
    const result = run(request, response, this.#makeNext(invocation, response, at));
    // It keeps next(), or responds later.
    if (invocation.step === at && needsResponse(exchange) && !isPromise(result))
      invocation.mayRespondLater = true;
    return result;
  }

  /**
   * A next() for one step of one request. A middleware may keep it, so it is not used again, and it
   * names its request by the identity. A method of its own: a function that makes a closure keeps
   * its variables on the heap.
   */
  #makeNext(invocation: Invocation, identity: object, at: number): Next {
    const next = (given?: unknown): Promise<void> => {
      if (given !== undefined && given !== null) throw refusal(given);
      return this.#next(invocation, identity, at);
    };
    return next;
  }

  #next(invocation: Invocation, identity: object, at: number): Promise<void> {
    const { exchange } = invocation;
    const { parts } = exchange;
    const isOver = exchange.identity !== identity;
    // A request whose client is gone has ended when all that it started has settled.
    const isLeft = exchange.gone && parts.running === 0;
    if (isOver || isLeft || exchange.phase === Phase.Ended || invocation.step !== at) {
      return lateNext(invocation, isOver, at);
    }
    beginPart(exchange);
    // From here on the rest of the chain decides whether a response may come later.
    invocation.mayRespondLater = false;
    // Within the call of the handler, or of a middleware that kept next() and calls it now.
    const { entered } = parts;
    parts.entered = true;
    let later: Promise<void> | null;
    try {
      later = laterPart(this.#enter(invocation, at + 1));
    } catch (error) {
      parts.entered = entered;
      failPart(exchange, error, true);
      return quietly(Promise.reject(error));
    }
    parts.entered = entered;
    if (later !== null) return this.#join(exchange, later);
    endPart(exchange);
    return DONE;
  }

  /** Waits for a part whose promise no other part has. */
  #wait(exchange: Exchange, part: Promise<void>): void {
    exchange.parts.deferred = true;
    void whenSettled(
      part,
      () => endPart(exchange),
      (error) => failPart(exchange, error, false),
    );
  }

  /** As #wait(), for a middleware that may await the result, and catch the error, or not. */
  #join(exchange: Exchange, part: Promise<void>): Promise<void> {
    exchange.parts.deferred = true;
    const joined = whenSettled(
      part,
      () => endPart(exchange),
      (error) => {
        failPart(exchange, error, true);
        throw error;
      },
    );
    return quietly(joined);
  }
}

/** The request as a middleware below a prefix sees it. */
function mounted({ exchange, response }: Invocation, prefixBytes: number): Request {
  return new MountedRequest(exchange, response, prefixBytes);
}

/** In express an argument is an error, or skips handlers: without this a guard would let pass. */
function refusal(given: unknown): TypeError {
  const what = 'next() takes no argument: throw the error, or respond, instead';
  return new TypeError(`${what}, given ${shown(given)}`, { cause: given });
}

/** A second next(), or one after the response: nothing runs. */
function lateNext(invocation: Invocation, isOver: boolean, at: number): Promise<void> {
  const { exchange } = invocation;
  const { parts } = exchange;
  const isTwice = !isOver && invocation.step !== at;
  const what = isTwice ? 'next() was called twice' : 'next() was called after the response';
  if (isTwice && parts.entered) throw new Error(what);
  // Usually a running middleware awaits this promise, and its rejection is reported.
  if (isOver || parts.running === 0) noteLate(exchange, 'next()', isOver);
  else exchange.services.countLateCall(false);
  return lateRejection(exchange, isOver, new Error(what));
}

/** The promise to wait for; null also where a middleware returns what next() returned at once. */
export function laterPart(result: void | Promise<void>): Promise<void> | null {
  return result !== DONE && isPromise(result) ? result : null;
}

const { then } = Promise.prototype;

/**
 * As part.then(). The promise of an async function needs no other promise in between, which is most
 * of the garbage of such a request. A thenable, or a class of a program, may throw anywhere.
 */
function whenSettled(
  part: Promise<void>,
  done: () => void,
  failed: (error: unknown) => void,
): Promise<void> {
  try {
    const isPlain =
      Object.getPrototypeOf(part) === Promise.prototype && !Object.hasOwn(part, 'constructor');
    if (isPlain) return then.call(part, done, failed) as Promise<void>;
  } catch {
    // A proxy: whatever it throws below is the error of the part.
  }
  return new Promise<void>((resolve) => resolve(part)).then(done, failed);
}

/** True for a promise and for any other thenable. */
export function isPromise(result: void | Promise<void>): result is Promise<void> {
  return typeof result === 'object' && result !== null && typeof result.then === 'function';
}

/** How many bytes of the path a step does not see; -1 when it does not cover the request. */
export function coveredBytes({ prefix, mountBytes }: Step, exchange: Exchange): number {
  if (prefix === null) return mountBytes;
  const { pathBytes, pathFrom, pathTo } = exchange;
  return prefixLength(prefix, pathBytes, pathFrom, pathTo);
}
