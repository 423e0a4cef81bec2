// Properties of a connection, for any bytes that a client sends: it receives well-formed responses,
// no more than requests, nothing after the last one; a second client that sends the same bytes at
// once receives the same.

import { type RawResponse, readResponse } from '../../testing/raw-response.ts';
import { check, same } from './check.ts';
import type { Seen } from './handlers.ts';
import { type ClientBehaviour, Ending, MemoryServer } from './memory-server.ts';

export const CONNECTION_BYTES_MAX = 1_500;
/** The control bytes: see behaviourOf(). */
export const CONNECTION_CONTROL_BYTES = 3;

/** A server is reused this often: its state is part of the result of a run. */
const CONVERSATIONS_MAX = 512;

/** Status codes of error responses of the server itself. */
const ERROR_STATUSES = new Set([400, 408, 413, 414, 417, 431, 501, 505]);

let server: MemoryServer | null = null;
let conversations = 0;

/** The result of one client. */
interface Conversation {
  readonly seen: readonly Seen[];
  /** Without interim responses. */
  readonly responses: readonly RawResponse[];
  /** The last response is truncated. */
  readonly isCut: boolean;
}

export async function checkConnection(input: Uint8Array): Promise<void> {
  if (conversations % CONVERSATIONS_MAX === 0) server = null;
  conversations += 1;
  server ??= new MemoryServer();
  try {
    const bytes = input.subarray(CONNECTION_CONTROL_BYTES);
    const behaviour = behaviourOf(input);
    const first = await converse(server, bytes, behaviour);
    const { ending } = behaviour;
    const unsplit = { splitBytes: 16_384, pauses: false, takenBytes: 1 << 20, ending };
    const second = await converse(server, bytes, unsplit);
    if (ending !== Ending.Reset) sameConversation(first, second);
  } catch (error) {
    // A broken server must not fail the next input, too.
    server = null;
    conversations = 0;
    throw error;
  }
}

function behaviourOf(input: Uint8Array): ClientBehaviour {
  const [how = 0, split = 0, taken = 0] = input;
  const ways = [Ending.Close, Ending.Close, Ending.Stay, Ending.Reset];
  return {
    splitBytes: split === 0 ? 16_384 : split,
    pauses: (how & 4) !== 0,
    takenBytes: taken === 0 ? 1 << 20 : 16 * taken,
    ending: ways[how & 3],
  };
}

async function converse(
  server: MemoryServer,
  bytes: Uint8Array,
  behaviour: ClientBehaviour,
): Promise<Conversation> {
  const { counters, handled } = server;
  handled.seen.length = 0;
  const { requests, resets } = { ...counters };
  const output = await server.converse(bytes, behaviour);
  const seen = handled.seen.slice();
  const read = readResponses(output, seen, bytes);
  const { responses, isCut } = read;
  const wasReset = behaviour.ending === Ending.Reset;
  check(
    !isCut || wasReset || counters.resets > resets,
    'a response is truncated only with a reason',
  );
  check(seen.length <= counters.requests - requests, 'handlers see requests only');
  const whole = responses.length + (isCut ? 1 : 0);
  check(whole <= seen.length + 1, 'there are no more responses than requests');
  if (!wasReset && counters.resets === resets) {
    check(responses.length >= seen.length, 'every request gets a response');
  }
  const last = responses[responses.length - 1];
  if (responses.length > seen.length) {
    check(
      ERROR_STATUSES.has(last.status),
      `an invalid request gets an error response, not ${last.status}`,
    );
    same(last.field('connection'), 'close', 'an error response ends the connection');
  }
  for (const response of responses) {
    check(response.field('date') !== undefined, 'a response has a Date');
    if (response === last && !isCut) continue;
    check(response.field('connection') !== 'close', 'nothing follows the last response');
  }
  return { seen, responses, isCut };
}

/**
 * All responses, each read by the method of its request; throws for a malformed one. An error
 * response to a HEAD request, which no handler saw, has no content (RFC 9110 9.3.2).
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
    else same(response.status, 100, 'an interim response');
    rest = rest.subarray(response.raw.length);
  }
  return { responses, isCut: false };
}

/** A request of the sent bytes may begin with the method HEAD; behind a body no line begins. */
function beginsHead(sent: Uint8Array): boolean {
  return Buffer.from(sent).includes('HEAD ');
}

function sameConversation(first: Conversation, second: Conversation): void {
  for (let index = 0; index < first.seen.length && index < second.seen.length; index++) {
    same(first.seen[index].method, second.seen[index].method, 'method');
    same(first.seen[index].target, second.seen[index].target, 'target');
    // Whether a failing stream has begun depends on the splits: its response may differ.
    if (first.seen[index].target.includes('/stream') && fails(first, second, index)) return;
  }
  same(first.seen.length, second.seen.length, 'requests when split');
  same(first.responses.length, second.responses.length, 'responses when split');
  for (const [index, response] of first.responses.entries()) {
    const other = second.responses[index];
    same(response.status, other.status, 'status');
    // Whether the last response has Connection: close depends on whether the client's end, in the
    // middle of an unread body, had arrived when it was written.
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
