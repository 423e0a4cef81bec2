// server.inject(): requests through the real connections, on a driver in memory, without a port and
// without a network. Each request has a connection of its own. The runtime is made with the first
// request, and keeps no process alive except while a request waits for its response.

import { assert } from '../../base/assert.ts';
import type { DriverOptions } from '../../driver/driver.ts';
import { MemoryDriver } from '../../driver/memory/memory.ts';
import type { MemoryClient } from '../../driver/memory/socket.ts';
import { Runtime, type RuntimeOptions } from '../runtime.ts';
import { contentOf, type RequestContent, sendContent } from './body.ts';
import { checkInjectOptions, fieldsOf, headBytes, type InjectOptions } from './options.ts';
import { InjectedResponse } from './response.ts';
import { ResponseReader } from './response-reader.ts';
import { fetchInjected, type WebRequest, type WebResponse } from './web.ts';

/** Far fewer than a listening server has: an injected request uses two or three. */
const BLOCKS_MAX = 128;
const REMOTE_ADDRESS = '127.0.0.1';
const REMOTE_PORT = 50_000;

export class Injector {
  readonly #options: () => RuntimeOptions;
  #runtime: Runtime | null = null;
  #driver: MemoryDriver | null = null;
  #listening: Promise<unknown> = Promise.resolve();
  #openCount = 0;
  #holds = 0;

  constructor(options: () => RuntimeOptions) {
    this.#options = options;
  }

  /** Text is the target of a GET. */
  async inject(request: InjectOptions | string = {}): Promise<InjectedResponse> {
    const options = typeof request === 'string' ? { target: request } : request;
    checkInjectOptions(options);
    const fields = fieldsOf(options.headers);
    const { method = 'GET', target = '/', signal = null } = options;
    signal?.throwIfAborted();
    const content = await contentOf(options);
    let head: Uint8Array;
    try {
      head = headBytes({ method, target, fields, length: content.length, type: content.type });
    } catch (error) {
      content.source?.cancel();
      throw error;
    }
    const driver = await this.#start();
    if (signal?.aborted === true) content.source?.cancel();
    signal?.throwIfAborted();
    const { remoteAddress: address = REMOTE_ADDRESS, remotePort: port = REMOTE_PORT } = options;
    const client = driver.open({ address, port });
    client.write(head);
    const flight = new Flight(client, content, signal, (on) => this.#hold(on));
    this.#openCount += 1;
    flight.whenOver = () => {
      this.#openCount -= 1;
    };
    void sendContent(client, content).catch((error: unknown) => flight.fail(error));
    return flight.response(new ResponseReader(client, method === 'HEAD'));
  }

  fetch(input: WebRequest | URL | string, init?: RequestInit): Promise<WebResponse> {
    return fetchInjected((options) => this.inject(options), input, init);
  }

  async #start(): Promise<MemoryDriver> {
    if (this.#driver === null) {
      const options = this.#options();
      const { limits } = options.config;
      const blockCount = Math.min(limits.blockCount, BLOCKS_MAX);
      const makeDriver = (given: DriverOptions): { driver: MemoryDriver; note: null } => {
        this.#driver = new MemoryDriver(given);
        return { driver: this.#driver, note: null };
      };
      const config = { ...options.config, limits: { ...limits, blockCount } };
      // Middleware begins nothing, such as health checks: no client connects.
      this.#runtime = new Runtime({ ...options, config, makeDriver, begins: [] });
      this.#listening = this.#runtime.listen({ host: REMOTE_ADDRESS, port: 0 });
    }
    const driver = this.#driver;
    assert(driver !== null, 'a runtime has its driver');
    await this.#listening;
    return driver;
  }

  #hold(on: boolean): void {
    const before = this.#holds;
    this.#holds += on ? 1 : -1;
    if (before > 0 !== this.#holds > 0) this.#runtime?.hold(this.#holds > 0);
  }

  /**
   * Requests in flight finish, as when a server closes; `begins` is called if there are any. The
   * next request starts anew.
   */
  async close(begins: () => void = () => {}): Promise<void> {
    const runtime = this.#runtime;
    if (this.#openCount > 0) begins();
    this.#runtime = null;
    this.#driver = null;
    await runtime?.close(false);
  }
}

/** One request on its way. */
class Flight {
  readonly #client: MemoryClient;
  readonly #content: RequestContent;
  readonly #signal: AbortSignal | null;
  readonly #hold: (on: boolean) => void;
  #failure: { readonly error: unknown } | null = null;
  whenOver: () => void = () => {};

  constructor(
    client: MemoryClient,
    content: RequestContent,
    signal: AbortSignal | null,
    hold: (on: boolean) => void,
  ) {
    this.#client = client;
    this.#content = content;
    this.#signal = signal;
    this.#hold = hold;
    signal?.addEventListener('abort', this.#aborted, { once: true });
  }

  readonly #aborted = (): void => this.fail(this.#signal?.reason);

  /** The client leaves because of an error of its own. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#client.reset();
  }

  async response(reader: ResponseReader): Promise<InjectedResponse> {
    this.#hold(true);
    try {
      const head = await reader.head();
      return new InjectedResponse({
        head,
        trailers: reader.trailers,
        next: () => this.#orFailure(reader.next()),
        ended: () => this.#end(),
        leave: () => this.#client.reset(),
        hold: this.#hold,
      });
    } catch (error) {
      this.#end();
      throw this.#failure === null ? error : this.#failure.error;
    } finally {
      this.#hold(false);
    }
  }

  /** An error of the client explains why reading failed. */
  async #orFailure<T>(promise: Promise<T>): Promise<T> {
    try {
      return await promise;
    } catch (error) {
      throw this.#failure === null ? error : this.#failure.error;
    }
  }

  #end(): void {
    this.#signal?.removeEventListener('abort', this.#aborted);
    this.#client.end();
    // The server may have responded before it has read all of it.
    this.#content.source?.cancel();
    this.whenOver();
  }
}
