// Reads one response after another from the bytes of a connection: only as much of HTTP as a client
// needs to detect the end of a response. A response needs a Content-Length.

export interface RawResponse {
  readonly status: number;
  /** Whether the server closes the connection after it. */
  readonly closes: boolean;
}

const BLANK_LINE = Buffer.from('\r\n\r\n');
const HEAD_BYTES_MAX = 16_384;

export class ResponseReader {
  #head = Buffer.alloc(0);
  #response: RawResponse | null = null;
  #missing = 0;

  /** Whether a response has begun and is incomplete. */
  get isBegun(): boolean {
    return this.#response !== null || this.#head.length > 0;
  }

  /** The response when `chunk` completes it, null while more has to come; an Error when invalid. */
  feed(chunk: Buffer): RawResponse | null | Error {
    if (this.#response !== null) return this.#content(chunk.length);
    this.#head = Buffer.concat([this.#head, chunk]);
    const end = this.#head.indexOf(BLANK_LINE);
    if (end < 0) {
      return this.#head.length > HEAD_BYTES_MAX
        ? new Error(`a head of more than ${HEAD_BYTES_MAX} bytes`)
        : null;
    }
    const head = this.#head.toString('latin1', 0, end + 2);
    const status = /^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1];
    const length = /\r\nContent-Length: (\d+)\r\n/i.exec(head)?.[1];
    if (status === undefined || length === undefined) {
      return new Error(
        `no HTTP/1.1 response with a Content-Length: ${JSON.stringify(head.slice(0, 60))}`,
      );
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
    if (this.#missing < 0) return new Error('more than one response');
    if (this.#missing > 0) return null;
    const response = this.#response;
    this.#response = null;
    return response;
  }
}
