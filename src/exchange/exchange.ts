// Hot: runs for every request. Measured by perf/micro/pools.ts.
// One request with its response: everything the server knows of it, in one record that is used
// again for later requests. Handlers hold handles (request.ts, response.ts), which are made for one
// request and check their identity at every use, so that none of them ever reaches another request.
// The record changes its own states: other files call its methods.

import { carveCopy, carvedMemory } from '../base/carve.ts';
import type { Peer } from '../driver/driver.ts';
import { Framing } from '../http/framing.ts';
import { Head } from '../http/head.ts';
import type { Method } from '../http/method.ts';
import { methodName } from '../http/method.ts';
import { ResponseFields } from '../http/response-fields.ts';
import { pathString } from '../http/target.ts';
import { latin1 } from '../http/text.ts';
import type { RouteSeries } from '../metrics/meter.ts';
import type { FileOwner } from '../reactor/file-owner.ts';
import { type Matched, NOTHING_MATCHED } from '../route/match.ts';
import type { BodyReader } from './body-reader.ts';
import type { Outgoing, Summary } from './callbacks.ts';
import type { Content } from './content.ts';
import type { Forwarded } from './forwarded.ts';
import type { AllowedMethods, ContentCoder, Parts, TimeLimit } from './handling.ts';
import type { Prepared } from './prepared.ts';
import type { RequestCookies } from './request-cookies.ts';
import type { ServicesOf } from './services.ts';
import { BodyUse, EtagUse, Handling, HeadMemory, Liveness, Phase, Writer } from './state.ts';

export type Services = ServicesOf<Exchange>;

/**
 * The way from one exchange to its connection. When the connection detaches the exchange, the
 * transport is replaced by one that sends nothing, so that no late call reaches the next request.
 */
export interface Transport {
  peer(): Peer;

  /** Sends a full response: the head from the exchange's status and fields, then the content. */
  sendFull(exchange: Exchange, content: Content): void;
  sendPrepared(exchange: Exchange, prepared: Prepared): void;
  /**
   * Sends a head by prepareHead() and its file, which is released when no more of it is sent.
   * False, and nothing was sent, where the head needs other fields or the driver cannot do that.
   */
  sendFile(exchange: Exchange, prepared: Prepared, owner: FileOwner): boolean;
  /** Sends the head of a response of `length` bytes, -1 when that is not known yet. */
  startStream(exchange: Exchange, length: number): void;
  /**
   * Sends a chunk of content. Resolves when there is room for more; with `borrowed` not before the
   * kernel took the chunk, whose memory may be used again then.
   */
  write(exchange: Exchange, chunk: string | Uint8Array, borrowed: boolean): Promise<void>;
  /**
   * Sends bytes [from, to) of an open file without reading them. Resolves with how many the kernel
   * had in memory and has taken; only then may the file be closed. Null: the driver cannot do that.
   */
  writeFile(exchange: Exchange, file: number, from: number, to: number): Promise<number> | null;
  endStream(exchange: Exchange): void;
  /** Bytes of this connection that the kernel has not taken. */
  waitingBytes(): number;
  /** Gives up the response. The client sees that it is incomplete. */
  abandon(exchange: Exchange): void;
  /** The exchange leaves this transport, which sends nothing more for it. */
  detached(): void;

  /** The next chunk of the request body, a copy; null at its end. */
  readChunk(exchange: Exchange): Promise<Uint8Array | null>;
  /** The full request body; rejects with HttpError 413 over the limit. */
  readAll(exchange: Exchange, bytesMax: number): Promise<Buffer>;
  /** What `read` makes of a body that has arrived; NOT_ARRIVED when it has not. */
  readNow(exchange: Exchange, bytesMax: number, read: BodyReader): unknown;
  /** Trailer fields of a body that was read to its end. */
  trailers(exchange: Exchange): readonly (readonly [string, string])[];
}

const NO_BYTES = new Uint8Array(0);

export type { AllowedMethods } from './handling.ts';

export class Exchange {
  readonly services: Services;
  readonly head: Head;
  readonly framing: Framing = new Framing();
  readonly fields: ResponseFields = new ResponseFields();
  readonly parts: Parts = { running: 0, deferred: false, entered: false, failure: null };
  /** The record of the server that runs middleware and handler; stays with this one. */
  invocation: object | null;
  params: Matched;
  /** The response handle while handles may use this record, else null. No other request has it. */
  identity: object | null;
  /** The connection, until it detaches this exchange; then one that sends nothing. */
  transport: Transport;
  /** The client's address, after it was first read. */
  peer: Peer | null;
  /** The metrics of the route, while they are collected. */
  series: RouteSeries | null;

