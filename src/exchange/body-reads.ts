// Reads the body of a request: as bytes, text, JSON or a form, or in chunks. A failed read rejects
// later, so that a loop around it does not block the event loop.

import { copyBytes } from '../base/bytes.ts';
import type { BodyOptions, ValidatedOptions } from './body-options.ts';
import { NOT_ARRIVED } from './body-reader.ts';
import type { Exchange } from './exchange.ts';
import { formFrom } from './form.ts';
import { formRecord } from './form-record.ts';
import { jsonOf, parseJson, textOf } from './json-text.ts';
import { latePause, quietly } from './late.ts';
import { validate } from './standard-schema.ts';
import { BodyUse } from './state.ts';

export const OVER = 'this request is over: its response was sent, and its head was released';

export function takeBody(exchange: Exchange, identity: object): void {
  if (exchange.identity !== identity) throw new Error(OVER);
  if (!exchange.takeBody()) throw new TypeError('the body was read already');
}

/** A record that is not retained may belong to another request. */
export function lateRead(exchange: Exchange): Promise<void> {
  return latePause(exchange, !exchange.retained);
}

export async function readBytes(
  exchange: Exchange,
  identity: object,
  options: BodyOptions,
): Promise<Buffer> {
  try {
    takeBody(exchange, identity);
    const { bodyBytesMax, bodyLimit } = exchange;
    const { limit = bodyLimit } = options;
    // The limit of a call may be above that of the configuration, not above that of a middleware.
    const bytesMax = bodyBytesMax < 0 ? limit : Math.min(limit, bodyBytesMax);
    return await exchange.transport.readAll(exchange, bytesMax);
  } catch (error) {
    await lateRead(exchange);
    throw error;
  }
}

export async function readText(
  exchange: Exchange,
  identity: object,
  options: BodyOptions,
): Promise<string> {
  const bytes = await readBytes(exchange, identity, options);
  return textOf(bytes, 0, bytes.length);
}

/**
 * What `decode` makes of a body that has arrived, without a promise for each step: most bodies
 * arrive together with their head. Null when it has not, or was read before.
 */
function arrived<Value>(
  exchange: Exchange,
  identity: object,
  decode: (bytes: Uint8Array, from: number, to: number) => Value,
): Promise<Value> | null {
  if (exchange.identity !== identity || exchange.bodyUse !== BodyUse.Unread) return null;
  try {
    const value = exchange.transport.readNow(exchange, exchange.bodyLimit, decode);
    return value === NOT_ARRIVED ? null : Promise.resolve(value as Value);
  } catch (error) {
    return quietly(Promise.reject(error));
  }
}

/** As readBytes() without options. */
export function readBytesNow(exchange: Exchange, identity: object): Promise<Buffer> {
  return arrived(exchange, identity, copyOf) ?? quietly(readBytes(exchange, identity, {}));
}

/** Memory of its own: `buffer` of the result has nothing of other requests. */
function copyOf(bytes: Uint8Array, from: number, to: number): Buffer {
  const copy = Buffer.allocUnsafeSlow(to - from);
  copyBytes(copy, 0, bytes.subarray(from, to));
  return copy;
}

/** As readText() without options. */
export function readTextNow(exchange: Exchange, identity: object): Promise<string> {
  return arrived(exchange, identity, textOf) ?? quietly(readText(exchange, identity, {}));
}

/** As readJson() without options. */
export function readJsonNow(exchange: Exchange, identity: object): Promise<unknown> {
  return arrived(exchange, identity, jsonOf) ?? quietly(readJson(exchange, identity, {}));
}

export async function readJson(
  exchange: Exchange,
  identity: object,
  options: ValidatedOptions,
): Promise<unknown> {
  const value = parseJson(await readText(exchange, identity, options));
  if (options.validate === undefined) return value;
  return validate(options.validate, value, 'the body');
}

export async function readForm(
  exchange: Exchange,
  identity: object,
  type: () => string,
  options: ValidatedOptions,
): Promise<unknown> {
  let form: FormData;
  try {
    form = await formFrom(type(), exchange.services.limits, () =>
      readBytes(exchange, identity, options),
    );
  } catch (error) {
    await lateRead(exchange);
    throw error;
  }
  if (options.validate === undefined) return form;
  return validate(options.validate, formRecord(form, 'the form'), 'the form');
}

const DONE = { done: true, value: undefined } as const;

/** Reads the body of its own request only. next() rejects with errors, and never at once. */
export class BodyIterator implements AsyncIterator<Uint8Array> {
  readonly #exchange: Exchange;
  readonly #refused: unknown;
  #ended = false;

  constructor(exchange: Exchange, identity: object) {
    this.#exchange = exchange;
    this.#refused = null;
    try {
      takeBody(exchange, identity);
      // The iterator may be kept: the record behind it must stay this request's.
      exchange.retain();
    } catch (error) {
      this.#refused = error;
    }
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    return quietly(this.#next());
  }

  async #next(): Promise<IteratorResult<Uint8Array>> {
    const exchange = this.#exchange;
    try {
      if (this.#refused !== null) throw this.#refused;
      const chunk = this.#ended ? null : await exchange.transport.readChunk(exchange);
      if (chunk !== null) return { done: false, value: chunk };
    } catch (error) {
      await lateRead(exchange);
      throw error;
    }
    // A loop that reads on must not block the event loop.
    if (this.#ended) await lateRead(exchange);
    this.#ended = true;
    return DONE;
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    if (this.#ended || this.#refused !== null) await lateRead(this.#exchange);
    else this.#exchange.leaveBody();
    this.#ended = true;
    return DONE;
  }
}
