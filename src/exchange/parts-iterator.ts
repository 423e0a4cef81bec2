// The parts of a form, one after the other: what `for await (const part of req.parts())` runs.

import type { AsyncIo } from '../async-io/async-io.ts';
import { checkOptions, isPlainObject, type OptionRule, wholeNumber } from '../base/options.ts';
import { lateRead, takeBody } from './body-reads.ts';
import type { Exchange } from './exchange.ts';
import { fieldValue } from './field-value.ts';
import { MULTIPART, typeOf, wrongType } from './form.ts';
import { FormPart, type FormSource } from './form-part.ts';
import { boundaryOf } from './form-parts.ts';
import { FormReader, formReaderLimits, type ReaderLimits } from './form-reader.ts';
import { HttpError } from './http-error.ts';
import { quietly } from './late.ts';
import { requestLine } from './request-line.ts';

/** Limits of one form (413). */
export interface PartLimits {
  /** Fields and files together, instead of form_parts_max. */
  readonly parts?: number;
  /** Instead of form_files_max. */
  readonly files?: number;
  /** Bytes of the content of each part. */
  readonly partBytes?: number;
  /** Bytes of the form; stream_bytes_max is a limit in any case. */
  readonly totalBytes?: number;
}

/** Options of req.parts(). */
export interface PartsOptions {
  readonly limits?: PartLimits;
}

const LIMITS: OptionRule = { wanted: 'an object of limits', fits: isPlainObject };
const LIMIT_RULES: Readonly<Record<keyof PartLimits, OptionRule>> = {
  parts: wholeNumber('parts'),
  files: wholeNumber('files'),
  partBytes: wholeNumber('bytes'),
  totalBytes: wholeNumber('bytes'),
};

export function checkPartsOptions(options: PartsOptions): void {
  checkOptions('parts()', options, { limits: LIMITS });
  checkOptions('parts()', options.limits ?? {}, LIMIT_RULES);
}

const DONE = { done: true, value: undefined } as const;

export class PartsIterator implements AsyncIterator<FormPart>, FormSource {
  readonly reader: FormReader;
  readonly asyncIo: AsyncIo;
  readonly bytesMax: number;
  readonly saved: string[] = [];
  current: FormPart | null = null;
  isReading = false;
  failure: unknown = null;
  readonly #exchange: Exchange;
  #ended = false;
  /** A saveTo() failed, and the next part was not asked for. */
  #isUnsaved = false;

  constructor(exchange: Exchange, identity: object, options: PartsOptions) {
    const { services } = exchange;
    this.#exchange = exchange;
    this.asyncIo = services.asyncIo;
    this.bytesMax = exchange.bodyLimit;
    let boundary = '';
    try {
      takeBody(exchange, identity);
      // The iterator may be kept: the record behind it must stay this request's.
      exchange.retain();
      boundary = multipartBoundary(exchange);
    } catch (error) {
      this.failure = error;
    }
    const read = () => exchange.transport.readChunk(exchange);
    this.reader = new FormReader(read, boundary, readerLimits(exchange, options.limits ?? {}));
  }

  next(): Promise<IteratorResult<FormPart>> {
    return quietly(this.#next());
  }

  async #next(): Promise<IteratorResult<FormPart>> {
    if (this.failure !== null) return this.refuse(this.failure);
    if (this.#ended) {
      await lateRead(this.#exchange);
      return DONE;
    }
    if (this.isReading) {
      const what = 'the part before is still being read: await its bytes(), text() or saveTo()';
      return this.refuse(new TypeError(what));
    }
    this.current = null;
    this.#isUnsaved = false;
    this.isReading = true;
    try {
      const head = await this.reader.nextPart();
      if (head !== null) {
        this.current = new FormPart(head, this);
        return { done: false, value: this.current };
      }
    } catch (error) {
      return this.fail(error);
    } finally {
      this.isReading = false;
    }
    this.#ended = true;
    return DONE;
  }

  /** The handler leaves the loop: files that were saved stay, unless a failed saveTo() ends it. */
  async return(): Promise<IteratorResult<FormPart>> {
    const isOver = this.#ended || this.failure !== null;
    this.#ended = true;
    if (isOver) await lateRead(this.#exchange);
    // `return part.text()` within the loop leaves it while the part is being read.
    else if (!this.isReading) {
      this.current = null;
      this.#exchange.leaveBody();
      if (this.#isUnsaved) await this.#removeFiles();
    }
    return DONE;
  }

  async unsaved(error: unknown): Promise<void> {
    this.#isUnsaved = true;
    if (error instanceof HttpError && error.status === 507 && error.cause instanceof Error) {
      const { message } = error.cause;
      this.#exchange.services.logError(`${requestLine(this.#exchange)}: ${message}`);
    }
    // `return part.saveTo()` has left the loop.
    if (this.#ended) await this.#removeFiles();
  }

  async #removeFiles(): Promise<void> {
    for (const path of this.saved.splice(0)) await this.asyncIo.remove(path);
  }

  async fail(error: unknown): Promise<never> {
    this.failure ??= error;
    this.current = null;
    // What is left of the body is not read.
    this.#exchange.leaveBody();
    await this.#removeFiles();
    return this.refuse(error);
  }

  async refuse(error: unknown): Promise<never> {
    await lateRead(this.#exchange);
    throw error;
  }
}

function multipartBoundary(exchange: Exchange): string {
  const type = fieldValue(exchange, 'content-type') ?? '';
  if (typeOf(type) !== MULTIPART) throw new HttpError(415, wrongType(typeOf(type), MULTIPART));
  return boundaryOf(type);
}

function readerLimits({ services }: Exchange, given: PartLimits): ReaderLimits {
  const limits = formReaderLimits(services.limits);
  for (const name of Object.keys(LIMIT_RULES) as (keyof PartLimits)[]) {
    const max = given[name];
    if (max !== undefined) limits[name] = { max, name: `limits.${name}` };
  }
  return limits;
}
