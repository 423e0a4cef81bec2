// One request with its answer: everything the server knows of it, in one reused record. What a
// handler holds are the Request and the Response, thin views that check that the exchange still
// lives.

import { AnswerFields } from '../http/answer-fields.ts';
import { Framing } from '../http/framing.ts';
import { Head } from '../http/head.ts';
import type { Method } from '../http/method.ts';
import { methodName } from '../http/method.ts';
import { pathString } from '../http/target.ts';
import { latin1 } from '../http/text.ts';
import { Match } from '../route/match.ts';
import type { Outgoing } from './outgoing.ts';
import { Phase, type Summary } from './phase.ts';
import { Request } from './request.ts';
import { Response } from './response.ts';
import type { Transport } from './transport.ts';

export type Handler = (request: Request, response: Response) => void | Promise<void>;

/**
 * Methods that a path takes without a route: those of a file, which middleware answers for GET and
 * HEAD and lets through for others. Empty when there is no such file.
 */
export type Allowance = () => Promise<readonly string[]>;

const NO_BYTES = new Uint8Array(0);
/** Views of no exchange, which throw. */
const NO_REQUEST = new Request();
const NO_RESPONSE = new Response();
const NO_ENDPOINT: Handler = () => {};

export class Exchange {
  readonly head: Head;
  readonly framing: Framing = new Framing();
  readonly match: Match<Handler> = new Match<Handler>();
  readonly fields: AnswerFields = new AnswerFields();
  /** The views of this request; the next one gets others. */
  request: Request;
  response: Response;
  transport: Transport;

  /**
   * False once the handler is done and its answer sent: request and response throw from then on.
   */
  live: boolean;
  /** The client went away: what is written from now on is counted and dropped. */
  gone: boolean;
  /** The answer to a HEAD was ended at its head; what the handler still writes goes nowhere. */
  headOnly: boolean;
  /** We gave the answer up ourselves, so what a handler throws is its own mistake. */
  abandoned: boolean;
  /** The connection is done with this exchange, though its handler may still run. */
  detached: boolean;
  /** The head's bytes were copied, because the handler outlives its turn. */
  retained: boolean;
  /** The handler, and every promise it started through next(), has settled. */
  handled: boolean;

  /** Memory of the head, where it begins there, and its length. */
  bytes: Uint8Array;
  base: number;
  headBytes: number;
  /** The decoded path as bytes (NUL for an encoded slash), for the router. */
  pathBytes: Uint8Array;
  pathFrom: number;
  pathTo: number;
  /** Where the path began when the router looked at it: parameters count from there. */
  matchedFrom: number;
  /** How much of the path a mounted middleware does not see. */
  mountBytes: number;
  /** When the head was complete, by the driver's clock. */
  startedMs: number;

  phase: Phase;
  status: number;
  /** This answer is the connection's last. */
  close: boolean;
  /** Content bytes sent, and for a stream of known length those still owed (-1: not known). */
  contentBytes: number;
  owedBytes: number;
  chunked: boolean;
  bodyRead: boolean;
  trailers: [string, string][] | null;
  beforeSend: ((outgoing: Outgoing) => void)[] | null;
  afterSend: ((summary: Summary) => void)[] | null;
  aborter: AbortController | null;
  state: Record<string, unknown> | null;
  query: URLSearchParams | null;

  /** What answers when every middleware let the request through. */
  endpoint: Handler;
  /** The middleware that may call next() now; how many parts of the chain have not settled. */
  step: number;
  running: number;
  /** Whether any of them gave a promise, and the first error among them. */
  deferred: boolean;
  failure: { readonly error: unknown; readonly caught: boolean } | null;
  readonly nexts: (() => Promise<void>)[];
  /** What the path allows beside its routes, asked when no handler takes the request. */
  allowances: Allowance[] | null;
  /** As nexts, for the files behind all routes. */
  lastNext: (() => Promise<void>) | null;

  constructor(transport: Transport, fieldsMax: number) {
    this.head = new Head(fieldsMax);
    this.transport = transport;
    this.request = NO_REQUEST;
    this.response = NO_RESPONSE;
    this.live = false;
    this.gone = false;
    this.headOnly = false;
    this.abandoned = false;
    this.detached = false;
    this.retained = false;
    this.handled = false;
    this.bytes = NO_BYTES;
    this.base = 0;
    this.headBytes = 0;
    this.pathBytes = NO_BYTES;
    this.pathFrom = 0;
    this.pathTo = 0;
    this.matchedFrom = 0;
    this.mountBytes = 0;
    this.startedMs = 0;
    this.phase = Phase.Open;
    this.status = 200;
    this.close = false;
    this.contentBytes = 0;
    this.owedBytes = -1;
    this.chunked = false;
    this.bodyRead = false;
    this.trailers = null;
    this.beforeSend = null;
    this.afterSend = null;
    this.aborter = null;
    this.state = null;
    this.query = null;
    this.endpoint = NO_ENDPOINT;
    this.step = 0;
    this.running = 0;
    this.deferred = false;
    this.failure = null;
    this.nexts = [];
    this.allowances = null;
    this.lastNext = null;
  }

  /** Ready for a new request of `transport`; the head is about to be parsed. */
  reset(transport: Transport): void {
    this.head.reset();
    this.match.reset();
    this.fields.reset();
    this.transport = transport;
    this.live = true;
    this.gone = false;
    this.headOnly = false;
    this.abandoned = false;
    this.detached = false;
    this.retained = false;
    this.handled = false;
    this.bytes = NO_BYTES;
    this.base = 0;
    this.headBytes = 0;
    this.pathBytes = NO_BYTES;
    this.pathFrom = 0;
    this.pathTo = 0;
    this.matchedFrom = 0;
    this.mountBytes = 0;
    this.startedMs = 0;
    this.phase = Phase.Open;
    this.status = 200;
    this.close = false;
    this.contentBytes = 0;
    this.owedBytes = -1;
    this.chunked = false;
    this.bodyRead = false;
    this.trailers = null;
    this.beforeSend = null;
    this.afterSend = null;
    this.aborter = null;
    this.state = null;
    this.query = null;
    this.endpoint = NO_ENDPOINT;
    this.step = 0;
    this.running = 0;
    this.deferred = false;
    this.failure = null;
    this.allowances = null;
  }

  /** Copies the head, so that its block can go while the handler goes on. */
  retain(): void {
    if (this.retained) return;
    this.retained = true;
    // Unlike slice(), it is mostly cut from memory that is there already.
    const copy = Buffer.allocUnsafe(this.headBytes);
    copy.set(this.bytes.subarray(this.base, this.base + this.headBytes));
    if (this.pathBytes === this.bytes) {
      this.pathBytes = copy;
      this.pathFrom -= this.base;
      this.pathTo -= this.base;
    }
    this.bytes = copy;
    this.base = 0;
  }

  methodName(): string {
    const { head } = this;
    if (head.method !== 0) return methodName(head.method as Method);
    return latin1(this.bytes, this.base + head.methodStart, this.base + head.methodEnd);
  }

  /** The path that a handler sees: decoded, without what is mounted above it. */
  path(): string {
    const from = this.pathFrom + this.mountBytes;
    if (from >= this.pathTo) return '/';
    return pathString(this.pathBytes.subarray(from, this.pathTo), this.pathTo - from);
  }
}
