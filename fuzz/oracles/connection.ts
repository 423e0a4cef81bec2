// What has to be true of a whole connection, whatever a client sends: what it gets are answers, as
// many as there were requests at most and nothing behind the last one; and another client who sends
// the same in one piece gets the same.

import { type Answer, readAnswer } from '../../testing/raw-response.ts';
import { check, same } from './check.ts';
import type { Seen } from './handlers.ts';
import { Ending, type Manner, MemoryWorld } from './memory-world.ts';

export const CONNECTION_BYTES_MAX = 1_500;
/** What stands in front of the bytes that are sent: see mannerOf(). */
export const CONNECTION_CONTROL_BYTES = 3;

/** A world is used again, as in life, but not for ever: its state is part of what a run means. */
const CONVERSATIONS_MAX = 512;

/** What a connection may be refused with, beside what handlers answer. */
const REFUSALS = new Set([400, 408, 413, 414, 417, 431, 501, 505]);

let world: MemoryWorld | null = null;
let conversations = 0;

/** One client's part of it. */
interface Conversation {
  readonly seen: readonly Seen[];
  /** Without the interim ones. */
  readonly answers: readonly Answer[];
  /** The last answer is not whole. */
  readonly isCut: boolean;
}

export async function checkConnection(input: Uint8Array): Promise<void> {
  if (conversations % CONVERSATIONS_MAX === 0) world = null;
  conversations += 1;
  world ??= new MemoryWorld();
  try {
    const bytes = input.subarray(CONNECTION_CONTROL_BYTES);
    const manner = mannerOf(input);
    const first = await converse(world, bytes, manner);
    const { ending } = manner;
    const smooth = { pieceBytes: 16_384, pauses: false, takenBytes: 1 << 20, ending };
    const second = await converse(world, bytes, smooth);
    if (ending !== Ending.Reset) sameConversation(first, second);
  } catch (error) {
    // Whatever is wrong with it must not be found again with another input.
    world = null;
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
  world: MemoryWorld,
  bytes: Uint8Array,
  manner: Manner,
): Promise<Conversation> {
  const { counters, handled } = world;
  handled.seen.length = 0;
  const { requests, resets } = { ...counters };
  const output = await world.converse(bytes, manner);
  const seen = handled.seen.slice();
  const read = readAnswers(output, seen, bytes);
  const { answers, isCut } = read;
  const wasReset = manner.ending === Ending.Reset;
  check(!isCut || wasReset || counters.resets > resets, 'an answer is cut only with a reason');
  check(seen.length <= counters.requests - requests, 'handlers see requests only');
  const whole = answers.length + (isCut ? 1 : 0);
  check(whole <= seen.length + 1, 'there are no more answers than requests');
  if (!wasReset && counters.resets === resets) {
    check(answers.length >= seen.length, 'every request gets its answer');
  }
  const last = answers[answers.length - 1];
  if (answers.length > seen.length) {
    check(REFUSALS.has(last.status), `what is no request is refused, not ${last.status}`);
    same(last.field('connection'), 'close', 'a refusal ends its connection');
  }
  for (const answer of answers) {
    check(answer.field('date') !== undefined, 'an answer has a date');
    if (answer === last && !isCut) continue;
    check(answer.field('connection') !== 'close', 'nothing follows the last answer');
  }
  return { seen, answers, isCut };
}

/**
 * All answers, each by the method of its request; throws where one is none. A refusal has no
 * content when what it refuses began as a HEAD (RFC 9110 9.3.2), which no handler saw.
 */
function readAnswers(
  output: Buffer,
  seen: readonly Seen[],
  sent: Uint8Array,
): { answers: Answer[]; isCut: boolean } {
  const answers: Answer[] = [];
  let rest = output;
  while (rest.length > 0) {
    const method = seen[answers.length]?.method ?? '';
    let answer = readAnswer(rest, method, true);
    if (answer === null && answers.length === seen.length && beginsHead(sent)) {
      answer = readAnswer(rest, 'HEAD', true);
    }
    if (answer === null) return { answers, isCut: true };
    if (answer.status >= 200) answers.push(answer);
    else same(answer.status, 100, 'an interim answer');
    rest = rest.subarray(answer.raw.length);
  }
  return { answers, isCut: false };
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
  same(first.answers.length, second.answers.length, 'answers in pieces and in one');
  for (const [index, answer] of first.answers.entries()) {
    const other = second.answers[index];
    same(answer.status, other.status, 'status');
    // Whether it says that it is the last one depends on whether the end of the stream, in the
    // middle of a body that nobody read, had come when it was written.
    const isLast = index === first.answers.length - 1;
    if (!isLast) same(answer.field('connection'), other.field('connection'), 'Connection');
    same(answer.framing, other.framing, 'framing');
    same(answer.body.equals(other.body), true, 'whether content is the same');
  }
}

function fails(first: Conversation, second: Conversation, index: number): boolean {
  const [one, other] = [first.answers[index], second.answers[index]];
  if (one === undefined || other === undefined) return true;
  return one.status !== 200 || other.status !== 200;
}
