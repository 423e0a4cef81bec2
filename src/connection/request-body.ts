// The body of the current request, decoded from the receive buffer as far as it is read. While its
// reader does not read, the connection receives at most a block ahead.

import { assert } from '../base/assert.ts';
import { HttpError } from '../exchange/http-error.ts';
import { ChunkEvent, ChunkedDecoder, type ChunkedLimits } from '../http/chunked.ts';
import { Fault, faultStatus, faultText } from '../http/fault.ts';
import { BodyKind, type Framing } from '../http/framing.ts';

/** What is wanted of the body. */
export const Want = {
  /** Nothing now; bytes wait in the receive buffer. */
  Nothing: 0,
  /** The next chunk. */
  Chunk: 1,
  /** All of it, gathered. */
  All: 2,
  /** Its end: content is discarded. */
  Discard: 3,
} as const;
export type Want = (typeof Want)[keyof typeof Want];

export interface BodyLimits extends ChunkedLimits {
  readonly streamBytesMax: number;
}

/** The least size of the first buffer: small enough for Node's pool of buffers. */
const GATHER_BYTES = 1024;

const NO_BYTES = Buffer.alloc(0);

export class RequestBody {
  readonly #limits: BodyLimits;
  /** Made with the first chunked body: most connections never have one. */
  #decoder: ChunkedDecoder | null;
  #kind: number;
  /** Bytes of a Content-Length body still to come. */
  #remaining: number;
  want: Want;
  /** True when no more of the body is decoded: its last byte was, or it was truncated. */
  ended: boolean;
  /** A Fault of the framing, or 0. Nothing after it can be trusted. */
  fault: number;
  /** Bytes of content decoded so far, and those of them that were discarded. */
  receivedBytes: number;
  discardedBytes: number;
  /** How long a reader has waited for the client, in total, and since when it waits now. */
  waitedMs: number;
  waitsFromMs: number;
  /** True when nothing of the body was decoded since beginWait(). */
  waits: boolean;
  /** The client waits for 100 (Continue) before it sends the body (RFC 9110 10.1.1). */
  continuePending: boolean;
  #gathered: Buffer;
  #gatheredBytes: number;
  #bytesMax: number;
  #failure: Error | null;
  #resolve: ((result: Buffer | null) => void) | null;
  #reject: ((error: Error) => void) | null;

  constructor(limits: BodyLimits) {
    this.#limits = limits;
    this.#decoder = null;
    this.#kind = BodyKind.None;
    this.#remaining = 0;
    this.want = Want.Nothing;
    this.ended = true;
    this.fault = 0;
    this.receivedBytes = 0;
    this.discardedBytes = 0;
    this.waitedMs = 0;
    this.waitsFromMs = 0;
    this.waits = false;
    this.continuePending = false;
    this.#gathered = NO_BYTES;
    this.#gatheredBytes = 0;
    this.#bytesMax = 0;
    this.#failure = null;
    this.#resolve = null;
    this.#reject = null;
  }

