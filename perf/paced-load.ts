// A load that asks at a rate of its own, whatever the server does: N connections, R requests a
// second spread evenly, each timed from when it was due. It runs on the epoll driver, in a process
// of its own.
//
//   node build/perf/paced-load.js --port PORT [--path /] [--connections 64] [--rate 1000]
//     [--seconds 5]
//
// It prints one line of JSON. As a child it connects, says so, and runs whenever it is asked to.

import { parseArgs } from 'node:util';
import { Slab } from '../src/base/slab.ts';
import { Completions, Op } from '../src/driver/driver.ts';
import { EpollDriver } from '../src/driver/epoll.ts';
import { Histogram } from './histogram.ts';
import { probe } from './probe.ts';

export interface PacedReport {
  readonly sent: number;
  readonly answered: number;
  /** Connections that failed or ended, and answers that were not like the first one. */
  readonly errors: number;
  readonly unanswered: number;
  readonly seconds: number;
  readonly latencyUs: Readonly<Record<'p50' | 'p90' | 'p99' | 'most', number>>;
}

const REQUEST_REGION = 1;
const BLOCK_BYTES = 4_096;
/** Connects at once, fewer than any server's queue holds. */
const CONNECTING_MAX = 128;
const CONNECT_MS_MAX = 20_000;
/** What is not answered so long after the last was due counts as unanswered. */
const PATIENCE_MS = 2_000;
/** Turns between two rounds of Node's loop, which brings messages. */
const TURNS_IN_A_ROW = 64;
/** Where the first digit of a status stands, and a 2 there. */
const STATUS_AT = 'HTTP/1.1 '.length;
const TWO = 50;
const FREE = -1;

class PacedLoad {
  readonly #connections: number;
  readonly #port: number;
  readonly #answerBytes: number;
  readonly #requestBytes: number;
  readonly #slab: Slab;
  readonly #driver: EpollDriver;
  readonly #out = new Completions(256);
  /** When the request in flight was due, by connection. */
  readonly #due: Float64Array;
  readonly #received: Int32Array;
  /** Connections without a request in flight, the one that waits longest first. */
  readonly #free: number[] = [];
  #connected = 0;
  #connecting = 0;
  #inFlight = 0;
  #histogram = new Histogram();
  #errors = 0;

  constructor(port: number, connections: number, request: Buffer, answerBytes: number) {
    this.#port = port;
    this.#connections = connections;
    this.#answerBytes = answerBytes;
    this.#requestBytes = request.length;
    this.#slab = new Slab(BLOCK_BYTES, Math.max(256, connections));
    this.#driver = new EpollDriver({ slab: this.#slab, slots: connections, backlog: 1 });
    this.#driver.map(REQUEST_REGION, request);
    this.#due = new Float64Array(connections).fill(FREE);
    this.#received = new Int32Array(connections);
  }

  async connect(): Promise<void> {
    const untilMs = this.#driver.now() + CONNECT_MS_MAX;
    let next = 0;
    while (this.#connected + this.#errors < this.#connections) {
      while (next < this.#connections && this.#connecting < CONNECTING_MAX) {
        this.#connecting += 1;
        this.#driver.connect({ host: '127.0.0.1', port: this.#port }, next++);
      }
      if (this.#driver.now() > untilMs) break;
      await this.#turns(() => true);
    }
    if (this.#connected < this.#connections) {
      throw new Error(`${this.#connected} of ${this.#connections} connections came about`);
    }
  }

  async run(rate: number, seconds: number): Promise<PacedReport> {
    this.#histogram = new Histogram();
    this.#errors = 0;
    const intervalMs = 1000 / rate;
    const total = rate * seconds;
    const beganMs = this.#driver.now();
    const endMs = beganMs + seconds * 1000 + PATIENCE_MS;
    let sent = 0;
    const go = (): boolean => {
      const now = this.#driver.now();
      while (sent < total && beganMs + sent * intervalMs <= now && this.#free.length > 0) {
        this.#ask(this.#free.shift() ?? 0, beganMs + sent * intervalMs);
        sent += 1;
      }
      return now < endMs && (sent < total || this.#inFlight > 0);
    };
    while (go()) await this.#turns(go);
    const histogram = this.#histogram;
    return {
      sent,
      answered: histogram.count,
      errors: this.#errors,
      unanswered: total - histogram.count,
      seconds: (this.#driver.now() - beganMs) / 1000,
      latencyUs: {
        p50: histogram.at(0.5),
        p90: histogram.at(0.9),
        p99: histogram.at(0.99),
        most: histogram.most,
      },
    };
  }

  #ask(slot: number, dueMs: number): void {
    this.#due[slot] = dueMs;
    this.#received[slot] = 0;
    this.#inFlight += 1;
    this.#driver.send(slot, REQUEST_REGION, 0, this.#requestBytes, false);
  }

  /** Some turns in a row while `go` says so, then one of Node's loop. */
  async #turns(go: () => boolean): Promise<void> {
    for (let turn = 0; turn < TURNS_IN_A_ROW && go(); turn++) this.#turn();
    await new Promise((resolve) => setImmediate(resolve));
  }

  #turn(): void {
    const out = this.#out;
    const count = this.#driver.poll(out);
    for (let index = 0; index < count; index++) {
      const slot = out.slot[index];
      const op = out.op[index];
      if (op === Op.Connect) this.#connectedOne(slot, out.result[index]);
      else if (op === Op.Receive) this.#receivedSome(slot, out.result[index], out.block[index]);
      else if (op === Op.Send && out.result[index] !== this.#requestBytes) this.#errors += 1;
    }
  }

  #connectedOne(slot: number, result: number): void {
    this.#connecting -= 1;
    if (result < 0) {
      this.#errors += 1;
      return;
    }
    this.#connected += 1;
    this.#free.push(slot);
    this.#driver.receive(slot);
  }

