// Properties of a chunked body, for any bytes: content, trailers and end do not depend on splits;
// encoded again in other chunks it decodes to the same; the model of spec/model/ reads the same.

import { modelChunkedBody } from '../../spec/model/model-chunked.ts';
import { Reader } from '../../spec/model/reader.ts';
import { ChunkEvent, ChunkedDecoder, type ChunkedLimits } from '../../src/http/chunked.ts';
import { check, hashOf, same } from './check.ts';

/** Small, so that small inputs reach them. */
const LIMITS: ChunkedLimits = { chunkExtensionBytesMax: 60, trailerBytesMax: 160, fieldsMax: 5 };
/** The model knows those of heads as well. */
const MODEL_LIMITS = { ...LIMITS, headBytesMax: 1, targetBytesMax: 1 };

export const CHUNKED_BYTES_MAX = 800;

/** The result of a decoder; reused. */
class Decoded {
  readonly decoder: ChunkedDecoder = new ChunkedDecoder();
  readonly content: Uint8Array = new Uint8Array(CHUNKED_BYTES_MAX);
  contentBytes = 0;
  /** The last event. */
  event = 0;
  /** The bytes consumed. */
  used = 0;

  reset(): void {
    this.decoder.reset();
    this.contentBytes = 0;
    this.event = 0;
    this.used = 0;
  }

  /** Decodes `bytes` up to the end of the body. */
  take(bytes: Uint8Array, from: number, to: number): void {
    const { decoder, content } = this;
    let at = from;
    do {
      this.event = decoder.next(bytes, at, to, LIMITS);
      if (this.event < 0) return;
      check(
        decoder.position >= at && decoder.position <= to,
        'no more bytes are consumed than given',
      );
      if (this.event === ChunkEvent.Data) {
        const { dataStart, dataEnd } = decoder;
        check(
          dataStart >= at && dataEnd === decoder.position,
          'content is part of the consumed bytes',
        );
        for (let p = dataStart; p < dataEnd; p++) content[this.contentBytes++] = bytes[p];
      } else if (this.event === ChunkEvent.NeedMore) {
        same(decoder.position, to, 'bytes consumed before NeedMore');
      }
      this.used += decoder.position - at;
      at = decoder.position;
    } while (this.event === ChunkEvent.Data && at < to);
  }

  get isOver(): boolean {
    return this.event < 0 || this.event === ChunkEvent.Done;
  }
}

const complete = new Decoded();
const split = new Decoded();
/** Every split part overwrites the part before it in the same memory. */
const memory = new Uint8Array(CHUNKED_BYTES_MAX + 32);

export function checkChunked(input: Uint8Array, thorough: boolean): void {
  const hash = hashOf(input);
  complete.reset();
  complete.take(input, 0, input.length);
  checkSplit(input, (hash & 15) + 1, (hash >>> 4) & 63);
  sameAs(complete);
  if (thorough) {
    checkSplit(input, 1, 0);
    sameAs(complete);
  }
  if (complete.event !== ChunkEvent.Done) return;
  const { decoder } = complete;
  same(decoder.next(input, 0, input.length, LIMITS), ChunkEvent.Done, 'the event after the end');
  same(decoder.position, 0, 'bytes consumed after the end');
  asTheModel(input);
  checkReEncoded(hash);
}

/** The model throws for an invalid body. */
function asTheModel(input: Uint8Array): void {
  const text = Buffer.from(input.subarray(0, complete.used)).toString('latin1');
  const reader = new Reader(text, 0);
  const { content } = modelChunkedBody(reader, MODEL_LIMITS);
  same(reader.at, complete.used, 'the end of the body by the model');
  same(content.length, complete.contentBytes, 'the length of the content by the model');
  for (let p = 0; p < content.length; p++) {
    if (content.charCodeAt(p) !== complete.content[p])
      check(false, 'content equals that of the model');
  }
}

/** The first part has `first` bytes more than the others. */
function checkSplit(input: Uint8Array, size: number, first: number): void {
  split.reset();
  let end = 0;
  for (let from = 0; from < input.length && !split.isOver; from = end) {
    end = Math.min(input.length, from + size + (from === 0 ? first : 0));
    const start = from & 7;
    memory.fill(from & 1 ? 0x0a : 0x0d);
    memory.set(input.subarray(from, end), start);
    split.take(memory, start, start + end - from);
  }
}

/** After a fault only the kind of fault counts, not the position. */
function sameAs(expected: Decoded): void {
  same(last(split), last(expected), 'the end when split');
  same(split.contentBytes, expected.contentBytes, 'bytes of content when split');
  for (let p = 0; p < expected.contentBytes; p++) {
    if (split.content[p] !== expected.content[p]) check(false, 'content is the same when split');
  }
  if (expected.event !== ChunkEvent.Done) return;
  same(split.used, expected.used, 'bytes consumed when split');
  sameTrailers(split.decoder, expected.decoder);
}

/** The last event of a part may be Data, where more content may follow. */
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

function checkReEncoded(hash: number): void {
  const content = Buffer.from(complete.content.subarray(0, complete.contentBytes));
  const parts: string[] = [];
  const size = 1 + (hash % 97);
  for (let from = 0; from < content.length; from += size) {
    const part = content.subarray(from, from + size);
    parts.push(`${part.length.toString(16)}\r\n${part.toString('latin1')}\r\n`);
  }
  parts.push('0\r\n');
  const { decoder } = complete;
  for (let index = 0; index < decoder.trailerCount; index++) {
    parts.push(`${decoder.trailerName(index)}:${decoder.trailerValue(index)}\r\n`);
  }
  const bytes = Buffer.from(`${parts.join('')}\r\n`, 'latin1');
  split.reset();
  split.take(bytes, 0, bytes.length);
  same(split.event, ChunkEvent.Done, 'the last event when encoded again');
  same(split.used, bytes.length, 'bytes consumed when encoded again');
  same(split.contentBytes, complete.contentBytes, 'bytes of content when encoded again');
  const copy = split.content.subarray(0, split.contentBytes);
  check(Buffer.compare(copy, content) === 0, 'content is the same when encoded again');
  sameTrailers(split.decoder, decoder);
}
