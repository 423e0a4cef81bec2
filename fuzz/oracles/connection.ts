// What has to be true of a whole connection, whatever a client sends: what it gets are answers, as
// many as there were requests at most and nothing behind the last one; and another client who sends
// the same in one piece gets the same.

import { type RawResponse, readResponse } from '../../testing/raw-response.ts';
import { check, same } from './check.ts';
import type { Seen } from './handlers.ts';
import { Ending, type Manner, MemoryServer } from './memory-server.ts';

export const CONNECTION_BYTES_MAX = 1_500;
/** What stands in front of the bytes that are sent: see mannerOf(). */
export const CONNECTION_CONTROL_BYTES = 3;

/** A world is used again, as in life, but not for ever: its state is part of what a run means. */
const CONVERSATIONS_MAX = 512;

/** What a connection may be refused with, beside what handlers answer. */
const REFUSALS = new Set([400, 408, 413, 414, 417, 431, 501, 505]);

let runtime: MemoryServer | null = null;
let conversations = 0;

/** One client's part of it. */
interface Conversation {
  readonly seen: readonly Seen[];
  /** Without the interim ones. */
  readonly responses: readonly RawResponse[];
  /** The last answer is not whole. */
  readonly isCut: boolean;
}

export async function checkConnection(input: Uint8Array): Promise<void> {
  if (conversations % CONVERSATIONS_MAX === 0) runtime = null;
  conversations += 1;
  runtime ??= new MemoryServer();
  try {
    const bytes = input.subarray(CONNECTION_CONTROL_BYTES);
    const manner = mannerOf(input);
    const first = await converse(runtime, bytes, manner);
    const { ending } = manner;
    const smooth = { pieceBytes: 16_384, pauses: false, takenBytes: 1 << 20, ending };
    const second = await converse(runtime, bytes, smooth);
    if (ending !== Ending.Reset) sameConversation(first, second);
  } catch (error) {
    // Whatever is wrong with it must not be found again with another input.
    runtime = null;
    conversations = 0;
    throw error;
  }
}

function mannerOf(input: Uint8Array): Manner {
  const [how = 0, piece = 0, taken = 0] = input;
  const ways = [Ending.Close, Ending.Close, Ending.Silence, Ending.Reset];
  return {
    pieceBytes: piece === 0 ? 16_384 : piece,
    pauses: (how & 4) !== 0,
    takenBytes: taken === 0 ? 1 << 20 : 16 * taken,
    ending: ways[how & 3],
  };
}

async function converse(
  runtime: MemoryServer,
  bytes: Uint8Array,
  manner: Manner,
): Promise<Conversation> {
  const { counters, handled } = runtime;
  handled.seen.length = 0;
  const { requests, resets } = { ...counters };
  const output = await runtime.converse(bytes, manner);
  const seen = handled.seen.slice();
  const read = readResponses(output, seen, bytes);
  const { responses, isCut } = read;
  const wasReset = manner.ending === Ending.Reset;
  check(!isCut || wasReset || counters.resets > resets, 'an answer is cut only with a reason');
  check(seen.length <= counters.requests - requests, 'handlers see requests only');
  const whole = responses.length + (isCut ? 1 : 0);
  check(whole <= seen.length + 1, 'there are no more answers than requests');
  if (!wasReset && counters.resets === resets) {
    check(responses.length >= seen.length, 'every request gets its answer');
  }
  const last = responses[responses.length - 1];
  if (responses.length > seen.length) {
    check(REFUSALS.has(last.status), `what is no request is refused, not ${last.status}`);
    same(last.field('connection'), 'close', 'a refusal ends its connection');
  }
  for (const response of responses) {
    check(response.field('date') !== undefined, 'an answer has a date');
    if (response === last && !isCut) continue;
    check(response.field('connection') !== 'close', 'nothing follows the last answer');
  }
  return { seen, responses, isCut };
}

/**
 * All answers, each by the method of its request; throws where one is none. A refusal has no
 * content when what it refuses began as a HEAD (RFC 9110 9.3.2), which no handler saw.
 */
function readResponses(
  output: Buffer,
  seen: readonly Seen[],
  sent: Uint8Array,
): { responses: RawResponse[]; isCut: boolean } {
  const responses: RawResponse[] = [];
  let rest = output;
  while (rest.length > 0) {
    const method = seen[responses.length]?.method ?? '';
    let response = readResponse(rest, method, true);
    if (response === null && responses.length === seen.length && beginsHead(sent)) {
      response = readResponse(rest, 'HEAD', true);
    }
    if (response === null) return { responses, isCut: true };
    if (response.status >= 200) responses.push(response);
    else same(response.status, 100, 'an interim answer');
    rest = rest.subarray(response.raw.length);
  }
  return { responses, isCut: false };
}

/** A line of what was sent begins with the method HEAD. */
function beginsHead(sent: Uint8Array): boolean {
  return /(?:^|\n)HEAD /.test(Buffer.from(sent).toString('latin1'));
}

function sameConversation(first: Conversation, second: Conversation): void {
  for (let index = 0; index < first.seen.length && index < second.seen.length; index++) {
    same(first.seen[index].method, second.seen[index].method, 'method');
    same(first.seen[index].target, second.seen[index].target, 'target');
    // A stream that fails has begun or not, as the pieces came; what follows is its failure.
    if (first.seen[index].target.includes('/stream') && fails(first, second, index)) return;
  }
  same(first.seen.length, second.seen.length, 'requests in pieces and in one');
  same(first.responses.length, second.responses.length, 'answers in pieces and in one');
  for (const [index, response] of first.responses.entries()) {
    const other = second.responses[index];
    same(response.status, other.status, 'status');
    // Whether it says that it is the last one depends on whether the end of the stream, in the
    // middle of a body that nobody read, had come when it was written.
    const isLast = index === first.responses.length - 1;
    if (!isLast) same(response.field('connection'), other.field('connection'), 'Connection');
    same(response.framing, other.framing, 'framing');
    same(response.body.equals(other.body), true, 'whether content is the same');
  }
}

function fails(first: Conversation, second: Conversation, index: number): boolean {
  const [one, other] = [first.responses[index], second.responses[index]];
  if (one === undefined || other === undefined) return true;
  return one.status !== 200 || other.status !== 200;
}
