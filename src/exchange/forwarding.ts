// A transport between an exchange and its connection: it passes everything on. Those that encode or
// decode content replace some of its methods.

import type { Peer } from '../driver/driver.ts';
import type { FileOwner } from '../reactor/file-owner.ts';
import type { BodyReader } from './body-reader.ts';
import type { Content } from './content.ts';
import type { Exchange, Transport } from './exchange.ts';
import type { Prepared } from './prepared.ts';

export class ForwardingTransport implements Transport {
  readonly inner: Transport;

  constructor(inner: Transport) {
    this.inner = inner;
  }

  peer(): Peer {
    return this.inner.peer();
  }

  sendFull(exchange: Exchange, content: Content): void {
    this.inner.sendFull(exchange, content);
  }

  sendPrepared(exchange: Exchange, prepared: Prepared): void {
    this.inner.sendPrepared(exchange, prepared);
  }

  sendFile(exchange: Exchange, prepared: Prepared, owner: FileOwner): boolean {
    return this.inner.sendFile(exchange, prepared, owner);
  }

  startStream(exchange: Exchange, length: number): void {
    this.inner.startStream(exchange, length);
  }

  write(exchange: Exchange, chunk: string | Uint8Array, borrowed: boolean): Promise<void> {
    return this.inner.write(exchange, chunk, borrowed);
  }

  writeFile(exchange: Exchange, file: number, from: number, to: number): Promise<number> | null {
    return this.inner.writeFile(exchange, file, from, to);
  }

  endStream(exchange: Exchange): void {
    this.inner.endStream(exchange);
  }

  waitingBytes(): number {
    return this.inner.waitingBytes();
  }

  abandon(exchange: Exchange): void {
    this.inner.abandon(exchange);
  }

  detached(): void {
    this.inner.detached();
  }

  readChunk(exchange: Exchange): Promise<Uint8Array | null> {
    return this.inner.readChunk(exchange);
  }

  readAll(exchange: Exchange, bytesMax: number): Promise<Buffer> {
    return this.inner.readAll(exchange, bytesMax);
  }

  readNow(exchange: Exchange, bytesMax: number, read: BodyReader): unknown {
    return this.inner.readNow(exchange, bytesMax, read);
  }

  trailers(exchange: Exchange): readonly (readonly [string, string])[] {
    return this.inner.trailers(exchange);
  }
}
