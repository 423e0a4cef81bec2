// Whole connections in memory: the reactor, the connection and the application are real, sockets
// and clocks are the test's. Clients send and take exactly what they are told to.

import assert from 'node:assert/strict';
import { NodeAsyncIo } from '../src/async-io/node.ts';
import { ERRNO } from '../src/base/errno.ts';
import { type Limits, limitsFrom } from '../src/base/limits.ts';
import { Slab } from '../src/base/slab.ts';
import { turnAway } from '../src/connection/close.ts';
import { Connection } from '../src/connection/connection.ts';
import {
  type ConnectionContext,
  connectionLimits,
  Draining,
  Timeout,
  timeoutsMs,
} from '../src/connection/context.ts';
import { ExchangePool } from '../src/connection/exchange-pool.ts';
import { ResponseWriter } from '../src/connection/response-writer.ts';
import { ServerServices } from '../src/connection/services.ts';
import { SpanPool } from '../src/connection/span.ts';
import type { Handler } from '../src/exchange/handler.ts';
import { type Counts, makeCounts } from '../src/metrics/counters.ts';
import type { Meter } from '../src/metrics/meter.ts';
import { Reactor } from '../src/reactor/reactor.ts';
import { Regions } from '../src/reactor/regions.ts';
import { Application } from '../src/server/application.ts';
import { Group } from '../src/server/group.ts';
import { FakeDriver, type FakeSocket } from './fake-driver.ts';

export const DATE = 'Date: Thu, 29 Feb 2024 12:00:00 GMT';

export interface FixtureOptions {
  readonly limits?: Partial<Limits>;
  readonly blockBytes?: number;
  readonly blocks?: number;
  readonly slots?: number;
  /** Closed connections are opened again, as a server does. */
  readonly reuse?: boolean;
  /** Every client is turned away. */
  readonly overloaded?: boolean;
  /** Without one nothing is counted for metrics. */
  readonly meter?: Meter;
}

export class ConnectionFixture {
  readonly limits: Limits;
  readonly slab: Slab;
  readonly driver: FakeDriver;
  readonly reactor: Reactor;
  readonly regions: Regions;
  readonly spans: SpanPool = new SpanPool();
  readonly counters: Counts = makeCounts();
  readonly context: ConnectionContext;
  readonly application: Application;
  /** Adds to the application. */
  readonly group: Group;
  readonly connections: Connection[] = [];
  readonly released: Connection[] = [];
  /** Lines of the log. */
  readonly debugLines: string[] = [];
  readonly errorLines: string[] = [];
  readonly #clients: Client[] = [];

  constructor(handler: Handler, options: FixtureOptions = {}) {
    const { blockBytes = 1024, blocks = 32, slots = 4, overloaded = false } = options;
    const { reuse = false } = options;
    const { counters } = this;
    this.limits = limitsFrom({ headBytesMax: 512, ...options.limits });
    this.slab = new Slab(blockBytes, blocks);
    this.driver = new FakeDriver(this.slab);
    this.regions = new Regions(this.driver);
    const logError = (message: string): void => void this.errorLines.push(message);
    this.application = new Application({ counters, logError, logWarn: logError });
    const { routes } = this.application;
    this.group = new Group(routes, routes.root);
    this.application.fallback((request, response) => handler(request, response));
    this.reactor = new Reactor({
      driver: this.driver,
      slab: this.slab,
      slots,
      timeoutsMs: timeoutsMs(this.limits),
      sendTimeout: Timeout.Write,
      backlog: 16,
      overload: null,
      events: {
        accepted: (slot) => {
          const closed = reuse ? this.released.pop() : undefined;
          const connection =
            closed ?? new Connection(this.context, (released) => this.released.push(released));
          this.connections.push(connection);
          connection.open(slot);
          if (overloaded) turnAway(connection);
          return connection;
        },
        acceptFault() {},
        listenDone() {},
        unlistenDone() {},
      },
    });
    const services = new ServerServices({
      reactor: this.reactor,
      asyncIo: new NodeAsyncIo(),
      limits: this.limits,
      counters,
      pause: (ms) =>
        new Promise((resolve) => (ms === 0 ? setImmediate(resolve) : setTimeout(resolve, ms))),
      settled: (exchange) => this.application.settled(exchange),
      handlerFailed: (exchange, error, what) =>
        this.application.handlerFailed(exchange, error, what),
      reroute: (exchange) => this.application.reroute(exchange),
      timedOut: (exchange, why) => this.application.timedOut(exchange, why),
      logError,
    });
    this.context = {
      reactor: this.reactor,
      writer: new ResponseWriter(this.regions, this.slab.bytes),
      exchanges: new ExchangePool(services, this.limits.fieldsMax, true),
      spans: this.spans,
      limits: connectionLimits(this.limits),
      counters,
      meter: options.meter ?? null,
      services,
      draining: Draining.No,
      idleTimeout: Timeout.Idle,
      headTimeout: Timeout.Head,
      handle: (exchange) => this.application.handle(exchange),
      handlerTimedOut: (exchange) =>
        this.application.timedOut(exchange, 'no response within handler_timeout_ms'),
      logDebug: (message) => this.debugLines.push(message),
      proxyPolicy: null,
      refusedListeners: routes.refusedListeners,
      debugEnabled: true,
    };
  }

