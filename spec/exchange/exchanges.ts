// Exchanges without a connection, for unit tests.

import { DETACHED } from '../../src/connection/detached.ts';
import type { Services } from '../../src/exchange/exchange.ts';
import { Exchange } from '../../src/exchange/exchange.ts';
import type { Handler } from '../../src/exchange/handler.ts';
import { beginInvocation, type Invocation } from '../../src/server/invocation.ts';

export interface FakeServices extends Services {
  readonly lines: string[];
  settledCount: number;
  lateCount: number;
}

/** Services of a server that only counts, and pauses for one round of Node's loop. */
export function fakeServices(): FakeServices {
  const services = {
    lines: [] as string[],
    settledCount: 0,
    lateCount: 0,
    lateNotedMs: Number.NEGATIVE_INFINITY,
    limits: { bodyBytesMax: 1000 },
    nowMs: () => 0,
    wallMs: () => 0,
    pause: () => new Promise<void>((resolve) => setImmediate(resolve)),
    settled: () => {
      services.settledCount += 1;
    },
    handlerFailed: () => {},
    countLateCall: () => {
      services.lateCount += 1;
    },
    logError: (message: string) => {
      services.lines.push(message);
    },
  };
  return services as unknown as FakeServices;
}

/** The invocation of a new exchange, whose requests all end at `endpoint`. */
export function invocationWith(services: Services, endpoint: Handler): Invocation {
  const exchange = new Exchange(services, DETACHED, 10);
  exchange.reset(DETACHED);
  const invocation = beginInvocation(exchange);
  invocation.endpoint = endpoint;
  return invocation;
}