  handling: Handling;
  liveness: Liveness;
  headMemory: HeadMemory;
  bodyUse: BodyUse;
  phase: Phase;
  writer: Writer;
  etagUse: EtagUse;
  /** False when this response is the connection's last. */
  keepAlive: boolean;

  /** Memory of the head, where it begins there, and its length. */
  bytes: Uint8Array;
  base: number;
  headBytes: number;
  /** The decoded path as bytes (NUL for an encoded slash), for the router. */
  pathBytes: Uint8Array;
  pathFrom: number;
  pathTo: number;
  /** Where the path began when the router searched it: parameters count from there. */
  matchedFrom: number;
  /** When the head was complete, by the driver's clock. */
  startedMs: number;

  status: number;
  /**
   * Content bytes queued; and the declared Content-Length before the head, after it what is still
   * owed of it (-1: not known).
   */
  contentBytes: number;
  owedBytes: number;
  chunked: boolean;
  trailers: [string, string][] | null;
  beforeSend: ((outgoing: Outgoing) => void)[] | null;
  afterSend: ((summary: Summary) => void)[] | null;
  coder: ContentCoder<Exchange> | null;
  timeLimit: TimeLimit | null;
  /** Cancels the source of a stream when the response cannot continue. */
  onGone: (() => void) | null;
  aborter: AbortController | null;
  state: Record<string, unknown> | null;
  query: URLSearchParams | null;
  cookies: RequestCookies | null;
  /** What a trusted proxy says of the client's request; null without one. */
  forwarded: Forwarded | null;
  /** The most content that is read of the body, instead of body_bytes_max; -1 when not set. */
  bodyBytesMax: number;
  /** Calls that came too late; whether the log says so. */
  lateCalls: number;
  lateNoted: boolean;
  /** Writes in a row whose promise was settled at once. */
  quickWrites: number;
  /** Called in this order when no handler takes the request. */
  allowances: AllowedMethods[] | null;

  constructor(services: Services, transport: Transport, fieldsMax: number) {
    this.services = services;
    this.head = new Head(fieldsMax);
    this.invocation = null;
    this.params = NOTHING_MATCHED;
    this.transport = transport;
    this.identity = null;
    this.peer = null;
    this.series = null;
    this.handling = Handling.Running;
    this.liveness = Liveness.Live;
    this.headMemory = HeadMemory.None;
    this.bodyUse = BodyUse.Unread;
    this.phase = Phase.Open;
    this.writer = Writer.None;
    this.etagUse = EtagUse.None;
    this.keepAlive = true;
    this.bytes = NO_BYTES;
    this.base = 0;
    this.headBytes = 0;
    this.pathBytes = NO_BYTES;
    this.pathFrom = 0;
    this.pathTo = 0;
    this.matchedFrom = 0;
    this.startedMs = 0;
    this.status = 200;
    this.contentBytes = 0;
    this.owedBytes = -1;
    this.chunked = false;
    this.trailers = null;
    this.beforeSend = null;
    this.afterSend = null;
    this.coder = null;
    this.timeLimit = null;
    this.onGone = null;
    this.aborter = null;
    this.state = null;
    this.query = null;
    this.cookies = null;
    this.forwarded = null;
    this.bodyBytesMax = -1;
    this.lateCalls = 0;
    this.lateNoted = false;
    this.quickWrites = 0;
    this.allowances = null;
  }

  /** Ready for a new request of `transport`. */
  reset(transport: Transport): void {
    const { parts } = this;
    parts.running = 0;
    parts.deferred = false;
    parts.entered = false;
    parts.failure = null;
    this.head.reset();
    this.fields.reset();
    this.transport = transport;
    this.identity = null;
    this.peer = null;
    this.series = null;
    this.handling = Handling.Running;
    this.liveness = Liveness.Live;
    this.headMemory = HeadMemory.None;
    this.bodyUse = BodyUse.Unread;
    this.phase = Phase.Open;
    this.writer = Writer.None;
    this.etagUse = EtagUse.None;
    this.keepAlive = true;
    this.bytes = NO_BYTES;
    this.base = 0;
    this.headBytes = 0;
    this.pathBytes = NO_BYTES;
    this.pathFrom = 0;
    this.pathTo = 0;
    this.matchedFrom = 0;
    this.startedMs = 0;
    this.status = 200;
    this.contentBytes = 0;
    this.owedBytes = -1;
    this.chunked = false;
    this.trailers = null;
    this.beforeSend = null;
    this.afterSend = null;
    this.coder = null;
    this.timeLimit = null;
    this.onGone = null;
    this.aborter = null;
    this.state = null;
    this.query = null;
    this.cookies = null;
    this.forwarded = null;
    this.bodyBytesMax = -1;
    this.lateCalls = 0;
    this.lateNoted = false;
    this.quickWrites = 0;
    this.allowances = null;
  }