  /** A new message begins. Cheap for one without a body. */
  begin(framing: Framing): void {
    assert(this.#resolve === null, 'no reader waits for the body before');
    this.#kind = framing.kind;
    this.fault = 0;
    this.want = Want.Nothing;
    this.ended = framing.kind === BodyKind.None;
    this.receivedBytes = 0;
    this.discardedBytes = 0;
    this.continuePending = framing.expectContinue;
    this.waits = false;
    this.#failure = null;
    if (this.ended) return;
    this.waitedMs = 0;
    this.#remaining = framing.length;
    if (framing.kind === BodyKind.Chunked) this.#chunked().reset();
    else if (framing.length === 0) this.ended = true;
    else if (framing.length > this.#limits.streamBytesMax) this.fault = Fault.BodyTooLarge;
  }

  #chunked(): ChunkedDecoder {
    this.#decoder ??= new ChunkedDecoder();
    return this.#decoder;
  }

  /** The trailer fields of a body that was read to its end, as [lower-case name, value]. */
  trailers(): [string, string][] {
    const pairs: [string, string][] = [];
    if (!this.ended || this.#kind !== BodyKind.Chunked) return pairs;
    const decoder = this.#chunked();
    for (let index = 0; index < decoder.trailerCount; index++) {
      pairs.push([decoder.trailerName(index), decoder.trailerValue(index)]);
    }
    return pairs;
  }

  /** Bytes that a Content-Length body still lacks; Infinity when that is not known. */
  get owedBytes(): number {
    if (this.ended) return 0;
    return this.#kind === BodyKind.Length ? this.#remaining : Number.POSITIVE_INFINITY;
  }

  /** True when the connection has reason to receive and feed. */
  get wanted(): boolean {
    return this.want !== Want.Nothing && !this.ended && this.fault === 0;
  }

  /** True when the rest is discarded: nothing reads it, or its reader failed. */
  get discarding(): boolean {
    return this.want === Want.Discard;
  }

  /** True while a reader waits for bytes. */
  get readPending(): boolean {
    return this.#resolve !== null;
  }

  /** Whether reading the rest, to keep the connection, is cheaper than closing it. */
  isWorthSkipping(discardBytesMax: number): boolean {
    // A client that waits for 100 may send its body or not: only closing is unambiguous.
    if (this.continuePending) return false;
    const { owedBytes } = this;
    return owedBytes === Number.POSITIVE_INFINITY || owedBytes <= discardBytesMax;
  }

  /** The next chunk, null at the end; rejects with HttpError 413 when the body is too long. */
  readChunk(bytesMax: number = Number.POSITIVE_INFINITY): Promise<Buffer | null> {
    return this.#read(Want.Chunk, bytesMax);
  }

  /** The full body; rejects with HttpError 413 when it is longer than `bytesMax`. */
  readAll(bytesMax: number): Promise<Buffer> {
    if (this.#kind === BodyKind.Length && this.#remaining > bytesMax) {
      this.fail(new HttpError(413));
    }
    // Only a read of chunks ends with null.
    return this.#read(Want.All, bytesMax) as Promise<Buffer>;
  }

  /**
   * The length of a body that can be read without waiting: all of it is among `bytes` that were
   * received, and nothing was read. Else -1.
   */
  arrived(bytes: number, bytesMax: number): number {
    if (this.#kind !== BodyKind.Length || this.ended || this.#failure !== null) return -1;
    if (this.want !== Want.Nothing || this.receivedBytes > 0) return -1;
    const length = this.#remaining;
    return length <= bytes && length <= bytesMax ? length : -1;
  }

  /** All of a body that had arrived was read. */
  taken(): void {
    this.receivedBytes = this.#remaining;
    this.#remaining = 0;
    this.ended = true;
    this.waits = false;
    this.continuePending = false;
  }

  #read(want: Want, bytesMax: number): Promise<Buffer | null> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    if (this.want !== Want.Nothing) {
      return Promise.reject(new TypeError('the body is being read already'));
    }
    if (this.ended) return Promise.resolve(want === Want.All ? NO_BYTES : null);
    this.want = want;
    this.#bytesMax = bytesMax;
    this.#gatheredBytes = 0;
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** The interim response 100 (Continue) was sent. */
  continueSent(): void {
    this.continuePending = false;
  }

  /** From now on the reader waits for the client. */
  beginWait(nowMs: number): void {
    this.waitsFromMs = nowMs;
    this.waits = true;
  }

  /** Adds the wait that began at waitsFromMs. */
  waited(nowMs: number): void {
    this.waitedMs += nowMs - this.waitsFromMs;
    this.waitsFromMs = nowMs;
  }

  /** Discards the rest, unless a reader waits. */
  discard(): void {
    if (this.want === Want.Nothing) this.want = Want.Discard;
  }

  /** Decodes what is wanted of [from, to); returns how many bytes that were. */
  feed(bytes: Uint8Array, from: number, to: number): number {
    assert(this.wanted, 'only a wanted body is fed');
    this.continuePending = false;
    this.waits = false;
    const at =
      this.#kind === BodyKind.Length
        ? this.#feedLength(bytes, from, to)
        : this.#feedChunked(bytes, from, to);
    if (this.fault !== 0) this.#failFraming();
    else this.#deliver();
    return at - from;
  }

  #feedLength(bytes: Uint8Array, from: number, to: number): number {
    const taken = Math.min(this.#remaining, to - from);
    this.#take(bytes, from, from + taken, taken);
    this.#remaining -= taken;
    this.ended = this.#remaining === 0;
    return from + taken;
  }

  #feedChunked(bytes: Uint8Array, from: number, to: number): number {
    const decoder = this.#chunked();
    let at = from;
    while (at < to && this.fault === 0 && !this.ended) {
      const event = decoder.next(bytes, at, to, this.#limits);
      at = decoder.position;
      if (event === ChunkEvent.Data) {
        this.#take(bytes, decoder.dataStart, decoder.dataEnd, to - decoder.dataStart);
      } else if (event === ChunkEvent.Done) this.ended = true;
      else if (event < 0) this.fault = event;
    }
    return at;
  }

  /** Content in [from, to); `bound` is how much more there may be in the same feed. */
  #take(bytes: Uint8Array, from: number, to: number, bound: number): void {
    const count = to - from;
    this.receivedBytes += count;
    if (this.receivedBytes > this.#limits.streamBytesMax) {
      this.fault = Fault.BodyTooLarge;
      return;
    }
    if (this.want === Want.Discard) {
      this.discardedBytes += count;
      return;
    }
    if (this.receivedBytes > this.#bytesMax) {
      this.fail(new HttpError(413));
      this.discardedBytes += count;
      return;
    }
    this.#makeRoom(count, bound);
    this.#gathered.set(bytes.subarray(from, to), this.#gatheredBytes);
    this.#gatheredBytes += count;
  }

  /**
   * Grows as bytes arrive: a Content-Length alone allocates nothing. Zeros, and not in the pool of
   * Node: a handler that uses all of `buffer` by mistake must not send the bytes of another client.
   */
  #makeRoom(count: number, bound: number): void {
    const needed = this.#gatheredBytes + count;
    if (this.#gatheredBytes > 0 && needed <= this.#gathered.length) return;
    if (this.#gatheredBytes === 0) {
      const first = this.want === Want.All ? Math.max(bound, GATHER_BYTES) : bound;
      const most = this.#kind === BodyKind.Length ? this.#remaining : first;
      this.#gathered = Buffer.alloc(Math.max(Math.min(first, most), count));
      return;
    }
    const known = this.#kind === BodyKind.Length ? needed - count + this.#remaining : needed;
    const doubled = Math.max(needed, 2 * this.#gathered.length);
    const wanted =
      this.#kind === BodyKind.Length ? Math.min(doubled, Math.max(known, needed)) : doubled;
    const larger = Buffer.alloc(wanted);
    this.#gathered.copy(larger, 0, 0, this.#gatheredBytes);
    this.#gathered = larger;
  }

  /** Settles the read, if what it waits for has arrived. */
  #deliver(): void {
    const bytes = this.#gatheredBytes;
    if (this.want === Want.Chunk && (bytes > 0 || this.ended)) {
      this.#settle(bytes > 0 ? this.#gathered.subarray(0, bytes) : null);
    } else if (this.want === Want.All && this.ended) {
      this.#settle(this.#gathered.subarray(0, bytes));
    }
  }

  #settle(result: Buffer | null): void {
    const resolve = this.#resolve;
    this.#clearRead();
    this.want = Want.Nothing;
    resolve?.(result);
  }

  #failFraming(): void {
    this.fail(new HttpError(faultStatus(this.fault), faultText(this.fault)));
  }

  /** True when no more is decoded and no read is pending: an error would reach no reader. */
  get isOver(): boolean {
    return this.ended && this.#resolve === null;
  }

  /** The reader gets `error`, now or when it reads; the rest of the body is discarded. */
  fail(error: Error): void {
    if (this.isOver) return;
    const reject = this.#reject;
    this.#failure ??= error;
    this.#clearRead();
    this.want = Want.Discard;
    reject?.(error);
  }

  /** As fail(), and the body has ended: its rest will not arrive. */
  truncate(error: Error): void {
    this.fail(error);
    this.ended = true;
  }

  #clearRead(): void {
    this.#gathered = NO_BYTES;
    this.#gatheredBytes = 0;
    this.#resolve = null;
    this.#reject = null;
  }
}
