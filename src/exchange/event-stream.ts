// Server-sent events (the text/event-stream of the HTML standard, section 9.2).

import type { Exchange } from './exchange.ts';
import { Phase } from './phase.ts';

export interface EventOptions {
  /** The event's type; 'message' when left out. */
  readonly event?: string;
  readonly id?: string;
  /** How long the client waits before it connects again, in milliseconds. */
  readonly retryMs?: number;
}

export class EventStream {
  readonly #exchange: Exchange;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  /** True once close() was called or the client is gone: send() does nothing then. */
  get closed(): boolean {
    return this.#exchange.gone || this.#exchange.phase !== Phase.Streaming;
  }

  /** Resolves when there is room for more. */
  send(text: string, options: EventOptions = {}): Promise<void> {
    const lines = [];
    if (options.event !== undefined) lines.push(`event: ${oneLine(options.event)}`);
    if (options.id !== undefined) lines.push(`id: ${oneLine(options.id)}`);
    if (options.retryMs !== undefined) lines.push(`retry: ${Math.trunc(options.retryMs)}`);
    for (const line of text.split(/\r\n|\r|\n/)) lines.push(`data: ${line}`);
    return this.#write(`${lines.join('\n')}\n\n`);
  }

  /** A comment that clients skip; keeps proxies from closing a quiet stream. */
  comment(text = ''): Promise<void> {
    return this.#write(`: ${oneLine(text)}\n\n`);
  }

  close(): void {
    if (!this.closed) this.#exchange.transport.endStream(this.#exchange);
  }

  #write(text: string): Promise<void> {
    if (!this.closed) return this.#exchange.transport.write(this.#exchange, text);
    this.#exchange.transport.countLateWrite();
    return Promise.resolve();
  }
}

function oneLine(text: string): string {
  if (/[\r\n\0]/.test(text)) throw new TypeError('an event name, id or comment is one line');
  return text;
}
