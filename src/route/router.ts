// The router: finds the route of a path by its bytes. In every segment a literal takes precedence
// over a shape (parameters with literals or constraints), a shape over a plain parameter, and that
// over the wildcard; the search backtracks from a dead end.

import { SLASH } from '../base/ascii.ts';
import { shown } from '../base/shown.ts';
import { METHOD_BYTES_MAX, Method } from '../http/method.ts';
import { segmentEnd, WORD_BYTES } from './literals.ts';
import { Found, type Match } from './match.ts';
import {
  ANY_METHOD,
  type Endpoint,
  METHOD_NAMES,
  Node,
  type Route,
  type ShapedChild,
} from './node.ts';
import { PARAMS_MAX, parsePattern } from './pattern.ts';
import { matchShape } from './shape.ts';

const NO_BYTES = new Uint8Array(0);
const METHOD_TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/**
 * Paths are percent-decoded, consecutive slashes merged, dot segments removed, with a NUL for each
 * encoded slash. NUL separates no segments, and no literal contains it, so that only parameters and
 * wildcards match it.
 *
 * Worst case: a parameter or shape matches one full segment, in one way, so each node is reached at
 * one position of a path and by one way, and a search with all its backtracking visits no node
 * twice. A visit reads one segment: to find its end, to look it up among the literals, and for a
 * shape once for each of its parameters and each byte of its literals. So the worst search costs
 * (nodes of the tree) x (length of the path), that of shapes multiplied by their own length.
 *
 * There is no hash map of static paths before the tree. Measured: the tree finds a static path
 * about as fast as a hash does, and other paths pay for the hash.
 */
export class Router<T> {
  readonly #root: Node<T>;
  readonly #methods: Set<string>;
  /** The bytes of the last search, and a view of them. */
  #bytes: Uint8Array;
  #view: DataView;
  /** Arguments of the search, kept here so that #walk has fewer arguments. */
  #to: number;
  #method: number;
  #token: string;
  /** Whether the search reached an endpoint of the path, for any method. */
  #pathMatched: boolean;
  /** When set, a search adds the methods of all endpoints to it and continues at each of them. */
  #collected: Set<string> | null;

  constructor() {
    this.#root = new Node();
    this.#methods = new Set();
    this.#bytes = NO_BYTES;
    this.#view = viewOf(NO_BYTES);
    this.#to = 0;
    this.#method = Method.Other;
    this.#token = '';
    this.#pathMatched = false;
    this.#collected = null;
  }

  /**
   * Adds a route for a method token, or '*' for all. Throws a TypeError with the reason. `place` is
   * where the program adds it, for the message about a second one.
   */
  add(method: string, pattern: string, value: T, place = ''): void {
    checkMethod(method);
    const { segments, names } = parsePattern(pattern);
    const endpoint = this.#root.endpointOf(segments);
    const other = endpoint.routes.get(method);
    if (other !== undefined) {
      const first = `${method} ${other.pattern} already exists${inParentheses(other.place)}`;
      const second = `route pattern ${JSON.stringify(pattern)}${inParentheses(place)}`;
      throw new TypeError(`${second}: ${first}`);
    }
    endpoint.add({ method, pattern, names, value, place });
    this.#methods.add(method);
  }

  /**
   * Finds the route of path bytes `from` to `to` and fills `match`. `token` is the method's text,
   * only used for Method.Other. Allocates nothing, except where fewer than WORD_BYTES bytes follow
   * the path, and for other `path` bytes than those of the last search.
   */
  find(
    method: number,
    token: string,
    path: Uint8Array,
    from: number,
    to: number,
    match: Match<T>,
  ): Found {
    this.#method = method;
    this.#token = token;
    const route = this.#search(path, from, to, match.offsets);
    if (route === null) {
      match.reset();
      return this.#pathMatched ? Found.WrongMethod : Found.No;
    }
    match.value = route.value;
    match.pattern = route.pattern;
    match.names = route.names;
    match.paramCount = route.names.length;
    return Found.Yes;
  }

  /** All methods of the routes of this path, sorted, for Allow; empty when there is no route. */
  allowedMethods(path: Uint8Array, from: number, to: number): string[] {
    const methods = new Set<string>();
    this.#collected = methods;
    this.#search(path, from, to, new Int32Array(2 * PARAMS_MAX));
    this.#collected = null;
    return methods.size > 0 ? allowValue(methods) : [];
  }

  /** All methods of all routes, sorted, for OPTIONS *. */
  allMethods(): string[] {
    return allowValue(this.#methods);
  }

  #search(path: Uint8Array, from: number, to: number, offsets: Int32Array): Route<T> | null {
    this.#to = to;
    this.#pathMatched = false;
    if (from >= to || path[from] !== SLASH) return null;
    if (path !== this.#bytes) {
      this.#bytes = path;
      this.#view = viewOf(path);
    }
    if (to + WORD_BYTES > path.length) {
      this.#bytes = new Uint8Array(to + WORD_BYTES);
      this.#bytes.set(path.subarray(0, to));
      this.#view = viewOf(this.#bytes);
    }
    return this.#walk(this.#root, this.#view, from + 1, offsets, 0);
  }

