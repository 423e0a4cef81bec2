// Reads a stream of requests with the parsers of src/http alone, in the order of a connection:
// head, framing, body, next head. A stream arrives in segments that end at the splits, each in
// other memory.

import assert from 'node:assert/strict';
import { type Limits, limitsFrom } from '../../src/base/limits.ts';
import { ChunkEvent, ChunkedDecoder } from '../../src/http/chunked.ts';
import { Fault, faultStatus } from '../../src/http/fault.ts';
import { BodyKind, Framing, frame } from '../../src/http/framing.ts';
import { Head, TargetForm } from '../../src/http/head.ts';
import { isBlank, parseHead } from '../../src/http/parse-head.ts';
import { pathString, routePath } from '../../src/http/target.ts';
import { place } from '../../testing/splits.ts';
import type { CaseLimits, End, Pair } from './case.ts';

export interface ReadMessage {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  /** '' when it cannot be decoded; null for the forms without a path. */
  readonly path: string | null;
  readonly fields: readonly Pair[];
  readonly body: string;
  readonly trailers: readonly Pair[];
  readonly closes: boolean;
}

export interface Outcome {
  readonly messages: readonly ReadMessage[];
  readonly end: End;
}

type Parts = Omit<ReadMessage, 'body' | 'trailers'>;

const NO_BYTES = new Uint8Array(0);

export class MessageReader {
  readonly #limits: Limits;
  #source: Uint8Array = NO_BYTES;
  #messages: ReadMessage[] = [];
  #fault = 0;
  /** How many bytes of the source were consumed. */
  #at = 0;
  /** The received bytes that were not consumed, in new memory for every segment. */
  #bytes: Uint8Array = NO_BYTES;
  #start = 0;
  #end = 0;
  /** Varies the offset of the bytes. */
  #turn = 0;
  readonly #head: Head;
  readonly #framing = new Framing();
  readonly #decoder = new ChunkedDecoder();
  /** The request whose body is being read. */
  #parts: Parts | null = null;
  #body = '';

  constructor(limits: CaseLimits) {
    this.#limits = limitsFrom(limits);
    this.#head = new Head(this.#limits.fieldsMax);
  }

  /** Reads a stream from its beginning, in segments that end at the splits and at its end. */
  read(source: Uint8Array, splits: readonly number[]): Outcome {
    this.#source = source;
    this.#messages = [];
    this.#fault = 0;
    this.#at = 0;
    this.#turn = source.length + splits.length;
    this.#head.reset();
    this.#parts = null;
    for (const split of splits) this.#receive(split);
    this.#receive(source.length);
    return { messages: this.#messages, end: this.#ending() };
  }

  /** All bytes up to `received` have been received. */
  #receive(received: number): void {
    this.#turn += 1;
    const placed = place(this.#source, this.#at, received, this.#turn);
    this.#bytes = placed.bytes;
    this.#start = placed.start;
    this.#end = placed.end;
    let going = true;
    while (going && !this.#isOver()) {
      going = this.#parts === null ? this.#readHead() : this.#readBody();
    }
  }

  #ending(): End {
    const { length } = this.#source;
    if (this.#fault < 0) {
      const fault = this.#fault as Fault;
      return { kind: 'fault', fault, status: faultStatus(fault) };
    }
    if (this.#isOver()) return { kind: 'closed' };
    const isComplete = this.#parts === null && (this.#at === length || isBlank(this.#head));
    return isComplete ? { kind: 'open' } : { kind: 'incomplete', status: 400 };
  }

  #isOver(): boolean {
    return this.#fault < 0 || this.#messages.at(-1)?.closes === true;
  }