  /** A client whose connection was taken. */
  open(): Client {
    const before = new Set(this.driver.sockets.keys());
    this.driver.arrive(this.#clients.length + 1);
    this.reactor.turn();
    const slot = [...this.driver.sockets.keys()].find((key) => !before.has(key));
    assert.ok(slot !== undefined, 'the client was taken');
    const connection = this.connections.at(-1);
    assert.ok(connection !== undefined);
    const client = new Client(this, slot, connection, this.driver.socket(slot));
    this.#clients.push(client);
    return client;
  }

  /** Turns until nothing completes any more. */
  turn(): void {
    let quiet = 0;
    for (let count = 0; quiet < 2; count++) {
      assert.ok(count < 1_000, 'the turns come to an end');
      // What a deadline brings about completes in the turn after it.
      quiet = this.reactor.turn() === 0 ? quiet + 1 : 0;
    }
  }

  /** The same, with time for promises of handlers between turns. */
  async rest(): Promise<void> {
    for (let count = 0; count < 4; count++) {
      await new Promise((resolve) => setImmediate(resolve));
      this.turn();
    }
  }

  /** Lets time go by, in one step; the date stays. */
  pass(ms: number): void {
    this.driver.nowMs += ms;
    this.turn();
  }

  /** Every client goes; then everything must have been given back. */
  async end(): Promise<void> {
    for (const client of this.#clients) if (!client.isClosed) client.breakOff();
    await this.rest();
    this.checkGivenBack();
  }

  checkGivenBack(): void {
    assert.equal(this.driver.sockets.size, 0, 'every socket is closed');
    assert.equal(this.reactor.sockets.openCount, 0, 'every slot is free');
    assert.equal(this.slab.freeCount, this.slab.blockCount, 'every block is free');
    assert.equal(this.driver.regionCount, 0, 'every region is unmapped');
    assert.equal(this.spans.usedCount, 0, 'every span is at rest');
    assert.equal(this.counters.closed, this.counters.accepted);
    assert.equal(this.released.length, this.connections.length);
  }
}

export class Client {
  readonly runtime: ConnectionFixture;
  readonly slot: number;
  readonly connection: Connection;
  readonly socket: FakeSocket;
  /** Of the output, how much the test has looked at. */
  #seen = 0;

  constructor(
    runtime: ConnectionFixture,
    slot: number,
    connection: Connection,
    socket: FakeSocket,
  ) {
    this.runtime = runtime;
    this.slot = slot;
    this.connection = connection;
    this.socket = socket;
  }

  /** Sends, a block at a time, as far as the connection takes it: how many bytes that was. */
  give(sent: string | Uint8Array): number {
    const bytes = typeof sent === 'string' ? Buffer.from(sent, 'latin1') : sent;
    const { driver, slab } = this.runtime;
    let at = 0;
    while (at < bytes.length && this.socket.receiving && !this.isClosed) {
      const segment = bytes.subarray(at, at + slab.blockBytes);
      driver.deliver(this.slot, segment);
      at += segment.length;
      this.runtime.turn();
    }
    return at;
  }

  /** Sends all of it. */
  send(sent: string | Uint8Array): void {
    assert.equal(this.give(sent), sent.length, 'all that was sent is taken');
  }

  /** Sends, lets handlers run and takes all there is: what came. */
  async ask(sent: string | Uint8Array): Promise<string> {
    this.send(sent);
    await this.runtime.rest();
    return await this.read();
  }

  /** Takes at most so many bytes of the send in flight; returns what is new. */
  take(bytesMax?: number): string {
    if (this.socket.send !== null) {
      this.runtime.driver.take(this.slot, bytesMax);
      this.runtime.turn();
    }
    return this.news();
  }

  /** Takes everything, also what handlers write meanwhile; returns what is new. */
  async read(): Promise<string> {
    for (let count = 0; count < 10_000 && this.socket.send !== null; count++) {
      this.runtime.driver.take(this.slot);
      this.runtime.turn();
      await this.runtime.rest();
    }
    return this.news();
  }

  /** What was taken and not looked at yet. */
  news(): string {
    const text = this.socket.output.subarray(this.#seen).toString('latin1');
    this.#seen = this.socket.output.length;
    return text;
  }

  /** Says that nothing more will be sent. */
  finish(): void {
    this.runtime.driver.finish(this.slot);
    this.runtime.turn();
  }

  /** Is gone at once. */
  breakOff(): void {
    const { driver } = this.runtime;
    if (this.socket.receiving) driver.finish(this.slot, -ERRNO.ECONNRESET);
    else if (this.socket.send !== null) driver.failSend(this.slot, -ERRNO.ECONNRESET);
    else if (this.socket.watched) driver.breakWatched(this.slot);
    else this.runtime.reactor.reset(this.slot);
    this.runtime.turn();
  }

  get isClosed(): boolean {
    return this.runtime.driver.sockets.get(this.slot) !== this.socket;
  }

  /** Our side is shut and the connection waits for the client's end. */
  get isShut(): boolean {
    return this.socket.isShut && !this.isClosed;
  }

  get isReset(): boolean {
    return this.socket.isReset;
  }
}

export function get(target: string, ...lines: string[]): string {
  return `${[`GET ${target} HTTP/1.1`, 'Host: a', ...lines].join('\r\n')}\r\n\r\n`;
}

/** A POST with a body of known length, of which `body` is sent. */
export function post(target: string, length: number, body = '', ...lines: string[]): string {
  const head = [`POST ${target} HTTP/1.1`, 'Host: a', `Content-Length: ${length}`, ...lines];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}

export function postChunked(target: string, body: string, ...lines: string[]): string {
  const head = [`POST ${target} HTTP/1.1`, 'Host: a', 'Transfer-Encoding: chunked', ...lines];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}

/** The bytes of a response of text(). */
export function respond(text: string, ...lines: string[]): string {
  return responseOf('200 OK', text, ...lines);
}

export function responseOf(status: string, text: string, ...lines: string[]): string {
  const type = 'Content-Type: text/plain; charset=utf-8';
  const head = [`HTTP/1.1 ${status}`, DATE, type, `Content-Length: ${Buffer.byteLength(text)}`];
  return `${[...head, ...lines].join('\r\n')}\r\n\r\n${text}`;
}

/** A handler's promise that the test settles. */
export class Gate {
  readonly opened: Promise<void>;
  open: () => void = () => {};

  constructor() {
    this.opened = new Promise((resolve) => {
      this.open = resolve;
    });
  }
}
