// The methods that register routes, middleware and groups, for a server and for its groups. Their
// types: parameters follow from the pattern and the prefixes around it, state from middleware.

import type { Handler, Middleware } from '../exchange/handler.ts';
import type { Params, State } from '../exchange/request.ts';
import type { PathParams } from '../route/path-params.ts';
import { callPlace } from './call-place.ts';
import {
  checkDefined,
  checkErrorHandler,
  checkGroup,
  checkNotFound,
  methodArgument,
  routeArguments,
  useArguments,
} from './registration.ts';
import type { Routes } from './routes.ts';
import type { ErrorHandler, Scope } from './scope.ts';

/** The handler of a route: `P` is its pattern, `S` the state from the middleware before it. */
type RouteHandler<Prefix extends string, P extends string, S extends State> = Handler<
  PathParams<`${Prefix}${P}`>,
  S
>;

/**
 * Adds a route: a pattern, middleware of this route alone, and the handler. `Before` are arguments
 * before the pattern. The last signature is for handlers that are declared with `Request`, and for
 * more middleware than the others have.
 */
export interface AddRoute<
  Before extends readonly unknown[],
  Prefix extends string,
  S extends State,
  Self,
> {
  <P extends string>(...given: [...Before, pattern: P, handler: RouteHandler<Prefix, P, S>]): Self;
  <P extends string, A extends object>(
    ...given: [
      ...Before,
      pattern: P,
      middleware: Middleware<A, S>,
      handler: RouteHandler<Prefix, P, S & A>,
    ]
  ): Self;
  <P extends string, A extends object, B extends object>(
    ...given: [
      ...Before,
      pattern: P,
      first: Middleware<A, S>,
      second: Middleware<B, S & A>,
      handler: RouteHandler<Prefix, P, S & A & B>,
    ]
  ): Self;
  <P extends string, A extends object, B extends object, C extends object>(
    ...given: [
      ...Before,
      pattern: P,
      first: Middleware<A, S>,
      second: Middleware<B, S & A>,
      third: Middleware<C, S & A & B>,
      handler: RouteHandler<Prefix, P, S & A & B & C>,
    ]
  ): Self;
  (
    ...given: [
      ...Before,
      pattern: string,
      ...functions: [...middleware: Middleware<object, S>[], handler: Handler<Params, S>],
    ]
  ): Self;
}

/** A function that adds to a group. */
export type DefineGroup<Prefix extends string, S extends State> = (group: Group<Prefix, S>) => void;

/** `Prefix` is that of all its routes, `S` the state that the middleware before them has set. */
export class Group<Prefix extends string = '', S extends State = State> {
  readonly get: AddRoute<[], Prefix, S, this>;
  readonly head: AddRoute<[], Prefix, S, this>;
  readonly post: AddRoute<[], Prefix, S, this>;
  readonly put: AddRoute<[], Prefix, S, this>;
  readonly patch: AddRoute<[], Prefix, S, this>;
  readonly delete: AddRoute<[], Prefix, S, this>;
  readonly options: AddRoute<[], Prefix, S, this>;
  /** Every method that has no handler of its own. */
  readonly all: AddRoute<[], Prefix, S, this>;
  /** Any method by its name, which is case-sensitive (RFC 9110 9.1). */
  readonly on: AddRoute<[method: string], Prefix, S, this>;
  readonly #routes: Routes;
  readonly #scope: Scope;

  constructor(routes: Routes, scope: Scope) {
    this.#routes = routes;
    this.#scope = scope;
    this.get = this.#adder('get', 'GET');
    this.head = this.#adder('head', 'HEAD');
    this.post = this.#adder('post', 'POST');
    this.put = this.#adder('put', 'PUT');
    this.patch = this.#adder('patch', 'PATCH');
    this.delete = this.#adder('delete', 'DELETE');
    this.options = this.#adder('options', 'OPTIONS');
    this.all = this.#adder('all', '*');
    this.on = this.#adderByName();
  }

  #adder(call: string, method: string): AddRoute<[], Prefix, S, this> {
    const add = (...given: readonly unknown[]): this => {
      const route = routeArguments(call, given);
      this.#routes.add(this.#scope, { ...route, method, place: callPlace(add) });
      return this;
    };
    return add;
  }

  #adderByName(): AddRoute<[method: string], Prefix, S, this> {
    const add = (...given: readonly unknown[]): this => {
      const method = methodArgument(given);
      const route = routeArguments('on', given.slice(1), `${JSON.stringify(method)}, `);
      this.#routes.add(this.#scope, { ...route, method, place: callPlace(add) });
      return this;
    };
    return add;
  }

  /**
   * Middleware for the routes that are added after it, and for requests without a route; with a
   * prefix for those at or below it, which the middleware does not see. Returns the same group,
   * with the type of the state that its next routes get.
   */
  use<A extends object>(middleware: Middleware<A, S>): Group<Prefix, S & A>;
  use(prefix: string, middleware: Middleware<object, S>): this;
  use(...given: unknown[]): unknown {
    const [prefix, middleware] = useArguments(given);
    this.#routes.use(this.#scope, prefix, middleware);
    return this;
  }

  /**
   * Adds what `define` adds to a group: its patterns are below the prefix, which may have
   * parameters, its middleware covers only what follows it in the group, and its error handler gets
   * errors before those around it. A function that is declared with a `Group` fits every prefix.
   */
  group<P extends string>(prefix: P, define: DefineGroup<`${Prefix}${P}`, S>): this;
  group(prefix: string, define: DefineGroup<'', S>): this;
  group(...given: unknown[]): this {
    checkGroup(given);
    const [prefix, define] = given;
    const scope = this.#routes.group(this.#scope, prefix);
    checkDefined(prefix, define(new Group(this.#routes, scope) as never));
    return this;
  }

  /**
   * Responds to requests whose path, below the prefix, has neither a route nor a file; the status
   * is 404 unless it sets another. A second call throws.
   */
  notFound(...given: [handler: Handler]): this {
    checkNotFound(given);
    if (this.#scope.notFound !== null) {
      const why = 'a handler was set before, and there can be only one';
      throw new TypeError(`notFound(): ${why}; respond to all paths without a route in it`);
    }
    this.#scope.notFound = given[0];
    return this;
  }

  /**
   * Responds to what handlers throw, and to 404 (without notFound) and 405. When it does not
   * respond, or throws, the error handler around it is called, at last the default response is
   * sent. There is one in each group: a second call throws.
   */
  onError(...given: [handler: ErrorHandler]): this {
    checkErrorHandler(given);
    if (this.#scope.errorHandler !== null) {
      const why = 'an error handler was set before, and there can be only one';
      throw new TypeError(`onError(): ${why}; handle all errors in it`);
    }
    this.#scope.errorHandler = given[0];
    return this;
  }
}
