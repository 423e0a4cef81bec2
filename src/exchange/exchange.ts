// One request with its response: everything the server knows of it, in one record that is used
// again for later requests. What a handler holds are handles, made for one request and checked at
// every use, so that none of them ever reaches another request.

import type { Peer } from '../driver/driver.ts';
import { Framing } from '../http/framing.ts';
import { Head } from '../http/head.ts';
import type { Method } from '../http/method.ts';
import { methodName } from '../http/method.ts';
import { ResponseFields } from '../http/response-fields.ts';
import { pathString } from '../http/target.ts';
import { latin1 } from '../http/text.ts';
import { Match } from '../route/match.ts';
import type { Outgoing } from './outgoing.ts';
import { Phase, type Summary, Writer } from './phase.ts';
import { Request } from './request.ts';
import { Response } from './response.ts';
import type { Services, Transport } from './transport.ts';

export type Handler = (request: Request, response: Response) => void | Promise<void>;

/**
 * Methods that a path takes without a route: those of a file, which middleware answers for GET and
 * HEAD and lets through for others. Empty when there is no such file.
 */
export type Allowance = () => Promise<readonly string[]>;

const NO_BYTES = new Uint8Array(0);
const NO_ENDPOINT: Handler = () => {};

export class Exchange {
  /** What the server offers to all requests. */
  readonly services: Services;
  readonly head: Head;
  readonly framing: Framing = new Framing();
  readonly match: Match<Handler> = new Match<Handler>();
  readonly fields: ResponseFields = new ResponseFields();
  /** The handles of this request. The next request gets others. */
  request: Request;
  response: Response;
  /**
   * The response handle while handles may use this record, then null. It is the identity of the
   * request: no other request ever has the same one.
   */
  identity: Response | null;
  /** The connection, until it is done with this exchange; then one that sends nothing. */
  transport: Transport;
  /** The client's address, once it was asked for. */
  peer: Peer | null;

  /** Nothing more of the response can reach the client. */
  gone: boolean;
  /** The response was ended at its head, as it has no content; what is written is dropped. */
  headOnly: boolean;
  /** The server gave the response up, so what the handler throws then is its own mistake. */
  abandoned: boolean;
  /** The connection is done with this exchange, though its handler may still run. */
  detached: boolean;
  /** The head was copied and the record is not used again: references to it may be kept. */
  retained: boolean;
  /** The head lies in received memory that has to stay. */
  headBorrowed: boolean;
  /** The handler, and every promise it started through next(), has settled. */
  handled: boolean;
  /** Within a call of a handler or middleware, which catches what we throw. */
  entered: boolean;
  /** A part of the chain returned no promise and no response: it may respond later. */
  awaited: boolean;

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
  /** When the head was complete, by the driver's clock. */
  startedMs: number;

  phase: Phase;
  /** Which call sends the response. */
  writer: Writer;
  status: number;
  /** This response is the connection's last. */
  close: boolean;
  /** Content bytes queued, and for a stream of known length those still owed (-1: not known). */
  contentBytes: number;
  owedBytes: number;
  chunked: boolean;
  /** The handler began to read the body; it left before its end. */
  bodyRead: boolean;
  bodyLeft: boolean;
  trailers: [string, string][] | null;
  beforeSend: ((outgoing: Outgoing) => void)[] | null;
  afterSend: ((summary: Summary) => void)[] | null;
  /** Ends the source of a stream when the response cannot go on. */
  onGone: (() => void) | null;
  aborter: AbortController | null;
  state: Record<string, unknown> | null;
  query: URLSearchParams | null;
  /** Calls that came too late, and whether the log tells of one. */
  lateCalls: number;
  lateNoted: boolean;
  /** Writes in a row whose promise was settled at once. */
  quickWrites: number;

  /** What responds when every middleware let the request through. */
  endpoint: Handler;
  /** The middleware that may call next() now; how many parts of the chain have not settled. */
  step: number;
  running: number;
  /** Whether any of them gave a promise, and the first error among them. */
  deferred: boolean;
  failure: Failure | null;
  /** What the path allows beside its routes, asked when no handler takes the request. */
  allowances: Allowance[] | null;

