// The client of one upstream server: Node's own HTTP client, whose connections are kept and used
// again. It builds the framing of a request itself, and reads responses strictly.

import type { Agent, ClientRequest, IncomingMessage } from 'node:http';
import { builtInModule } from '../base/built-in-module.ts';
import { tlsOptions, type UpstreamTls } from './upstream-tls.ts';

export type UpstreamAddress =
  | { readonly host: string; readonly port: number }
  | { readonly socketPath: string };

export interface UpstreamOptions {
  readonly address: UpstreamAddress;
  /** Null without TLS. */
  readonly tls: UpstreamTls | null;
  /** Connections to this server; further requests wait for one. */
  readonly connectionsMax: number;
  /** How long the server may take no byte of a request, or send none of its response. */
  readonly timeoutMs: number;
  /** Whether a connection is used for further requests. */
  readonly keepAlive: boolean;
}

export interface UpstreamHead {
  readonly method: string;
  readonly target: string;
  readonly fields: Readonly<Record<string, string>>;
  /** The bytes of the body: 0 without one, -1 when they are not known. */
  readonly bodyBytes: number;
}

export interface UpstreamResponse {
  readonly status: number;
  /** Names and values, one after the other. */
  readonly fields: readonly string[];
  readonly content: AsyncIterable<Uint8Array>;
}

/** The request failed before its response began. */
export class UpstreamError extends Error {
  override readonly name = 'UpstreamError';
  readonly isTimeout: boolean;
  /** The connection was kept from an earlier request: the server may just have closed it. */
  readonly wasKept: boolean;

  constructor(message: string, isTimeout: boolean, wasKept: boolean) {
    super(message);
    this.isTimeout = isTimeout;
    this.wasKept = wasKept;
  }
}

export class Upstream {
  readonly #options: UpstreamOptions;
  readonly #agent: Agent;

  constructor(options: UpstreamOptions) {
    this.#options = options;
    const { address, connectionsMax, keepAlive, tls } = options;
    const kept = { keepAlive, maxSockets: connectionsMax, scheduling: 'lifo' } as const;
    const host = 'host' in address ? address.host : '';
    this.#agent =
      tls === null
        ? new (builtInModule('node:http').Agent)(kept)
        : new (builtInModule('node:https').Agent)({ ...kept, ...tlsOptions(tls, host) });
  }

  /** Begins a request. Throws a TypeError for a head that cannot be sent. */
  send({ method, target, fields, bodyBytes }: UpstreamHead): UpstreamExchange {
    const { address, keepAlive, timeoutMs, tls } = this.#options;
    const sent = builtInModule(tls === null ? 'node:http' : 'node:https').request({
      ...address,
      agent: this.#agent,
      method,
      path: target,
      // With a limit of connections, Node asks the server to keep them in any case.
      headers: { ...fields, ...framingFields(bodyBytes), ...(keepAlive ? {} : CLOSE_FIELD) },
      setHost: false,
    });
    return new UpstreamExchange(sent, timeoutMs);
  }
}

const CLOSE_FIELD = { Connection: 'close' } as const;

/** Without a body Node adds `Content-Length: 0` where the method expects one. */
function framingFields(bodyBytes: number): Record<string, string> {
  if (bodyBytes === 0) return {};
  if (bodyBytes < 0) return { 'Transfer-Encoding': 'chunked' };
  return { 'Content-Length': String(bodyBytes) };
}

/** One request and its response. */
export class UpstreamExchange {
  /** Rejects with an UpstreamError. */
  readonly response: Promise<UpstreamResponse>;
  readonly #sent: ClientRequest;
  readonly #timeoutMs: number;
  /** Runs while the server has to act; the time that the client takes for a body is free. */
  #timer: NodeJS.Timeout | null = null;
  /** For the whole exchange. */
  #deadline: NodeJS.Timeout | null = null;
  #timedOut = false;
  #isSettled = false;

  constructor(sent: ClientRequest, timeoutMs: number) {
    this.#sent = sent;
    this.#timeoutMs = timeoutMs;
    this.response = new Promise((resolve, reject) => {
      const settle = () => {
        this.#stopWaiting();
        this.#isSettled = true;
      };
      const fail = (why: string) => {
        settle();
        const message = this.#timedOut ? 'no response in time' : why;
        reject(new UpstreamError(message, this.#timedOut, sent.reusedSocket));
      };
      sent.on('response', (received) => {
        settle();
        const { rawHeaders: fields, statusCode: status = 0 } = received;
        resolve({ status, fields, content: contentOf(received, timeoutMs) });
      });
      sent.on('error', (error) => fail(error.message));
      // Also after 101 (Switching Protocols), which was not requested.
      sent.on('close', () => fail('the connection was closed'));
    });
    this.response.catch(() => {});
  }

  #wait(): void {
    if (this.#isSettled || this.#timer !== null) return;
    this.#timer = setTimeout(() => {
      this.#timedOut = true;
      this.#sent.destroy();
    }, this.#timeoutMs);
  }

  #stopWaiting(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** Sends a part of the body; resolves when there is room for the next, or none is taken. */
  write(chunk: Uint8Array): Promise<void> {
    const sent = this.#sent;
    if (sent.destroyed || sent.write(chunk)) return Promise.resolve();
    this.#wait();
    return new Promise((resolve) => {
      const done = () => {
        this.#stopWaiting();
        sent.off('drain', done);
        sent.off('close', done);
        resolve();
      };
      sent.on('drain', done);
      sent.on('close', done);
    });
  }

  get takesBody(): boolean {
    return !this.#sent.destroyed;
  }

  end(): void {
    this.#sent.end();
    this.#wait();
  }

  /** Gives up the rest of the body, and with it the connection. */
  stop(): void {
    if (!this.#sent.writableEnded) this.#sent.destroy();
  }

  /** Gives up at that time from now, unless destroy() was called or the connection was left. */
  limitTo(milliseconds: number): void {
    this.#deadline = setTimeout(() => {
      this.#timedOut = true;
      this.destroy();
    }, milliseconds).unref();
    this.#sent.once('close', () => this.#clearDeadline());
  }

  #clearDeadline(): void {
    if (this.#deadline !== null) clearTimeout(this.#deadline);
    this.#deadline = null;
  }

  /** Gives up: nothing more is sent or received. */
  destroy(): void {
    this.#clearDeadline();
    this.#sent.destroy();
  }
}

/** The server has begun to respond, and then sent nothing for too long. */
export class ContentTimeout extends Error {
  constructor() {
    super('no content in time');
  }
}

/** Fails when the server sends nothing for so long; the time in which a chunk is used is free. */
async function* contentOf(
  received: IncomingMessage,
  timeoutMs: number,
): AsyncGenerator<Uint8Array, void> {
  const chunks: AsyncIterator<Uint8Array> = received[Symbol.asyncIterator]();
  try {
    for (;;) {
      const timer = setTimeout(() => received.destroy(new ContentTimeout()), timeoutMs);
      const next = await chunks.next().finally(() => clearTimeout(timer));
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    // Unless it has ended, this closes the connection.
    await chunks.return?.();
  }
}
