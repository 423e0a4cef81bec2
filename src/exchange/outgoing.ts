// An answer at the last moment before it is sent, as beforeSend() callbacks see it: they may change
// its status, its fields and, when it is whole, its content.

import { checkedName } from '../http/answer-fields.ts';
import { isFinalStatus } from '../http/status.ts';
import type { Exchange } from './exchange.ts';
import { checkFraming } from './framing-fields.ts';
import type { Content } from './transport.ts';

export class Outgoing {
  readonly #exchange: Exchange;
  /** The content of a whole answer, null where it has none or is a stream. */
  content: Content;
  /** True when the content comes piece by piece: `content` then means nothing. */
  readonly streamed: boolean;

  constructor(exchange: Exchange, content: Content, streamed: boolean) {
    this.#exchange = exchange;
    this.content = content;
    this.streamed = streamed;
  }

  get status(): number {
    return this.#exchange.status;
  }

  set status(status: number) {
    if (!isFinalStatus(status)) throw new RangeError(`not a final status: ${status}`);
    this.#exchange.status = status;
  }

  header(name: string): string | undefined {
    return this.#exchange.fields.get(checkedName(name));
  }

  setHeader(name: string, value: string): void {
    checkFraming(checkedName(name));
    this.#exchange.fields.set(name, checkedName(name), String(value));
  }

  appendHeader(name: string, value: string): void {
    checkFraming(checkedName(name));
    this.#exchange.fields.append(name, checkedName(name), String(value));
  }

  removeHeader(name: string): void {
    this.#exchange.fields.remove(checkedName(name));
  }
}

/** Runs the callbacks of an exchange, the last registered first, and gives the content to send. */
export function runBeforeSend(exchange: Exchange, content: Content, streamed: boolean): Content {
  const callbacks = exchange.beforeSend;
  if (callbacks === null) return content;
  exchange.beforeSend = null;
  const outgoing = new Outgoing(exchange, content, streamed);
  for (let index = callbacks.length - 1; index >= 0; index--) callbacks[index](outgoing);
  return outgoing.content;
}
