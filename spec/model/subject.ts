// The parser of the server on a stream, composed as in a connection. The stream arrives in
// segments; the result has the types of the model.

import assert from 'node:assert/strict';
import { ChunkEvent, ChunkedDecoder } from '../../src/http/chunked.ts';
import { faultStatus } from '../../src/http/fault.ts';
import { BodyKind, Framing, frame } from '../../src/http/framing.ts';
import { Head, TargetForm } from '../../src/http/head.ts';
import { parseHead } from '../../src/http/parse-head.ts';
import { pathString, routePath } from '../../src/http/target.ts';
import type { End, Message, Stream } from './model.ts';
import type { ModelField, ModelLimits } from './model-head.ts';
import type { ModelForm } from './model-target.ts';
import { type Reads, Watch, watchedBytes, watchHead, watchTrailers } from './watched.ts';

const FORMS: Readonly<Record<number, ModelForm>> = {
  [TargetForm.Origin]: 'origin',
  [TargetForm.Absolute]: 'absolute',
  [TargetForm.Authority]: 'authority',
  [TargetForm.Asterisk]: 'asterisk',
};

/** The unconsumed bytes of a stream up to some position, in new memory. */
export interface Segment {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** Copies bytes [from, to) of a stream into memory. */
export type Place = (stream: Uint8Array, from: number, to: number) => Segment;

/** Without a copy. */
export const inPlace: Place = (stream, from, to) => ({ bytes: stream, start: from, end: to });

/**
 * Parses a stream that arrives in segments which end at `splits` and at its end. With `reads`, the
 * bytes that the parser reads are counted, and a read outside of its input fails.
 */
export function readStream(
  stream: Uint8Array,
  limits: ModelLimits,
  splits: readonly number[] = [],
  place: Place = inPlace,
  reads: Reads | null = null,
): Stream {
  const reading = new StreamReading(limits, reads);
  for (const split of [...splits, stream.length]) {
    const { bytes, start, end } = place(stream, reading.position, split);
    reading.read(bytes, start, end);
    if (reading.end !== null) break;
  }
  const end = reading.end ?? reading.endOfStream(stream.length);
  return { messages: reading.messages, end };
}

class StreamReading {
  readonly messages: Message[] = [];
  readonly #limits: ModelLimits;
  readonly #watch: Watch | null;
  readonly #head: Head;
  readonly #framing = new Framing();
  readonly #decoder = new ChunkedDecoder();
  /** Bytes of the stream that were consumed. */
  position = 0;
  end: End | null = null;
  #messageStart = 0;
  #remaining = 0;
  #content = '';
  /** The parsed head, while its body is read. */
  #parts: Omit<Message, 'body' | 'trailers' | 'bytes'> | null = null;

