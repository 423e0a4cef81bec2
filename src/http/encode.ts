// Writes the head of a response into bytes (RFC 9112 section 4): the status line, Date, the fields
// that the handler set, then the framing fields, which only the server sets.

import { COLON, CR, LF, SP } from '../base/ascii.ts';
import { copyBytes, writeDecimal, writeLatin1 } from '../base/bytes.ts';
import type { ResponseFields } from './response-fields.ts';
import { statusLine } from './status.ts';
import { asciiBytes } from './text.ts';

/** Values in place of a length: no framing field at all, or a chunked body. */
export const LENGTH_NONE = -1;
export const LENGTH_CHUNKED = -2;

/**
 * The Connection field of a response; Keep is for HTTP/1.0, where keep-alive is not the default.
 */
export const ConnectionField = { None: 0, Close: 1, Keep: 2 } as const;
export type ConnectionField = (typeof ConnectionField)[keyof typeof ConnectionField];

/** At most: status line, Date, Content-Length or Transfer-Encoding, Connection and blank line. */
const FIXED_BYTES = 256;

const CONTENT_LENGTH = asciiBytes('Content-Length: ');
const CHUNKED = asciiBytes('Transfer-Encoding: chunked\r\n');
const CLOSE = asciiBytes('Connection: close\r\n');
const KEEP_ALIVE = asciiBytes('Connection: keep-alive\r\n');

/** An upper bound for the bytes of a head with these fields. */
export function headBytesBound(fields: ResponseFields): number {
  return FIXED_BYTES + fields.characters + 4 * fields.count;
}

/**
 * Returns where the head ends. `date` is a complete field line. The caller provides the room that
 * headBytesBound() returns.
 */
export function encodeHead(
  target: Uint8Array,
  at: number,
  status: number,
  fields: ResponseFields,
  date: Uint8Array,
  length: number,
  connection: number,
): number {
  let end = copyBytes(target, at, statusLine(status));
  if (!fields.hasDate) end = copyBytes(target, end, date);
  const count = fields.count;
  for (let index = 0; index < count; index++) {
    end = writeField(target, end, fields.names[index], fields.values[index]);
  }
  if (length >= 0) {
    end = copyBytes(target, end, CONTENT_LENGTH);
    end = writeLineEnd(target, writeDecimal(target, end, length));
  } else if (length === LENGTH_CHUNKED) {
    end = copyBytes(target, end, CHUNKED);
  }
  if (connection === ConnectionField.Close) end = copyBytes(target, end, CLOSE);
  else if (connection === ConnectionField.Keep) end = copyBytes(target, end, KEEP_ALIVE);
  return writeLineEnd(target, end);
}

/** Writes one field line; returns where it ends. */
export function writeField(target: Uint8Array, at: number, name: string, value: string): number {
  let end = writeLatin1(target, at, name);
  target[end] = COLON;
  target[end + 1] = SP;
  end = writeLatin1(target, end + 2, value);
  return writeLineEnd(target, end);
}

export function writeLineEnd(target: Uint8Array, at: number): number {
  target[at] = CR;
  target[at + 1] = LF;
  return at + 2;
}