  #receivedSome(slot: number, result: number, block: number): void {
    if (result <= 0) {
      this.#lose(slot);
      return;
    }
    const isFirst = this.#received[slot] === 0;
    const isGood = this.#slab.bytes[this.#slab.start(block) + STATUS_AT] === TWO;
    this.#slab.release(block);
    this.#received[slot] += result;
    const isAsked = this.#due[slot] !== FREE;
    const isTooLong = this.#received[slot] > this.#answerBytes;
    if (!isAsked || isTooLong || (isFirst && result > STATUS_AT && !isGood)) {
      this.#lose(slot);
      return;
    }
    this.#driver.receive(slot);
    if (this.#received[slot] < this.#answerBytes) return;
    this.#histogram.add((this.#driver.now() - this.#due[slot]) * 1000);
    this.#due[slot] = FREE;
    this.#inFlight -= 1;
    this.#free.push(slot);
  }

  /** The connection is not used again; its socket goes when the process ends. */
  #lose(slot: number): void {
    this.#errors += 1;
    if (this.#due[slot] === FREE) this.#free.splice(this.#free.indexOf(slot), 1);
    else this.#inFlight -= 1;
    this.#due[slot] = Number.MAX_VALUE;
  }
}

const USAGE =
  'usage: paced-load --port PORT [--path /] [--connections 64] [--rate 1000] [--seconds 5]';

process.exitCode = await main();

async function main(): Promise<number> {
  try {
    const { values } = parseArgs({
      options: {
        port: { type: 'string', default: '' },
        path: { type: 'string', default: '/' },
        connections: { type: 'string', default: '64' },
        rate: { type: 'string', default: '1000' },
        seconds: { type: 'string', default: '5' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) {
      console.log(USAGE);
      return 0;
    }
    const port = wholeNumber('port', values.port, 65_535);
    const connections = wholeNumber('connections', values.connections, 65_535);
    const rate = wholeNumber('rate', values.rate, 1_000_000);
    const seconds = wholeNumber('seconds', values.seconds, 3_600);
    const { path } = values;
    const { status, bytes } = await probe(port, path);
    if (status !== 200) throw new Error(`GET ${path} is answered with ${status}`);
    const request = Buffer.from(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
    const load = new PacedLoad(port, connections, request, bytes);
    await load.connect();
    if (process.send === undefined) {
      console.log(JSON.stringify(await load.run(rate, seconds)));
      process.exit(0);
    }
    process.on('message', () => void load.run(rate, seconds).then((one) => process.send?.(one)));
    process.on('disconnect', () => process.exit());
    console.log(`${connections} connections to 127.0.0.1:${port}`);
    return 0;
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`);
    process.exit(2);
  }
}

function wholeNumber(name: string, text: string, most: number): number {
  const number = /^\d{1,7}$/.test(text) ? Number(text) : 0;
  if (number < 1 || number > most) throw new Error(`--${name} takes a whole number to ${most}`);
  return number;
}
