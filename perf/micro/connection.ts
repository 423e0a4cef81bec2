// Measures what a request costs above the kernel: the full path from a received block to a queued
// send, over a driver without system calls.

import { NodeAsyncIo } from '../../src/async-io/node.ts';
import { limitsFrom } from '../../src/base/limits.ts';
import type { Slab } from '../../src/base/slab.ts';
import { type Address, type Completions, type Driver, Op } from '../../src/driver/driver.ts';
import type { Handler } from '../../src/exchange/handler.ts';
import { makeCounts } from '../../src/metrics/counters.ts';
import { Application } from '../../src/server/application.ts';
import { configFrom } from '../../src/server/config/config.ts';
import { Group } from '../../src/server/group.ts';
import { Runtime } from '../../src/server/runtime.ts';
import type { BenchCase } from '../bench/case.ts';

export const SOCKETS = 64;

/** Every poll has a request on every socket; every send completes in full. */
class EndlessDriver implements Driver {
  readonly name = 'endless';
  wake: (fromLoop: boolean) => void = () => {};
  readonly #slab: Slab;
  readonly #request: Uint8Array;
  readonly #sent = new Int32Array(SOCKETS);
  #toAccept = SOCKETS;
  #announced = false;

  constructor(slab: Slab, request: Uint8Array) {
    this.#slab = slab;
    this.#request = request;
  }

  now(): number {
    return performance.now();
  }

  wall(): number {
    return Date.now();
  }

  map(): void {}
  mapFile(): boolean {
    return false;
  }

  unmap(): void {}

  listen(_address: Address): void {
    this.#announced = true;
  }

  unlisten(): void {}
  setAccepting(): void {}
  acceptAlso(): void {}
  adopt(): void {}
  refuse(): void {}
  connect(): void {}
  receive(): void {}

  send(slot: number, _region: number, start: number, end: number): void {
    this.#sent[slot] = end - start;
  }

  watch(): void {}
  unacknowledged(): number {
    return 0;
  }
  shutdownSend(): void {}
  abort(): void {}
  close(): void {}

  peer(): { address: string; port: number } {
    return { address: '127.0.0.1', port: 1 };
  }

  poll(out: Completions): number {
    let count = 0;
    if (this.#announced) {
      this.#announced = false;
      count = out.set(count, Op.Listen, -1, 80, -1);
    }
    if (this.#toAccept > 0) {
      for (; this.#toAccept > 0; this.#toAccept--) count = out.set(count, Op.Accept, -1, 1, -1);
      return count;
    }
    for (let slot = 0; slot < SOCKETS; slot++) {
      if (this.#sent[slot] > 0) count = out.set(count, Op.Send, slot, this.#sent[slot], -1);
      this.#sent[slot] = 0;
    }
    for (let slot = 0; slot < SOCKETS; slot++) {
      const block = this.#slab.acquire();
      this.#slab.bytes.set(this.#request, this.#slab.start(block));
      count = out.set(count, Op.Receive, slot, this.#request.length, block);
    }
    return count;
  }

  sleep(): boolean {
    return false;
  }

  destroy(): void {}
}

export const REQUESTS: Readonly<Record<'small' | 'browser', string>> = {
  small: 'GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n',
  browser:
    'GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nConnection: keep-alive\r\n' +
    'Cache-Control: max-age=0\r\nUpgrade-Insecure-Requests: 1\r\nUser-Agent: Mozilla/5.0 (X11; ' +
    'Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r\n' +
    'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8\r\n' +
    'Accept-Encoding: gzip, deflate, br\r\nAccept-Language: en-GB,en;q=0.9\r\n\r\n',
};

const BATCHES: readonly (readonly [name: string, text: string, count: number])[] = [
  ['a small request', REQUESTS.small, 1],
  ["a browser's request", REQUESTS.browser, 1],
  ['a small request of 16 in a pipeline', REQUESTS.small.repeat(16), 16],
];

export function connectionCases(): readonly BenchCase[] {
  return BATCHES.map(([name, text, count]) => {
    let responses = 0;
    const turn = turnsOf(text, (_request, response) => {
      responses += 1;
      response.text('Hello, World!');
    });
    turn();
    turn();
    if (responses < SOCKETS * count) throw new Error(`${name}: not all requests had a response`);
    return { name, operations: SOCKETS * count, run: turn };
  });
}

/** The turns of a server whose 64 sockets receive the same bytes in each of them. */
export function turnsOf(text: string, handler: Handler): () => void {
  const config = configFrom({ logLevel: 'silent' });
  const { error: logError, warn: logWarn } = console;
  const application = new Application({ counters: makeCounts(), logError, logWarn });
  const { routes } = application;
  new Group(routes, routes.root).get('/', handler);
  const runtime = new Runtime({
    config: { ...config, limits: limitsFrom({ blockCount: 1024 }) },
    asyncIo: new NodeAsyncIo(),
    log: { error() {}, warn() {}, notice() {}, debug() {}, debugEnabled: false },
    counters: makeCounts(),
    application,
    makeDriver: ({ slab }) => {
      return { driver: new EndlessDriver(slab, new TextEncoder().encode(text)), note: null };
    },
  });
  const { reactor } = runtime;
  reactor.listen({ host: '127.0.0.1', port: 80 });
  reactor.turn();
  return () => void reactor.turn();
}
