// A response encoded beforehand, for responses that never change: only the Date and, where it is
// needed, the Connection field are encoded per request.

import { shown } from '../base/shown.ts';
import { DATE_BYTES } from '../http/date.ts';
import { ConnectionField, encodeHead, headBytesBound } from '../http/encode.ts';
import { checkedName, fieldText, ResponseFields } from '../http/response-fields.ts';
import { checkStatus, hasNoContent, hasNoLength } from '../http/status.ts';
import { asciiBytes } from '../http/text.ts';
import { checkFraming } from './framing-fields.ts';

const NO_BYTES = new Uint8Array(0);
/** Longer content is sent from where it lies: a copy into a block costs more, or does not fit. */
const TOGETHER_BYTES_MAX: number = 16 * 1024;

const BLANK_DATE = asciiBytes(`Date: ${' '.repeat(DATE_BYTES)}\r\n`);

/** What is sent of a prepared response, by the layers below the handler. */
export interface PreparedParts {
  readonly content: Uint8Array;
  /** The head, and behind it, from headBytes on, content up to TOGETHER_BYTES_MAX. */
  readonly bytes: Uint8Array;
  readonly headBytes: number;
  /** Where the line of the Date field begins, -1 when the fields bring their own. */
  readonly dateAt: number;
  /** The length of a file that is the content, which is empty here; else 0. */
  readonly fileBytes: number;
}

let getParts: (prepared: Prepared) => PreparedParts;

/** A response that prepare() made. Its bytes are shared by requests: handlers cannot reach them. */
export class Prepared {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly #parts: PreparedParts;

  constructor(
    status: number,
    headers: readonly (readonly [string, string])[],
    parts: PreparedParts,
  ) {
    this.status = status;
    this.headers = headers;
    this.#parts = parts;
    Object.freeze(this);
  }

  static {
    getParts = (prepared) => {
      if (typeof prepared === 'object' && prepared !== null && #parts in prepared) {
        return prepared.#parts;
      }
      throw new TypeError(`prepared() sends what prepare() has returned, given ${shown(prepared)}`);
    };
  }

  /** A copy of the content. */
  get body(): Uint8Array {
    return new Uint8Array(this.#parts.content);
  }
}

/** Throws a TypeError for what prepare() did not make. */
export function partsOf(prepared: Prepared): PreparedParts {
  return getParts(prepared);
}

/** Fields of a response as an object or as pairs. */
export type HeaderSource =
  | Readonly<Record<string, string | number>>
  | Iterable<readonly [string, string | number]>;

/** Throws a TypeError or RangeError for what no response may contain. The body is copied. */
export function prepare(
  status: number,
  headers: HeaderSource = {},
  body: string | Uint8Array = '',
): Prepared {
  checkStatus('prepare', status);
  const content = contentOf(body);
  if (hasNoContent(status) && content.length > 0) {
    throw new TypeError(`a response with status ${status} has no content`);
  }
  const fields = new ResponseFields();
  for (const [name, value] of headerPairs(headers)) {
    const lower = checkedName(name);
    checkFraming(lower);
    fields.append(name, lower, fieldText(value));
  }
  if (content.length > 0 && fields.find('content-type') < 0) {
    const type =
      typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/octet-stream';
    fields.append('Content-Type', 'content-type', type);
  }
  const isTogether = content.length <= TOGETHER_BYTES_MAX;
  const bytes = new Uint8Array(headBytesBound(fields) + (isTogether ? content.length : 0));
  const length = hasNoLength(status) ? -1 : content.length;
  const none = ConnectionField.None;
  const headBytes = encodeHead(bytes, 0, status, fields, BLANK_DATE, length, none);
  if (isTogether) bytes.set(content, headBytes);
  return new Prepared(status, pairsOf(fields), {
    content,
    bytes: bytes.slice(0, headBytes + (isTogether ? content.length : 0)),
    headBytes,
    dateAt: fields.hasDate ? -1 : bytes.indexOf(10) + 1,
    fileBytes: 0,
  });
}

/** The head of a 200 whose content is a file of `fileBytes`, which is sent behind it. */
export function prepareHead(
  fields: readonly (readonly [string, string])[],
  fileBytes: number,
): Prepared {
  const known = new ResponseFields();
  for (const [name, value] of fields) known.append(name, checkedName(name), value);
  const bytes = new Uint8Array(headBytesBound(known));
  const headBytes = encodeHead(bytes, 0, 200, known, BLANK_DATE, fileBytes, ConnectionField.None);
  return new Prepared(200, pairsOf(known), {
    content: NO_BYTES,
    bytes: bytes.slice(0, headBytes),
    headBytes,
    dateAt: known.hasDate ? -1 : bytes.indexOf(10) + 1,
    fileBytes,
  });
}

function contentOf(body: unknown): Uint8Array {
  if (typeof body === 'string') return new TextEncoder().encode(body);
  if (body instanceof Uint8Array) return new Uint8Array(body);
  throw new TypeError(`prepare: its body is a string or a Uint8Array, given ${shown(body)}`);
}

/** Throws a TypeError for what would become a field with a value such as 'undefined'. */
function* headerPairs(headers: unknown): Generator<[name: string, value: string | number]> {
  if (typeof headers !== 'object' || headers === null) {
    const order = 'the order is prepare(status, headers, body)';
    const wanted = `its headers are an object or pairs of name and value; ${order}`;
    throw new TypeError(`prepare: ${wanted}, given ${shown(headers)}`);
  }
  const pairs = Symbol.iterator in headers ? headers : Object.entries(headers);
  for (const pair of pairs as Iterable<unknown>) {
    if (!Array.isArray(pair) || pair.length !== 2) {
      throw new TypeError(`prepare: a header is a pair of name and value, given ${shown(pair)}`);
    }
    const [name, value] = pair;
    if (typeof value !== 'string' && !Number.isFinite(value)) {
      const wanted = 'is a string or a finite number';
      throw new TypeError(`prepare: header ${shown(name)} ${wanted}, given ${shown(value)}`);
    }
    yield [name, value];
  }
}

function pairsOf(fields: ResponseFields): readonly (readonly [string, string])[] {
  const pairs: (readonly [string, string])[] = [];
  for (let index = 0; index < fields.count; index++) {
    pairs.push(Object.freeze([fields.names[index], fields.values[index]] as const));
  }
  return Object.freeze(pairs);
}
