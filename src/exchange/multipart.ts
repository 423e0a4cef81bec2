// The content type multipart/byteranges (RFC 9110 14.6): several ranges of one representation, each
// with a head of its own, and its length in advance.

import type { ByteRange } from '../http/range.ts';

interface Part {
  /** The delimiter and the fields of the part. */
  readonly head: string;
  readonly range: ByteRange;
}

export interface Multipart {
  readonly parts: readonly Part[];
  readonly end: string;
  /** The length of all of it. */
  readonly bytes: number;
  /** All of it, with the ranges of `content`. */
  join(content: Uint8Array): Uint8Array;
}

/** `type` is the media type of the representation, which has `length` bytes. */
export function multipartOf(
  ranges: readonly ByteRange[],
  boundary: string,
  type: string | null,
  length: number,
): Multipart {
  const typeLine = type === null ? '' : `Content-Type: ${type}\r\n`;
  const end = `\r\n--${boundary}--\r\n`;
  let bytes = end.length;
  const parts = ranges.map((range, index): Part => {
    const { from, to } = range;
    const delimiter = `${index === 0 ? '' : '\r\n'}--${boundary}\r\n`;
    const head = `${delimiter}${typeLine}Content-Range: bytes ${from}-${to - 1}/${length}\r\n\r\n`;
    bytes += head.length + to - from;
    return { head, range };
  });
  return { parts, end, bytes, join: (content) => join(parts, end, bytes, content) };
}

function join(parts: readonly Part[], end: string, bytes: number, content: Uint8Array): Uint8Array {
  const joined = Buffer.allocUnsafe(bytes);
  let at = 0;
  for (const { head, range } of parts) {
    at += joined.write(head, at, 'latin1');
    joined.set(content.subarray(range.from, range.to), at);
    at += range.to - range.from;
  }
  joined.write(end, at, 'latin1');
  return joined;
}
