// One part of a form as a handler gets it, while it arrives: its content is read once, in chunks,
// at once, or into a file.

import type { AsyncIo } from '../async-io/async-io.ts';
import { joined } from '../base/bytes.ts';
import { checkOptions } from '../base/options.ts';
import { BODY_RULES, type BodyOptions } from './body-options.ts';
import type { FormReader } from './form-reader.ts';
import { HttpError } from './http-error.ts';
import { textOf } from './json-text.ts';
import { quietly } from './late.ts';
import type { PartHead } from './part-head.ts';
import { type SavedFile, saveChunks } from './save-file.ts';

/** What the parts of one form share. */
export interface FormSource {
  readonly reader: FormReader;
  readonly asyncIo: AsyncIo;
  /** The limit of bytes() and text(). */
  readonly bytesMax: number;
  /** Files of this form, which are removed when it fails. */
  readonly saved: string[];
  /** The part that may be read now. */
  current: FormPart | null;
  /** Its content is being read. */
  isReading: boolean;
  /** The form has failed: what its reads reject with. */
  failure: unknown;
  /** A saveTo() failed: the form fails when its handler leaves the loop over it. */
  unsaved(error: unknown): Promise<void>;
  /** The form fails: later reads fail in the same way. */
  fail(error: unknown): Promise<never>;
  /** Rejects, later, so that a loop around it does not block the event loop. */
  refuse(error: unknown): Promise<never>;
}

/** A field or a file of a multipart form (RFC 7578), while it arrives. */
export class FormPart {
  readonly name: string;
  /**
   * The name of a file as its client wrote it, without folders and unusual characters; undefined
   * for a part that is no file, '' for a file field that was left empty. Never use it as a path.
   */
  readonly filename: string | undefined;
  /** The Content-Type of the part, 'text/plain' without one. */
  readonly type: string;
  readonly #source: FormSource;
  #taken = false;

  constructor(head: PartHead, source: FormSource) {
    this.name = head.name;
    this.filename = head.filename;
    this.type = head.type;
    this.#source = source;
  }

  /** The content in chunks, which the caller may keep. */
  get stream(): AsyncIterable<Uint8Array> {
    return { [Symbol.asyncIterator]: () => this.#chunks() };
  }

  /** The content; rejects with HttpError 413 over body_bytes_max, or over `limit`. */
  bytes(options: BodyOptions = {}): Promise<Buffer> {
    checkOptions('bytes()', options, BODY_RULES);
    return quietly(this.#bytes(options));
  }

  /** The content as UTF-8; rejects with HttpError 400 when it is not. */
  text(options: BodyOptions = {}): Promise<string> {
    checkOptions('text()', options, BODY_RULES);
    return quietly(this.#bytes(options).then((bytes) => textOf(bytes, 0, bytes.length)));
  }

  /**
   * Writes the content into a new file: at `path`, or with a random name in it when it is a
   * directory. A file that exists is never overwritten. When the part or the form fails, the file
   * is removed. Rejects with HttpError 507 when there is no room for it, and logs why.
   */
  saveTo(path: string): Promise<SavedFile> {
    if (typeof path !== 'string' || path === '') throw new TypeError('saveTo(): a path is missing');
    return quietly(this.#saveTo(path));
  }

  async #bytes({ limit = this.#source.bytesMax }: BodyOptions): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of this.#chunks()) {
      bytes += chunk.length;
      if (bytes > limit) {
        const what = `the form has a part of more than ${limit} bytes`;
        await this.#source.fail(new HttpError(413, what));
      }
      chunks.push(chunk);
    }
    return joined(chunks);
  }

  async #saveTo(path: string): Promise<SavedFile> {
    const source = this.#source;
    const isOurs = source.current === this && !this.#taken;
    // Also while the file is made: `return part.saveTo(path)` leaves the loop meanwhile.
    if (isOurs) source.isReading = true;
    try {
      const file = await saveChunks(source.asyncIo, path, this.#chunks());
      source.saved.push(file.path);
      return file;
    } catch (error) {
      await source.unsaved(error);
      throw error;
    } finally {
      if (isOurs) source.isReading = false;
    }
  }

  async *#chunks(): AsyncGenerator<Uint8Array, void, void> {
    const source = this.#source;
    if (this.#taken)
      await source.refuse(new TypeError('the content of this part was read already'));
    this.#taken = true;
    for (;;) {
      if (source.current !== this) {
        const over = new TypeError('this part is over: read its content before the next part');
        await source.refuse(source.failure ?? over);
      }
      source.isReading = true;
      let chunk: Uint8Array | null = null;
      try {
        chunk = await source.reader.nextChunk();
      } catch (error) {
        await source.fail(error);
      } finally {
        source.isReading = false;
      }
      if (chunk === null) return;
      yield chunk;
    }
  }
}
