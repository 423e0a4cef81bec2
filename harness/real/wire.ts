// A client's connection over a real socket. What the simulated network knows of the server's side
// nobody knows here, so the judge is told nothing of it and is lenient where it would ask.

import { createConnection, type Socket } from 'node:net';
import type { Wire, WireEvents, WireFacts } from '../world/wire.ts';

export class RealWire implements Wire, WireFacts {
  readonly injected: readonly string[] = [];
  readonly serverActiveMs: number = Number.NaN;
  readonly serverSentMs: number = Number.NaN;
  readonly serverEndMs: number = Number.NaN;
  readonly serverFirstMs: number = Number.NaN;
  readonly serverReadAtEnd = 0;
  readonly serverLeftMs: number = Number.NaN;
  readonly serverUnacked = 0;
  readonly serverAckedMs: number = Number.NaN;
  readonly adopted = true;
  readonly #socket: Socket;
  readonly #events: WireEvents;
  #told = false;
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
      if (!this.#told) events.connected();
    });
    socket.on('data', (bytes: Buffer) => this.#data(bytes));
    socket.on('end', () => this.#tell(() => events.ended()));
    socket.on('error', () => this.#tell(() => events.broke()));
    socket.on('close', () => this.#tell(() => events.broke()));
  }

  get facts(): WireFacts {
    return this;
  }

  get address(): string {
    return this.#address;
  }

  /** The end is told once, and nothing after it. */
  #tell(tell: () => void): void {
    if (this.#told) return;
    this.#told = true;
    tell();
  }

  #data(bytes: Buffer): void {
    if (this.#told) return;
    if (this.#pace !== null) {
      this.#socket.pause();
      setTimeout(() => {
        if (!this.#paused) this.#socket.resume();
      }, this.#pace.pauseMs);
    }
    this.#events.data(bytes);
  }

  write(bytes: Uint8Array): void {
    if (!this.#told && this.#socket.writable) this.#socket.write(Buffer.from(bytes));
  }

  end(): void {
    this.#socket.end();
  }

  close(): void {
    this.#told = true;
    // In order: what was written still goes out.
    this.#socket.destroySoon();
  }

  reset(): void {
    this.#told = true;
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
