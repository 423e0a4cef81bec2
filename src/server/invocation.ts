// Hot: runs for every request. Measured by perf/micro/route.ts.
// One request's way through middleware and handler: the handles that they receive, and how far the
// chain has come. Each exchange has one such record, which is used again with it.

import { assert } from '../base/assert.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Handler } from '../exchange/handler.ts';
import type { FieldLine } from '../exchange/http-error.ts';
import { Request } from '../exchange/request.ts';
import { Response } from '../exchange/response.ts';
import { Phase, Writer } from '../exchange/state.ts';
import { Match } from '../route/match.ts';
import type { RouteEntry } from './routes.ts';
import type { ErrorHandler, Step } from './scope.ts';

const NO_STEPS: readonly Step[] = Object.freeze([]);
const NO_ENDPOINT: Handler = () => {};
const NO_FIELDS: readonly ErrorField[] = Object.freeze([]);

/** A field that an error has set. */
export interface ErrorField {
  readonly lower: string;
  readonly value: string;
  /** The lines of this name that it replaced. */
  readonly replaced: readonly FieldLine[];
}

export class Invocation {
  readonly exchange: Exchange;
  /** The handles of this request. The next request gets others. */
  request: Request;
  response: Response;
  readonly match: Match<RouteEntry> = new Match<RouteEntry>();
  /** The middleware before the endpoint. */
  steps: readonly Step[];
  /** Runs when every middleware called next(): the handler of the route, or what replaces it. */
  endpoint: Handler;
  /** The middleware that may call next() now. */
  step: number;
  /** A part of the chain returned no promise and no response: it may respond later. */
  mayRespondLater: boolean;
  /** The error handlers that have not run, the innermost first; null before an error. */
  errorHandlers: readonly ErrorHandler[] | null;
  /** What the error before has set. */
  errorFields: readonly ErrorField[];

  /** Ready for the request that the exchange has now. */
  constructor(exchange: Exchange) {
    this.exchange = exchange;
    this.response = new Response(exchange);
    this.request = new Request(exchange, this.response);
    this.steps = NO_STEPS;
    this.endpoint = NO_ENDPOINT;
    this.step = 0;
    this.mayRespondLater = false;
    this.errorHandlers = null;
    this.errorFields = NO_FIELDS;
    this.#giveHandles();
  }

  /** Ready for the request that the exchange has now, with handles of its own. */
  reset(): void {
    const { exchange } = this;
    this.response = new Response(exchange);
    this.request = new Request(exchange, this.response);
    this.match.reset();
    this.steps = NO_STEPS;
    this.endpoint = NO_ENDPOINT;
    this.step = 0;
    this.mayRespondLater = false;
    this.errorHandlers = null;
    this.errorFields = NO_FIELDS;
    this.#giveHandles();
  }

  #giveHandles(): void {
    const { exchange } = this;
    exchange.identity = this.response;
    exchange.params = this.match;
  }
}

/** The record of an exchange whose request is handed to the application now. */
export function beginInvocation(exchange: Exchange): Invocation {
  if (exchange.invocation === null) {
    const invocation = new Invocation(exchange);
    exchange.invocation = invocation;
    return invocation;
  }
  const invocation = exchange.invocation as Invocation;
  invocation.reset();
  return invocation;
}

/** The record of an exchange whose request was handed to the application. */
export function invocationOf(exchange: Exchange): Invocation {
  assert(exchange.invocation !== null, 'a request that is handled has its record');
  // Nothing else sets it. Checking its class here cost 50 ns a request (perf/micro/connection.ts).
  return exchange.invocation as Invocation;
}

/** True while nothing was sent or handed over to be, and a response can reach the client. */
export function needsResponse(exchange: Exchange): boolean {
  return exchange.phase === Phase.Open && !exchange.gone && exchange.writer !== Writer.Full;
}
