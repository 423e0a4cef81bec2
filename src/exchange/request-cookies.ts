// The cookies of a request (RFC 6265 5.4): parsed when one is first read. What is malformed is
// ignored, since a cookie may come from any other server of the domain.

import { COOKIES_MAX } from '../base/fixed-limits.ts';
import { trimmed } from '../http/text.ts';

/** The cookies of a request (RFC 6265 5.4), parsed when one is read. */
export class RequestCookies implements Iterable<[string, string]> {
  /** The value of the Cookie field; '' without one. */
  readonly #text: string;
  #pairs: readonly [string, string][] | null;

  constructor(text: string) {
    this.#text = text;
    this.#pairs = null;
  }

  #parsed(): readonly [string, string][] {
    this.#pairs ??= parseCookies(this.#text);
    return this.#pairs;
  }

  /**
   * The value of a cookie, undefined without one. Of several with this name it is the first, which
   * has the longest path.
   */
  get(name: string): string | undefined {
    for (const [found, value] of this.#parsed()) if (found === name) return decoded(value);
    return undefined;
  }

  /** The values of all cookies with this name, in their order. */
  getAll(name: string): string[] {
    return this.#parsed()
      .filter(([found]) => found === name)
      .map(([, value]) => decoded(value));
  }

  /** Whether there is a cookie with this name. */
  has(name: string): boolean {
    return this.#parsed().some(([found]) => found === name);
  }

  /** An object of all cookies, without a prototype; of several with one name it has the first. */
  all(): Record<string, string> {
    const all: Record<string, string> = Object.create(null);
    for (const [name, value] of this) if (!(name in all)) all[name] = value;
    return all;
  }

  /** All cookies as [name, value], in their order. */
  *[Symbol.iterator](): Generator<[string, string]> {
    for (const [name, value] of this.#parsed()) yield [name, decoded(value)];
  }
}

/** Pairs as they were sent: text without a name or without `=` is skipped. */
function parseCookies(text: string): readonly [string, string][] {
  const pairs: [string, string][] = [];
  let at = 0;
  let equals = -1;
  while (at < text.length && pairs.length < COOKIES_MAX) {
    const semicolon = text.indexOf(';', at);
    const end = semicolon < 0 ? text.length : semicolon;
    if (equals < at) equals = text.indexOf('=', at);
    if (equals < 0) break;
    if (equals < end) {
      const name = trimmed(text, at, equals);
      if (name !== '') pairs.push([name, unquoted(trimmed(text, equals + 1, end))]);
    }
    at = end + 1;
  }
  return pairs;
}

/** RFC 6265 4.1.1 lets a value stand between quotes. */
function unquoted(value: string): string {
  const isQuoted = value.length >= 2 && value.startsWith('"') && value.endsWith('"');
  return isQuoted ? value.slice(1, -1) : value;
}

/** Percent-decoded as UTF-8, as res.cookie() encodes; as it was sent when that is not possible. */
function decoded(value: string): string {
  if (!value.includes('%')) return value;
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
