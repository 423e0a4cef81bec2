// Hot: runs for every request. Measured by perf/micro/route.ts.
// From a parsed request to its handler and, when that fails, to the response for the error: routes,
// middleware, the responses that need no handler (404, 405, 501, OPTIONS), notFound and onError.

import { describe } from '../base/describe.ts';
import { type Begins, beginsOf } from '../exchange/begins.ts';
import type { AllowedMethods, Exchange } from '../exchange/exchange.ts';
import type { Handler, Middleware, Next } from '../exchange/handler.ts';
import { HttpError } from '../exchange/http-error.ts';
import { noteLate } from '../exchange/late.ts';
import { exchangeOf, type Request } from '../exchange/request.ts';
import { requestLine } from '../exchange/request-line.ts';
import { respondFull } from '../exchange/respond.ts';
import type { Response } from '../exchange/response.ts';
import { Handling, Phase, Writer } from '../exchange/state.ts';
import { TargetForm } from '../http/head.ts';
import { Method } from '../http/method.ts';
import { isFinalStatus, reasonPhrase } from '../http/status.ts';
import { routePath } from '../http/target.ts';
import type { Counters } from '../metrics/counters.ts';
import { Found } from '../route/match.ts';
import { parsePrefix } from '../route/pattern.ts';
import { Router } from '../route/router.ts';
import { rootOf } from '../static/roots.ts';
import { Chain, DONE, isPromise, laterPart } from './chain.ts';
import { beginInvocation, type Invocation, invocationOf, needsResponse } from './invocation.ts';
import { NoResponseNotes } from './no-response.ts';

export type ErrorHandler = (
  error: unknown,
  request: Request,
  response: Response,
) => void | Promise<void>;

export interface ApplicationOptions {
  readonly counters: Counters;
  readonly logError: (message: string) => void;
  readonly logWarn: (message: string) => void;
}

const NO_METHODS: readonly string[] = Object.freeze([]);

const SLASH = new Uint8Array([47]);

export class Application {
  readonly #router: Router<Handler> = new Router<Handler>();
  readonly #chain: Chain = new Chain();
  readonly #options: ApplicationOptions;
  readonly #noResponseNotes: NoResponseNotes;
  /** The directories of middleware that serves files. */
  readonly staticRoots: string[] = [];
  /** Called when the server begins to serve. */
  readonly begins: Begins[] = [];
  #errorHandler: ErrorHandler | null = null;
  #notFound: Handler | null = null;
  /** Called when no route matches. */
  #fallback: Middleware | null = null;

  constructor(options: ApplicationOptions) {
    this.#options = options;
    this.#noResponseNotes = new NoResponseNotes(options.logWarn);
  }

  route(method: string, pattern: string, handler: Handler): void {
    this.#router.add(method, pattern, handler);
  }

  use(prefix: string, middleware: Middleware): void {
    this.#chain.add({ prefix: parsePrefix(prefix), run: middleware });
    const root = rootOf(middleware);
    if (root !== undefined) this.staticRoots.push(root);
    const begins = beginsOf(middleware);
    if (begins !== undefined) this.begins.push(begins);
  }

  onError(handler: ErrorHandler): void {
    if (this.#errorHandler !== null) {
      const why = 'an error handler was set before, and there can be only one';
      throw new TypeError(`onError(): ${why}; handle all errors in it`);
    }
    this.#errorHandler = handler;
  }

  notFound(handler: Handler): void {
    if (this.#notFound !== null) {
      const why = 'a handler was set before, and there can be only one';
      throw new TypeError(`notFound(): ${why}; respond to all paths without a route in it`);
    }
    this.#notFound = handler;
  }

  fallback(middleware: Middleware): void {
    this.#fallback = middleware;
  }

  /** Handles a request, whose response may come later. Never throws. */
  handle(exchange: Exchange): void {
    const invocation = beginInvocation(exchange);
    invocation.endpoint = this.#endpoint(invocation);
    this.#chain.run(invocation);
  }

