// A whole server in virtual time: configuration, runtime, reactor and connections are real, sockets
// and the clock are a FakeDriver's. Time passes in steps of a millisecond.

import assert from 'node:assert/strict';
import { NodeAsyncIo } from '../src/async-io/node.ts';
import type { ServerOptions } from '../src/server/config/config.ts';
import { Runtime } from '../src/server/runtime.ts';
import { Server, type ServerParts } from '../src/server/server.ts';
import { FakeDriver, type FakeSocket } from './fake-driver.ts';

/** Asynchronous I/O that prints into lists and counts the files that it opens. */
class CountingAsyncIo extends NodeAsyncIo {
  readonly log: string[] = [];
  readonly out: string[] = [];
  opened = 0;
  closed = 0;

  override print(text: string): void {
    this.out.push(text.trimEnd());
  }

  override printError(text: string): void {
    this.log.push(text.trimEnd());
  }

  override open(path: string): ReturnType<NodeAsyncIo['open']> {
    this.opened += 1;
    return super.open(path);
  }

  override close(file: number): ReturnType<NodeAsyncIo['close']> {
    this.closed += 1;
    return super.close(file);
  }
}

export class VirtualServer {
  readonly server: Server;
  readonly asyncIo: CountingAsyncIo = new CountingAsyncIo();
  #runtime: Runtime | null = null;
  #driver: FakeDriver | null = null;
  #handles = 0;

  constructor(
    options: ServerOptions,
    routes: (server: Server) => void,
    parts: Partial<ServerParts> = {},
  ) {
    this.server = new Server(
      { logLevel: 'debug', ...options },
      {
        ...parts,
        launch: () => null,
        inherited: () => null,
        listening: (_server, listen) => listen(),
        closed: () => {},
        asyncIo: this.asyncIo,
        makeRuntime: (given) => {
          const makeDriver: typeof given.makeDriver = ({ slab }) => {
            const driver = new FakeDriver(slab);
            this.#driver = driver;
            return { driver, note: null };
          };
          this.#runtime = new Runtime({ ...given, makeDriver });
          return this.#runtime;
        },
      },
    );
    routes(this.server);
  }

  get driver(): FakeDriver {
    assert.ok(this.#driver !== null, 'the server listens');
    return this.#driver;
  }

  turn(): void {
    assert.ok(this.#runtime !== null, 'the server listens');
    const { reactor } = this.#runtime;
    let quiet = 0;
    for (let count = 0; quiet < 2; count++) {
      assert.ok(count < 10_000, 'the turns come to an end');
      quiet = reactor.turn() === 0 ? quiet + 1 : 0;
    }
  }

  /** Runs promises of handlers and of the server, with turns between them. */
  async rest(rounds = 4): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      await new Promise((resolve) => setImmediate(resolve));
      this.turn();
    }
  }

  /** Lets time pass, a millisecond at a time. */
  pass(ms: number): void {
    for (let step = 0; step < ms; step++) {
      this.driver.nowMs += 1;
      this.turn();
    }
  }

  /** A client connects; whether it gets a slot is for the server to decide. */
  open(): VirtualClient {
    const before = new Set(this.driver.sockets.keys());
    this.#handles += 1;
    this.driver.arrive(this.#handles);
    this.turn();
    const slot = [...this.driver.sockets.keys()].find((key) => !before.has(key)) ?? -1;
    return new VirtualClient(this, slot);
  }

  /** Breaks every connection and closes the server. */
  async end(): Promise<void> {
    const closing = this.server.close();
    const { driver } = this;
    let isOver = false;
    void closing.then(() => {
      isOver = true;
    });
    for (let round = 0; !isOver; round++) {
      assert.ok(round < 2_000, 'the server closes');
      for (const [slot, socket] of driver.sockets) {
        if (socket.isAborted) continue;
        if (socket.receiving) driver.finish(slot, -104);
        else if (socket.send !== null) driver.failSend(slot, -104);
        else if (socket.watched) driver.breakWatched(slot);
      }
      driver.nowMs += 100;
      this.turn();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await closing;
    const { accepted, closed } = this.server.counters;
    assert.equal(closed, accepted, 'every connection that was accepted was closed');
  }
}

export class VirtualClient {
  readonly slot: number;
  readonly #owner: VirtualServer;
  readonly #socket: FakeSocket | null;

  constructor(owner: VirtualServer, slot: number) {
    this.#owner = owner;
    this.slot = slot;
    this.#socket = slot < 0 ? null : owner.driver.socket(slot);
  }

  /** True once the client has a slot: a later client waits for one without a socket. */
  get isAccepted(): boolean {
    return this.#socket !== null;
  }

  get socket(): FakeSocket {
    assert.ok(this.#socket !== null, 'the client has a slot');
    return this.#socket;
  }

  send(text: string): void {
    this.#owner.driver.deliver(this.slot, Buffer.from(text, 'latin1'));
    this.#owner.turn();
  }

  /** Takes all that is sent, also what follows; returns all output so far. */
  take(): string {
    for (let count = 0; this.isOpen && this.socket.send !== null; count++) {
      assert.ok(count < 10_000, 'the sends come to an end');
      this.#owner.driver.take(this.slot);
      this.#owner.turn();
    }
    return this.socket.output.toString('latin1');
  }

  /** Sends, lets handlers run and takes: all output so far. */
  async ask(text: string): Promise<string> {
    this.send(text);
    await this.#owner.rest();
    return this.take();
  }

  /** The client sends its end. */
  finish(): void {
    this.#owner.driver.finish(this.slot);
    this.#owner.turn();
  }

  get isOpen(): boolean {
    return this.#owner.driver.sockets.get(this.slot) === this.#socket;
  }

  /** True when the server has ended its side, in order or by a reset. */
  get isEnded(): boolean {
    return !this.isOpen || this.socket.isShut;
  }
}