  #use(count: number): void {
    this.#at += count;
    this.#start += count;
  }

  #readHead(): boolean {
    const bytes = this.#bytes;
    const start = this.#start;
    if (start === this.#end) return false;
    const length = parseHead(bytes, start, this.#end, this.#head, this.#limits);
    if (length === 0) return false;
    if (length < 0) return this.#fail(length);
    const fault = frame(bytes, start, this.#head, this.#framing);
    if (fault < 0) return this.#fail(fault);
    this.#parts = this.#partsOf(bytes, start);
    this.#use(length);
    this.#body = '';
    this.#decoder.reset();
    if (this.#framing.length > this.#limits.streamBytesMax) return this.#fail(Fault.BodyTooLarge);
    if (this.#framing.kind === BodyKind.None) this.#finish([]);
    return true;
  }

  #partsOf(bytes: Uint8Array, start: number): Parts {
    const head = this.#head;
    const text = (from: number, to: number): string => latin1(bytes, start + from, start + to);
    const fields: Pair[] = [];
    for (let index = 0; index < head.fieldCount; index++) {
      fields.push([head.name(bytes, start, index), head.value(bytes, start, index)]);
    }
    return {
      method: text(head.methodStart, head.methodEnd),
      target: text(head.targetStart, head.targetEnd),
      version: `1.${head.minor}`,
      path: this.#pathOf(bytes, start),
      fields,
      // Bytes behind a CONNECT are for the other end of a tunnel.
      closes: !this.#framing.keepAlive || head.form === TargetForm.Authority,
    };
  }

  #pathOf(bytes: Uint8Array, start: number): string | null {
    const { form, pathStart, pathEnd, plainPath } = this.#head;
    if (form !== TargetForm.Origin && form !== TargetForm.Absolute) return null;
    // As in the server: a plain path needs no decoding.
    if (plainPath === 1 && pathEnd > pathStart) {
      return latin1(bytes, start + pathStart, start + pathEnd);
    }
    const out = new Uint8Array(pathEnd - pathStart + 1);
    const length = routePath(bytes, start + pathStart, start + pathEnd, out);
    return length < 0 ? '' : pathString(out, length);
  }

  #readBody(): boolean {
    if (this.#start === this.#end) return false;
    return this.#framing.kind === BodyKind.Length ? this.#readLength() : this.#readChunked();
  }

  #readLength(): boolean {
    const start = this.#start;
    const accepted = Math.min(this.#end - start, this.#framing.length - this.#body.length);
    this.#body += latin1(this.#bytes, start, start + accepted);
    this.#use(accepted);
    if (this.#body.length === this.#framing.length) this.#finish([]);
    return true;
  }

  #readChunked(): boolean {
    const decoder = this.#decoder;
    const start = this.#start;
    const event = decoder.next(this.#bytes, start, this.#end, this.#limits);
    const used = decoder.position - start;
    assert.ok(used >= 0 && decoder.position <= this.#end, 'it consumes only its input');
    if (event < 0) return this.#fail(event);
    this.#use(used);
    if (event === ChunkEvent.Data) {
      this.#body += latin1(this.#bytes, decoder.dataStart, decoder.dataEnd);
      if (this.#body.length > this.#limits.streamBytesMax) return this.#fail(Fault.BodyTooLarge);
      return true;
    }
    if (event === ChunkEvent.NeedMore) return false;
    const trailers: Pair[] = [];
    for (let index = 0; index < decoder.trailerCount; index++) {
      trailers.push([decoder.trailerName(index), decoder.trailerValue(index)]);
    }
    this.#finish(trailers);
    return true;
  }

  #finish(trailers: readonly Pair[]): void {
    const parts = this.#parts;
    assert.ok(parts !== null, 'only a begun message is finished');
    // Property by property, because a spread takes as long as parsing.
    const { method, target, version, path, fields, closes } = parts;
    const body = this.#body;
    this.#messages.push({ method, target, version, path, fields, body, trailers, closes });
    this.#parts = null;
    this.#head.reset();
  }

  #fail(fault: number): false {
    this.#fault = fault;
    return false;
  }
}

function latin1(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1');
}
