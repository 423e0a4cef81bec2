// Responses that are notified when the kernel took their last byte, or when it is certain that it
// never will: those with afterSend() callbacks, those of which tracers want to know, and large
// ones, which the metrics count then.

import { describe } from '../base/describe.ts';
import type { Summary } from '../exchange/callbacks.ts';
import type { Exchange, Services } from '../exchange/exchange.ts';
import { endTrace, type OpenTrace } from '../exchange/tracing.ts';

/** A response that is queued and not sent; what its summary needs is copied. */
interface Delivery {
  /** The value of sentTotal at which all of the response is sent. */
  readonly target: number;
  readonly callbacks: readonly ((summary: Summary) => void)[];
  readonly status: number;
  readonly contentBytes: number;
  readonly startedMs: number;
  /** False for a response that was given up: what is queued of it is still sent. */
  readonly complete: boolean;
  readonly services: Services;
  /** Counts it for the metrics. */
  readonly count: ((complete: boolean) => void) | null;
  readonly trace: OpenTrace | null;
  /** Content of the request that had arrived. */
  readonly requestBytes: number;
}

/** Those of one connection, in order. Most responses are not added. */
export class Deliveries {
  #waiting: Delivery[] = [];

  /** Takes the callbacks of a response that is queued up to `target`, if it has any, and others. */
  add(
    exchange: Exchange,
    target: number,
    complete: boolean,
    count: Delivery['count'] = null,
    trace: OpenTrace | null = null,
    requestBytes = 0,
  ): void {
    if (exchange.afterSend === null && count === null && trace === null) return;
    const callbacks = exchange.afterSend ?? [];
    exchange.afterSend = null;
    const { status, contentBytes, startedMs, services } = exchange;
    this.#waiting.push({
      target,
      callbacks,
      status,
      contentBytes,
      startedMs,
      complete,
      services,
      count,
      trace,
      requestBytes,
    });
  }

  /** Notifies those that are sent. `sentTotal`: of all bytes ever queued, what the kernel took. */
  notifySent(sentTotal: number): void {
    while (this.#waiting.length > 0 && this.#waiting[0].target <= sentTotal) {
      const [delivery] = this.#waiting.splice(0, 1);
      notify(delivery, sentTotal);
    }
  }

  /** Notifies all: what is not sent never will be. */
  notifyLost(sentTotal: number): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    for (const delivery of waiting) notify(delivery, sentTotal);
  }
}

/** Runs the callbacks, whose errors do not affect the connection. */
function notify(delivery: Delivery, sentTotal: number): void {
  const { callbacks, requestBytes, status, startedMs, services, trace } = delivery;
  const missing = Math.max(delivery.target - sentTotal, 0);
  const complete = delivery.complete && missing === 0;
  delivery.count?.(complete);
  const bytes = Math.max(delivery.contentBytes - missing, 0);
  const nowMs = services.nowMs();
  const durationMs = nowMs - startedMs;
  for (const callback of callbacks) {
    runCallback(callback, { status, bytes, durationMs, complete }, services);
  }
  if (trace !== null) endTrace(trace, nowMs, requestBytes, bytes, complete);
}

function runCallback(
  callback: (summary: Summary) => unknown,
  summary: Summary,
  services: Services,
): void {
  try {
    const result = callback(summary);
    if (result instanceof Promise)
      result.catch((error: unknown) => callbackFailed(services, error));
  } catch (error) {
    callbackFailed(services, error);
  }
}

function callbackFailed(services: Services, error: unknown): void {
  services.logError(`an afterSend() callback failed: ${describe(error)}`);
}
