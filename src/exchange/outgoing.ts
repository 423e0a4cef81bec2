// A response just before it is sent, as beforeSend() callbacks see it: they may change its status,
// its fields and, when it is whole, its content.

import { checkedName } from '../http/response-fields.ts';
import { isFinalStatus } from '../http/status.ts';
import type { Exchange } from './exchange.ts';
import { checkFraming } from './framing-fields.ts';
import { noteLate, quietly } from './late.ts';
import type { Content } from './transport.ts';

let finish: (outgoing: Outgoing) => void;

export class Outgoing {
  readonly #exchange: Exchange;
  #isOver = false;
  /** The content of a whole response, null where it has none or is a stream. */
  content: Content;
  /** True when the content comes piece by piece: `content` then means nothing. */
  readonly streamed: boolean;

  constructor(exchange: Exchange, content: Content, streamed: boolean) {
    this.#exchange = exchange;
    this.content = content;
    this.streamed = streamed;
  }

  static {
    finish = (outgoing) => {
      outgoing.#isOver = true;
    };
  }

  /** Null, noted, once the callbacks have run: the record may be another request's then. */
  #open(call: string): Exchange | null {
    if (!this.#isOver) return this.#exchange;
    noteLate(this.#exchange, call, true);
    return null;
  }

  #readable(): Exchange {
    if (this.#isOver) throw new Error('this response was sent: read it in the callback');
    return this.#exchange;
  }

  get status(): number {
    return this.#readable().status;
  }

  set status(status: number) {
    if (!isFinalStatus(status)) throw new RangeError(`not a final status: ${status}`);
    const exchange = this.#open('status');
    if (exchange !== null) exchange.status = status;
  }

  header(name: string): string | undefined {
    return this.#readable().fields.get(checkedName(name));
  }

  setHeader(name: string, value: string): void {
    const lower = checkedName(name);
    checkFraming(lower);
    const text = String(value);
    this.#open('setHeader()')?.fields.set(name, lower, text);
  }

  appendHeader(name: string, value: string): void {
    const lower = checkedName(name);
    checkFraming(lower);
    const text = String(value);
    this.#open('appendHeader()')?.fields.append(name, lower, text);
  }

  removeHeader(name: string): void {
    const lower = checkedName(name);
    this.#open('removeHeader()')?.fields.remove(lower);
  }
}

/** Runs the callbacks of an exchange, the last registered first, and returns what to send. */
export function runBeforeSend(exchange: Exchange, content: Content, streamed: boolean): Content {
  const callbacks = exchange.beforeSend;
  if (callbacks === null) return content;
  exchange.beforeSend = null;
  const outgoing = new Outgoing(exchange, content, streamed);
  try {
    for (let index = callbacks.length - 1; index >= 0; index--) {
      runCallback(callbacks[index], outgoing);
    }
  } finally {
    finish(outgoing);
  }
  return outgoing.content;
}

function runCallback(callback: (outgoing: Outgoing) => unknown, outgoing: Outgoing): void {
  const result = callback(outgoing);
  if (!(result instanceof Promise)) return;
  quietly(result);
  throw new TypeError('a beforeSend() callback cannot be async: the head is sent when it returns');
}
