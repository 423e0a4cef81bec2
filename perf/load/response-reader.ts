// Reads answers one after the other from the bytes of a connection: only as much of HTTP as a
// client needs to know that an answer was whole. Without Content-Length there is none.

export interface RawResponse {
  readonly status: number;
  /** Whether the connection ends after it. */
  readonly closes: boolean;
}

const BLANK_LINE = Buffer.from('\r\n\r\n');
const HEAD_BYTES_MAX = 16_384;

export class ResponseReader {
  #head = Buffer.alloc(0);
  #response: RawResponse | null = null;
  #missing = 0;

  /** Whether some of an answer has come, and not all. */
  get isBegun(): boolean {
    return this.#response !== null || this.#head.length > 0;
  }

  /** The answer when `chunk` ends it, null while more has to come; an Error when it is none. */
  feed(chunk: Buffer): RawResponse | null | Error {
    if (this.#response !== null) return this.#content(chunk.length);
    this.#head = Buffer.concat([this.#head, chunk]);
    const end = this.#head.indexOf(BLANK_LINE);
    if (end < 0) {
      return this.#head.length > HEAD_BYTES_MAX ? new Error('a head without an end') : null;
    }
    const head = this.#head.toString('latin1', 0, end + 2);
    const status = /^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1];
    const length = /\r\nContent-Length: (\d+)\r\n/i.exec(head)?.[1];
    if (status === undefined || length === undefined) {
      return new Error(`not such an answer: ${JSON.stringify(head.slice(0, 60))}`);
    }
    const closes = /\r\nConnection: close\r\n/i.test(head);
    this.#response = { status: Number(status), closes };
    this.#missing = Number(length);
    const content = this.#head.length - end - BLANK_LINE.length;
    this.#head = Buffer.alloc(0);
    return this.#content(content);
  }

  #content(bytes: number): RawResponse | null | Error {
    this.#missing -= bytes;
    if (this.#missing < 0) return new Error('more than one answer');
    if (this.#missing > 0) return null;
    const response = this.#response;
    this.#response = null;
    return response;
  }
}
