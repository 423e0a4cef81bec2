// The responses to requests for metrics: text, JSON, or an event each second. They are composed in
// slices, between which other requests get their turn.

import {
  METRICS_MISSED_MAX,
  METRICS_SAMPLE_MS,
  METRICS_SCRAPES_MAX,
  METRICS_SLICE_MS,
  METRICS_STALLED_MAX,
  METRICS_STREAMS_MAX,
  METRICS_THREAD_HISTOGRAMS,
  RETRY_AFTER_SECONDS,
} from '../base/fixed-limits.ts';
import type { EventStream } from '../exchange/event-stream.ts';
import type { Exchange, Services } from '../exchange/exchange.ts';
import { fieldValue } from '../exchange/field-value.ts';
import type { Handler } from '../exchange/handler.ts';
import { exchangeOf } from '../exchange/request.ts';
import type { Response } from '../exchange/response.ts';
import { cancelSource } from '../exchange/source.ts';
import { Phase } from '../exchange/state.ts';
import { pipeBorrowed } from '../exchange/stream.ts';
import { Coding, chooseCoding, codingSet } from '../http/accept-encoding.ts';
import { type DocumentFormat, documentOf } from '../metrics/documents.ts';
import type { ServerFacts } from '../metrics/json-format.ts';
import type { Reader, SegmentSource } from '../metrics/reader.ts';
import { metricsFormat } from './metrics-accept.ts';
import type { MetricsComposer } from './metrics-composer.ts';

const CONTENT_TYPES = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
  json: 'application/json',
} as const;

/** Characters of a slice at most, so that memory is bounded by what the client takes. */
const SLICE_CHARACTERS = 65_536;

const GZIP_ONLY: number = codingSet(Coding.Gzip);

export interface MetricsSource {
  readonly reader: Reader;
  /** Null where there are no threads. */
  readonly composer: MetricsComposer | null;
  /** What the composer reads. */
  readonly sources: () => readonly SegmentSource[];
  readonly facts: () => ServerFacts;
  /** Brings what is sampled, such as memory, up to date. */
  readonly refresh: () => Promise<void>;
  /** Aborts when the server closes. */
  readonly closing: () => AbortSignal;
}

type Chunks = AsyncIterableIterator<string | Uint8Array>;

export class MetricsEndpoint {
  readonly #source: MetricsSource;
  /** Responses that are being composed. */
  readonly #composing = new Set<Exchange>();
  /** Those whose clients have not read what was sent them; the first is the longest there. */
  readonly #stalled = new Set<Exchange>();
  readonly #streams = new Set<EventStream>();
  #isTicking = false;

  constructor(source: MetricsSource) {
    this.#source = source;
  }

  readonly handle: Handler = async (request, response) => {
    const exchange = exchangeOf(request);
    const { services } = exchange;
    const format = metricsFormat(fieldValue(exchange, 'accept'));
    response.header('Cache-Control', 'no-store').header('Vary', 'Accept, Accept-Encoding');
    if (format === 'events') {
      this.#stream(response, services);
      return;
    }
    if (this.#composing.size >= METRICS_SCRAPES_MAX) {
      refuse(response, 'other requests for metrics are being served');
      return;
    }
    // No other request ever uses it, so that it can be given up later.
    exchange.retain();
    const { base, bytes, head } = exchange;
    const isGzip = chooseCoding(head, bytes, base, GZIP_ONLY) === Coding.Gzip;
    this.#composing.add(exchange);
    let composed: Chunks | null = null;
    let ended: () => void = () => {};
    const sent = new Promise<void>((resolve) => {
      ended = resolve;
    });
    try {
      await this.#source.refresh();
      composed = await this.#composed(format, isGzip, services, sent);
      response.header('Content-Type', CONTENT_TYPES[format]);
      if (composed !== null && isGzip) response.header('Content-Encoding', 'gzip');
      const chunks = composed ?? slices(this.#document(format, services), services);
      await pipeBorrowed(exchange, this.#watched(exchange, chunks));
    } finally {
      this.#composing.delete(exchange);
      this.#stalled.delete(exchange);
      // The client may have left before a chunk was asked for, and so before #watched() began.
      cancelSource(composed);
      // pipeBorrowed() settles when the last chunk that it has taken is not being sent any more.
      ended();
    }
  };

  /** While a client does not take a chunk, its response is not among those that are composed. */
  async *#watched(exchange: Exchange, chunks: Chunks): Chunks {
    for await (const chunk of chunks) {
      this.#composing.delete(exchange);
      this.#stalled.add(exchange);
      if (this.#stalled.size > METRICS_STALLED_MAX) this.#cutOff();
      yield chunk;
      this.#stalled.delete(exchange);
      this.#composing.add(exchange);
    }
  }

  #cutOff(): void {
    for (const exchange of this.#stalled) {
      this.#stalled.delete(exchange);
      if (exchange.phase !== Phase.Streaming || exchange.gone) continue;
      exchange.transport.abandon(exchange);
      return;
    }
  }

  #document(format: DocumentFormat, services: Services): Generator<string> {
    const { reader, facts } = this.#source;
    return documentOf(format, reader, facts(), services.wallMs() / 1_000);
  }