  constructor(services: Services, transport: Transport, fieldsMax: number) {
    this.services = services;
    this.head = new Head(fieldsMax);
    this.transport = transport;
    this.response = new Response(this);
    this.request = new Request(this, this.response, 0);
    this.identity = null;
    this.peer = null;
    this.gone = false;
    this.headOnly = false;
    this.abandoned = false;
    this.detached = false;
    this.retained = false;
    this.headBorrowed = false;
    this.handled = false;
    this.entered = false;
    this.awaited = false;
    this.bytes = NO_BYTES;
    this.base = 0;
    this.headBytes = 0;
    this.pathBytes = NO_BYTES;
    this.pathFrom = 0;
    this.pathTo = 0;
    this.matchedFrom = 0;
    this.startedMs = 0;
    this.phase = Phase.Open;
    this.writer = Writer.None;
    this.status = 200;
    this.close = false;
    this.contentBytes = 0;
    this.owedBytes = -1;
    this.chunked = false;
    this.bodyRead = false;
    this.bodyLeft = false;
    this.trailers = null;
    this.beforeSend = null;
    this.afterSend = null;
    this.onGone = null;
    this.aborter = null;
    this.state = null;
    this.query = null;
    this.lateCalls = 0;
    this.lateNoted = false;
    this.quickWrites = 0;
    this.endpoint = NO_ENDPOINT;
    this.step = 0;
    this.running = 0;
    this.deferred = false;
    this.failure = null;
    this.allowances = null;
  }

  /** Ready for a new request of `transport`, with handles of its own. */
  reset(transport: Transport): void {
    this.head.reset();
    this.match.reset();
    this.fields.reset();
    this.transport = transport;
    this.response = new Response(this);
    this.request = new Request(this, this.response, 0);
    this.identity = this.response;
    this.peer = null;
    this.gone = false;
    this.headOnly = false;
    this.abandoned = false;
    this.detached = false;
    this.retained = false;
    this.headBorrowed = false;
    this.handled = false;
    this.entered = false;
    this.awaited = false;
    this.bytes = NO_BYTES;
    this.base = 0;
    this.headBytes = 0;
    this.pathBytes = NO_BYTES;
    this.pathFrom = 0;
    this.pathTo = 0;
    this.matchedFrom = 0;
    this.startedMs = 0;
    this.phase = Phase.Open;
    this.writer = Writer.None;
    this.status = 200;
    this.close = false;
    this.contentBytes = 0;
    this.owedBytes = -1;
    this.chunked = false;
    this.bodyRead = false;
    this.bodyLeft = false;
    this.trailers = null;
    this.beforeSend = null;
    this.afterSend = null;
    this.onGone = null;
    this.aborter = null;
    this.state = null;
    this.query = null;
    this.lateCalls = 0;
    this.lateNoted = false;
    this.quickWrites = 0;
    this.endpoint = NO_ENDPOINT;
    this.step = 0;
    this.running = 0;
    this.deferred = false;
    this.failure = null;
    this.allowances = null;
  }

  /**
   * Copies the head, so that its memory can go, and takes this record out of use for other
   * requests. Whatever keeps a reference to the record beyond the handler's call needs this first.
   */
  retain(): void {
    if (this.retained) return;
    this.retained = true;
    this.headBorrowed = false;
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

  /** The handles of this request never reach this record again. */
  revoke(): void {
    this.identity = null;
    this.headBorrowed = false;
  }

  /** The response ends here: what works for it is told. */
  leave(reason: Error): void {
    this.endWriter();
    this.aborter?.abort(reason);
  }

  /** No call sends any more, and the source of a stream is cancelled. */
  endWriter(): void {
    this.writer = Writer.None;
    const { onGone } = this;
    this.onGone = null;
    onGone?.();
  }

  methodName(): string {
    const { head } = this;
    if (head.method !== 0) return methodName(head.method as Method);
    return latin1(this.bytes, this.base + head.methodStart, this.base + head.methodEnd);
  }

  /** The path, decoded, without its first `mountBytes` bytes. */
  path(mountBytes: number): string {
    const from = this.pathFrom + mountBytes;
    if (from >= this.pathTo) return '/';
    return pathString(this.pathBytes.subarray(from, this.pathTo), this.pathTo - from);
  }
}

/** An error of a part of the chain. One that was `caught` counts only when nothing responds. */
export interface Failure {
  readonly error: unknown;
  readonly caught: boolean;
}
