// Runs beforeSend() callbacks. They may change the status, the fields and, unless the response is
// streamed, the content.

import { checkedName, fieldText } from '../http/response-fields.ts';
import { checkStatus } from '../http/status.ts';
import type { Outgoing } from './callbacks.ts';
import type { Content } from './content.ts';
import type { Exchange } from './exchange.ts';
import { checkFraming } from './framing-fields.ts';
import { noteLate, quietly } from './late.ts';

let finish: (outgoing: OutgoingResponse) => void;

class OutgoingResponse implements Outgoing {
  readonly #exchange: Exchange;
  #isOver = false;
  content: Content;
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

  /** Null, and logged, once the callbacks have run: the record may be another request's then. */
  #open(call: string): Exchange | null {
    if (!this.#isOver) return this.#exchange;
    noteLate(this.#exchange, call, true);
    return null;
  }

  #readable(): Exchange {
    if (this.#isOver)
      throw new Error(
        'this response was sent: read its status and fields within the beforeSend() callback',
      );
    return this.#exchange;
  }

  get status(): number {
    return this.#readable().status;
  }

  set status(status: number) {
    checkStatus('beforeSend()', status);
    const exchange = this.#open('status');
    if (exchange !== null) exchange.status = status;
  }

  header(name: string): string | undefined {
    return this.#readable().fields.get(checkedName(name));
  }

  setHeader(name: string, value: string): void {
    const lower = checkedName(name);
    checkFraming(lower);
    const text = fieldText(value);
    this.#open('setHeader()')?.fields.set(name, lower, text);
  }

  appendHeader(name: string, value: string): void {
    const lower = checkedName(name);
    checkFraming(lower);
    const text = fieldText(value);
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
  const outgoing = new OutgoingResponse(exchange, content, streamed);
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
