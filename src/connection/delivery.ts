// Responses whose end is to be told: afterSend() callbacks run when the kernel took the last byte,
// or when it is known that it never will.

import { describe } from '../base/describe.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Summary } from '../exchange/phase.ts';
import type { Services } from '../exchange/transport.ts';

/** A response that was handed over and is not sent; what is told of it is kept apart. */
export interface Delivery {
  /** Of all bytes ever queued on the connection, up to which it goes. */
  readonly target: number;
  readonly callbacks: readonly ((summary: Summary) => void)[];
  readonly status: number;
  readonly contentBytes: number;
  readonly startedMs: number;
  /** False for a response that was given up: what of it is queued is still sent. */
  readonly complete: boolean;
  readonly services: Services;
}

/** Takes the callbacks of a response that is queued up to `target`; null when there are none. */
export function deliveryOf(exchange: Exchange, target: number, complete: boolean): Delivery | null {
  const callbacks = exchange.afterSend;
  if (callbacks === null) return null;
  exchange.afterSend = null;
  const { status, contentBytes, startedMs, services } = exchange;
  return { target, callbacks, status, contentBytes, startedMs, complete, services };
}

/**
 * Runs the callbacks. `sentTotal`: of all bytes ever queued, how many the kernel took. They may not
 * break the connection.
 */
export function delivered(delivery: Delivery, sentTotal: number): void {
  const { callbacks, status, startedMs, services } = delivery;
  const missing = Math.max(delivery.target - sentTotal, 0);
  const complete = delivery.complete && missing === 0;
  const bytes = Math.max(delivery.contentBytes - missing, 0);
  const durationMs = services.nowMs() - startedMs;
  for (const callback of callbacks)
    runCallback(callback, { status, bytes, durationMs, complete }, services);
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
