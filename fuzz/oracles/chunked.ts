// What has to be true of a chunked body, whatever the bytes: the same content, trailers and end
// wherever it is cut, and the same again when it is written anew in other chunks. What is taken
// for a body is one by the grammar, too, as the model of spec/model/ reads it.

import { modelChunkedBody } from '../../spec/model/model-chunked.ts';
import { Reader } from '../../spec/model/reader.ts';
import { ChunkEvent, ChunkedDecoder, type ChunkedLimits } from '../../src/http/chunked.ts';
import { check, hashOf, same } from './check.ts';

/** Small, so that small inputs reach them. */
const LIMITS: ChunkedLimits = { chunkExtensionBytesMax: 60, trailerBytesMax: 160, fieldsMax: 5 };
/** The model knows those of heads as well. */
const MODEL_LIMITS = { ...LIMITS, headBytesMax: 1, targetBytesMax: 1 };

export const CHUNKED_BYTES_MAX = 800;

/** What a decoder made of some bytes; reused. */
class Decoded {
  readonly decoder: ChunkedDecoder = new ChunkedDecoder();
  readonly content: Uint8Array = new Uint8Array(CHUNKED_BYTES_MAX);
  contentBytes = 0;
  /** The last event. */
  event = 0;
  /** How many bytes were used. */
  used = 0;

  reset(): void {
    this.decoder.reset();
    this.contentBytes = 0;
    this.event = 0;
    this.used = 0;
  }

  /** Takes all of `bytes`, or as much as belongs to the body. */
  take(bytes: Uint8Array, from: number, to: number): void {
    const { decoder, content } = this;
    let at = from;
    do {
      this.event = decoder.next(bytes, at, to, LIMITS);
      if (this.event < 0) return;
      check(decoder.position >= at && decoder.position <= to, 'no more is taken than given');
      if (this.event === ChunkEvent.Data) {
        const { dataStart, dataEnd } = decoder;
        check(dataStart >= at && dataEnd === decoder.position, 'content is part of what is taken');
        for (let p = dataStart; p < dataEnd; p++) content[this.contentBytes++] = bytes[p];
      } else if (this.event === ChunkEvent.NeedMore) {
        same(decoder.position, to, 'what is taken before more is needed');
      }
      this.used += decoder.position - at;
      at = decoder.position;
    } while (this.event === ChunkEvent.Data && at < to);
  }

  get isOver(): boolean {
    return this.event < 0 || this.event === ChunkEvent.Done;
  }
}

const whole = new Decoded();
const pieces = new Decoded();
/** Every piece lies in the same memory, over the piece before it. */
const memory = new Uint8Array(CHUNKED_BYTES_MAX + 32);

export function checkChunked(input: Uint8Array, thorough: boolean): void {
  const hash = hashOf(input);
  whole.reset();
  whole.take(input, 0, input.length);
  inPieces(input, (hash & 15) + 1, (hash >>> 4) & 63);
  sameAs(whole);
  if (thorough) {
    inPieces(input, 1, 0);
    sameAs(whole);
  }
  if (whole.event !== ChunkEvent.Done) return;
  const { decoder } = whole;
  same(decoder.next(input, 0, input.length, LIMITS), ChunkEvent.Done, 'after the end comes');
  same(decoder.position, 0, 'what is taken after the end');
  byTheGrammar(input);
  writtenAnew(hash);
}

/** The model throws when it refuses. */
function byTheGrammar(input: Uint8Array): void {
  const text = Buffer.from(input.subarray(0, whole.used)).toString('latin1');
  const reader = new Reader(text, 0);
  const { content } = modelChunkedBody(reader, MODEL_LIMITS);
  same(reader.at, whole.used, 'by the model the body ends at');
  same(content.length, whole.contentBytes, 'by the model its content has bytes:');
  for (let p = 0; p < content.length; p++) {
    if (content.charCodeAt(p) !== whole.content[p]) check(false, 'content is that of the model');
  }
}

/** The first piece has `first` bytes more than the others. */
function inPieces(input: Uint8Array, size: number, first: number): void {
  pieces.reset();
  let end = 0;
  for (let from = 0; from < input.length && !pieces.isOver; from = end) {
    end = Math.min(input.length, from + size + (from === 0 ? first : 0));
    const start = from & 7;
    memory.fill(from & 1 ? 0x0a : 0x0d);
    memory.set(input.subarray(from, end), start);
    pieces.take(memory, start, start + end - from);
  }
}

/** After a fault nobody asks how far it was: only which one it is. */
function sameAs(expected: Decoded): void {
  same(last(pieces), last(expected), 'the end of it in pieces');
  same(pieces.contentBytes, expected.contentBytes, 'bytes of content in pieces');
  for (let p = 0; p < expected.contentBytes; p++) {
    if (pieces.content[p] !== expected.content[p]) check(false, 'content in pieces is the same');
  }
  if (expected.event !== ChunkEvent.Done) return;
  same(pieces.used, expected.used, 'bytes used in pieces');
  sameTrailers(pieces.decoder, expected.decoder);
}

/** A piece that ends with content does not say so: there may be more. */
function last({ event }: Decoded): number {
  return event === ChunkEvent.Data ? ChunkEvent.NeedMore : event;
}

function sameTrailers(one: ChunkedDecoder, other: ChunkedDecoder): void {
  same(one.trailerCount, other.trailerCount, 'trailers');
  for (let index = 0; index < other.trailerCount; index++) {
    same(one.trailerName(index), other.trailerName(index), 'name of a trailer');
    same(one.trailerValue(index), other.trailerValue(index), 'value of a trailer');
  }
}

function writtenAnew(hash: number): void {
  const content = Buffer.from(whole.content.subarray(0, whole.contentBytes));
  const parts: string[] = [];
  const size = 1 + (hash % 97);
  for (let from = 0; from < content.length; from += size) {
    const part = content.subarray(from, from + size);
    parts.push(`${part.length.toString(16)}\r\n${part.toString('latin1')}\r\n`);
  }
  parts.push('0\r\n');
  const { decoder } = whole;
  for (let index = 0; index < decoder.trailerCount; index++) {
    parts.push(`${decoder.trailerName(index)}:${decoder.trailerValue(index)}\r\n`);
  }
  const bytes = Buffer.from(`${parts.join('')}\r\n`, 'latin1');
  pieces.reset();
  pieces.take(bytes, 0, bytes.length);
  same(pieces.event, ChunkEvent.Done, 'written anew it ends in');
  same(pieces.used, bytes.length, 'bytes of it written anew');
  same(pieces.contentBytes, whole.contentBytes, 'content of it written anew');
  const copy = pieces.content.subarray(0, pieces.contentBytes);
  check(Buffer.compare(copy, content) === 0, 'content written anew is the same');
  sameTrailers(pieces.decoder, decoder);
}