  constructor(limits: ModelLimits, reads: Reads | null) {
    this.#limits = limits;
    this.#head = new Head(limits.fieldsMax);
    this.#watch = reads === null ? null : new Watch(reads);
    if (this.#watch === null || reads === null) return;
    watchHead(this.#head, this.#watch);
    watchTrailers(this.#decoder, limits.fieldsMax, new Watch(reads));
  }

  /** Parses as much of [start, end) as possible. */
  read(bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    const seen = this.#watch === null ? bytes : watchedBytes(bytes, this.#watch);
    while (at < end && this.end === null) {
      this.#watch?.allow(at, end);
      const consumed =
        this.#parts === null
          ? this.#readHead(bytes, seen, at, end)
          : this.#readBody(bytes, seen, at, end);
      assert.ok(consumed >= 0 && consumed <= end - at, 'the parser consumes only its input');
      at += consumed;
      this.position += consumed;
      if (this.#parts !== null && this.#bodyEnded()) this.#finish();
      else if (consumed === 0) break;
    }
  }

  /** The end when no more bytes arrive. */
  endOfStream(length: number): End {
    const isComplete = this.#parts === null && this.position === length;
    return { kind: isComplete ? 'complete' : 'incomplete' };
  }

  /** Returns how many bytes were consumed: none, or a complete head. */
  #readHead(bytes: Uint8Array, seen: Uint8Array, at: number, end: number): number {
    const head = this.#head;
    const length = parseHead(seen, at, end, head, this.#limits);
    if (length < 0) return this.#reject(length);
    if (length === 0) return 0;
    const framing = this.#framing;
    const fault = frame(seen, at, head, framing);
    if (fault < 0) return this.#reject(fault);
    this.#parts = partsOf(bytes, at, head, framing);
    this.#remaining = framing.length;
    this.#content = '';
    if (framing.kind === BodyKind.Chunked) this.#decoder.reset();
    return length;
  }

  #readBody(bytes: Uint8Array, seen: Uint8Array, at: number, end: number): number {
    if (this.#framing.kind === BodyKind.Length) {
      const consumed = Math.min(end - at, this.#remaining);
      this.#content += text(bytes, at, at + consumed);
      this.#remaining -= consumed;
      return consumed;
    }
    const decoder = this.#decoder;
    const event = decoder.next(seen, at, end, this.#limits);
    if (event < 0) {
      assert.equal(decoder.next(seen, at, end, this.#limits), event, 'a fault is kept');
      return this.#reject(event);
    }
    if (event === ChunkEvent.Data) {
      assert.ok(decoder.dataStart >= at && decoder.dataStart < decoder.dataEnd);
      assert.ok(decoder.dataEnd <= decoder.position);
      this.#content += text(bytes, decoder.dataStart, decoder.dataEnd);
    }
    return decoder.position - at;
  }

  #bodyEnded(): boolean {
    if (this.#framing.kind !== BodyKind.Chunked) return this.#remaining === 0;
    const none = new Uint8Array(0);
    return this.#decoder.next(none, 0, 0, this.#limits) === ChunkEvent.Done;
  }

  #finish(): void {
    const parts = this.#parts;
    assert.ok(parts !== null);
    const trailers: ModelField[] = [];
    if (this.#framing.kind === BodyKind.Chunked) {
      for (let index = 0; index < this.#decoder.trailerCount; index++) {
        trailers.push([this.#decoder.trailerName(index), this.#decoder.trailerValue(index)]);
      }
    }
    const bytes = this.position - this.#messageStart;
    this.messages.push({ ...parts, body: this.#content, trailers, bytes });
    this.#messageStart = this.position;
    this.#parts = null;
    this.#head.reset();
    if (!parts.framing.keepAlive) this.end = { kind: 'closed' };
  }

  #reject(fault: number): number {
    this.end = { kind: 'rejected', status: faultStatus(fault) };
    return 0;
  }
}

function partsOf(
  bytes: Uint8Array,
  start: number,
  head: Head,
  framing: Framing,
): Omit<Message, 'body' | 'trailers' | 'bytes'> {
  const span = (from: number, to: number): string => text(bytes, start + from, start + to);
  const fields: ModelField[] = [];
  for (let index = 0; index < head.fieldCount; index++) {
    fields.push([head.name(bytes, start, index), head.value(bytes, start, index)]);
  }
  const hasPath = head.form === TargetForm.Origin || head.form === TargetForm.Absolute;
  return {
    method: span(head.methodStart, head.methodEnd),
    target: span(head.targetStart, head.targetEnd),
    form: FORMS[head.form],
    path: span(head.pathStart, head.pathEnd),
    query: head.queryStart < 0 ? null : span(head.queryStart, head.queryEnd),
    route: hasPath ? routeOf(bytes, start, head) : null,
    minor: head.minor,
    fields,
    framing: {
      kind: framing.kind === BodyKind.Chunked ? 'chunked' : framing.length > 0 ? 'length' : 'none',
      length: framing.length,
      keepAlive: framing.keepAlive,
      expectContinue: framing.expectContinue,
      trailersAccepted: framing.trailersAccepted,
      upgrade: framing.upgrade,
    },
  };
}

/** As in the server: a plain path needs no decoding. */
function routeOf(bytes: Uint8Array, start: number, head: Head): string | null {
  const from = start + head.pathStart;
  const to = start + head.pathEnd;
  if (head.plainPath === 1 && to > from) return text(bytes, from, to);
  const decoded = new Uint8Array(to - from + 1);
  const length = routePath(bytes, from, to, decoded);
  return length < 0 ? null : pathString(decoded, length);
}

function text(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.subarray(from, to)).toString('latin1');
}
