// Hot: runs for every request. Measured by perf/micro/route.ts.
// From a parsed request to its handler and, when that fails, to the response for the error: routes,
// middleware, the responses that need no handler (404, 405, 501, OPTIONS), notFound and onError.

import { describe } from '../base/describe.ts';
import type { AllowedMethods, Exchange } from '../exchange/exchange.ts';
import type { Handler, Middleware, Next } from '../exchange/handler.ts';
import { HttpError } from '../exchange/http-error.ts';
import { noteLate } from '../exchange/late.ts';
import { exchangeOf, type Request } from '../exchange/request.ts';
import { requestLine } from '../exchange/request-line.ts';
import { respondFull } from '../exchange/respond.ts';
import type { Response } from '../exchange/response.ts';
import { Handling, Phase, Writer } from '../exchange/state.ts';
import { isTraced, runTraced, traceError } from '../exchange/tracing.ts';
import { TargetForm } from '../http/head.ts';
import { Method } from '../http/method.ts';
import { reasonPhrase } from '../http/status.ts';
import type { Counts } from '../metrics/counters.ts';
import { Found } from '../route/match.ts';
import { Chain, coveredBytes, DONE, isPromise, laterPart } from './chain.ts';
import type { TrailingSlash } from './config/keys.ts';
import { clearContent, errorContent, isHttpError, setErrorFields } from './error-content.ts';
import { beginInvocation, type Invocation, invocationOf, needsResponse } from './invocation.ts';
import { FINISHED, NoResponseNotes } from './no-response.ts';
import { isServerWide, otherSlash, referenceTo, setPath } from './request-path.ts';
import { type RouteEntry, Routes } from './routes.ts';
import type { ErrorHandler, Step } from './scope.ts';

export interface ApplicationOptions {
  readonly counters: Counts;
  readonly logError: (message: string) => void;
  readonly logWarn: (message: string) => void;
  /** What the program registers; empty at first. */
  readonly routes?: Routes;
  readonly trailingSlash?: TrailingSlash;
}

const NO_METHODS: readonly string[] = Object.freeze([]);

export class Application {
  readonly routes: Routes;
  readonly #trailingSlash: TrailingSlash;
  readonly #chain: Chain = new Chain();
  readonly #options: ApplicationOptions;
  readonly #noResponseNotes: NoResponseNotes;
  /** Called when no route matches. */
  #fallback: Middleware | null = null;

  constructor(options: ApplicationOptions) {
    this.#options = options;
    this.routes = options.routes ?? new Routes();
    this.#trailingSlash = options.trailingSlash ?? 'strict';
    this.#noResponseNotes = new NoResponseNotes(options.logWarn);
  }

  fallback(middleware: Middleware): void {
    this.#fallback = middleware;
  }