  /**
   * The best route below a node for the segments from `from` on, with `params` parameters matched.
   * Loops while there is one way to continue, and recurses only where there may be another: so the
   * recursion is no deeper than a pattern has segments.
   */
  #walk(
    start: Node<T>,
    view: DataView,
    from: number,
    offsets: Int32Array,
    params: number,
  ): Route<T> | null {
    const to = this.#to;
    let node = start;
    let at = from;
    let count = params;
    for (;;) {
      if (at === to) {
        const route = this.#pick(node.slashEndpoint);
        if (route !== null || node.rest === null) return route;
        return this.#takeRest(node.rest, at, offsets, count);
      }
      const literal = node.literals === null ? null : node.literals.find(view, at, to);
      if (!node.isBranching) {
        if (literal === null) return null;
        node = literal.behind;
        at += literal.length;
        if (at === to) return this.#pick(node.endpoint);
        at += 1;
        continue;
      }
      if (literal !== null) {
        const route = this.#behind(literal.behind, view, at + literal.length, offsets, count);
        if (route !== null) return route;
      }
      const end = segmentEnd(view, at, to);
      const { rest, param } = node;
      if (at < end && node.shaped !== null) {
        const route = this.#takeShape(node.shaped, view, at, end, offsets, count);
        if (route !== null) return route;
      }
      if (at < end && param !== null) {
        offsets[2 * count] = at;
        offsets[2 * count + 1] = end;
        if (rest === null && end < to) {
          node = param;
          at = end + 1;
          count += 1;
          continue;
        }
        const route = this.#behind(param, view, end, offsets, count + 1);
        if (route !== null) return route;
      }
      return rest === null ? null : this.#takeRest(rest, at, offsets, count);
    }
  }

  /** The best route at or below a node that is reached at `end`, the end of a segment. */
  #behind(
    node: Node<T>,
    view: DataView,
    end: number,
    offsets: Int32Array,
    params: number,
  ): Route<T> | null {
    if (end === this.#to) return this.#pick(node.endpoint);
    return this.#walk(node, view, end + 1, offsets, params);
  }

  /** The best route behind the segment [from, end) that shapes match. */
  #takeShape(
    shaped: readonly ShapedChild<T>[],
    view: DataView,
    from: number,
    end: number,
    offsets: Int32Array,
    params: number,
  ): Route<T> | null {
    for (const { shape, node } of shaped) {
      if (!matchShape(shape, this.#bytes, from, end, offsets, params)) continue;
      const count = params + shape.constraints.length;
      const route = this.#behind(node, view, end, offsets, count);
      if (route !== null) return route;
    }
    return null;
  }

  /** The offsets are written last: a search deeper in the tree may have used the same pair. */
  #takeRest(rest: Endpoint<T>, from: number, offsets: Int32Array, params: number): Route<T> | null {
    offsets[2 * params] = from;
    offsets[2 * params + 1] = this.#to;
    return this.#pick(rest);
  }

  /** The route of an endpoint for the method of the search. */
  #pick(endpoint: Endpoint<T> | null): Route<T> | null {
    if (endpoint === null) return null;
    this.#pathMatched = true;
    if (this.#collected === null) return endpoint.pick(this.#method, this.#token);
    for (const method of endpoint.routes.keys()) this.#collected.add(method);
    return null;
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function checkMethod(method: string): void {
  const isToken = typeof method === 'string' && METHOD_TOKEN.test(method);
  if (!isToken || method.length > METHOD_BYTES_MAX) {
    const wanted = `an HTTP token of at most ${METHOD_BYTES_MAX} bytes`;
    throw new TypeError(`route method ${shown(method)} must be ${wanted}`);
  }
}

function inParentheses(place: string): string {
  return place === '' ? '' : ` (${place})`;
}

/**
 * The methods for the Allow field. A '*' route accepts every method, but CONNECT has no path and
 * TRACE should not be advertised: those two are listed only when a route was added for them.
 */
function allowValue(methods: ReadonlySet<string>): string[] {
  const names = new Set(methods);
  if (names.delete(ANY_METHOD)) {
    for (const [method, name] of METHOD_NAMES.entries()) {
      const listed = method !== Method.CONNECT && method !== Method.TRACE;
      if (listed && name !== ANY_METHOD) names.add(name);
    }
  }
  if (names.has('GET')) names.add('HEAD');
  names.add('OPTIONS');
  return [...names].sort();
}
