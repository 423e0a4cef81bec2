// The independent response reader (RFC 9112): it shares no code with the server, its load generator
// or testing/raw-response.ts, so a mistake of one of those cannot hide here. It reads a stream of
// responses as chunks arrive, and reports whatever it does not understand as the server's mistake.

export interface RawResponse {
  readonly status: number;
  readonly minor: number;
  /** Lower-case names with their values, in order. */
  readonly fields: readonly (readonly [string, string])[];
  readonly body: Uint8Array;
  readonly trailers: readonly (readonly [string, string])[];
  /** The connection ends after it. */
  readonly close: boolean;
  /** False when the stream ended before the response. */
  readonly whole: boolean;
}

type State = 'head' | 'length' | 'size' | 'chunk' | 'chunk end' | 'trailers' | 'until end' | 'over';

const NOTHING: Buffer = Buffer.alloc(0);

type Field = readonly [string, string];

/** Parsed fields by their line: most responses repeat the same lines. */
const fieldsRead = new Map<string, Field>();
const FIELDS_READ_MAX = 5000;

/** No simulated server sends longer heads. */
const LINE_BYTES_MAX = 32768;

export class ResponseReader {
  /** The methods of the requests without a response. */
  readonly methods: string[] = [];
  /** What is wrong with the bytes received; null when nothing is. */
  problem: string | null = null;
  #state: State = 'head';
  #buffer: Buffer = NOTHING;
  #status = 0;
  #minor = 1;
  #fields: Field[] = [];
  #close = false;
  #left = 0;
  #body: Uint8Array[] = [];
  #trailers: Field[] = [];
  readonly #responses: RawResponse[] = [];

  /** True between two responses, with nothing of the next one received. */
  get isBetween(): boolean {
    return this.#state === 'head' && this.#buffer.length === 0;
  }

  /** True when the head of the current response is read. */
  get isInBody(): boolean {
    return this.#state !== 'head' && this.#state !== 'over';
  }

  /** What was not read yet, or could not be. */
  get rest(): string {
    return this.#buffer.toString('latin1');
  }

  get bodyBytes(): number {
    return this.#body.reduce((sum, { length }) => sum + length, 0);
  }

  /** Takes bytes; next() then returns complete responses, interim ones too. */
  push(bytes: Uint8Array): void {
    this.#buffer =
      this.#buffer.length === 0
        ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
        : Buffer.concat([this.#buffer, bytes]);
    while (this.problem === null && this.#step()) {
      // One step after the other.
    }
  }

  next(): RawResponse | undefined {
    return this.#responses.shift();
  }

  /** The stream ended: the response that this truncates or completes, or null. */
  end(): RawResponse | null {
    if (this.#state === 'until end') {
      this.#finish(true);
      return this.#responses.shift() ?? null;
    }
    if (!this.isInBody) return null;
    this.#finish(false);
    return this.#responses.pop() ?? null;
  }

  #step(): boolean {
    switch (this.#state) {
      case 'head':
        return this.#readHead();
      case 'length':
        return this.#readCounted('head');
      case 'size':
        return this.#readSize();
      case 'chunk':
        return this.#readCounted('chunk end');
      case 'chunk end':
        return this.#readLineEnd();
      case 'trailers':
        return this.#readTrailer();
      case 'until end':
        this.#take(this.#buffer.length);
        return false;
      case 'over':
        if (this.#buffer.length > 0) this.#fail('bytes after the last response');
        return false;
      default:
        return this.#state satisfies never;
    }
  }

  #fail(problem: string): false {
    this.problem ??= problem;
    return false;
  }

  /** A line without its end, null while it is incomplete. */
  #line(): string | null {
    const end = this.#buffer.indexOf('\r\n');
    if (end < 0) {
      if (this.#buffer.length > LINE_BYTES_MAX) this.#fail('a line without end');
      return null;
    }
    const line = this.#buffer.toString('latin1', 0, end);
    this.#buffer = this.#buffer.subarray(end + 2);
    return line;
  }

  #readHead(): boolean {
    const end = this.#buffer.indexOf('\r\n\r\n');
    if (end < 0) {
      const begin = this.#buffer.toString('latin1', 0, Math.min(5, this.#buffer.length));
      if (!'HTTP/'.startsWith(begin)) return this.#fail(`no response begins with ${quoted(begin)}`);
      return this.#buffer.length > LINE_BYTES_MAX ? this.#fail('a head without end') : false;
    }
    const lines = this.#buffer.toString('latin1', 0, end).split('\r\n');
    this.#buffer = this.#buffer.subarray(end + 4);
    const status = /^HTTP\/1\.([01]) (\d{3}) [\x20-\x7e]*$/.exec(lines[0]);
    if (status === null) return this.#fail(`no status line: ${quoted(lines[0])}`);
    this.#minor = Number(status[1]);
    this.#status = Number(status[2]);
    this.#fields = [];
    for (const line of lines.slice(1)) {
      const field = fieldsRead.get(line) ?? readField(line);
      if (field === null) return this.#fail(`no field: ${quoted(line)}`);
      this.#fields.push(field);
    }
    return this.#frame();
  }

