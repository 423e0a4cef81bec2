// What composes large responses to requests for metrics outside of the reactor's thread.

import type { DocumentFormat } from '../metrics/documents.ts';
import type { ServerFacts } from '../metrics/json-format.ts';
import type { SegmentSource } from '../metrics/reader.ts';

/** One document to be composed. */
export interface CompositionOrder {
  readonly format: DocumentFormat;
  /** Compressed with gzip (RFC 1952). */
  readonly isGzip: boolean;
  readonly facts: ServerFacts;
  /** Its time, in seconds since 1970. */
  readonly seconds: number;
  readonly segments: readonly SegmentSource[];
}

export interface MetricsComposer {
  /** False once it has failed too often: then it is asked no more. */
  readonly works: boolean;
  /**
   * The bytes of a document; the memory of a chunk is used again when the next one is asked for. It
   * throws when the thread has ended, also before the first of them. The memory of a document that
   * is not read to its end is used again when `sent` has resolved: none of it is being sent then.
   */
  compose(order: CompositionOrder, sent?: Promise<void>): AsyncGenerator<Uint8Array>;
  /** Ends the thread, and with it all documents that are being composed. */
  end(): Promise<void>;
}
