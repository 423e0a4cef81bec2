// Reads multipart/form-data (RFC 7578, RFC 2046 5.1) part by part as it arrives: never more than a
// chunk of the body, or the head of a part, is in memory. It reads only when it is asked to, so a
// client cannot send faster than a handler reads.

import { CR, DASH, LF, SP, TAB } from '../base/ascii.ts';
import { joined } from '../base/bytes.ts';
import { FORM_HEAD_BYTES_MAX } from '../base/fixed-limits.ts';
import { utf8 } from '../http/text.ts';
import { type FormLimits, malformedForm, tooLargeForm, tooManyParts } from './form-parts.ts';
import { type PartHead, parsePartHead } from './part-head.ts';

/** A limit and how the message about it names it. */
export interface NamedLimit {
  readonly max: number;
  readonly name: string;
}

export interface ReaderLimits {
  readonly parts: NamedLimit;
  readonly files: NamedLimit;
  readonly partBytes: NamedLimit;
  readonly totalBytes: NamedLimit;
}

/** Of the configuration; the body has limits of its own. */
export function formReaderLimits({
  formPartsMax,
  formFilesMax,
}: FormLimits): Record<keyof ReaderLimits, NamedLimit> {
  const none = { max: Number.POSITIVE_INFINITY, name: '' };
  return {
    parts: { max: formPartsMax, name: 'form_parts_max' },
    files: { max: formFilesMax, name: 'form_files_max' },
    partBytes: none,
    totalBytes: none,
  };
}

const NO_BYTES = Buffer.alloc(0);
const HEAD_END = '\r\n\r\n';

export class FormReader {
  readonly #read: () => Promise<Uint8Array | null>;
  /** CR LF, two dashes and the boundary. */
  readonly #delimiter: Buffer;
  readonly #limits: ReaderLimits;
  /** What was read; the bytes before #at are done with. */
  #bytes: Buffer = NO_BYTES;
  #at = 0;
  /** True when all of the body was read into #bytes. */
  #ended = false;
  #begun = false;
  /** True from the head of a part to the end of its content. */
  #inPart = false;
  #parts = 0;
  #files = 0;
  #partBytes = 0;
  #totalBytes = 0;

  /** `read` returns the next chunk of the body, null at its end. */
  constructor(read: () => Promise<Uint8Array | null>, boundary: string, limits: ReaderLimits) {
    this.#read = read;
    this.#delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
    this.#limits = limits;
  }

