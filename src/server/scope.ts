// A scope is the server itself or a group: a prefix, and the handlers for errors and for paths
// without a route below it. Steps are the middleware of one chain.

import type { Handler, Middleware } from '../exchange/handler.ts';
import type { Request } from '../exchange/request.ts';
import type { Response } from '../exchange/response.ts';
import { type Prefix, prefixFrom } from '../route/prefix.ts';

/** Responds to an error; what it does not respond to goes to the handler around it. */
export type ErrorHandler = (
  error: unknown,
  request: Request,
  response: Response,
) => void | Promise<void>;

export class Scope {
  /** The scope around this group; null for the server. */
  readonly parent: Scope | null;
  /** As in a pattern, without a slash at its end; '' for the server. */
  readonly path: string;
  readonly prefix: Prefix;
  /** How many scopes are around this one. */
  readonly depth: number;
  errorHandler: ErrorHandler | null = null;
  notFound: Handler | null = null;

  /** Throws a TypeError for a path that is not valid. */
  constructor(parent: Scope | null, path: string) {
    const above = parent === null ? '' : parent.path;
    // Checked alone first, so that a message shows what the program has given.
    if (parent !== null) prefixFrom(path);
    const whole = `${above}${path}`;
    this.parent = parent;
    this.depth = parent === null ? 0 : parent.depth + 1;
    this.path = whole.endsWith('/') ? whole.slice(0, -1) : whole;
    this.prefix = prefixFrom(whole === '' ? '/' : whole);
  }

  /** True for this scope and all groups within it. */
  contains(other: Scope): boolean {
    for (let scope: Scope | null = other; scope !== null; scope = scope.parent) {
      if (scope === this) return true;
    }
    return false;
  }

  /** The whole pattern of a route of this scope: '/' in a group is the path of the group. */
  patternOf(pattern: string): string {
    return pattern === '/' && this.path !== '' ? this.path : `${this.path}${pattern}`;
  }

  /** Those that get an error of a request of this scope, in this order. */
  errorHandlers(): ErrorHandler[] {
    const handlers: ErrorHandler[] = [];
    for (let scope: Scope | null = this; scope !== null; scope = scope.parent) {
      if (scope.errorHandler !== null) handlers.push(scope.errorHandler);
    }
    return handlers;
  }
}

/** A middleware in the chain of one route, or of the requests without a route. */
export interface Step {
  readonly run: Middleware;
  /** Compared with the path of each request; null where every request of the chain is covered. */
  readonly prefix: Prefix | null;
  /** Without a prefix to compare: how many bytes of the path the middleware does not see. */
  readonly mountBytes: number;
}
