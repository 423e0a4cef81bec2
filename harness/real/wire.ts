// A client's connection over a real socket. The facts of the server's side are unknown here (NaN),
// and the judge accepts what they could excuse.

import { createConnection, type Socket } from 'node:net';
import type { Wire, WireEvents, WireFacts } from '../world/wire.ts';

export class RealWire implements Wire, WireFacts {
  readonly injected: readonly string[] = [];
  readonly serverActiveMs: number = Number.NaN;
  readonly serverIdleMs: number = Number.NaN;
  readonly serverSentMs: number = Number.NaN;
  readonly serverEndMs: number = Number.NaN;
  readonly serverFirstMs: number = Number.NaN;
  readonly serverReadAtEnd = 0;
  readonly serverDetachedMs: number = Number.NaN;
  readonly serverUnacked = 0;
  readonly serverAckedMs: number = Number.NaN;
  readonly adopted = true;
  readonly #socket: Socket;
  readonly #events: WireEvents;
  #endReported = false;
  #paused = false;
  #pace: { readonly bytesMax: number; readonly pauseMs: number } | null = null;
  #address = '';

  constructor(port: number, events: WireEvents) {
    this.#events = events;
    const socket = createConnection({ host: '127.0.0.1', port, allowHalfOpen: true });
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('connect', () => {
      this.#address = `${socket.localAddress}:${socket.localPort}`;
      if (!this.#endReported) events.connected();
    });
    socket.on('data', (bytes: Buffer) => this.#data(bytes));
    socket.on('end', () => this.#reportEnd(() => events.ended()));
    socket.on('error', () => this.#reportEnd(() => events.aborted()));
    socket.on('close', () => this.#reportEnd(() => events.aborted()));
  }

  get facts(): WireFacts {
    return this;
  }

  get address(): string {
    return this.#address;
  }

  /** Reports the end once, and no event after it. */
  #reportEnd(report: () => void): void {
    if (this.#endReported) return;
    this.#endReported = true;
    report();
  }

  #data(bytes: Buffer): void {
    if (this.#endReported) return;
    if (this.#pace !== null) {
      this.#socket.pause();
      setTimeout(() => {
        if (!this.#paused) this.#socket.resume();
      }, this.#pace.pauseMs);
    }
    this.#events.data(bytes);
  }

  write(bytes: Uint8Array): void {
    if (!this.#endReported && this.#socket.writable) this.#socket.write(Buffer.from(bytes));
  }

  end(): void {
    this.#socket.end();
  }

  close(): void {
    this.#endReported = true;
    // Sends what was written, then closes.
    this.#socket.destroySoon();
  }

  reset(): void {
    this.#endReported = true;
    this.#socket.resetAndDestroy();
  }

  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#socket.resume();
  }

  pace(bytesMax: number, pauseMs: number): void {
    this.#pace = { bytesMax, pauseMs };
  }
}