  /** The head of the next part, null after the last. Skips what is left of the part before. */
  async nextPart(): Promise<PartHead | null> {
    while (this.#inPart) await this.nextChunk();
    if (!this.#begun) await this.#begin();
    // Behind a delimiter: two dashes and the end, or CR LF and a part.
    await this.#have(2);
    if (this.#isNext(DASH, DASH)) {
      await this.#end();
      return null;
    }
    await this.#skipPadding();
    await this.#have(2);
    if (!this.#isNext(CR, LF)) malformedForm('a boundary does not end its line');
    this.#parts += 1;
    const { parts, files } = this.#limits;
    if (this.#parts > parts.max) tooManyParts(parts.max, parts.name);
    const head = await this.#head();
    if (head.filename !== undefined) this.#files += 1;
    if (this.#files > files.max) tooLargeForm(`more than ${files.max} files (${files.name})`);
    this.#inPart = true;
    this.#partBytes = 0;
    return head;
  }

  /** The next bytes of the content of the current part, null at its end. */
  async nextChunk(): Promise<Uint8Array | null> {
    while (this.#inPart) {
      const end = this.#contentEnd();
      const from = this.#at;
      if (end > from) {
        this.#at = end;
        this.#countPart(end - from);
        return this.#bytes.subarray(from, end);
      }
      if (this.#isAtDelimiter()) {
        this.#at += this.#delimiter.length;
        this.#inPart = false;
      } else if (!(await this.#fill())) malformedForm('its last boundary is missing');
    }
    return null;
  }

  #countPart(bytes: number): void {
    this.#partBytes += bytes;
    const { max, name } = this.#limits.partBytes;
    if (this.#partBytes > max) tooLargeForm(`a part of more than ${max} bytes (${name})`);
  }

  /** Up to where the bytes are content: to a delimiter, or to what may become one. */
  #contentEnd(): number {
    const bytes = this.#bytes;
    const found = bytes.indexOf(this.#delimiter, this.#at);
    if (found >= 0) return found;
    // A delimiter has one CR, at its beginning.
    const last = bytes.lastIndexOf(CR);
    if (last < this.#at || bytes.length - last >= this.#delimiter.length) return bytes.length;
    const begun = this.#delimiter.subarray(0, bytes.length - last);
    return bytes.subarray(last).equals(begun) ? last : bytes.length;
  }

  #isAtDelimiter(): boolean {
    const { length } = this.#delimiter;
    return this.#bytes.subarray(this.#at, this.#at + length).equals(this.#delimiter);
  }

  /** Reads the first delimiter, before which there may be empty lines. */
  async #begin(): Promise<void> {
    this.#begun = true;
    const why = 'its content does not begin with its boundary';
    do {
      // Without a pause for each: a form may be nothing else.
      while (this.#isNext(CR, LF)) this.#at += 2;
      await this.#have(2, why);
    } while (this.#isNext(CR, LF));
    const dashed = this.#delimiter.subarray(2);
    await this.#have(dashed.length, why);
    const begin = this.#bytes.subarray(this.#at, this.#at + dashed.length);
    if (!begin.equals(dashed)) malformedForm(why);
    this.#at += dashed.length;
  }

  /** Reads the head of a part; the line end before it is at #at. */
  async #head(): Promise<PartHead> {
    let searchFrom = this.#at;
    for (;;) {
      const end = this.#bytes.indexOf(HEAD_END, searchFrom, 'latin1');
      const length = (end < 0 ? this.#bytes.length - HEAD_END.length + 1 : end) - this.#at;
      if (length > FORM_HEAD_BYTES_MAX) {
        tooLargeForm(`a part with a head of more than ${FORM_HEAD_BYTES_MAX} bytes`);
      }
      if (end >= 0) {
        const head = parsePartHead(utf8(this.#bytes, Math.min(this.#at + 2, end), end));
        this.#at = end + HEAD_END.length;
        return head;
      }
      const unsearched = Math.max(this.#bytes.length - HEAD_END.length + 1, this.#at) - this.#at;
      if (!(await this.#fill())) malformedForm('a part ends within its head');
      searchFrom = this.#at + unsearched;
    }
  }

  /** Behind the last delimiter there may be line ends, and nothing else. */
  async #end(): Promise<void> {
    this.#at += 2;
    await this.#skipPadding();
    do {
      for (; this.#at < this.#bytes.length; this.#at++) {
        const byte = this.#bytes[this.#at];
        if (byte !== CR && byte !== LF) malformedForm('something follows its last boundary');
      }
    } while (await this.#fill());
  }

  /** Transport padding (RFC 2046 5.1.1): what a mail server appended to the line of a boundary. */
  async #skipPadding(): Promise<void> {
    do {
      for (; this.#at < this.#bytes.length; this.#at++) {
        const byte = this.#bytes[this.#at];
        if (byte !== SP && byte !== TAB) return;
      }
    } while (await this.#fill());
  }

  #isNext(first: number, second: number): boolean {
    return this.#bytes[this.#at] === first && this.#bytes[this.#at + 1] === second;
  }

  /** Reads until there are so many bytes. */
  async #have(count: number, why = 'its last boundary is missing'): Promise<void> {
    while (this.#bytes.length - this.#at < count) {
      if (!(await this.#fill())) malformedForm(why);
    }
  }

  /** Reads a chunk behind the bytes that are left, of which there are few. False at the end. */
  async #fill(): Promise<boolean> {
    const chunk = this.#ended ? null : await this.#read();
    if (chunk === null) {
      this.#ended = true;
      return false;
    }
    this.#totalBytes += chunk.length;
    const { max, name } = this.#limits.totalBytes;
    if (this.#totalBytes > max) tooLargeForm(`more than ${max} bytes (${name})`);
    const left = this.#bytes.subarray(this.#at);
    const added = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    this.#bytes = left.length === 0 ? added : joined([left, added]);
    this.#at = 0;
    return true;
  }
}
