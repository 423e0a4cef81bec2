// What an exchange needs of the server, and of the connection it came on. Both are implemented in
// the layers above, so that requests and responses know nothing of sockets, blocks or chunks.

import type { AsyncIo } from '../async-io/async-io.ts';
import type { Peer } from '../driver/driver.ts';
import type { Exchange } from './exchange.ts';
import type { FormLimits } from './form-parts.ts';
import type { Prepared } from './prepared.ts';

/** Content of a whole response; null where there is none. */
export type Content = string | Uint8Array | null;

/** What a server offers to all its requests, also when their connection is done with them. */
export interface Services {
  readonly asyncIo: AsyncIo;
  readonly limits: FormLimits & { readonly bodyBytesMax: number };
  /** Milliseconds of the driver's two clocks, as of now. */
  nowMs(): number;
  wallMs(): number;
  /** Resolves after so many milliseconds; 0: when Node's event loop has gone round once. */
  pause(ms: number): Promise<void>;
  /** The request's handler and all that it started have settled. */
  settled(exchange: Exchange): void;
  /** A call of a handler that came too late to have an effect; a mistake, or its client is gone. */
  countLateCall(isMistake: boolean): void;
  /** A mistake of a handler that cannot be thrown where it would be caught: logs and counts it. */
  handlerFailed(exchange: Exchange, error: unknown, what?: string): void;
  /** When such a call was last told in the log without a request of its own. */
  lateNotedMs: number;
  logError(message: string): void;
}

/**
 * The way from one exchange to its connection. When the connection is done with the exchange it is
 * replaced by one that sends nothing, so that no late call reaches the next request.
 */
export interface Transport {
  peer(): Peer;

  /** Sends a whole response: the head from the exchange's status and fields, then the content. */
  sendWhole(exchange: Exchange, content: Content): void;
  sendPrepared(exchange: Exchange, prepared: Prepared): void;
  /** Sends the head of a response of `length` bytes, -1 when that is not known yet. */
  startStream(exchange: Exchange, length: number): void;
  /**
   * Sends a piece of content. Resolves when there is room for more; with `borrowed` not before the
   * kernel took the piece, whose memory may be used again then.
   */
  write(exchange: Exchange, chunk: string | Uint8Array, borrowed: boolean): Promise<void>;
  endStream(exchange: Exchange): void;
  /** Gives the response up: the client sees that it is not whole. */
  abandon(exchange: Exchange): void;

  /** The next piece of the request body, a copy; null at its end. */
  readChunk(exchange: Exchange): Promise<Uint8Array | null>;
  /** The whole request body; rejects with HttpError 413 over the limit. */
  readAll(exchange: Exchange, bytesMax: number): Promise<Buffer>;
  /** Trailer fields of a body that was read to its end. */
  trailers(exchange: Exchange): readonly (readonly [string, string])[];
}