  /** Handles a request, whose response may come later. Never throws. */
  handle(exchange: Exchange): void {
    const invocation = beginInvocation(exchange);
    invocation.steps = this.#stepsOf(invocation);
    if (isTraced()) runTraced(exchange, () => this.#chain.run(invocation));
    else this.#chain.run(invocation);
  }

  /**
   * Finds the route again, for a request whose method middleware has changed. What follows is all
   * middleware of that route that has not run yet, with this part of the path: none is passed over.
   */
  reroute(exchange: Exchange): void {
    const invocation = invocationOf(exchange);
    const before = invocation.steps.slice(0, invocation.step + 1);
    invocation.match.reset();
    const steps = [...this.#stepsOf(invocation)];
    for (const done of before) {
      const bytes = coveredBytes(done, exchange);
      const isDone = (step: Step) =>
        step.run === done.run && coveredBytes(step, exchange) === bytes;
      const at = bytes < 0 ? -1 : steps.findIndex(isDone);
      if (at >= 0) steps.splice(at, 1);
    }
    invocation.steps = [...before, ...steps];
  }

  /** The steps of a request; sets its endpoint. */
  #stepsOf(invocation: Invocation): readonly Step[] {
    const route = this.#route(invocation);
    invocation.exchange.series = route === null ? null : route.series;
    if (route === null) return this.routes.unrouted;
    invocation.endpoint = route.handler;
    return route.steps;
  }

  /** The route of a request; null where it has none, and the endpoint is set. */
  #route(invocation: Invocation): RouteEntry | null {
    const { exchange, match } = invocation;
    const { head } = exchange;
    invocation.endpoint = this.#noRoute;
    if (isServerWide(head)) invocation.endpoint = this.#everything;
    else if (head.form === TargetForm.Authority) {
      // The bytes that follow are for the other end of a tunnel.
      exchange.disableKeepAlive();
      invocation.endpoint = this.#notImplemented;
    } else if (!setPath(exchange)) invocation.endpoint = this.#badPath;
    else {
      const { pathBytes, pathFrom, pathTo } = exchange;
      exchange.matchedFrom = pathFrom;
      const token = head.method === Method.Other ? exchange.methodName() : '';
      const { router } = this.routes;
      const found = router.find(head.method, token, pathBytes, pathFrom, pathTo, match);
      if (found === Found.Yes) return this.#guarded(invocation, match.value);
      if (
        found === Found.WrongMethod &&
        !this.routes.isHidden(exchange, pathBytes, pathFrom, pathTo)
      ) {
        invocation.endpoint = this.#wrongMethod;
      }
      if (this.#trailingSlash !== 'strict') return this.#routeOfOther(invocation, token);
    }
    return null;
  }

  /** The route, unless it is hidden from this request: then there is none. */
  #guarded({ exchange, match }: Invocation, route: RouteEntry | null): RouteEntry | null {
    if (route === null || route.guard === null || route.guard(exchange)) return route;
    match.reset();
    return null;
  }

  /** As #route(), for the path with or without a slash at its end. */
  #routeOfOther(invocation: Invocation, token: string): RouteEntry | null {
    const { exchange, match } = invocation;
    const path = otherSlash(exchange);
    if (path === null) return null;
    const { method } = exchange.head;
    const found = this.routes.router.find(method, token, path, 0, path.length, match);
    if (found === Found.WrongMethod && !this.routes.isHidden(exchange, path, 0, path.length)) {
      invocation.endpoint = this.#wrongMethod;
    }
    if (found !== Found.Yes || this.#guarded(invocation, match.value) === null) return null;
    if (this.#trailingSlash === 'ignore') {
      exchange.matchedFrom = 0;
      return match.value;
    }
    match.reset();
    invocation.endpoint = (_request, response) => {
      response.redirect(referenceTo(path, exchange), 308);
    };
    return null;
  }

