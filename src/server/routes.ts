// What a program has registered. A middleware covers the routes that are added after it, in its own
// scope and in the groups within: so every route has its own list of steps, made once. Requests
// without a route pass all middleware that covers their path.

import { type Begins, beginsOf } from '../exchange/begins.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Handler, Middleware } from '../exchange/handler.ts';
import { type RefusedListener, refusedListenerOf } from '../exchange/refused.ts';
import { Method } from '../http/method.ts';
import type { Meter, RouteSeries } from '../metrics/meter.ts';
import { Match } from '../route/match.ts';
import { type Pattern, parsePattern, parsePrefix } from '../route/pattern.ts';
import { Coverage, coverageOf, type Prefix, prefixFrom, prefixLength } from '../route/prefix.ts';
import { Router } from '../route/router.ts';
import { rootOf, type StaticRoot } from '../static/roots.ts';
import { type ErrorHandler, Scope, type Step } from './scope.ts';

/** A route as the router finds it. */
export interface RouteEntry {
  readonly handler: Handler;
  readonly steps: readonly Step[];
  readonly scope: Scope;
  /** Its metrics, while they are collected. */
  readonly series: RouteSeries | null;
  /** Requests for which this is false do not find the route; null: none. */
  readonly guard: RouteGuard | null;
}

export type RouteGuard = (exchange: Exchange) => boolean;

/** A route as a program adds it. */
export interface AddedRoute {
  readonly method: string;
  readonly pattern: string;
  /** Middleware of this route alone. */
  readonly middleware: readonly Middleware[];
  readonly handler: Handler;
  /** Where the program adds it; '' when that is not known. */
  readonly place: string;
  readonly guard?: RouteGuard;
}

interface AddedMiddleware {
  readonly scope: Scope;
  readonly prefix: Prefix;
  readonly run: Middleware;
}

export class Routes {
  readonly router: Router<RouteEntry> = new Router<RouteEntry>();
  readonly root: Scope = new Scope(null, '');
  /** The directories of middleware that serves files. */
  readonly staticRoots: StaticRoot[] = [];
  /** Called when the server begins to serve, each once, wherever its middleware is used. */
  readonly begins: Set<Begins> = new Set();
  /** Called for requests that are not valid: those of middleware that covers every path. */
  readonly refusedListeners: RefusedListener[] = [];
  /** Counts the requests of routes; null without metrics. */
  readonly #meter: Meter | null;
  /** The chain of requests without a route. A new list for each change: requests keep theirs. */
  unrouted: readonly Step[] = [];
  /** In the order of their registration, which is the order in which they run. */
  readonly #middleware: AddedMiddleware[] = [];
  readonly #groups: Scope[] = [];

  constructor(meter: Meter | null = null) {
    this.#meter = meter;
  }

  add(scope: Scope, added: AddedRoute): void {
    const { method, pattern, middleware, handler, place, guard = null } = added;
    // Checked alone first, so that a message shows what the program has given.
    parsePattern(pattern);
    const whole = scope.patternOf(pattern);
    const steps = [...this.#stepsFor(scope, parsePattern(whole)), ...middleware.map(ownStep)];
    const series = this.#meter?.route(whole) ?? null;
    this.router.add(method, whole, { handler, steps, scope, series, guard }, place);
    for (const run of [...middleware, handler]) this.#noteMiddleware(run);
  }

  /** `path` is below the prefix of the scope; '/' is all of it. */
  use(scope: Scope, path: string, run: Middleware): void {
    // Checked alone first, as a pattern; unlike the prefix of a group it has no parameters.
    parsePrefix(path);
    const prefix = prefixFrom(scope.patternOf(path));
    this.#middleware.push({ scope, prefix, run });
    this.unrouted = [...this.unrouted, stepOf(prefix, run, Coverage.Some)];
    this.#noteMiddleware(run);
    const listener = refusedListenerOf(run);
    const coversAll = prefix.bytes?.length === 0;
    if (listener !== undefined && coversAll) this.refusedListeners.push(listener);
  }

  group(parent: Scope, path: string): Scope {
    const group = new Scope(parent, path);
    this.#groups.push(group);
    return group;
  }

  /** Whether a guarded route is hidden: then a request with another method finds none, too. */
  isHidden(exchange: Exchange, path: Uint8Array, from: number, to: number): boolean {
    const match = new Match<RouteEntry>();
    this.router.find(Method.GET, '', path, from, to, match);
    const guard = match.value?.guard ?? null;
    return guard !== null && !guard(exchange);
  }

  /** The scopes of a request without a route: the longest prefix first, then the innermost. */
  scopesOf({ pathBytes, pathFrom, pathTo }: Exchange): Scope[] {
    const groups = this.#groups.filter(
      ({ prefix }) => prefixLength(prefix, pathBytes, pathFrom, pathTo) >= 0,
    );
    groups.sort((one, other) => lengthOf(other) - lengthOf(one) || other.depth - one.depth);
    return [...groups, this.root];
  }

  /** For a request without a route: those of its scopes. */
  errorHandlersOf(exchange: Exchange): ErrorHandler[] {
    const handlers = this.scopesOf(exchange).map(({ errorHandler }) => errorHandler);
    return handlers.filter((handler) => handler !== null);
  }

  #stepsFor(scope: Scope, pattern: Pattern): Step[] {
    const steps: Step[] = [];
    for (const { scope: owner, prefix, run } of this.#middleware) {
      if (!owner.contains(scope)) continue;
      const coverage = coverageOf(prefix, pattern);
      if (coverage !== Coverage.None) steps.push(stepOf(prefix, run, coverage));
    }
    return steps;
  }

  /** A handler may be middleware that always responds, such as proxy(). */
  #noteMiddleware(middleware: Middleware): void {
    const root = rootOf(middleware);
    if (root !== undefined) this.staticRoots.push(root);
    const begins = beginsOf(middleware);
    if (begins !== undefined) this.begins.add(begins);
  }
}

function lengthOf({ prefix }: Scope): number {
  return prefix.segments.length;
}

function ownStep(run: Middleware): Step {
  return { run, prefix: null, mountBytes: 0 };
}

function stepOf(prefix: Prefix, run: Middleware, coverage: Coverage): Step {
  const { bytes } = prefix;
  const isKnown = bytes !== null && (coverage === Coverage.All || bytes.length === 0);
  return { run, prefix: isKnown ? null : prefix, mountBytes: isKnown ? bytes.length : -1 };
}
