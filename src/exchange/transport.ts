// What an exchange needs of the connection it came on. The connection implements it, so that
// requests and responses know nothing of sockets, blocks or chunks.

import type { Peer } from '../driver/driver.ts';
import type { Work } from '../work/work.ts';
import type { Exchange } from './exchange.ts';
import type { Prepared } from './prepared.ts';

/** Content of a whole answer; null where there is none. */
export type Content = string | Uint8Array | null;

export interface Transport {
  readonly work: Work;
  readonly limits: { readonly bodyBytesMax: number };
  /** Milliseconds of the driver's two clocks, as of now. */
  nowMs(): number;
  wallMs(): number;
  peer(): Peer;

  /** Sends a whole answer: the head from the exchange's status and fields, then the content. */
  sendWhole(exchange: Exchange, content: Content): void;
  sendPrepared(exchange: Exchange, prepared: Prepared): void;
  /** Sends the head of an answer of `length` bytes, -1 when nobody knows yet. */
  startStream(exchange: Exchange, length: number): void;
  /** Resolves when there is room for more; the chunk may be reused then. */
  write(exchange: Exchange, chunk: string | Uint8Array): Promise<void>;
  endStream(exchange: Exchange): void;
  /** Gives the answer up: the client sees that it is not whole. */
  abandon(exchange: Exchange): void;
  /** The same by a reset, and with a line of the log. */
  cut(exchange: Exchange, why: string): void;

  /** The next piece of the request body, a copy; null at its end. */
  readChunk(exchange: Exchange): Promise<Uint8Array | null>;
  /** The whole request body; rejects with HttpError 413 over the limit. */
  readAll(exchange: Exchange, bytesMax: number): Promise<Buffer>;
  /** Trailer fields of a body that was read to its end. */
  trailers(exchange: Exchange): readonly (readonly [string, string])[];

  /** A write after the client went away. */
  countLateWrite(): void;
  logError(message: string): void;
}
