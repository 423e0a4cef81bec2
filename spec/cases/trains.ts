// The ways a case is sent: alone or between other requests, and where its bytes are cut.

import { bytesOf } from '../../testing/splits.ts';
import type { Case, Expected, Message } from './case.ts';

export interface Train {
  /** 'alone' or 'in a train', for messages. */
  readonly how: string;
  readonly bytes: Uint8Array;
  /** Where the case begins and ends among them. */
  readonly from: number;
  readonly to: number;
  readonly expected: Expected;
}

/** Longer cases are cut at fewer places: around the end of every line, and here and there. */
const EVERY_CUT_BYTES_MAX = 2_000;
const STRIDE_BYTES = 211;
const AROUND_BYTES = 3;
const LINE_FEED = 0x0a;

const BEFORE = neighbour('before');
const AFTER = neighbour('after');
/** What a refused request must not make the server answer. */
const LURED = 'GET /lured HTTP/1.1\r\nHost: lured\r\n\r\n';

/** A request whose answer says that it was read as it is, next to the case. */
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

export function alone(one: Case): Train {
  const bytes = bytesOf(one.request);
  return { how: 'alone', bytes, from: 0, to: bytes.length, expected: one.expected };
}

/**
 * Behind a request that is fine, and before another one when there is anything to come before. What
 * is refused, or ends the connection, is followed by a request that nobody may answer.
 */
export function inTrain(one: Case): Train {
  const { messages, end } = one.expected;
  const led = [BEFORE.message, ...messages];
  const from = BEFORE.text.length;
  const to = from + one.request.length;
  const train = (behind: string, expected: Expected): Train => {
    const bytes = bytesOf(BEFORE.text + one.request + behind);
    return { how: 'in a train', bytes, from, to, expected };
  };
  switch (end.kind) {
    case 'open':
      return train(AFTER.text, { messages: [...led, AFTER.message], end });
    case 'incomplete':
      return train('', { messages: led, end });
    default:
      return train(LURED, { messages: led, end });
  }
}

/** Whole, byte by byte, and at every single place of the case, its beginning and end included. */
export function everyWay(train: Train): readonly (readonly number[])[] {
  const { bytes } = train;
  const places: number[] = [];
  const isLong = bytes.length > EVERY_CUT_BYTES_MAX;
  for (let at = Math.max(1, train.from); at < Math.min(bytes.length, train.to + 1); at++) {
    if (!isLong || isWorthCutting(train, at)) places.push(at);
  }
  const all = Array.from({ length: bytes.length - 1 }, (_, index) => index + 1);
  return [[], isLong ? places : all, ...places.map((at) => [at])];
}

function isWorthCutting({ bytes, from, to }: Train, at: number): boolean {
  if (at % STRIDE_BYTES === 0 || at - from <= AROUND_BYTES || to - at <= AROUND_BYTES) return true;
  return bytes.subarray(at - AROUND_BYTES, at + AROUND_BYTES).includes(LINE_FEED);
}
