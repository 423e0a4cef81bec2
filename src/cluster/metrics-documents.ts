// Composes documents of metrics in a thread of their own, chunk by chunk: a chunk is made when the
// other side has taken one before, so that a client that reads slowly costs no memory.

import { readSync } from 'node:fs';
import { crc32, deflateRawSync, constants as zlib } from 'node:zlib';
import { documentOf } from '../metrics/documents.ts';
import { type ReadableSegment, Reader, type SegmentSource } from '../metrics/reader.ts';
import { HEADER_BYTES, MAGIC, Word } from '../metrics/segment.ts';
import type { CompositionOrder } from '../server/metrics-composer.ts';

/** To the thread. With `more` it may fill a slot again. */
export type ToComposer =
  | {
      readonly kind: 'begin';
      readonly id: number;
      readonly order: CompositionOrder;
      readonly slots: readonly SharedArrayBuffer[];
    }
  | { readonly kind: 'more'; readonly id: number; readonly slot: number }
  | { readonly kind: 'cancel'; readonly id: number };

/**
 * From the thread: so many bytes are in a slot, none at the end; or why there are none; or that the
 * slots are not filled any more, in reply to `cancel`.
 */
export type FromComposer =
  | { readonly id: number; readonly slot: number; readonly bytes: number }
  | { readonly id: number; readonly cancelled: true }
  | { readonly id: number; readonly failed: string };

/** Text is encoded in parts of so many characters. */
const TEXT_CHARACTERS = 65_536;

/** Text is compressed in larger ones. */
const GZIP_CHARACTERS = 1024 * 1024;
const GZIP_LEVEL = 1;
/** ID1, ID2, CM, FLG, MTIME, XFL (fastest), OS (unknown): RFC 1952 2.3. */
const GZIP_HEADER = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255);
/** A last block without content (RFC 1951 3.2.6). */
const LAST_BLOCK = Uint8Array.of(3, 0);

interface Open {
  readonly slots: readonly SharedArrayBuffer[];
  readonly parts: Iterator<Uint8Array>;
  /** Of the last part what had no room in a slot. */
  rest: Uint8Array;
}

export class ComposedDocuments {
  readonly #post: (message: FromComposer) => void;
  readonly #open = new Map<number, Open>();
  #sources: readonly SegmentSource[] = [];
  readonly #reader: Reader = new Reader(() => this.#sources.map(readable));

  constructor(post: (message: FromComposer) => void) {
    this.#post = post;
  }

  received(message: ToComposer): void {
    const { id } = message;
    if (message.kind === 'begin') {
      const { order, slots } = message;
      this.#open.set(id, { slots, parts: this.#parts(order), rest: new Uint8Array(0) });
      for (const slot of slots.keys()) this.#next(id, slot);
    } else if (message.kind === 'more') this.#next(id, message.slot);
    else {
      this.#open.delete(id);
      this.#post({ id, cancelled: true });
    }
  }

  #next(id: number, slot: number): void {
    const open = this.#open.get(id);
    if (open === undefined) return;
    try {
      const bytes = fill(open, new Uint8Array(open.slots[slot]));
      if (bytes === 0) this.#open.delete(id);
      this.#post({ id, slot, bytes });
    } catch (error) {
      this.#open.delete(id);
      this.#post({ id, failed: (error as Error).message });
    }
  }

  #parts(order: CompositionOrder): Iterator<Uint8Array> {
    const { facts, format, isGzip, seconds, segments } = order;
    this.#sources = segments;
    const text = documentOf(format, this.#reader, facts, seconds);
    return isGzip ? gzipParts(text) : textParts(text);
  }
}

/** How many bytes were written; less than there is room for only at the end. */
function fill(open: Open, slot: Uint8Array): number {
  let at = 0;
  while (at < slot.length) {
    if (open.rest.length === 0) {
      const { done, value } = open.parts.next();
      if (done === true) break;
      open.rest = value;
    }
    const part = open.rest.subarray(0, slot.length - at);
    slot.set(part, at);
    at += part.length;
    open.rest = open.rest.subarray(part.length);
  }
  return at;
}

/** A segment of another process is copied: its end first, so that what it has is whole. */
function readable(source: SegmentSource): ReadableSegment {
  const { id } = source;
  if ('buffer' in source) return { id, buffer: source.buffer };
  const { at, fd } = source;
  const header = new Uint32Array(HEADER_BYTES / 4);
  readSync(fd, header, 0, HEADER_BYTES, at);
  if (header[Word.Magic] !== MAGIC) return { id, buffer: new ArrayBuffer(HEADER_BYTES) };
  const bytes = new Uint8Array(header[Word.End]);
  readSync(fd, bytes, 0, bytes.length, at);
  // Records behind the end that was read first are not whole.
  new Uint32Array(bytes.buffer)[Word.End] = bytes.length;
  return { id, buffer: bytes.buffer };
}

/** Parts of at least so many characters, but for the last one. */
function* joined(chunks: Iterable<string>, characters: number): Generator<string> {
  let text = '';
  for (const chunk of chunks) {
    text += chunk;
    if (text.length < characters) continue;
    yield text;
    text = '';
  }
  if (text !== '') yield text;
}

function* textParts(chunks: Iterable<string>): Generator<Uint8Array> {
  for (const text of joined(chunks, TEXT_CHARACTERS)) yield Buffer.from(text);
}

/** One member (RFC 1952 2.2), whose blocks are compressed part by part. */
function* gzipParts(chunks: Iterable<string>): Generator<Uint8Array> {
  const options = { level: GZIP_LEVEL, finishFlush: zlib.Z_SYNC_FLUSH };
  let sum = 0;
  let length = 0;
  yield GZIP_HEADER;
  for (const text of joined(chunks, GZIP_CHARACTERS)) {
    const bytes = Buffer.from(text);
    sum = crc32(bytes, sum);
    length += bytes.length;
    yield deflateRawSync(bytes, options);
  }
  yield LAST_BLOCK;
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(sum, 0);
  // Its length modulo 2 ** 32.
  trailer.writeUInt32LE(length >>> 0, 4);
  yield trailer;
}
