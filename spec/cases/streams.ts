// The streams that a case is sent in: alone or between other requests, and the splits of its bytes.

import { bytesOf } from '../../testing/splits.ts';
import type { Case, Expected, Message } from './case.ts';

export interface Stream {
  /** 'alone' or 'pipelined', for messages. */
  readonly how: string;
  readonly bytes: Uint8Array;
  /** Where the case begins and ends in the bytes. */
  readonly from: number;
  readonly to: number;
  readonly expected: Expected;
}

/** Longer cases are split at fewer places: around every line end, and at regular distances. */
const EVERY_SPLIT_BYTES_MAX = 2_000;
const STRIDE_BYTES = 211;
const AROUND_BYTES = 3;
const LINE_FEED = 0x0a;

const BEFORE = neighbour('before');
const AFTER = neighbour('after');
/** A request behind a rejected one, which must get no response. */
const SMUGGLED = 'GET /lured HTTP/1.1\r\nHost: lured\r\n\r\n';

/** A request before or after the case; its echo shows that it was parsed correctly. */
function neighbour(name: string): { text: string; message: Message } {
  const fields = [
    ['host', name],
    ['content-length', '2'],
  ] as const;
  const text = `POST /${name} HTTP/1.1\r\nHost: ${name}\r\nContent-Length: 2\r\n\r\nok`;
  const rest = { path: `/${name}`, trailers: [], status: 200, closes: false };
  return {
    text,
    message: { method: 'POST', target: `/${name}`, version: '1.1', fields, body: 'ok', ...rest },
  };
}

export function alone(one: Case): Stream {
  const bytes = bytesOf(one.request);
  return { how: 'alone', bytes, from: 0, to: bytes.length, expected: one.expected };
}

/**
 * Between two valid requests. When the case is rejected or closes the connection, the request
 * behind it must get no response; when it is incomplete, there is none.
 */
export function pipelined(one: Case): Stream {
  const { messages, end } = one.expected;
  const before = [BEFORE.message, ...messages];
  const from = BEFORE.text.length;
  const to = from + one.request.length;
  const stream = (behind: string, expected: Expected): Stream => {
    const bytes = bytesOf(BEFORE.text + one.request + behind);
    return { how: 'pipelined', bytes, from, to, expected };
  };
  switch (end.kind) {
    case 'open':
      return stream(AFTER.text, { messages: [...before, AFTER.message], end });
    case 'incomplete':
      return stream('', { messages: before, end });
    default:
      return stream(SMUGGLED, { messages: before, end });
  }
}

/** Unsplit, byte by byte, and at every single place of the case, including its begin and end. */
export function splitsOf(stream: Stream): readonly (readonly number[])[] {
  const { bytes } = stream;
  const places: number[] = [];
  const isLong = bytes.length > EVERY_SPLIT_BYTES_MAX;
  for (let at = Math.max(1, stream.from); at < Math.min(bytes.length, stream.to + 1); at++) {
    if (!isLong || isWorthSplitting(stream, at)) places.push(at);
  }
  const all = Array.from({ length: bytes.length - 1 }, (_, index) => index + 1);
  return [[], isLong ? places : all, ...places.map((at) => [at])];
}

function isWorthSplitting({ bytes, from, to }: Stream, at: number): boolean {
  if (at % STRIDE_BYTES === 0 || at - from <= AROUND_BYTES || to - at <= AROUND_BYTES) return true;
  return bytes.subarray(at - AROUND_BYTES, at + AROUND_BYTES).includes(LINE_FEED);
}
