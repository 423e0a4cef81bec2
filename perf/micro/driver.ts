// Measures a receive and a send through a real driver on loopback, most of which is the kernel's
// share: pairs of sockets of one driver send a message back and forth. Also measures an empty turn.

import { Slab } from '../../src/base/slab.ts';
import { Completions, type Driver, type DriverOptions, Op } from '../../src/driver/driver.ts';
import { EpollDriver, epollProblem } from '../../src/driver/linux/epoll.ts';
import { UringDriver } from '../../src/driver/linux/uring.ts';
import { uringProblem } from '../../src/driver/linux/uring-problem.ts';
import { NetDriver } from '../../src/driver/net/net.ts';
import type { BenchCase } from '../bench/case.ts';

const PAIRS = 16;
const MESSAGE_BYTES = 130;
const REGION = 1;
/** Messages that one call waits for. */
const MESSAGES = 500;

class PingPong {
  readonly driver: Driver;
  readonly #slab = new Slab(17_408, 256);
  readonly #out = new Completions(256);
  readonly #message = Buffer.alloc(MESSAGE_BYTES, 'x');
  #port = -1;
  #nextSlot = 0;
  #connected = 0;
  received = 0;

  constructor(make: (options: DriverOptions) => Driver) {
    this.driver = make({ slab: this.#slab, slots: 2 * PAIRS, backlog: PAIRS });
    this.driver.map(REGION, this.#message);
    this.driver.listen({ host: '127.0.0.1', port: 0 });
  }

  /** Polls until `done`; node:net needs turns of Node's event loop in between. */
  async until(done: () => boolean): Promise<void> {
    while (!done()) {
      if (this.turn() > 0 && this.driver.name !== 'net') continue;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  turn(): number {
    const out = this.#out;
    const count = this.driver.poll(out);
    for (let index = 0; index < count; index++) {
      this.#dispatch(out.op[index], out.slot[index], out.result[index], out.block[index]);
    }
    return count;
  }

  #dispatch(op: number, slot: number, result: number, block: number): void {
    if (result < 0) throw new Error(`operation ${op} of slot ${slot} failed with ${result}`);
    if (op === Op.Receive) {
      if (result !== MESSAGE_BYTES) throw new Error(`${result} bytes came`);
      this.#slab.release(block);
      this.received += 1;
      this.driver.send(slot, REGION, 0, MESSAGE_BYTES, false);
    } else if (op === Op.Send) {
      this.driver.receive(slot);
    } else if (op === Op.Listen) {
      this.#port = result;
    } else if (op === Op.Accept) {
      const server = this.#nextSlot++;
      this.driver.adopt(result, server);
      this.driver.receive(server);
    } else if (op === Op.Connect) {
      this.#connected += 1;
      this.driver.send(slot, REGION, 0, MESSAGE_BYTES, false);
    }
  }

  async listened(): Promise<void> {
    await this.until(() => this.#port > 0);
  }

  async connected(): Promise<void> {
    for (let pair = 0; pair < PAIRS; pair++) {
      const address = { host: '127.0.0.1', port: this.#port };
      this.driver.connect(address, this.#nextSlot++);
    }
    await this.until(() => this.#connected === PAIRS && this.#nextSlot === 2 * PAIRS);
  }
}

export async function driverCases(): Promise<readonly BenchCase[]> {
  const makers: [string, (options: DriverOptions) => Driver][] = [];
  if (epollProblem() === null) makers.push(['epoll', (options) => new EpollDriver(options)]);
  if (uringProblem() === null) makers.push(['uring', (options) => new UringDriver(options)]);
  makers.push(['net', (options) => new NetDriver(options)]);
  const cases: BenchCase[] = [];
  for (const [name, make] of makers) cases.push(...(await casesOf(name, make)));
  return cases;
}

async function casesOf(
  name: string,
  make: (options: DriverOptions) => Driver,
): Promise<readonly BenchCase[]> {
  // With messages in flight no turn is empty, so empty turns need a driver without any.
  const idle = new PingPong(make);
  await idle.listened();
  const busy = new PingPong(make);
  await busy.listened();
  await busy.connected();
  return [
    { name: `${name}, an empty turn`, run: () => void idle.turn() },
    { name: `${name}, receive and send`, operations: MESSAGES, run: exchanging(busy) },
  ];
}

/** Messages beyond the last one of a call count for the next call. */
function exchanging(pairs: PingPong): () => void | Promise<void> {
  let target = pairs.received;
  const isDone = (): boolean => pairs.received >= target;
  if (pairs.driver.name === 'net') {
    return () => {
      target += MESSAGES;
      return pairs.until(isDone);
    };
  }
  return () => {
    target += MESSAGES;
    while (!isDone()) pairs.turn();
  };
}
