// Server-sent events (the text/event-stream of the HTML standard, section 9.2).

import { EVENT_HEARTBEAT_MS, EVENT_QUEUE_BYTES_MAX, LATE_PAUSE_MS } from '../base/fixed-limits.ts';
import { checkOptions, choice, type OptionRule, wholeNumber } from '../base/options.ts';
import { shown } from '../base/shown.ts';
import type { Exchange } from './exchange.ts';
import { fieldValue } from './field-value.ts';
import { addHeartbeat } from './heartbeats.ts';
import { latePause } from './late.ts';
import { Phase } from './state.ts';

/** Fields of one event, besides its data (HTML 9.2.5). */
export interface EventOptions {
  /** The event's type; 'message' when left out. */
  readonly event?: string;
  readonly id?: string;
  /** How long the client waits before it connects again, in milliseconds. */
  readonly retryMs?: number;
}

/** Options of res.events(). */
export interface EventStreamOptions {
  /**
   * Sends a comment whenever nothing was sent for so long, 15 s when left out: no proxy closes the
   * stream, and a client that has left is noticed. 0 sends none.
   */
  readonly heartbeatMs?: number;
  /** How many bytes may wait for a client that reads slowly, 1 MiB when left out. */
  readonly queueBytesMax?: number;
  /**
   * What a further event does: 'close' ends the stream behind what waits, and the client connects
   * again with the id of the last event that it got; 'drop' sends other events later.
   */
  readonly whenFull?: 'close' | 'drop';
}

const RULES: Readonly<Record<keyof EventStreamOptions, OptionRule>> = {
  heartbeatMs: wholeNumber('milliseconds'),
  queueBytesMax: wholeNumber('bytes'),
  whenFull: choice(['close', 'drop']),
};

export function checkEventOptions(options: EventStreamOptions): void {
  checkOptions('events()', options, RULES);
}

/** A comment, which clients skip. */
const HEARTBEAT = ':\n\n';

/** A stream of server-sent events (HTML 9.2), as res.events() returns it. */
export class EventStream {
  /** Retained, if the stream was open: no other request ever uses it. */
  readonly #exchange: Exchange;
  readonly #wasOpen: boolean;
  readonly #queueBytesMax: number;
  readonly #drops: boolean;
  /** Once closed it stays closed. */
  #closed: boolean;
  #dropped = 0;
  #sentMs = 0;

  constructor(exchange: Exchange, isOpen: boolean, options: EventStreamOptions) {
    const { services } = exchange;
    // A handler that awaits send() never has more waiting than sendQueueBytesMax.
    const most = Math.max(EVENT_QUEUE_BYTES_MAX, services.limits.sendQueueBytesMax);
    const { heartbeatMs = EVENT_HEARTBEAT_MS, queueBytesMax = most, whenFull } = options;
    this.#exchange = exchange;
    this.#wasOpen = isOpen;
    this.#queueBytesMax = queueBytesMax;
    this.#drops = whenFull === 'drop';
    this.#closed = !isOpen;
    if (heartbeatMs === 0 || !isOpen) return;
    this.#sentMs = services.nowMs();
    addHeartbeat(services, heartbeatMs, (sinceMs) => this.#beat(sinceMs));
  }

  /** True once close() was called or the client is gone: send() does nothing then. */
  get closed(): boolean {
    if (!this.#closed) {
      this.#closed = this.#exchange.gone || this.#exchange.phase !== Phase.Streaming;
    }
    return this.#closed;
  }

  /** The id of the last event that the client got before it connected again. */
  get lastEventId(): string | undefined {
    if (!this.#wasOpen) return undefined;
    const value = fieldValue(this.#exchange, 'last-event-id');
    // Browsers send it as UTF-8.
    return value === undefined ? undefined : Buffer.from(value, 'latin1').toString();
  }

  /** How many events were dropped, with `whenFull: 'drop'`. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Resolves when there is room for more. */
  send(text: string, options: EventOptions = {}): Promise<void> {
    const lines = [];
    const { event, id, retryMs } = options;
    if (event !== undefined) lines.push(`event: ${oneLine(event)}`);
    if (id !== undefined) lines.push(`id: ${oneLine(id)}`);
    if (retryMs !== undefined) lines.push(`retry: ${wholeMs(retryMs)}`);
    if (typeof text !== 'string') throw new TypeError(`send() takes text, given ${shown(text)}`);
    for (const line of text.split(/\r\n|\r|\n/)) lines.push(`data: ${line}`);
    return this.#write(`${lines.join('\n')}\n\n`);
  }

  /** A comment, which clients skip; it keeps proxies from closing an idle stream. */
  comment(text = ''): Promise<void> {
    return this.#write(`: ${oneLine(text)}\n\n`);
  }

  /** Ends the response, in order. Later calls have no effect. */
  close(): void {
    if (!this.closed) this.#exchange.transport.endStream(this.#exchange);
    this.#closed = true;
  }

  #write(text: string): Promise<void> {
    const exchange = this.#exchange;
    const { services, transport } = exchange;
    if (this.closed) {
      services.countLateCall(false);
      return latePause(exchange, !this.#wasOpen);
    }
    if (transport.waitingBytes() > this.#queueBytesMax) return this.#overflow();
    this.#sentMs = services.nowMs();
    return transport.write(exchange, text, false);
  }

  /** A client that reads slowly must not fill the memory. */
  #overflow(): Promise<void> {
    const exchange = this.#exchange;
    if (this.#drops) this.#dropped += 1;
    else exchange.transport.abandon(exchange);
    return exchange.services.pause(LATE_PAUSE_MS);
  }

  #beat(sinceMs: number): boolean {
    if (this.closed) return false;
    // What waits shows the client that the stream is alive.
    const isQuiet = this.#sentMs <= sinceMs && this.#exchange.transport.waitingBytes() === 0;
    if (isQuiet) void this.#write(HEARTBEAT);
    return true;
  }
}

function oneLine(text: string): string {
  // An object becomes text once: it could be another one each time.
  const line = `${text}`;
  if (/[\r\n\0]/.test(line)) throw new TypeError('an event name, id or comment is one line');
  return line;
}

/** Digits only: clients ignore anything else. */
function wholeMs(ms: number): number {
  const whole = Math.trunc(ms);
  if (Number.isSafeInteger(whole) && whole >= 0) return whole;
  throw new RangeError(`retryMs is not a time: ${shown(ms)}`);
}
