// The radix tree of routes, by the bytes of decoded paths, and the endpoints where routes end.

import { SLASH } from '../base/ascii.ts';
import { Method, methodName } from '../http/method.ts';
import { type Segment, SegmentKind } from './pattern.ts';
import { compareShapes, type Shape } from './shape.ts';

/** The method of routes that accept every method. */
export const ANY_METHOD = '*';

/** Names by method number; '*' for Method.Other, which has no name. */
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
  /** Where it was added, for messages. */
  readonly place: string;
}

/** The nodes behind segments of one shape. */
export interface ShapedChild<T> {
  readonly shape: Shape;
  readonly node: Node<T>;
}

/** All routes whose patterns match the same paths, by method. */
export class Endpoint<T> {
  /** By method token, as they were added. */
  readonly routes: Map<string, Route<T>>;
  /** By method number. Methods without a route of their own have that of '*', HEAD that of GET. */
  readonly byMethod: (Route<T> | null)[];

  constructor() {
    this.routes = new Map();
    this.byMethod = METHOD_NAMES.map(() => null);
  }

  /** The route for a method, or null. `token` is only used for Method.Other. */
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
 * A node of the radix tree. Below it are literal bytes, shapes and a parameter, which match one
 * segment, or a wildcard, which matches the rest; all but the first only directly behind a slash.
 */
export class Node<T> {
  /** The literal bytes between the parent and this node; empty for the root and a parameter. */
  prefix: Uint8Array;
  /** The children by literal bytes. No two prefixes begin with the same byte. */
  readonly children: Node<T>[];
  /** The first byte of the prefix of each child, in the same order. */
  readonly firstBytes: number[];
  /** By precedence. Null when there are none. */
  shaped: ShapedChild<T>[] | null;
  /** The node behind a parameter, which matches a non-empty segment. */
  param: Node<T> | null;
  /** The endpoint of a wildcard, which matches all remaining bytes, also none. */
  rest: Endpoint<T> | null;
  /** True when there is more than literal bytes below. */
  isBranching: boolean;
  /** The endpoint for paths that end here. */
  endpoint: Endpoint<T> | null;

  constructor(prefix: Uint8Array) {
    this.prefix = prefix;
    this.children = [];
    this.firstBytes = [];
    this.shaped = null;
    this.param = null;
    this.rest = null;
    this.isBranching = false;
    this.endpoint = null;
  }

  /** The child whose prefix is at `from` in the path, or null. */
  childAt(path: Uint8Array, from: number, to: number): Node<T> | null {
    const first = path[from];
    const firstBytes = this.firstBytes;
    for (let index = 0; index < firstBytes.length; index++) {
      if (firstBytes[index] !== first) continue;
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

  /** The endpoint of a pattern below this node. Creates it, and the nodes above it, if missing. */
  endpointOf(segments: readonly Segment[]): Endpoint<T> {
    let node: Node<T> = this;
    let literal: number[] = [];
    for (const segment of segments) {
      literal.push(SLASH);
      if (segment.kind === SegmentKind.Literal) {
        literal.push(...segment.bytes);
        continue;
      }
      node = node.#descend(literal);
      node.isBranching = true;
      literal = [];
      if (segment.kind === SegmentKind.Rest) {
        node.rest ??= new Endpoint();
        return node.rest;
      }
      if (segment.kind === SegmentKind.Shaped) {
        node = node.#behindShape(segment.shape);
      } else {
        node.param ??= new Node(new Uint8Array(0));
        node = node.param;
      }
    }
    node = node.#descend(literal);
    node.endpoint ??= new Endpoint();
    return node.endpoint;
  }

  #behindShape(shape: Shape): Node<T> {
    this.shaped ??= [];
    const known = this.shaped.find((child) => child.shape.key === shape.key);
    if (known !== undefined) return known.node;
    const node = new Node<T>(new Uint8Array(0));
    this.shaped.push({ shape, node });
    // Of shapes with the same precedence the first that was added stays first.
    this.shaped.sort((one, other) => compareShapes(one.shape, other.shape));
    return node;
  }

  /** The node behind some literal bytes. Adds or splits a child if it is missing. */
  #descend(literal: readonly number[]): Node<T> {
    let node: Node<T> = this;
    let from = 0;
    while (from < literal.length) {
      const index = node.firstBytes.indexOf(literal[from]);
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
    this.firstBytes.push(child.prefix[0]);
    return child;
  }
}

/** How many bytes of `prefix` equal those at `from` in `literal`. */
function commonLength(prefix: Uint8Array, literal: readonly number[], from: number): number {
  let length = 0;
  while (length < prefix.length && prefix[length] === literal[from + length]) length += 1;
  return length;
}
