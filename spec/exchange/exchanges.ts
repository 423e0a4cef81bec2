// Exchanges without a connection, for unit tests.

import { DETACHED } from '../../src/connection/detached.ts';
import { Exchange, type Handler } from '../../src/exchange/exchange.ts';
import type { Services } from '../../src/exchange/transport.ts';

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

/** An exchange that has begun, whose requests all end at `endpoint`. */
export function exchangeWith(services: Services, endpoint: Handler): Exchange {
  const exchange = new Exchange(services, DETACHED, 10);
  exchange.reset(DETACHED);
  exchange.endpoint = endpoint;
  return exchange;
}
