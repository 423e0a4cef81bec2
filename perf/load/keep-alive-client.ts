// Clients that each keep one connection, send one request after another, and open a new connection
// when the server closes the old one. Every failed request is counted with its reason.

import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RawResponse, ResponseReader } from './response-reader.ts';

/** Why a request failed. */
export type Reason =
  | 'refused'
  | 'closed before the response'
  | 'reset before the response'
  | 'truncated response'
  | 'timeout'
  | 'wrong response';

export interface Failure {
  readonly reason: Reason;
  /** The client's port of the connection; 0 when there was no connection. */
  readonly port: number;
  readonly what: string;
}

export interface ClientOptions {
  readonly port: number;
  readonly paths: readonly string[];
  readonly connections: number;
  /**
   * Whether a request is retried once on a new connection when a kept connection ended before any
   * byte of the response, as browsers do (RFC 9110 9.2.2): the server may have just closed it.
   */
  readonly retries: boolean;
}

const TIMEOUT_MS = 10_000;
/** After a failure, so that a stopped server does not cause a million failures. */
const PAUSE_MS = 20;
const FAILURES_KEPT = 10_000;

export class KeepAliveClient {
  readonly #options: ClientOptions;
  #lanes: Promise<void>[] = [];
  #isStopped = false;
  #failures: Failure[] = [];
  responded = 0;
  retried = 0;
  /** Connections that the server announced to close. */
  renewed = 0;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  start(): void {
    const { connections } = this.#options;
    this.#lanes = Array.from({ length: connections }, (_none, lane) => this.#lane(lane));
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#lanes);
  }

  /** The failures since the last call. */
  takeFailures(): readonly Failure[] {
    const failures = this.#failures;
    this.#failures = [];
    return failures;
  }

  async #lane(lane: number): Promise<void> {
    const { paths } = this.#options;
    let kept: KeptConnection | null = null;
    for (let turn = lane; !this.#isStopped; turn++) {
      kept = await this.#request(kept, paths[turn % paths.length]);
    }
    kept?.socket.destroy();
  }

  /** One request, on the kept connection or a new one; returns the connection if it can be kept. */
  async #request(kept: KeptConnection | null, path: string): Promise<KeptConnection | null> {
    const { port, retries } = this.#options;
    let connection = kept ?? new KeptConnection(port);
    let result = await connection.request(path);
    if (kept !== null && retries && hasNoResponse(result)) {
      this.retried += 1;
      connection.socket.destroy();
      connection = new KeptConnection(port);
      result = await connection.request(path);
    }
    if ('reason' in result) {
      connection.socket.destroy();
      if (this.#failures.length < FAILURES_KEPT) this.#failures.push(result);
      await sleep(PAUSE_MS);
      return null;
    }
    this.responded += 1;
    if (!result.closes) return connection;
    this.renewed += 1;
    connection.socket.destroySoon();
    return null;
  }
}

function hasNoResponse(result: RawResponse | Failure): boolean {
  if (!('reason' in result)) return false;
  return /^(closed|reset) before/.test(result.reason);
}

class KeptConnection {
  readonly socket: Socket;
  readonly #reader = new ResponseReader();
  readonly #host: string;
  #settle: ((result: RawResponse | Failure) => void) | null = null;
  #ownPort = 0;
  #failure: Failure | null = null;

  constructor(port: number) {
    this.#host = `127.0.0.1:${port}`;
    const socket = connect(port, '127.0.0.1');
    this.socket = socket;
    socket.setNoDelay(true);
    socket.once('connect', () => {
      this.#ownPort = socket.localPort ?? 0;
    });
    socket.on('data', (chunk: Buffer) => this.#received(chunk));
    socket.once('end', () => this.#fail('closed before the response', 'end'));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      const isRefused = error.code === 'ECONNREFUSED';
      this.#fail(isRefused ? 'refused' : 'reset before the response', error.code ?? '');
    });
    socket.setTimeout(TIMEOUT_MS, () => this.#fail('timeout', 'no response'));
  }

  request(path: string): Promise<RawResponse | Failure> {
    return new Promise((resolve) => {
      if (this.#failure !== null) {
        resolve(this.#failure);
        return;
      }
      this.#settle = resolve;
      this.socket.write(`GET ${path} HTTP/1.1\r\nHost: ${this.#host}\r\n\r\n`);
    });
  }

  #received(chunk: Buffer): void {
    const response =
      this.#settle === null ? new Error('a response without a request') : this.#reader.feed(chunk);
    if (response === null) return;
    if (response instanceof Error) this.#fail('wrong response', response.message);
    else if (response.status !== 200) this.#fail('wrong response', `status ${response.status}`);
    else this.#finish(response);
  }

  #fail(reason: Reason, what: string): void {
    const isTruncated = this.#reader.isBegun && reason !== 'wrong response';
    const failure = {
      reason: isTruncated ? 'truncated response' : reason,
      port: this.#ownPort,
      what,
    } as const;
    this.#failure ??= failure;
    this.#finish(failure);
  }

  #finish(result: RawResponse | Failure): void {
    const settle = this.#settle;
    this.#settle = null;
    settle?.(result);
  }
}

/** The number of failures for each reason, as text; '' without failures. */
export function reasonsText(failures: readonly Failure[]): string {
  const counts = new Map<string, number>();
  for (const { reason, what } of failures) {
    const text = reason === 'wrong response' ? `${reason} (${what})` : reason;
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return [...counts].map(([reason, count]) => `${count} ${reason}`).join(', ');
}
