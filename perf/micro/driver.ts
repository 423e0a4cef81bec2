// Measures a receive and a send through a real driver on loopback, most of which is the kernel's
// share: pairs of sockets of one driver throw a message to each other. Beside it a turn in which
// nothing happens. Run: node .ci/start.mjs perf/micro/driver.ts

import { Slab } from '../../src/base/slab.ts';
import { Completions, type Driver, type DriverOptions, Op } from '../../src/driver/driver.ts';
import { EpollDriver, epollProblem } from '../../src/driver/epoll.ts';
import { uringProblem } from '../../src/driver/linux/uring-problem.ts';
import { NetDriver } from '../../src/driver/net.ts';
import { UringDriver } from '../../src/driver/uring.ts';
import { best } from './timing.ts';

const PAIRS = 16;
const MESSAGE_BYTES = 130;
const REGION = 1;
const THROWS = 10_000;
const ROUNDS = 30;
const EMPTY_POLLS = 5_000;

class Game {
  readonly driver: Driver;
  readonly #slab = new Slab(17_408, 256);
  readonly #out = new Completions(256);
  readonly #message = Buffer.alloc(MESSAGE_BYTES, 'x');
  #port = -1;
  #nextSlot = 0;
  #connected = 0;
  throws = 0;

  constructor(make: (options: DriverOptions) => Driver) {
    this.driver = make({ slab: this.#slab, slots: 2 * PAIRS, backlog: PAIRS });
    this.driver.map(REGION, this.#message);
    this.driver.listen({ host: '127.0.0.1', port: 0 });
  }

  /** Polls until `done`; node:net completes nothing unless Node's own loop runs in between. */
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
      this.throws += 1;
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

/** Nanoseconds of the best round for one message, received and sent. */
async function throwing(game: Game): Promise<number> {
  let bestNs = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const target = game.throws + THROWS;
    const before = game.throws;
    const began = process.hrtime.bigint();
    await game.until(() => game.throws >= target);
    bestNs = Math.min(bestNs, Number(process.hrtime.bigint() - began) / (game.throws - before));
  }
  return bestNs;
}

const makers: [string, (options: DriverOptions) => Driver][] = [
  ['net', (options) => new NetDriver(options)],
];
const problem = epollProblem();
if (uringProblem() === null) makers.unshift(['uring', (options) => new UringDriver(options)]);
if (problem === null) makers.unshift(['epoll', (options) => new EpollDriver(options)]);
else console.log(`epoll cannot run here: ${problem}`);

for (const [name, make] of makers) {
  const game = new Game(make);
  await game.listened();
  const emptyNs = best(ROUNDS, () => {
    for (let poll = 0; poll < EMPTY_POLLS; poll++) game.turn();
    return EMPTY_POLLS;
  });
  await game.connected();
  const ns = await throwing(game);
  console.log(`${name}: receive and send ${ns.toFixed(0)} ns, empty turn ${emptyNs.toFixed(0)} ns`);
}
// Sockets are still open; the measurement is over.
process.exit();
