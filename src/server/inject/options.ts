// What server.inject() takes, and the request head that it becomes. What would make two requests of
// one throws; everything else is sent as given, so that tests can send what clients should not.

import { ANY, checkOptions, type OptionRule, TEXT } from '../../base/options.ts';
import { shown } from '../../base/shown.ts';
import type { ChunkSource } from '../../exchange/source.ts';
import { checkedName, checkValue, isToken } from '../../http/response-fields.ts';

/** Field names and values: an object, pairs, or Headers. */
export type InjectHeaders =
  | Readonly<Record<string, string | number | readonly string[]>>
  | Iterable<readonly [string, string]>;

/** Content of known length, or a source of chunks, which is sent with a chunked coding. */
export type InjectBody =
  | string
  | Uint8Array
  | ArrayBuffer
  | URLSearchParams
  | FormData
  | Blob
  | ChunkSource;

/** A request for server.inject(). */
export interface InjectOptions {
  /** GET unless given. */
  readonly method?: string;
  /** '/' unless given. Sent as it is: it is neither encoded nor normalized. */
  readonly target?: string;
  /** Host is localhost unless given. */
  readonly headers?: InjectHeaders;
  readonly body?: InjectBody | null;
  /** Sent as JSON, with its Content-Type, in place of `body`. */
  readonly json?: unknown;
  /** The client leaves when it aborts. */
  readonly signal?: AbortSignal | null;
  /** The client's address; 127.0.0.1 unless given. */
  readonly remoteAddress?: string;
  readonly remotePort?: number;
}

const PORT_MAX = 65_535;

const RULES: Readonly<Record<keyof InjectOptions, OptionRule>> = {
  method: { wanted: 'a method, as GET', fits: (value) => isToken(value as string) },
  target: { wanted: 'a string without line ends', fits: isLine },
  headers: { wanted: 'an object, pairs or Headers', fits: isObject },
  body: ANY,
  json: ANY,
  signal: { wanted: 'an AbortSignal', fits: (value) => value === null || isObject(value) },
  remoteAddress: TEXT,
  remotePort: {
    wanted: 'a port',
    fits: (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= PORT_MAX,
  },
};

function isLine(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && !/[\r\n\0]/.test(value);
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

/** Throws a TypeError for options that are unknown or invalid. */
export function checkInjectOptions(options: InjectOptions): void {
  checkOptions('inject()', options, RULES);
  const { body, json } = options;
  if (json !== undefined && body !== undefined && body !== null) {
    throw new TypeError('inject(): give body or json, not both');
  }
}

/** The field lines of a request: [name, value]. Throws a TypeError for an invalid one. */
export function fieldsOf(headers: InjectHeaders | undefined): [name: string, value: string][] {
  const fields: [string, string][] = [];
  if (headers === undefined) return fields;
  const isPairs = Symbol.iterator in headers;
  const pairs: Iterable<readonly [string, unknown]> = isPairs ? headers : Object.entries(headers);
  for (const [name, given] of pairs) {
    checkedName(name);
    const values: readonly unknown[] = Array.isArray(given) ? given : [given];
    for (const value of values) {
      if (typeof value !== 'string' && typeof value !== 'number') {
        const wanted = 'a string, a number or a list of strings';
        throw new TypeError(`inject(): header ${name} is ${wanted}, given ${shown(value)}`);
      }
      checkValue(name, String(value));
      fields.push([name, String(value)]);
    }
  }
  return fields;
}

export interface RequestHead {
  readonly method: string;
  readonly target: string;
  readonly fields: readonly (readonly [string, string])[];
  /** Of the content; -1 for a chunked body, null without a body. */
  readonly length: number | null;
  /** The type of the content, where the fields have none. */
  readonly type: string | null;
}

/** Methods that define no meaning for content: no length is sent without a body. */
const WITHOUT_CONTENT = ['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT'];

/** The bytes of a head, with the fields that frame its body. */
export function headBytes({ method, target, fields, length, type }: RequestHead): Uint8Array {
  const lines = [`${method} ${target} HTTP/1.1`];
  const names = new Set<string>();
  for (const [name, value] of fields) {
    const lower = name.toLowerCase();
    checkFraming(lower, value, length);
    if (lower === 'content-length') continue;
    names.add(lower);
    lines.push(`${name}: ${value}`);
  }
  if (!names.has('host')) lines.splice(1, 0, 'Host: localhost');
  if (type !== null && !names.has('content-type')) lines.push(`Content-Type: ${type}`);
  if (length === -1) lines.push('Transfer-Encoding: chunked');
  else if (length !== null) lines.push(`Content-Length: ${length}`);
  else if (!WITHOUT_CONTENT.includes(method)) lines.push('Content-Length: 0');
  const [first, ...others] = lines;
  // A target may have any characters; field values are Latin-1 (checkValue).
  return Buffer.concat([
    Buffer.from(first, 'utf8'),
    Buffer.from(`\r\n${others.join('\r\n')}\r\n\r\n`, 'latin1'),
  ]);
}

/** A request whose framing does not fit its body would be another request, or two. */
function checkFraming(lowerName: string, value: string, length: number | null): void {
  if (lowerName === 'content-length' && value === String(length ?? 0)) return;
  if (lowerName !== 'content-length' && lowerName !== 'transfer-encoding') return;
  throw new TypeError(`inject(): it sets the field ${lowerName} itself, from the body`);
}