  #values(name: string): string[] {
    const values: string[] = [];
    for (const field of this.#fields) if (field[0] === name) values.push(field[1]);
    return values;
  }

  /** RFC 9112 section 6.3. */
  #frame(): boolean {
    if (this.#status < 200) return this.#interim();
    const method = this.methods.shift();
    const connection = this.#values('connection').join(',').toLowerCase();
    this.#close = connection.includes('close');
    const lengths = this.#values('content-length');
    const codings = this.#values('transfer-encoding');
    if (lengths.length > 1) return this.#fail('two Content-Length fields');
    if (lengths.length > 0 && codings.length > 0) return this.#fail('two kinds of framing');
    if (method === 'HEAD' || this.#status === 204 || this.#status === 304) {
      this.#finish(true);
      return true;
    }
    if (codings.length > 0) {
      if (codings.join() !== 'chunked') return this.#fail(`coding ${quoted(codings.join())}`);
      this.#state = 'size';
    } else if (lengths.length > 0) {
      if (!/^\d{1,15}$/.test(lengths[0])) return this.#fail(`length ${quoted(lengths[0])}`);
      this.#left = Number(lengths[0]);
      this.#state = 'length';
    } else {
      this.#close = true;
      this.#state = 'until end';
    }
    return true;
  }

  #interim(): boolean {
    if (this.#status !== 100) return this.#fail(`an interim response ${this.#status}`);
    this.#push(true, false);
    return true;
  }

  /** Takes what has arrived of a counted run of bytes; `after` is the state behind it. */
  #readCounted(after: 'head' | 'chunk end'): boolean {
    this.#left -= this.#take(Math.min(this.#left, this.#buffer.length));
    if (this.#left > 0) return false;
    if (after === 'head') this.#finish(true);
    else this.#state = after;
    return true;
  }

  #take(count: number): number {
    if (count > 0) this.#body.push(this.#buffer.subarray(0, count));
    this.#buffer = this.#buffer.subarray(count);
    return count;
  }

  #readSize(): boolean {
    const line = this.#line();
    if (line === null) return false;
    if (!/^[0-9A-Fa-f]{1,12}$/.test(line)) return this.#fail(`chunk size ${quoted(line)}`);
    this.#left = Number.parseInt(line, 16);
    this.#state = this.#left === 0 ? 'trailers' : 'chunk';
    return true;
  }

  #readLineEnd(): boolean {
    if (this.#buffer.length < 2) return false;
    if (this.#line() !== '') return this.#fail('a chunk longer than its size');
    this.#state = 'size';
    return true;
  }

  #readTrailer(): boolean {
    const line = this.#line();
    if (line === null) return false;
    if (line === '') {
      this.#finish(true);
      return true;
    }
    const field = readField(line);
    if (field === null) return this.#fail(`no trailer field: ${quoted(line)}`);
    this.#trailers.push(field);
    return true;
  }

  #finish(whole: boolean): void {
    this.#push(whole, this.#close || !whole);
    this.#body = [];
    this.#trailers = [];
    this.#state = this.#close ? 'over' : 'head';
  }

  #push(whole: boolean, close: boolean): void {
    const body = this.#body.length === 1 ? this.#body[0] : Buffer.concat(this.#body);
    const rest = { fields: this.#fields, body, trailers: this.#trailers, close, whole };
    this.#responses.push({ status: this.#status, minor: this.#minor, ...rest });
  }
}

function readField(line: string): Field | null {
  const parts = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(line);
  if (parts === null) return null;
  const field: Field = [parts[1].toLowerCase(), parts[2]];
  if (fieldsRead.size >= FIELDS_READ_MAX) fieldsRead.clear();
  fieldsRead.set(line, field);
  return field;
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 60));
}
