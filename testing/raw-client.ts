// The raw client of tests: sends exactly the given bytes over a socket, reads responses strictly,
// and distinguishes an ordered end of the connection from a reset.

import assert from 'node:assert/strict';
import { createConnection, type Socket } from 'node:net';
import { type RawResponse, readResponse } from './raw-response.ts';

/** The longest wait; no test measures with it. */
const PATIENCE_MS = 30_000;

export class RawClient {
  readonly socket: Socket;
  /** Received bytes that no response has taken; the buffer doubles as it fills. */
  #memory: Buffer = Buffer.allocUnsafe(16 * 1024);
  #start = 0;
  #end = 0;
  /** The server ended its side; the socket is closed. */
  ended = false;
  closed = false;
  errorCode = '';
  receivedBytes = 0;
  #changed: (() => void)[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    const note = (change: () => void) => () => {
      change();
      this.#notify();
    };
    socket.on('data', (chunk: Buffer) => this.#add(chunk));
    socket.on(
      'end',
      note(() => {
        this.ended = true;
      }),
    );
    socket.on(
      'close',
      note(() => {
        this.closed = true;
      }),
    );
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.errorCode = error.code ?? error.message;
      this.#notify();
    });
  }

  static async open(where: number | string): Promise<RawClient> {
    const target = typeof where === 'number' ? { host: '127.0.0.1', port: where } : { path: where };
    const socket = createConnection({ ...target, allowHalfOpen: true, noDelay: true });
    const client = new RawClient(socket);
    socket.on('connect', () => client.#notify());
    await client.#until('a connection', () => !socket.connecting || client.errorCode !== '');
    assert.equal(client.errorCode, '', 'the client connects');
    return client;
  }

  #add(chunk: Buffer): void {
    this.receivedBytes += chunk.length;
    if (this.#end + chunk.length > this.#memory.length) {
      const unread = this.rest;
      const wanted = 2 * (unread.length + chunk.length);
      const larger = Buffer.allocUnsafe(Math.max(wanted, this.#memory.length));
      unread.copy(larger);
      this.#memory = larger;
      this.#start = 0;
      this.#end = unread.length;
    }
    chunk.copy(this.#memory, this.#end);
    this.#end += chunk.length;
    this.#notify();
  }

  #notify(): void {
    const waiting = this.#changed;
    this.#changed = [];
    for (const resolve of waiting) resolve();
  }

  async #until(what: string, isThere: () => boolean): Promise<void> {
    const givenUpMs = performance.now() + PATIENCE_MS;
    while (!isThere()) {
      const leftMs = givenUpMs - performance.now();
      if (leftMs <= 0) throw new Error(`timed out while waiting for ${what}; ${this.#situation()}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#changed.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  #situation(): string {
    const { ended, closed, errorCode } = this;
    const shown = this.rest.subarray(0, 500).toString('latin1');
    return JSON.stringify({ ended, closed, errorCode, unread: this.rest.length, shown });
  }

  /** False once the server ended or reset the connection. */
  get isOpen(): boolean {
    return !this.ended && !this.closed && this.errorCode === '';
  }

  /** Received bytes that no response has taken. */
  get rest(): Buffer {
    return this.#memory.subarray(this.#start, this.#end);
  }

  /** Sends text as Latin-1. Resolves when the kernel has all bytes. */
  send(bytes: string | Uint8Array): Promise<void> {
    const sent = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
    return new Promise((resolve) => {
      this.socket.write(sent, () => resolve());
    });
  }

  /**
   * Reads the next response, interim ones included. Throws when the connection ends before its end.
   */
  async nextResponse(method = 'GET'): Promise<RawResponse> {
    let response: RawResponse | null = null;
    await this.#until(`a response to ${method}`, () => {
      response = readResponse(this.rest, method, this.ended && this.errorCode === '');
      return response !== null || this.ended || this.closed || this.errorCode !== '';
    });
    const found = response as RawResponse | null;
    if (found === null) throw new Error(`no complete response to ${method}: ${this.#situation()}`);
    this.#start += found.raw.length;
    return found;
  }

  /** Sends a request and reads its response; the method is the first word of the request. */
  async ask(request: string | Uint8Array): Promise<RawResponse> {
    void this.send(request);
    const method = Buffer.from(request.slice(0, 20)).toString('latin1').split(' ', 1)[0];
    return await this.nextResponse(method);
  }

  /** Waits until this many bytes were received in all. */
  async hasReceived(bytes: number): Promise<void> {
    await this.#until(`${bytes} bytes`, () => this.receivedBytes >= bytes);
  }

  /** Waits until the unread bytes contain this text. */
  async sees(text: string): Promise<void> {
    const ended = () => this.ended || this.closed || this.errorCode !== '';
    await this.#until(JSON.stringify(text), () => this.rest.includes(text) || ended());
    assert.ok(this.rest.includes(text), `${text} before the end: ${this.#situation()}`);
  }

  /** Ends the client's side. */
  half(): void {
    this.socket.end();
  }

  /** Resets the connection if it is open. */
  reset(): void {
    const { remoteAddress, writableEnded, writableFinished } = this.socket;
    // Unix sockets have no reset; and Node cannot reset in the middle of a half close.
    if (remoteAddress === undefined || writableEnded !== writableFinished) this.socket.destroy();
    else this.socket.resetAndDestroy();
  }

  /** Stops reading, so that the server's sends fill all buffers. */
  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  /**
   * Waits for the end of the connection and returns its kind. After a reset behind unread bytes the
   * socket may report an end; the next write fails then.
   */
  async ending(): Promise<'end' | 'reset'> {
    await this.#until('the end', () => this.ended || this.closed || this.errorCode !== '');
    if (this.errorCode !== '') return 'reset';
    if (this.closed) return 'end';
    const error = await new Promise((resolve) => {
      if (this.socket.writableEnded) resolve(null);
      else this.socket.write('?', resolve);
    });
    return error instanceof Error || this.errorCode !== '' ? 'reset' : 'end';
  }

  /** Asserts that the connection ends in order, without unread bytes. */
  async endsCleanly(): Promise<void> {
    const how = await this.ending();
    assert.equal(this.rest.toString('latin1'), '', 'nothing follows the last response');
    assert.equal(how, 'end', 'the connection ends in order');
  }

  /** Asserts that the connection is reset. Bytes may arrive before. */
  async isReset(): Promise<void> {
    assert.equal(await this.ending(), 'reset', 'the connection is reset');
  }

  /** Asserts that for a while no byte arrives and the connection stays open. */
  async staysQuiet(waitMs = 60): Promise<void> {
    const before = this.receivedBytes;
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    assert.equal(this.receivedBytes, before, `no byte arrives: ${this.#situation()}`);
    assert.ok(!this.ended && !this.closed, 'the connection stays open');
  }
}

/** The text of a request: HTTP/1.1 with a Host and further field lines. */
export function request(method: string, target: string, lines: readonly string[] = []): string {
  return `${[`${method} ${target} HTTP/1.1`, 'Host: a.test', ...lines].join('\r\n')}\r\n\r\n`;
}

export function get(target: string, ...lines: string[]): string {
  return request('GET', target, lines);
}

/** A POST with Content-Length; the body is Latin-1. */
export function post(target: string, body: string, ...lines: string[]): string {
  return request('POST', target, [...lines, `Content-Length: ${body.length}`]) + body;
}

/** A POST with these chunks as its body. */
export function postChunks(target: string, chunks: readonly string[], ...lines: string[]): string {
  const body = chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('');
  return `${request('POST', target, [...lines, 'Transfer-Encoding: chunked'])}${body}0\r\n\r\n`;
}
