// Hot: runs for every request. Measured by perf/micro/route.ts.
// Which route a path belongs to, by its bytes alone: in every segment a literal goes before a
// parameter and a parameter before the wildcard, and a dead end goes back to what else fits.

import { SLASH } from '../base/ascii.ts';
import { shown } from '../base/shown.ts';
import { METHOD_BYTES_MAX, Method } from '../http/method.ts';
import { Found, type Match } from './match.ts';
import { ANY_METHOD, type Endpoint, METHOD_NAMES, Node, type Route } from './node.ts';
import { PARAMS_MAX, parsePattern } from './pattern.ts';

const METHOD_TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/**
 * Paths come percent-decoded, slashes in a row merged, dot segments resolved, with a NUL for each
 * encoded slash: it separates nothing, and since no literal holds a NUL only parameters and
 * wildcards ever match it.
 *
 * Why no path is expensive: a parameter takes one whole segment, so a node is always reached at the
 * same place of a path and in one way, and a search with all its backtracking visits no node
 * twice. A visit compares the node's own prefix, or for a parameter reads one segment. So the worst
 * search costs the size of the routes plus (parameters in the tree) x (length of the path).
 *
 * Why no map of static paths comes first: it was measured. The tree finds a static path as fast as
 * a hash of it does (54 against 49 ns), and other paths paid for the hash (100 against 55 ns).
 */
export class Router<T> {
  readonly #root: Node<T>;
  readonly #methods: Set<string>;
  /** What the search is for; kept here to keep the arguments of #walk few. */
  #to: number;
  #method: number;
  #token: string;
  /** Whether the search met an endpoint of the path, for whichever method. */
  #met: boolean;
  /** Where a search collects the methods of all endpoints instead of ending at one; or null. */
  #collected: Set<string> | null;

  constructor() {
    this.#root = new Node(new Uint8Array(0));
    this.#methods = new Set();
    this.#to = 0;
    this.#method = Method.Other;
    this.#token = '';
    this.#met = false;
    this.#collected = null;
  }

  /** Adds a route for a method token, or '*' for all. A TypeError says what is wrong with it. */
  add(method: string, pattern: string, value: T): void {
    checkMethod(method);
    const { segments, names } = parsePattern(pattern);
    const endpoint = this.#root.endpointOf(segments);
    const other = endpoint.routes.get(method);
    if (other !== undefined) {
      throw new TypeError(
        `route pattern ${JSON.stringify(pattern)}: ${method} ${other.pattern} is already there`,
      );
    }
    endpoint.add({ method, pattern, names, value });
    this.#methods.add(method);
  }

  /**
   * Finds the route of path bytes `from` to `to` and fills `match`. `token` is the method's text
   * for Method.Other and counts for nothing else. Allocates nothing.
   */
  find(
    method: number,
    token: string,
    path: Uint8Array,
    from: number,
    to: number,
    match: Match<T>,
  ): Found {
    this.#to = to;
    this.#method = method;
    this.#token = token;
    this.#met = false;
    const route = this.#walk(this.#root, path, from, match.offsets, 0);
    if (route === null) {
      match.reset();
      return this.#met ? Found.WrongMethod : Found.No;
    }
    match.value = route.value;
    match.names = route.names;
    match.paramCount = route.names.length;
    return Found.Yes;
  }

  /** All methods that routes of this path take, sorted, for Allow; empty when there is no route. */
  allowedMethods(path: Uint8Array, from: number, to: number): string[] {
    const methods = new Set<string>();
    this.#to = to;
    this.#collected = methods;
    this.#walk(this.#root, path, from, new Int32Array(2 * PARAMS_MAX), 0);
    this.#collected = null;
    return methods.size > 0 ? advertised(methods) : [];
  }

  /** All methods that any route takes, sorted, for OPTIONS *. */
  allMethods(): string[] {
    return advertised(this.#methods);
  }

  /**
   * The best route at or below a node that is reached at `from` with `params` parameters taken.
   * Loops while there is one way to go on, and calls itself only where there may be another: right
   * behind a slash, so it goes no deeper than a pattern has segments.
   */
  #walk(
    start: Node<T>,
    path: Uint8Array,
    from: number,
    offsets: Int32Array,
    params: number,
  ): Route<T> | null {
    const to = this.#to;
    let node = start;
    let at = from;
    while (at < to) {
      const child = node.childAt(path, at, to);
      const param = path[at] === SLASH ? null : node.param;
      const rest = node.rest;
      if (child !== null) {
        const next = at + child.prefix.length;
        if (param === null && rest === null) {
          node = child;
          at = next;
          continue;
        }
        const route = this.#walk(child, path, next, offsets, params);
        if (route !== null) return route;
      }
      if (param !== null) {
        const end = segmentEnd(path, at, to);
        offsets[2 * params] = at;
        offsets[2 * params + 1] = end;
        const route = this.#walk(param, path, end, offsets, params + 1);
        if (route !== null) return route;
      }
      return rest === null ? null : this.#takeRest(rest, at, offsets, params);
    }
    const route = node.endpoint === null ? null : this.#pick(node.endpoint);
    if (route !== null || node.rest === null) return route;
    return this.#takeRest(node.rest, at, offsets, params);
  }

  /** The offsets are written last: a search further down may have used the same pair. */
  #takeRest(rest: Endpoint<T>, from: number, offsets: Int32Array, params: number): Route<T> | null {
    offsets[2 * params] = from;
    offsets[2 * params + 1] = this.#to;
    return this.#pick(rest);
  }

  #pick(endpoint: Endpoint<T>): Route<T> | null {
    this.#met = true;
    if (this.#collected === null) return endpoint.pick(this.#method, this.#token);
    for (const method of endpoint.routes.keys()) this.#collected.add(method);
    return null;
  }
}

function checkMethod(method: string): void {
  const isToken = typeof method === 'string' && METHOD_TOKEN.test(method);
  if (!isToken || method.length > METHOD_BYTES_MAX) {
    const wanted = `an HTTP token of at most ${METHOD_BYTES_MAX} bytes`;
    throw new TypeError(`route method ${shown(method)} is not ${wanted}`);
  }
}

function segmentEnd(path: Uint8Array, from: number, to: number): number {
  let end = from;
  while (end < to && path[end] !== SLASH) end += 1;
  return end;
}

/**
 * What Allow says. A '*' route takes every method, but CONNECT has no path and TRACE is not
 * something to invite: those two are named only where somebody added them.
 */
function advertised(methods: ReadonlySet<string>): string[] {
  const names = new Set(methods);
  if (names.delete(ANY_METHOD)) {
    for (const [method, name] of METHOD_NAMES.entries()) {
      const invited = method !== Method.CONNECT && method !== Method.TRACE;
      if (invited && name !== ANY_METHOD) names.add(name);
    }
  }
  if (names.has('GET')) names.add('HEAD');
  names.add('OPTIONS');
  return [...names].sort();
}