  /** True when nothing more of the response can reach the client. */
  get gone(): boolean {
    return this.liveness === Liveness.Gone;
  }

  /** True when references to the record may be kept. */
  get retained(): boolean {
    return this.headMemory === HeadMemory.Copied;
  }

  /** The head of a request begins at `base` of received memory. */
  begin(bytes: Uint8Array, base: number, headBytes: number, nowMs: number): void {
    this.bytes = bytes;
    this.base = base;
    this.headBytes = headBytes;
    this.headMemory = HeadMemory.Borrowed;
    this.startedMs = nowMs;
  }

  /**
   * Copies the head, so that its memory can be released, and takes this record out of use for other
   * requests. Must be called before a reference to the record is kept beyond the handler's call.
   */
  retain(): void {
    if (this.headMemory === HeadMemory.Copied) return;
    this.headMemory = HeadMemory.Copied;
    const { base, bytes } = this;
    const at = carveCopy(bytes, base, base + this.headBytes);
    const copy = carvedMemory();
    if (this.pathBytes === bytes) {
      this.pathBytes = copy;
      this.pathFrom += at - base;
      this.pathTo += at - base;
    }
    this.bytes = copy;
    this.base = at;
    this.head.compact();
  }

  /** From now on the handles of this request never reach this record. */
  revoke(): void {
    this.identity = null;
    if (this.headMemory === HeadMemory.Borrowed) this.headMemory = HeadMemory.Released;
  }

  /** This response is the connection's last (RFC 9112 9.6). */
  disableKeepAlive(): void {
    this.keepAlive = false;
  }

  /** The head was sent, and content follows. */
  startStreaming(): void {
    this.phase = Phase.Streaming;
  }

  /** From now on this call sends the response. */
  claimWriter(writer: Writer): void {
    this.writer = writer;
  }

  /** Another call may respond, as nothing was sent. */
  releaseWriter(): void {
    this.writer = Writer.None;
  }

  /** Decides whether preconditions are checked when a full response is sent. */
  useEtag(use: EtagUse): void {
    this.etagUse = use;
  }

  /** The handler begins to read the body. False when it did before. */
  takeBody(): boolean {
    if (this.bodyUse !== BodyUse.Unread) return false;
    this.bodyUse = BodyUse.Reading;
    return true;
  }

  /** The handler reads no more of the body: a read that waits does not keep the connection open. */
  leaveBody(): void {
    this.bodyUse = BodyUse.Left;
  }

  /** The most that is read of the body at once: of a middleware, else of the configuration. */
  get bodyLimit(): number {
    return this.bodyBytesMax < 0 ? this.services.limits.bodyBytesMax : this.bodyBytesMax;
  }

  /** Limits how much of the body is read; of several limits the least applies. */
  limitBody(bytesMax: number): void {
    this.bodyBytesMax = this.bodyBytesMax < 0 ? bytesMax : Math.min(this.bodyBytesMax, bytesMax);
  }

  /** All of the response was handed to the connection. */
  endResponse(): void {
    this.phase = Phase.Ended;
  }

  /** The handler and every promise that it started have settled. */
  settle(): void {
    this.handling = Handling.Settled;
  }

  /** The server gives up the response while the handler runs. */
  abandon(): void {
    this.handling = Handling.Abandoned;
  }

  /** The connection sends nothing more for this exchange, and has another one next. */
  detach(detached: Transport, peer: Peer | null): void {
    this.transport.detached();
    this.transport = detached;
    // A middleware may have replaced it by the address that a proxy forwarded.
    this.peer ??= peer;
  }

  /** The client left, or the response was given up: what sends it stops, and the signal aborts. */
  abort(reason: Error): void {
    this.liveness = Liveness.Gone;
    this.endWriter();
    this.aborter?.abort(reason);
  }

  /** The response ends at its head: it has no content. */
  endHeadOnly(): void {
    this.liveness = Liveness.HeadOnly;
    this.transport.endStream(this);
    this.endWriter();
    this.aborter?.abort(new Error('the response has no content: it ended at its head'));
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
