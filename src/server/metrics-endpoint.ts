// The responses to requests for metrics: text, JSON, or an event each second. They are composed in
// slices, between which other requests get their turn.

import {
  METRICS_SAMPLE_MS,
  METRICS_SCRAPE_MS,
  METRICS_SCRAPES_MAX,
  METRICS_SLICE_MS,
  METRICS_STREAMS_MAX,
  RETRY_AFTER_SECONDS,
} from '../base/fixed-limits.ts';
import type { EventStream } from '../exchange/event-stream.ts';
import type { Exchange, Services } from '../exchange/exchange.ts';
import { fieldValue } from '../exchange/field-value.ts';
import type { Handler } from '../exchange/handler.ts';
import { exchangeOf } from '../exchange/request.ts';
import type { Response } from '../exchange/response.ts';
import { Phase } from '../exchange/state.ts';
import { jsonFormat, type ServerFacts } from '../metrics/json-format.ts';
import type { Reader } from '../metrics/reader.ts';
import { TextFormat, textFormat } from '../metrics/text-format.ts';
import { metricsFormat } from './metrics-accept.ts';

const CONTENT_TYPES = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
  json: 'application/json',
} as const;

/** Characters of a slice at most, so that memory is bounded by what the client takes. */
const SLICE_CHARACTERS = 65_536;

export interface MetricsSource {
  readonly reader: Reader;
  readonly facts: () => ServerFacts;
  /** Brings what is sampled, such as memory, up to date. */
  readonly refresh: () => Promise<void>;
  /** Aborts when the server closes. */
  readonly closing: () => AbortSignal;
}

export class MetricsEndpoint {
  readonly #source: MetricsSource;
  /** Responses that are being composed, and since when; the oldest first. */
  readonly #scrapes = new Map<Exchange, number>();
  readonly #streams = new Set<EventStream>();
  #isTicking = false;

  constructor(source: MetricsSource) {
    this.#source = source;
  }

  readonly handle: Handler = async (request, response) => {
    const exchange = exchangeOf(request);
    const { services } = exchange;
    const format = metricsFormat(fieldValue(exchange, 'accept'));
    response.header('Cache-Control', 'no-store').header('Vary', 'Accept');
    if (format === 'events') {
      this.#stream(response, services);
      return;
    }
    if (!this.#hasPlace(services.nowMs())) {
      refuse(response, 'other requests for metrics are being served');
      return;
    }
    // No other request ever uses it, so that it can be given up later.
    exchange.retain();
    this.#scrapes.set(exchange, services.nowMs());
    try {
      await this.#source.refresh();
      response.header('Content-Type', CONTENT_TYPES[format]);
      await response.stream(slices(this.#chunks(format, services), services));
    } finally {
      this.#scrapes.delete(exchange);
    }
  };

  /** Whether one more may be composed; for it a client that has stopped reading is cut off. */
  #hasPlace(nowMs: number): boolean {
    if (this.#scrapes.size < METRICS_SCRAPES_MAX) return true;
    for (const [exchange, sinceMs] of this.#scrapes) {
      if (nowMs - sinceMs < METRICS_SCRAPE_MS) return false;
      if (exchange.phase !== Phase.Streaming || exchange.gone) continue;
      this.#scrapes.delete(exchange);
      exchange.transport.abandon(exchange);
      return true;
    }
    return false;
  }

  #chunks(format: keyof typeof CONTENT_TYPES, services: Services): Generator<string> {
    const { reader, facts } = this.#source;
    if (format === 'json') return jsonFormat(reader, facts(), services.wallMs() / 1_000);
    return textFormat(reader, format === 'text' ? TextFormat.Prometheus : TextFormat.OpenMetrics);
  }

  #stream(response: Response, services: Services): void {
    if (this.#streams.size >= METRICS_STREAMS_MAX) {
      refuse(response, `${METRICS_STREAMS_MAX} streams of metrics are open`);
      return;
    }
    const stream = response.events({ whenFull: 'drop' });
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
        let text = '';
        for await (const slice of slices(this.#chunks('json', services), services)) text += slice;
        for (const stream of this.#streams) {
          if (stream.closed) this.#streams.delete(stream);
          else void stream.send(text, { event: 'metrics' });
        }
        await services.pause(METRICS_SAMPLE_MS);
      }
    } finally {
      closing.removeEventListener('abort', close);
      if (closing.aborted) close();
      this.#isTicking = false;
    }
  }
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
