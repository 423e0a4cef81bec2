// A load of clients that each keep a connection, ask one thing after the other, and open a new one
// when the server says that it closes. Every request that fails is counted with its reason.

import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RawResponse, ResponseReader } from './response-reader.ts';

/** Why a request failed. */
export type Reason =
  | 'refused'
  | 'closed before the answer'
  | 'reset before the answer'
  | 'half an answer'
  | 'silence'
  | 'wrong answer';

export interface Failure {
  readonly reason: Reason;
  /** Our port of the connection; 0 when there was none. */
  readonly port: number;
  readonly what: string;
}

export interface ClientOptions {
  readonly port: number;
  readonly paths: readonly string[];
  readonly connections: number;
  /**
   * Whether a request on a kept connection that ends before any byte of the answer is asked again
   * on a new one, once, as browsers do (RFC 9110 9.2.2): the server may have closed it just then.
   */
  readonly retries: boolean;
}

const TIMEOUT_MS = 10_000;
/** After a failure, so that a server that is gone is not asked a million times. */
const REST_MS = 20;
const FAILURES_KEPT = 10_000;

export class KeepAliveClient {
  readonly #options: ClientOptions;
  #lanes: Promise<void>[] = [];
  #isOver = false;
  #failures: Failure[] = [];
  responded = 0;
  retried = 0;
  /** Connections the server said it closes. */
  renewed = 0;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  start(): void {
    const { connections } = this.#options;
    this.#lanes = Array.from({ length: connections }, (_none, lane) => this.#lane(lane));
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#lanes);
  }

  /** The failures since it was asked last. */
  takeFailures(): readonly Failure[] {
    const failures = this.#failures;
    this.#failures = [];
    return failures;
  }

  async #lane(lane: number): Promise<void> {
    const { paths } = this.#options;
    let kept: Kept | null = null;
    for (let turn = lane; !this.#isOver; turn++) {
      kept = await this.#request(kept, paths[turn % paths.length]);
    }
    kept?.socket.destroy();
  }

  /** One request, on the kept connection or a new one; gives the connection that can be kept. */
  async #request(kept: Kept | null, path: string): Promise<Kept | null> {
    const { port, retries } = this.#options;
    let connection = kept ?? new Kept(port);
    let result = await connection.ask(path);
    if (kept !== null && retries && isOutstanding(result)) {
      this.retried += 1;
      connection.socket.destroy();
      connection = new Kept(port);
      result = await connection.ask(path);
    }
    if ('reason' in result) {
      connection.socket.destroy();
      if (this.#failures.length < FAILURES_KEPT) this.#failures.push(result);
      await sleep(REST_MS);
      return null;
    }
    this.responded += 1;
    if (!result.closes) return connection;
    this.renewed += 1;
    connection.socket.destroySoon();
    return null;
  }
}

function isOutstanding(result: RawResponse | Failure): boolean {
  if (!('reason' in result)) return false;
  return /^(closed|reset) before/.test(result.reason);
}

class Kept {
  readonly socket: Socket;
  readonly #reader = new ResponseReader();
  readonly #host: string;
  #settle: ((result: RawResponse | Failure) => void) | null = null;
  #ownPort = 0;
  #end: Failure | null = null;

  constructor(port: number) {
    this.#host = `127.0.0.1:${port}`;
    const socket = connect(port, '127.0.0.1');
    this.socket = socket;
    socket.setNoDelay(true);
    socket.once('connect', () => {
      this.#ownPort = socket.localPort ?? 0;
    });
    socket.on('data', (chunk: Buffer) => this.#received(chunk));
    socket.once('end', () => this.#over('closed before the answer', 'end'));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      const isRefused = error.code === 'ECONNREFUSED';
      this.#over(isRefused ? 'refused' : 'reset before the answer', error.code ?? '');
    });
    socket.setTimeout(TIMEOUT_MS, () => this.#over('silence', 'no answer'));
  }

  ask(path: string): Promise<RawResponse | Failure> {
    return new Promise((resolve) => {
      if (this.#end !== null) {
        resolve(this.#end);
        return;
      }
      this.#settle = resolve;
      this.socket.write(`GET ${path} HTTP/1.1\r\nHost: ${this.#host}\r\n\r\n`);
    });
  }

  #received(chunk: Buffer): void {
    const response =
      this.#settle === null ? new Error('an answer to nothing') : this.#reader.feed(chunk);
    if (response === null) return;
    if (response instanceof Error) this.#over('wrong answer', response.message);
    else if (response.status !== 200) this.#over('wrong answer', `status ${response.status}`);
    else this.#finish(response);
  }

  #over(reason: Reason, what: string): void {
    const isHalf = this.#reader.isBegun && reason !== 'wrong answer';
    const failure = {
      reason: isHalf ? 'half an answer' : reason,
      port: this.#ownPort,
      what,
    } as const;
    this.#end ??= failure;
    this.#finish(failure);
  }

  #finish(result: RawResponse | Failure): void {
    const settle = this.#settle;
    this.#settle = null;
    settle?.(result);
  }
}

/** How many failed for each reason, as text; '' when none did. */
export function reasonsText(failures: readonly Failure[]): string {
  const counts = new Map<string, number>();
  for (const { reason, what } of failures) {
    const text = reason === 'wrong answer' ? `${reason} (${what})` : reason;
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return [...counts].map(([reason, count]) => `${count} ${reason}`).join(', ');
}