  #endpoint({ exchange, match }: Invocation): Handler {
    const { head } = exchange;
    if (head.form === TargetForm.Asterisk) return this.#everything;
    if (head.form === TargetForm.Authority) {
      // The bytes that follow are for the other end of a tunnel.
      exchange.disableKeepAlive();
      return this.#notImplemented;
    }
    if (!setPath(exchange)) return this.#badPath;
    const { pathBytes, pathFrom, pathTo } = exchange;
    exchange.matchedFrom = pathFrom;
    const token = head.method === Method.Other ? exchange.methodName() : '';
    const found = this.#router.find(head.method, token, pathBytes, pathFrom, pathTo, match);
    if (found === Found.Yes && match.value !== null) return match.value;
    return found === Found.WrongMethod ? this.#wrongMethod : this.#noRoute;
  }

  /** `OPTIONS *`: the methods of the server (RFC 9110 9.3.7). */
  readonly #everything: Handler = (_request, response) => {
    response.header('Allow', this.#router.allMethods().join(', ')).empty(204);
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
    const { pathBytes, pathFrom, pathTo } = exchange;
    const { request, response, endpoint } = invocationOf(exchange);
    const hasRoute = endpoint === this.#wrongMethod;
    if (!hasRoute && others.length === 0) return this.#respondNotFound(exchange);
    const routed = hasRoute ? this.#router.allowedMethods(pathBytes, pathFrom, pathTo) : [];
    const allowed = [...new Set([...routed, ...others])].sort();
    response.header('Allow', allowed.join(', '));
    if (request.method === 'OPTIONS') return response.empty(204);
    return this.#refuse(exchange, others.length > 0 || this.#knows(request) ? 405 : 501);
  }

  #respondNotFound(exchange: Exchange): void | Promise<void> {
    const handler = this.#notFound;
    if (handler === null) return this.#refuse(exchange, 404);
    const invocation = invocationOf(exchange);
    exchange.status = 404;
    const result = handler(invocation.request, invocation.response);
    if (needsResponse(exchange) && !isPromise(result)) invocation.mayRespondLater = true;
    return result;
  }

  /** Responds where no handler does: onError(), else a line of text. */
  #refuse(exchange: Exchange, status: number): void | Promise<void> {
    const handler = this.#errorHandler;
    if (handler !== null) {
      clearContent(exchange);
      return this.#runErrorHandler(exchange, handler, new HttpError(status));
    }
    const { response } = invocationOf(exchange);
    response.status(status).text(`${reasonPhrase(status)}\n`);
  }

  /** A method that neither HTTP nor any route defines gets 501, not 405 (RFC 9110 15.6.2). */
  #knows(request: Request): boolean {
    return (
      exchangeOf(request).head.method !== Method.Other ||
      this.#router.allMethods().includes(request.method)
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
        this.#fail(exchange, new Error('the handler finished without a response'));
      } else this.#noteNoResponse(exchange);
    }
    // onError may have begun something that settles later.
    if (parts.running === 0) exchange.settle();
  }

  #noteNoResponse(exchange: Exchange): void {
    const { head, pathBytes, pathFrom, pathTo } = exchange;
    this.#noResponseNotes.watch(invocationOf(exchange), this.#chain.isEmpty, () => {
      const token = head.method === Method.Other ? exchange.methodName() : '';
      return this.#router.patternOf(head.method, token, pathBytes, pathFrom, pathTo);
    });
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
    exchange.endWriter();
    if (!isHttpError(error)) this.handlerFailed(exchange, error);
    const handler = this.#errorHandler;
    if (handler === null) {
      this.#respondWithError(exchange, error);
      return;
    }
    const later = this.#runErrorHandler(exchange, handler, error);
    if (later !== undefined) this.#chain.also(exchange, later);
  }

  /** Never throws or rejects; when it has settled there is a response, or a call sends it. */
  #runErrorHandler(
    exchange: Exchange,
    handler: ErrorHandler,
    error: unknown,
  ): Promise<void> | undefined {
    let later: Promise<void> | null;
    const { request, response } = invocationOf(exchange);
    const { parts } = exchange;
    const { entered } = parts;
    parts.entered = true;
    try {
      later = laterPart(handler(error, request, response));
    } catch (second) {
      parts.entered = entered;
      this.#errorHandlerFailed(exchange, second);
      return undefined;
    }
    parts.entered = entered;
    if (later === null) {
      // A file() or stream() that the error handler began is a part of its own.
      const isSending = exchange.writer !== Writer.None;
      if (needsResponse(exchange) && !isSending) this.#respondWithError(exchange, error);
      return undefined;
    }
    return new Promise<void>((resolve) => resolve(later)).then(
      () => {
        if (needsResponse(exchange)) this.#respondWithError(exchange, error);
      },
      (second: unknown) => this.#errorHandlerFailed(exchange, second),
    );
  }

  #errorHandlerFailed(exchange: Exchange, error: unknown): void {
    if (!isHttpError(error)) this.handlerFailed(exchange, error);
    if (needsResponse(exchange)) {
      clearContent(exchange);
      this.#respondWithError(exchange, isHttpError(error) ? error : new HttpError(500));
    } else if (exchange.phase === Phase.Streaming) exchange.transport.abandon(exchange);
  }

  /** A handler did not respond in time: the client gets an error, and later calls no effect. */
  timedOut(exchange: Exchange): void {
    this.#options.logError(`${requestLine(exchange)}: no response within handler_timeout_ms`);
    clearContent(exchange);
    exchange.beforeSend = null;
    this.#respondWithError(exchange, new HttpError(503));
    exchange.abort(new Error('the handler took too long'));
  }

  #respondWithError(exchange: Exchange, error: unknown): void {
    const { status, text } = errorContent(error);
    exchange.status = status;
    exchange.endWriter();
    try {
      exchange.fields.setKnown('Content-Type', 'content-type', 'text/plain; charset=utf-8');
      respondFull(exchange, `${text}\n`, 'send()');
    } catch (second) {
      // Only a beforeSend() callback can throw here. The client gets a reset.
      this.handlerFailed(exchange, second);
      exchange.transport.abandon(exchange);
    }
  }

  /** Counts and logs an error of a handler. */
  handlerFailed(exchange: Exchange, error: unknown, what = ''): void {
    this.#options.counters.handlerErrors += 1;
    this.#options.logError(`${requestLine(exchange)}: ${what}${describe(error)}`);
  }
}