  /** `OPTIONS *`: the methods of the server (RFC 9110 9.3.7). */
  readonly #everything: Handler = (_request, response) => {
    response.header('Allow', this.routes.router.allMethods().join(', ')).empty(204);
  };

  /** A route has this path for other methods; a file may have it for GET and HEAD. */
  readonly #wrongMethod: Handler = (request, response) => this.#unrouted(request, response);

  readonly #noRoute: Handler = (request, response) => this.#unrouted(request, response);

  readonly #badPath: Handler = (request) => this.#refuse(exchangeOf(request), 400);

  readonly #notImplemented: Handler = (request) => this.#refuse(exchangeOf(request), 501);

  #unrouted(request: Request, response: Response): void | Promise<void> {
    const exchange = exchangeOf(request);
    if (this.#fallback === null) return this.#respondUnrouted(exchange);
    return this.#fallback(request, response, this.#makeLastNext(exchange));
  }

  #respondUnrouted(exchange: Exchange): void | Promise<void> {
    const { allowances } = exchange;
    if (allowances !== null) return this.#respondAllowances(exchange, allowances);
    return this.#respondAllowed(exchange, NO_METHODS);
  }

  async #respondAllowances(
    exchange: Exchange,
    allowances: readonly AllowedMethods[],
  ): Promise<void> {
    const hasRoute = invocationOf(exchange).endpoint === this.#wrongMethod;
    const methods: string[] = [];
    // One after the other: the first that responds is the one that was added first.
    for (const allowance of allowances) {
      methods.push(...(await allowance(hasRoute)));
      if (!needsResponse(exchange)) return;
    }
    await this.#respondAllowed(exchange, methods);
  }

  /** What routes and `others` allow: 404 when that is nothing. */
  #respondAllowed(exchange: Exchange, others: readonly string[]): void | Promise<void> {
    const { request, response, endpoint } = invocationOf(exchange);
    const hasRoute = endpoint === this.#wrongMethod;
    if (!hasRoute && others.length === 0) return this.#respondNotFound(exchange);
    const routed = hasRoute ? this.#methodsOfRoutes(exchange) : [];
    const allowed = [...new Set([...routed, ...others])].sort();
    response.header('Allow', allowed.join(', '));
    if (request.method === 'OPTIONS') return response.empty(204);
    return this.#refuse(exchange, others.length > 0 || this.#knows(request) ? 405 : 501);
  }

  #methodsOfRoutes(exchange: Exchange): string[] {
    const { pathBytes, pathFrom, pathTo } = exchange;
    const { router } = this.routes;
    const methods = router.allowedMethods(pathBytes, pathFrom, pathTo);
    const other = this.#trailingSlash === 'strict' ? null : otherSlash(exchange);
    if (other !== null) methods.push(...router.allowedMethods(other, 0, other.length));
    return methods;
  }

  #respondNotFound(exchange: Exchange): void | Promise<void> {
    const scope = this.routes.scopesOf(exchange).find(({ notFound }) => notFound !== null);
    const handler = scope?.notFound ?? null;
    if (handler === null) return this.#refuse(exchange, 404);
    const invocation = invocationOf(exchange);
    exchange.status = 404;
    const result = handler(invocation.request, invocation.response);
    if (needsResponse(exchange) && !isPromise(result)) invocation.mayRespondLater = true;
    return result;
  }

  /** Responds where no handler does: onError(), else a line of text. */
  #refuse(exchange: Exchange, status: number): void | Promise<void> {
    const handlers = this.#errorHandlersOf(exchange);
    if (handlers.length > 0) {
      clearContent(exchange);
      return this.#runErrorHandler(exchange, handlers, new HttpError(status));
    }
    const { response } = invocationOf(exchange);
    response.status(status).text(`${reasonPhrase(status)}\n`);
  }

  /** A method that neither HTTP nor any route defines gets 501, not 405 (RFC 9110 15.6.2). */
  #knows(request: Request): boolean {
    return (
      exchangeOf(request).head.method !== Method.Other ||
      this.routes.router.allMethods().includes(request.method)
    );
  }

  /** The next() for a path without a file. As in a chain, it has no effect after the request. */
  #makeLastNext(exchange: Exchange): Next {
    const { identity } = exchange;
    return (): Promise<void> => {
      const isOver = exchange.identity !== identity;
      if (!isOver && needsResponse(exchange)) return this.#respondUnrouted(exchange) ?? DONE;
      noteLate(exchange, 'next()', isOver);
      return DONE;
    };
  }

  /** Every part of the chain has settled, with a response or without. */
  settled(exchange: Exchange): void {
    const { parts } = exchange;
    const { failure } = parts;
    const { mayRespondLater } = invocationOf(exchange);
    if (failure !== null) {
      parts.failure = null;
      const isAbandoned = exchange.handling === Handling.Abandoned;
      if (!failure.mayBeCaught || needsResponse(exchange) || isAbandoned) {
        this.#fail(exchange, failure.error);
      }
    } else if (needsResponse(exchange)) {
      if (parts.deferred && !mayRespondLater) {
        this.#fail(exchange, new Error(FINISHED));
      } else this.#noteNoResponse(exchange);
    }
    // onError may have begun something that settles later.
    if (parts.running === 0) exchange.settle();
  }

  #noteNoResponse(exchange: Exchange): void {
    const invocation = invocationOf(exchange);
    const isAlone = invocation.steps.length === 0;
    this.#noResponseNotes.watch(invocation, isAlone);
  }

  #fail(exchange: Exchange, error: unknown): void {
    if (exchange.gone) {
      // Handlers throw when their client leaves, which is not their mistake.
      if (exchange.handling === Handling.Abandoned && !isHttpError(error)) {
        this.handlerFailed(exchange, error);
      }
      return;
    }
    if (exchange.phase !== Phase.Open) {
      // A response that has begun cannot change; the client must see that it is incomplete.
      if (!isHttpError(error)) this.handlerFailed(exchange, error);
      if (exchange.phase === Phase.Streaming) exchange.transport.abandon(exchange);
      return;
    }
    clearContent(exchange);
    setErrorFields(exchange, error);
    exchange.endWriter();
    if (!isHttpError(error)) this.handlerFailed(exchange, error);
    const later = this.#runErrorHandler(exchange, this.#errorHandlersOf(exchange), error);
    if (later !== undefined) this.#chain.also(exchange, later);
  }

  /** Those that have not run for this request, the innermost first. */
  #errorHandlersOf(exchange: Exchange): readonly ErrorHandler[] {
    const { errorHandlers, match } = invocationOf(exchange);
    if (errorHandlers !== null) return errorHandlers;
    return match.value?.scope.errorHandlers() ?? this.routes.errorHandlersOf(exchange);
  }

  /**
   * Calls the first of some error handlers; when it does not respond the next one gets the same
   * error, when it fails its own. Never throws or rejects; when it has settled there is a response,
   * or a call sends it.
   */
  #runErrorHandler(
    exchange: Exchange,
    [handler, ...outer]: readonly ErrorHandler[],
    error: unknown,
  ): Promise<void> | undefined {
    if (handler === undefined) return void this.#respondWithError(exchange, error);
    let later: Promise<void> | null;
    const invocation = invocationOf(exchange);
    const { request, response } = invocation;
    // What a handler begins and does not await may fail later: none runs twice.
    invocation.errorHandlers = outer;
    const { parts } = exchange;
    const { entered } = parts;
    parts.entered = true;
    try {
      later = laterPart(handler(error, request, response));
    } catch (second) {
      parts.entered = entered;
      return this.#errorHandlerFailed(exchange, outer, second);
    }
    parts.entered = entered;
    if (later === null) {
      // A file() or stream() that the error handler began is a part of its own.
      const isSending = exchange.writer !== Writer.None;
      if (!needsResponse(exchange) || isSending) return undefined;
      return this.#runErrorHandler(exchange, outer, error);
    }
    return new Promise<void>((resolve) => resolve(later)).then(
      () => (needsResponse(exchange) ? this.#runErrorHandler(exchange, outer, error) : undefined),
      (second: unknown) => this.#errorHandlerFailed(exchange, outer, second),
    );
  }

  #errorHandlerFailed(
    exchange: Exchange,
    outer: readonly ErrorHandler[],
    error: unknown,
  ): Promise<void> | undefined {
    if (!isHttpError(error)) this.handlerFailed(exchange, error);
    if (needsResponse(exchange)) {
      clearContent(exchange);
      setErrorFields(exchange, error);
      if (outer.length > 0) return this.#runErrorHandler(exchange, outer, error);
      this.#respondWithError(exchange, isHttpError(error) ? error : new HttpError(500));
    } else if (exchange.phase === Phase.Streaming) exchange.transport.abandon(exchange);
    return undefined;
  }

  /** A handler did not respond in time: the client gets an error, later calls and reads nothing. */
  timedOut(exchange: Exchange, why: string): void {
    this.#options.logError(`${requestLine(exchange)}: ${why}`);
    clearContent(exchange);
    exchange.beforeSend = null;
    exchange.leaveBody();
    const error = new HttpError(503);
    setErrorFields(exchange, error);
    this.#respondWithError(exchange, error);
    exchange.abort(new Error('the handler took too long'));
  }

  #respondWithError(exchange: Exchange, error: unknown): void {
    const { status, text, type } = errorContent(error);
    exchange.status = status;
    exchange.endWriter();
    try {
      exchange.fields.setKnown('Content-Type', 'content-type', type);
      respondFull(exchange, text, 'send()');
    } catch (second) {
      // Only a beforeSend() callback can throw here. The client gets a reset.
      this.handlerFailed(exchange, second);
      exchange.transport.abandon(exchange);
    }
  }

  /** Counts and logs an error of a handler. */
  handlerFailed(exchange: Exchange, error: unknown, what = ''): void {
    this.#options.counters.handlerErrors += 1;
    exchange.services.meter?.add('handlerErrors');
    traceError(exchange, error);
    this.#options.logError(`${requestLine(exchange)}: ${what}${describe(error)}`);
  }
}
