// The router: finds the route of a path by its bytes. In every segment a literal takes precedence
// over a shape (parameters with literals or constraints), a shape over a plain parameter, and that
// over the wildcard; the search backtracks from a dead end.

import { SLASH } from '../base/ascii.ts';
import { shown } from '../base/shown.ts';
import { METHOD_BYTES_MAX, Method } from '../http/method.ts';
import { Found, type Match } from './match.ts';
import { ANY_METHOD, type Endpoint, METHOD_NAMES, Node, type Route } from './node.ts';
import { PARAMS_MAX, parsePattern } from './pattern.ts';
import { matchShape } from './shape.ts';

const METHOD_TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/**
 * Paths are percent-decoded, consecutive slashes merged, dot segments removed, with a NUL for each
 * encoded slash. NUL separates no segments, and no literal contains it, so that only parameters and
 * wildcards match it.
 *
 * Worst case: a parameter or shape matches one full segment, in one way, so each node is reached at
 * one position of a path and by one way, and a search with all its backtracking visits no node
 * twice. A visit compares the node's prefix, or reads one segment, for a shape once for each of its
 * parameters and each byte of its literals. So the worst search costs the size of the routes plus
 * (parameters in the tree) x (length of the path), that of shapes multiplied by their own length.
 *
 * There is no hash map of static paths before the tree. Measured: the tree finds a static path
 * about as fast as a hash does (54 versus 49 ns), and other paths paid for the hash (100 versus 55
 * ns).
 */
export class Router<T> {
  readonly #root: Node<T>;
  readonly #methods: Set<string>;
  /** Arguments of the search, kept here so that #walk has fewer arguments. */
  #to: number;
  #method: number;
  #token: string;
  /** Whether the search reached an endpoint of the path, for any method. */
  #pathMatched: boolean;
  /** When set, a search adds the methods of all endpoints to it and continues at each of them. */
  #collected: Set<string> | null;

  constructor() {
    this.#root = new Node(new Uint8Array(0));
    this.#methods = new Set();
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
   * only used for Method.Other. Allocates nothing.
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
    this.#pathMatched = false;
    const route = this.#walk(this.#root, path, from, match.offsets, 0);
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
    this.#to = to;
    this.#collected = methods;
    this.#walk(this.#root, path, from, new Int32Array(2 * PARAMS_MAX), 0);
    this.#collected = null;
    return methods.size > 0 ? allowValue(methods) : [];
  }

  /** All methods of all routes, sorted, for OPTIONS *. */
  allMethods(): string[] {
    return allowValue(this.#methods);
  }

  /**
   * The best route at or below a node that is reached at `from` with `params` parameters matched.
   * Loops while there is one way to continue, and recurses only where there may be another:
   * directly behind a slash, so the recursion is no deeper than a pattern has segments.
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
      if (!node.isBranching) {
        if (child === null) return null;
        node = child;
        at += child.prefix.length;
        continue;
      }
      if (child !== null) {
        const route = this.#walk(child, path, at + child.prefix.length, offsets, params);
        if (route !== null) return route;
      }
      if (path[at] !== SLASH && (node.param !== null || node.shaped !== null)) {
        const route = this.#takeSegment(node, path, at, offsets, params);
        if (route !== null) return route;
      }
      return node.rest === null ? null : this.#takeRest(node.rest, at, offsets, params);
    }
    const route = node.endpoint === null ? null : this.#pick(node.endpoint);
    if (route !== null || node.rest === null) return route;
    return this.#takeRest(node.rest, at, offsets, params);
  }

  /** The best route behind a segment that shapes or a parameter match. */
  #takeSegment(
    node: Node<T>,
    path: Uint8Array,
    from: number,
    offsets: Int32Array,
    params: number,
  ): Route<T> | null {
    const { param, shaped } = node;
    const end = segmentEnd(path, from, this.#to);
    if (shaped !== null) {
      for (let index = 0; index < shaped.length; index++) {
        const { shape, node: behind } = shaped[index];
        if (!matchShape(shape, path, from, end, offsets, params)) continue;
        const count = params + shape.constraints.length;
        const route = this.#walk(behind, path, end, offsets, count);
        if (route !== null) return route;
      }
    }
    if (param === null) return null;
    offsets[2 * params] = from;
    offsets[2 * params + 1] = end;
    return this.#walk(param, path, end, offsets, params + 1);
  }

  /** The offsets are written last: a search deeper in the tree may have used the same pair. */
  #takeRest(rest: Endpoint<T>, from: number, offsets: Int32Array, params: number): Route<T> | null {
    offsets[2 * params] = from;
    offsets[2 * params + 1] = this.#to;
    return this.#pick(rest);
  }

  #pick(endpoint: Endpoint<T>): Route<T> | null {
    this.#pathMatched = true;
    if (this.#collected === null) return endpoint.pick(this.#method, this.#token);
    for (const method of endpoint.routes.keys()) this.#collected.add(method);
    return null;
  }
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

export function segmentEnd(path: Uint8Array, from: number, to: number): number {
  let end = from;
  while (end < to && path[end] !== SLASH) end += 1;
  return end;
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
