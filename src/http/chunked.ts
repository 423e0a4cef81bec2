// The decoder of chunked bodies (RFC 9112 7.1), resumable at every byte. The trailers are available
// when it is done.

import { CR, LF } from '../base/ascii.ts';
import { ExtensionState, nextExtensionState } from './chunk-extension.ts';
import { Fault } from './fault.ts';
import * as grammar from './grammar.ts';
import { Trailers } from './trailers.ts';

/** What next() returns; a Fault is negative. */
export const ChunkEvent = { NeedMore: 0, Data: 1, Done: 2 } as const;
export type ChunkEvent = (typeof ChunkEvent)[keyof typeof ChunkEvent];

/** States of the machine, named by what it is reading. */
const State = {
  Size: 0,
  Extension: 1,
  SizeLineFeed: 2,
  Data: 3,
  DataCarriageReturn: 4,
  DataLineFeed: 5,
  TrailerStart: 6,
  Trailers: 7,
  LastLineFeed: 8,
  Done: 9,
  Failed: 10,
} as const;

const HEX_VALUE = grammar.HEX_VALUE;

/** More digits are a fault even when they are zeros. 64 bits need 16. */
const SIZE_DIGITS_MAX = 16;

export interface ChunkedLimits {
  readonly chunkExtensionBytesMax: number;
  readonly trailerBytesMax: number;
  readonly fieldsMax: number;
}

export class ChunkedDecoder {
  /** The end of the bytes that next() has consumed. */
  position: number;
  /** The span of a Data event, in the bytes that next() was called with. */
  dataStart: number;
  dataEnd: number;

  state: number;
  extensionState: number;
  /**
   * While a size is read, its value so far; then the chunk data still to read; 0 between chunks.
   */
  remaining: number;
  sizeDigits: number;
  /** Over all chunks of the body. */
  extensionBytes: number;
  fault: number;
  /** Null until a body has trailers, then reused by later bodies. */
  trailers: Trailers | null;

  constructor() {
    this.position = 0;
    this.dataStart = 0;
    this.dataEnd = 0;
    this.state = State.Size;
    this.extensionState = ExtensionState.Space;
    this.remaining = 0;
    this.sizeDigits = 0;
    this.extensionBytes = 0;
    this.fault = 0;
    this.trailers = null;
  }

  /** Prepares for another body. */
  reset(): void {
    this.position = 0;
    this.dataStart = 0;
    this.dataEnd = 0;
    this.state = State.Size;
    this.extensionState = ExtensionState.Space;
    this.remaining = 0;
    this.sizeDigits = 0;
    this.extensionBytes = 0;
    this.fault = 0;
    this.trailers?.reset();
  }

  /** The next event in [start, end): a ChunkEvent, or a Fault, which all later calls return too. */
  next(bytes: Uint8Array, start: number, end: number, limits: ChunkedLimits): number {
    let p = start;
    while (p < end) {
      switch (this.state) {
        case State.Size:
          p = this.readSize(bytes, p, end);
          break;
        case State.Extension:
          p = this.readExtension(bytes, p, end, limits.chunkExtensionBytesMax);
          break;
        case State.SizeLineFeed:
          if (bytes[p] !== LF) return this.fail(p, Fault.BareCarriageReturn);
          this.state = this.remaining === 0 ? State.TrailerStart : State.Data;
          p += 1;
          break;
        case State.Data:
          return this.takeData(p, end);
        case State.DataCarriageReturn:
          if (bytes[p] !== CR) return this.fail(p, faultAfterData(bytes[p]));
          this.state = State.DataLineFeed;
          p += 1;
          break;
        case State.DataLineFeed:
          if (bytes[p] !== LF) return this.fail(p, Fault.BareCarriageReturn);
          this.state = State.Size;
          this.sizeDigits = 0;
          p += 1;
          break;
        case State.TrailerStart:
          this.state = bytes[p] === CR ? State.LastLineFeed : State.Trailers;
          if (this.state === State.LastLineFeed) p += 1;
          break;
        case State.Trailers:
          return this.readTrailers(bytes, p, end, limits);
        case State.LastLineFeed:
          if (bytes[p] !== LF) return this.fail(p, Fault.BareCarriageReturn);
          this.state = State.Done;
          p += 1;
          break;
        default:
          return this.finished(p);
      }
    }
    return this.finished(p);
  }

