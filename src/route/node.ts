// The tree of routes, by the segments of decoded paths, and the endpoints where routes end.

import { Method, methodName } from '../http/method.ts';
import { Literals } from './literals.ts';
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

/** What may follow some segments of a path. */
export class Node<T> {
  /** The nodes behind literals; null when there are none. */
  literals: Literals<Node<T>> | null = null;
  /** By precedence. Null when there are none. */
  shaped: ShapedChild<T>[] | null = null;
  /** The node behind a parameter, which matches a non-empty segment. */
  param: Node<T> | null = null;
  /** The endpoint of a wildcard, which matches all remaining bytes, also none. */
  rest: Endpoint<T> | null = null;
  /** True when a segment that equals a literal may match in another way, too. */
  isBranching = false;
  /** The endpoint for paths that end here, without a slash. */
  endpoint: Endpoint<T> | null = null;
  /** The endpoint for paths that end here, with a slash. */
  slashEndpoint: Endpoint<T> | null = null;

  /** The endpoint of a pattern below this node. Creates it, and the nodes above it, if missing. */
  endpointOf(segments: readonly Segment[]): Endpoint<T> {
    let node: Node<T> = this;
    for (const segment of segments) {
      if (segment.kind === SegmentKind.Literal) {
        if (segment.bytes.length === 0) {
          // Only the last segment of a pattern is empty.
          node.slashEndpoint ??= new Endpoint();
          return node.slashEndpoint;
        }
        node.literals ??= new Literals();
        node = node.literals.behind(segment.bytes, () => new Node());
        continue;
      }
      node.isBranching = true;
      if (segment.kind === SegmentKind.Rest) {
        node.rest ??= new Endpoint();
        return node.rest;
      }
      if (segment.kind === SegmentKind.Shaped) node = node.#behindShape(segment.shape);
      else {
        node.param ??= new Node();
        node = node.param;
      }
    }
    node.endpoint ??= new Endpoint();
    return node.endpoint;
  }

  #behindShape(shape: Shape): Node<T> {
    this.shaped ??= [];
    const known = this.shaped.find((child) => child.shape.key === shape.key);
    if (known !== undefined) return known.node;
    const node = new Node<T>();
    this.shaped.push({ shape, node });
    // Of shapes with the same precedence the first that was added stays first.
    this.shaped.sort((one, other) => compareShapes(one.shape, other.shape));
    return node;
  }
}
