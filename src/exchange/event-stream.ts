// Server-sent events (the text/event-stream of the HTML standard, section 9.2).

import type { Exchange } from './exchange.ts';
import { latePause } from './late.ts';
import { Phase } from './state.ts';

export interface EventOptions {
  /** The event's type; 'message' when left out. */
  readonly event?: string;
  readonly id?: string;
  /** How long the client waits before it connects again, in milliseconds. */
  readonly retryMs?: number;
}

export class EventStream {
  /** Retained, if the stream was open: no other request ever uses it. */
  readonly #exchange: Exchange;
  readonly #wasOpen: boolean;
  /** Once closed it stays closed. */
  #closed: boolean;

  constructor(exchange: Exchange, isOpen: boolean) {
    this.#exchange = exchange;
    this.#wasOpen = isOpen;
    this.#closed = !isOpen;
  }

  /** True once close() was called or the client is gone: send() does nothing then. */
  get closed(): boolean {
    if (!this.#closed) {
      this.#closed = this.#exchange.gone || this.#exchange.phase !== Phase.Streaming;
    }
    return this.#closed;
  }

  /** Resolves when there is room for more. */
  send(text: string, options: EventOptions = {}): Promise<void> {
    const lines = [];
    const { event, id, retryMs } = options;
    if (event !== undefined) lines.push(`event: ${oneLine(event)}`);
    if (id !== undefined) lines.push(`id: ${oneLine(id)}`);
    if (retryMs !== undefined) lines.push(`retry: ${wholeMs(retryMs)}`);
    for (const line of String(text).split(/\r\n|\r|\n/)) lines.push(`data: ${line}`);
    return this.#write(`${lines.join('\n')}\n\n`);
  }

  /** A comment, which clients skip; it keeps proxies from closing an idle stream. */
  comment(text = ''): Promise<void> {
    return this.#write(`: ${oneLine(text)}\n\n`);
  }

  close(): void {
    if (!this.closed) this.#exchange.transport.endStream(this.#exchange);
    this.#closed = true;
  }

  #write(text: string): Promise<void> {
    if (!this.closed) return this.#exchange.transport.write(this.#exchange, text, false);
    this.#exchange.services.countLateCall(false);
    return latePause(this.#exchange, !this.#wasOpen);
  }
}

function oneLine(text: string): string {
  if (/[\r\n\0]/.test(text)) throw new TypeError('an event name, id or comment is one line');
  return text;
}

function wholeMs(ms: number): number {
  if (!Number.isFinite(ms) || ms < 0) throw new RangeError(`retryMs is not a time: ${ms}`);
  return Math.trunc(ms);
}