  /** The result when all bytes are consumed, or when the decoder takes no more. */
  finished(p: number): number {
    if (this.state === State.Failed) return this.fault;
    this.position = p;
    return this.state === State.Done ? ChunkEvent.Done : ChunkEvent.NeedMore;
  }

  get trailerCount(): number {
    return this.trailers === null ? 0 : this.trailers.count;
  }

  trailerName(index: number): string {
    return this.trailers === null ? '' : this.trailers.name(index);
  }

  trailerValue(index: number): string {
    return this.trailers === null ? '' : this.trailers.value(index);
  }

  /** Reads the digits of a size and the byte behind them; returns the next position. */
  readSize(bytes: Uint8Array, start: number, end: number): number {
    let p = start;
    let size = this.remaining;
    let digits = this.sizeDigits;
    while (p < end) {
      const value = HEX_VALUE[bytes[p]];
      if (value < 0) break;
      digits += 1;
      size = size * 16 + value;
      if (digits > SIZE_DIGITS_MAX) return this.failAt(p, Fault.BadChunk);
      if (size > Number.MAX_SAFE_INTEGER) return this.failAt(p, Fault.BodyTooLarge);
      p += 1;
    }
    this.remaining = size;
    this.sizeDigits = digits;
    if (p === end) return p;
    const byte = bytes[p];
    if (digits === 0) return this.failAt(p, byte === LF ? Fault.BareLineFeed : Fault.BadChunk);
    if (byte === CR) {
      this.state = State.SizeLineFeed;
      return p + 1;
    }
    // readExtension() reads this byte: it counts it or returns a fault.
    this.state = State.Extension;
    this.extensionState = ExtensionState.Space;
    return p;
  }

  /** Reads extensions including the CR behind them; returns the next position. */
  readExtension(bytes: Uint8Array, start: number, end: number, bytesMax: number): number {
    for (let p = start; p < end; p++) {
      const state = nextExtensionState(this.extensionState, bytes[p]);
      if (state < 0) return this.failAt(p, state);
      if (state === ExtensionState.LineEnd) {
        this.state = State.SizeLineFeed;
        return p + 1;
      }
      this.extensionState = state;
      this.extensionBytes += 1;
      if (this.extensionBytes > bytesMax) return this.failAt(p, Fault.ChunkExtensionsTooLong);
    }
    return end;
  }

  takeData(p: number, end: number): number {
    const count = Math.min(end - p, this.remaining);
    this.dataStart = p;
    this.dataEnd = p + count;
    this.position = p + count;
    this.remaining -= count;
    if (this.remaining === 0) this.state = State.DataCarriageReturn;
    return ChunkEvent.Data;
  }

  readTrailers(bytes: Uint8Array, p: number, end: number, limits: ChunkedLimits): number {
    this.trailers ??= new Trailers();
    const used = this.trailers.read(bytes, p, end, limits);
    if (used < 0) return this.fail(p, used);
    this.position = p + used;
    if (!this.trailers.complete) return ChunkEvent.NeedMore;
    this.state = State.Done;
    return ChunkEvent.Done;
  }

  /** As fail(), for methods that return positions: the loop in next() then ends. */
  failAt(p: number, fault: number): number {
    this.fail(p, fault);
    return p;
  }

  fail(p: number, fault: number): number {
    this.state = State.Failed;
    this.fault = fault;
    this.position = p;
    return fault;
  }
}

function faultAfterData(byte: number): number {
  return byte === LF ? Fault.BareLineFeed : Fault.BadChunk;
}
