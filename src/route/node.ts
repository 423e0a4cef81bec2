// Hot: runs for every request. Measured by perf/micro/route.ts.
// The radix tree of routes, by the bytes of decoded paths, and the endpoints where routes end.

import { SLASH } from '../base/ascii.ts';
import { Method, methodName } from '../http/method.ts';
import { type Segment, SegmentKind } from './pattern.ts';

/** The method that stands for all of them. */
export const ANY_METHOD = '*';

/** Names by method number; Method.Other, which has none, is left to '*'. */
export const METHOD_NAMES: readonly string[] = Object.values(Method)
  .sort((left, right) => left - right)
  .map((method) => (method === Method.Other ? ANY_METHOD : methodName(method)));

/** One added route. */
export interface Route<T> {
  /** A method token, or '*'. */
  readonly method: string;
  readonly pattern: string;
  readonly names: readonly string[];
  readonly value: T;
}

/** All routes of one shape of pattern, by method. */
export class Endpoint<T> {
  /** By method token, as added. */
  readonly routes: Map<string, Route<T>>;
  /** By method number, with HEAD's and the wildcard method's stand-ins filled in. */
  readonly byMethod: (Route<T> | null)[];

  constructor() {
    this.routes = new Map();
    this.byMethod = METHOD_NAMES.map(() => null);
  }

  /** The route for a method, or null. `token` counts for Method.Other alone. */
  pick(method: number, token: string): Route<T> | null {
    if (method === Method.Other) {
      const route = this.routes.get(token);
      if (route !== undefined) return route;
    }
    return this.byMethod[method];
  }

  add(route: Route<T>): void {
    this.routes.set(route.method, route);
    const any = this.routes.get(ANY_METHOD) ?? null;
    for (const [method, name] of METHOD_NAMES.entries()) {
      this.byMethod[method] = this.routes.get(name) ?? any;
    }
    const head = this.routes.get('HEAD') ?? this.routes.get('GET');
    if (head !== undefined) this.byMethod[Method.HEAD] = head;
  }
}

/**
 * A place in the tree of routes. Below it come bytes that are compared, or one segment that is
 * taken, or all the rest; the last two only right behind a slash.
 */
export class Node<T> {
  /** Compared to get here from the node above; empty for the root and behind a parameter. */
  prefix: Uint8Array;
  /** The nodes below by literal bytes. No two prefixes begin with the same byte. */
  readonly children: Node<T>[];
  /** First byte of the prefix of each child, in the same order. */
  readonly firsts: number[];
  /** The node behind a segment that is not empty. */
  param: Node<T> | null;
  /** Takes all that is left, also nothing. */
  rest: Endpoint<T> | null;
  /** For paths that end here. */
  endpoint: Endpoint<T> | null;

  constructor(prefix: Uint8Array) {
    this.prefix = prefix;
    this.children = [];
    this.firsts = [];
    this.param = null;
    this.rest = null;
    this.endpoint = null;
  }

  /** The child whose prefix stands at `from` in the path, or null. */
  childAt(path: Uint8Array, from: number, to: number): Node<T> | null {
    const first = path[from];
    const firsts = this.firsts;
    for (let index = 0; index < firsts.length; index++) {
      if (firsts[index] !== first) continue;
      const child = this.children[index];
      const prefix = child.prefix;
      if (to - from < prefix.length) return null;
      for (let offset = 1; offset < prefix.length; offset++) {
        if (path[from + offset] !== prefix[offset]) return null;
      }
      return child;
    }
    return null;
  }

  /** The endpoint of a pattern below this node; made, with the way to it, if need be. */
  endpointOf(segments: readonly Segment[]): Endpoint<T> {
    let node: Node<T> = this;
    let literal: number[] = [];
    for (const { kind, bytes } of segments) {
      literal.push(SLASH, ...bytes);
      if (kind === SegmentKind.Literal) continue;
      node = node.#behind(literal);
      literal = [];
      if (kind === SegmentKind.Rest) {
        node.rest ??= new Endpoint();
        return node.rest;
      }
      node.param ??= new Node(new Uint8Array(0));
      node = node.param;
    }
    node = node.#behind(literal);
    node.endpoint ??= new Endpoint();
    return node.endpoint;
  }

  /** The node behind some literal bytes; made by adding or splitting a child if need be. */
  #behind(literal: readonly number[]): Node<T> {
    let node: Node<T> = this;
    let from = 0;
    while (from < literal.length) {
      const index = node.firsts.indexOf(literal[from]);
      if (index < 0) return node.#append(new Node(Uint8Array.from(literal.slice(from))));
      let child = node.children[index];
      const common = commonLength(child.prefix, literal, from);
      if (common < child.prefix.length) {
        const upper = new Node<T>(child.prefix.slice(0, common));
        child.prefix = child.prefix.slice(common);
        upper.#append(child);
        node.children[index] = upper;
        child = upper;
      }
      node = child;
      from += common;
    }
    return node;
  }

  #append(child: Node<T>): Node<T> {
    this.children.push(child);
    this.firsts.push(child.prefix[0]);
    return child;
  }
}

/** How many bytes of `prefix` stand at `from` in `literal`. */
function commonLength(prefix: Uint8Array, literal: readonly number[], from: number): number {
  let length = 0;
  while (length < prefix.length && prefix[length] === literal[from + length]) length += 1;
  return length;
}
