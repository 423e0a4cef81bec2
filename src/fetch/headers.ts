// The Headers of a request. Its field lines are text until one of them is read, and they become
// Node's Headers when something changes or lists them.

import { isToken } from '../http/response-fields.ts';
import { trimmed } from '../http/text.ts';
import { extendNative, NativeHeaders } from './native.ts';

type Pair = [name: string, value: string];
type WebHeaders = globalThis.Headers;

export class LeanHeaders {
  /** The head of the request, which the parser has checked. */
  readonly #text: string;
  #names: string[] | null = null;
  #values: string[] = [];
  #native: WebHeaders | null = null;

  constructor(head: string) {
    this.#text = head;
  }

  static toNative(headers: LeanHeaders): WebHeaders {
    headers.#native ??= new NativeHeaders(headers.#pairs());
    return headers.#native;
  }

  get(name: string): string | null {
    if (this.#native !== null) return this.#native.get(name);
    const names = this.#lines();
    const lower = String(name).toLowerCase();
    let value: string | null = null;
    for (let index = 0; index < names.length; index++) {
      if (names[index] !== lower) continue;
      const next = this.#values[index];
      value = value === null ? next : `${value}${lower === 'cookie' ? '; ' : ', '}${next}`;
    }
    // For a name that is no token Node's Headers throws.
    return value ?? (isToken(lower) ? null : LeanHeaders.toNative(this).get(name));
  }

  has(name: string): boolean {
    return this.get(name) !== null;
  }

  [Symbol.iterator](): IterableIterator<Pair> {
    return LeanHeaders.toNative(this).entries() as IterableIterator<Pair>;
  }

  entries(): IterableIterator<Pair> {
    return this[Symbol.iterator]();
  }

  #lines(): readonly string[] {
    if (this.#names !== null) return this.#names;
    const text = this.#text;
    const names: string[] = [];
    let at = text.indexOf('\r\n') + 2;
    for (let end = text.indexOf('\r\n', at); end > at; end = text.indexOf('\r\n', at)) {
      const colon = text.indexOf(':', at);
      names.push(text.slice(at, colon).toLowerCase());
      this.#values.push(trimmed(text.slice(colon + 1, end)));
      at = end + 2;
    }
    this.#names = names;
    return names;
  }

  #pairs(): Pair[] {
    return this.#lines().map((name, index) => [name, this.#values[index]]);
  }
}

Object.defineProperty(LeanHeaders, 'name', { value: 'Headers' });
extendNative(LeanHeaders, NativeHeaders, new NativeHeaders(), LeanHeaders.toNative);
