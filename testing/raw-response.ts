// The response reader of tests and fuzzer: reads one response from bytes, as strictly as RFC 9112
// allows a client to be, and throws for anything else. It shares no code with the server. The
// simulator has another independent reader, for streams: harness/clients/response-reader.ts.

export type Pair = readonly [name: string, value: string];

export interface RawResponse {
  readonly status: number;
  readonly reason: string;
  /** Fields as they were written, in their order. */
  readonly fields: readonly Pair[];
  readonly framing: 'none' | 'length' | 'chunked' | 'close';
  readonly body: Buffer;
  readonly text: string;
  /** Sizes of the chunks, without the last one of size 0. */
  readonly chunks: readonly number[];
  readonly trailers: readonly Pair[];
  /** All bytes of the response. */
  readonly raw: Buffer;
  /** The value of a field that may occur once. */
  field(name: string): string | undefined;
  /** All values of a field. */
  all(name: string): string[];
}

export class ResponseFault extends Error {
  override readonly name = 'ResponseFault';
}

const STATUS_LINE = /^HTTP\/1\.1 ([1-5][0-9]{2}) ([\t\x20-\x7e\x80-\xff]*)$/;
const FIELD_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/;
const CHUNK_LINE = /^[0-9A-Fa-f]{1,8}$/;

interface Head {
  readonly status: number;
  readonly reason: string;
  readonly fields: readonly Pair[];
  /** The start of the content. */
  readonly end: number;
}

interface Content {
  readonly framing: RawResponse['framing'];
  readonly body: Buffer;
  readonly chunks: readonly number[];
  readonly trailers: readonly Pair[];
  readonly end: number;
}

/** The response at the beginning of `bytes`; null while it is incomplete. */
export function readResponse(bytes: Buffer, method: string, ended: boolean): RawResponse | null {
  const head = readHead(bytes);
  if (head === null) return null;
  const content = readContent(bytes, head, method, ended);
  if (content === null) return null;
  const { status, reason, fields } = head;
  const { framing, chunks, trailers, end } = content;
  // A copy: the caller reuses its memory.
  const body = Buffer.from(content.body);
  const all = (name: string) => valuesOf(fields, name);
  return {
    status,
    reason,
    fields,
    framing,
    body,
    text: body.toString('utf8'),
    chunks,
    trailers,
    raw: Buffer.from(bytes.subarray(0, end)),
    all,
    field: (name) => {
      const values = all(name);
      if (values.length > 1) throw new ResponseFault(`${values.length} fields ${name}`);
      return values[0];
    },
  };
}

function readHead(bytes: Buffer): Head | null {
  const first = lineAt(bytes, 0);
  if (first === null) return null;
  const match = STATUS_LINE.exec(first.text);
  if (match === null) throw new ResponseFault(`status line ${JSON.stringify(first.text)}`);
  const section = readFields(bytes, first.end);
  if (section === null) return null;
  return { status: Number(match[1]), reason: match[2], fields: section.fields, end: section.end };
}

/** Reads field lines and the empty line after them. */
function readFields(bytes: Buffer, from: number): { fields: Pair[]; end: number } | null {
  const fields: Pair[] = [];
  let at = from;
  for (;;) {
    const line = lineAt(bytes, at);
    if (line === null) return null;
    at = line.end;
    if (line.text === '') return { fields, end: at };
    const match = FIELD_LINE.exec(line.text);
    if (match === null) throw new ResponseFault(`field line ${JSON.stringify(line.text)}`);
    fields.push([match[1], match[2]]);
  }
}

/** A line ends in CRLF; a bare CR or LF is a fault. */
function lineAt(bytes: Buffer, from: number): { text: string; end: number } | null {
  const feed = bytes.indexOf(10, from);
  const to = feed < 0 ? bytes.length : feed;
  const carriage = bytes.subarray(from, to).indexOf(13);
  if (feed < 0) {
    if (carriage >= 0 && from + carriage < to - 1) throw new ResponseFault('CR without LF');
    return null;
  }
  if (carriage < 0 || from + carriage !== feed - 1)
    throw new ResponseFault('LF without CR, or CR inside');
  return { text: bytes.toString('latin1', from, feed - 1), end: feed + 1 };
}

function readContent(bytes: Buffer, head: Head, method: string, ended: boolean): Content | null {
  const lengths = valuesOf(head.fields, 'content-length');
  const codings = valuesOf(head.fields, 'transfer-encoding');
  if (lengths.length > 1) throw new ResponseFault('Content-Length twice');
  if (codings.length > 1) throw new ResponseFault('Transfer-Encoding twice');
  if (lengths.length + codings.length > 1) throw new ResponseFault('two framings');
  if (lengths.length === 1 && !/^[0-9]+$/.test(lengths[0])) throw new ResponseFault('bad length');
  if (codings.length === 1 && codings[0] !== 'chunked') throw new ResponseFault('unknown coding');
  const { status, end: start } = head;
  if (status < 200 || status === 204) {
    if (lengths.length + codings.length > 0) throw new ResponseFault(`framing on a ${status}`);
  }
  const none = status < 200 || status === 204 || status === 304 || method === 'HEAD';
  const empty = { chunks: [], trailers: [] };
  if (none) return { framing: 'none', body: bytes.subarray(0, 0), ...empty, end: start };
  if (codings.length === 1) return readChunked(bytes, start);
  if (lengths.length === 1) {
    const end = start + Number(lengths[0]);
    if (end > bytes.length) return null;
    return { framing: 'length', body: bytes.subarray(start, end), ...empty, end };
  }
  if (!valuesOf(head.fields, 'connection').includes('close')) {
    throw new ResponseFault('the content has no framing and no Connection: close');
  }
  if (!ended) return null;
  return { framing: 'close', body: bytes.subarray(start), ...empty, end: bytes.length };
}

function readChunked(bytes: Buffer, start: number): Content | null {
  const parts: Buffer[] = [];
  const chunks: number[] = [];
  let at = start;
  for (;;) {
    const line = lineAt(bytes, at);
    if (line === null) return null;
    if (!CHUNK_LINE.test(line.text)) throw new ResponseFault(`chunk ${JSON.stringify(line.text)}`);
    const size = Number.parseInt(line.text, 16);
    at = line.end;
    if (size === 0) break;
    if (at + size + 2 > bytes.length) return null;
    parts.push(bytes.subarray(at, at + size));
    chunks.push(size);
    at += size;
    if (bytes[at] !== 13 || bytes[at + 1] !== 10) throw new ResponseFault('no CRLF after a chunk');
    at += 2;
  }
  const section = readFields(bytes, at);
  if (section === null) return null;
  const { fields: trailers, end } = section;
  return { framing: 'chunked', body: Buffer.concat(parts), chunks, trailers, end };
}

function valuesOf(fields: readonly Pair[], name: string): string[] {
  const lower = name.toLowerCase();
  return fields.filter((pair) => pair[0].toLowerCase() === lower).map((pair) => pair[1]);
}