/** Sets the path for the router; false when it cannot be decoded. */
function setPath(exchange: Exchange): boolean {
  const { head, bytes, base } = exchange;
  const from = base + head.pathStart;
  const to = base + head.pathEnd;
  if (head.plainPath === 1 && to > from) {
    exchange.pathBytes = bytes;
    exchange.pathFrom = from;
    exchange.pathTo = to;
    return true;
  }
  const decoded = to > from ? new Uint8Array(to - from + 1) : SLASH;
  const length = to > from ? routePath(bytes, from, to, decoded) : 1;
  exchange.pathBytes = decoded;
  exchange.pathFrom = 0;
  exchange.pathTo = Math.max(length, 0);
  return length > 0;
}

/** The response for an error: an HttpError's status and message, else 500. */
function errorContent(error: unknown): { status: number; text: string } {
  try {
    if (error instanceof HttpError) {
      const { status, message } = error;
      if (isFinalStatus(status) && status >= 400 && typeof message === 'string') {
        return { status, text: message };
      }
    }
  } catch {
    // A getter or a proxy threw: as for any other error.
  }
  return { status: 500, text: reasonPhrase(500) };
}

/** A proxy may throw even from instanceof. */
function isHttpError(error: unknown): error is HttpError {
  try {
    return error instanceof HttpError;
  } catch {
    return false;
  }
}

/** Removes the fields that describe content that is not sent; fields such as CORS's stay. */
function clearContent(exchange: Exchange): void {
  for (const name of CONTENT_FIELDS) exchange.fields.remove(name);
  exchange.owedBytes = -1;
}

const CONTENT_FIELDS = [
  'content-type',
  'content-encoding',
  'content-language',
  'content-range',
  'content-disposition',
  'etag',
  'last-modified',
  'cache-control',
  'expires',
  'location',
];