  /** What the thread composes, whose first chunk is there; null for little, or without a thread. */
  async #composed(
    format: DocumentFormat,
    isGzip: boolean,
    services: Services,
    sent?: Promise<void>,
  ): Promise<Chunks | null> {
    const { composer, facts, sources } = this.#source;
    if (composer === null || !composer.works) return null;
    const segments = sources();
    if (segments.every(({ histograms }) => histograms <= METRICS_THREAD_HISTOGRAMS)) return null;
    const seconds = services.wallMs() / 1_000;
    const chunks = composer.compose({ format, isGzip, facts: facts(), seconds, segments }, sent);
    try {
      return resumed(await chunks.next(), chunks);
    } catch {
      return null;
    }
  }

  #stream(response: Response, services: Services): void {
    if (this.#streams.size >= METRICS_STREAMS_MAX) {
      refuse(response, `${METRICS_STREAMS_MAX} streams of metrics are open`);
      return;
    }
    const stream = response.events({ heartbeatMs: 0, whenFull: 'drop' });
    this.#streams.add(stream);
    response.afterSend(() => this.#streams.delete(stream));
    if (!this.#isTicking) void this.#tick(services);
  }

  /** Sends one snapshot to all streams, until there is none. */
  async #tick(services: Services): Promise<void> {
    this.#isTicking = true;
    const closing = this.#source.closing();
    const close = (): void => {
      for (const stream of this.#streams) stream.close();
      this.#streams.clear();
    };
    closing.addEventListener('abort', close, { once: true });
    try {
      while (this.#streams.size > 0 && !closing.aborted) {
        await this.#source.refresh();
        const text = await this.#snapshot(services);
        for (const stream of this.#streams) {
          if (stream.closed || stream.dropped >= METRICS_MISSED_MAX) this.#leave(stream);
          else if (text !== null) void stream.send(text, { event: 'metrics' });
        }
        await services.pause(METRICS_SAMPLE_MS);
      }
    } finally {
      closing.removeEventListener('abort', close);
      if (closing.aborted) close();
      this.#isTicking = false;
    }
  }

  /** The stream ends behind what waits, at the latest by the timeout of its connection. */
  #leave(stream: EventStream): void {
    this.#streams.delete(stream);
    stream.close();
  }

  /** Null when the thread failed in the middle of it. */
  async #snapshot(services: Services): Promise<string | null> {
    const composed = await this.#composed('json', false, services);
    const chunks = composed ?? slices(this.#document('json', services), services);
    const decoder = new TextDecoder();
    let text = '';
    try {
      for await (const chunk of chunks) {
        text += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
      }
    } catch {
      return null;
    }
    return text;
  }
}

/**
 * All results of a generator of which the first one was taken. Unlike that of a generator which has
 * not begun, return() always reaches it.
 */
function resumed<T>(first: IteratorResult<T>, rest: AsyncGenerator<T>): AsyncIterableIterator<T> {
  let isFirst = true;
  return {
    next() {
      if (!isFirst) return rest.next();
      isFirst = false;
      return Promise.resolve(first);
    },
    return: () => rest.return(undefined),
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

function refuse(response: Response, why: string): void {
  response.header('Retry-After', RETRY_AFTER_SECONDS);
  response.status(503).text(`${why}: try again later\n`);
}

/** Joins chunks; pauses when that has taken METRICS_SLICE_MS. */
async function* slices(chunks: Generator<string>, services: Services): AsyncGenerator<string> {
  let text = '';
  let beganMs = services.nowMs();
  for (const chunk of chunks) {
    text += chunk;
    if (text.length >= SLICE_CHARACTERS) {
      yield text;
      text = '';
    }
    if (services.nowMs() - beganMs < METRICS_SLICE_MS) continue;
    await services.pause(0);
    beganMs = services.nowMs();
  }
  if (text !== '') yield text;
}
