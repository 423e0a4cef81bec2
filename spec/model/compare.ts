// Compares Vibing's parser and llhttp on one stream. Each difference has a name of differences.ts.

import { classifyAccepted, classifyParts, classifyRejected } from './differences.ts';
import { LLHTTP_METHODS, Llhttp, type LlhttpMessage } from './llhttp.ts';
import { type Message, modelStream } from './model.ts';
import { DEFAULT_LIMITS } from './streams.ts';
import { readStream } from './subject.ts';

export interface Found {
  /** A name of DIFFERENCES, or '' for one that is not listed. */
  readonly id: string;
  readonly what: string;
}

/** Compares message by message, while both parse the same messages. */
export function compare(stream: Uint8Array): readonly Found[] {
  const { messages, end } = readStream(stream, DEFAULT_LIMITS);
  const llhttp = new Llhttp();
  const found: Found[] = [];
  let at = 0;
  for (const message of messages) {
    const bytes = stream.subarray(at, at + message.bytes);
    const differences = compareMessage(message, bytes, llhttp);
    found.push(...differences.found);
    if (!differences.inSync) return found;
    at += message.bytes;
  }
  const rest = stream.subarray(at);
  if (end.kind === 'rejected' || end.kind === 'incomplete') {
    const before = llhttp.messages.length;
    llhttp.feed(rest);
    const consumed = llhttp.messages[before];
    if (consumed === undefined) return found;
    const { rule } = modelStream(stream, DEFAULT_LIMITS);
    const what = `${end.kind} (${rule}), but llhttp accepts ${JSON.stringify(consumed)}`;
    found.push({ id: classifyRejected(end, rule, rest, consumed), what });
  }
  return found;
}

interface Compared {
  readonly found: readonly Found[];
  /** Whether both parsers are at the same byte, so that the next message can be compared. */
  readonly inSync: boolean;
}

/** Compares a message that Vibing accepts: in llhttp it must end at the same byte. */
function compareMessage(message: Message, bytes: Uint8Array, llhttp: Llhttp): Compared {
  const before = llhttp.messages.length;
  llhttp.feed(bytes.subarray(0, -1));
  const early = llhttp.messages[before];
  if (early === undefined) llhttp.feed(bytes.subarray(-1));
  const { error } = llhttp;
  if (error !== null) {
    const what = `accepted, but llhttp reports ${error.code}, ${error.reason}`;
    const id = classifyAccepted(message, bytes, error, LLHTTP_METHODS);
    return { found: [{ id, what }], inSync: false };
  }
  const other = llhttp.messages[before];
  if (early !== undefined || other === undefined) {
    const when = other === undefined ? 'late' : 'early';
    const id = classifyParts(when, message, bytes, other);
    return { found: [{ id, what: `llhttp ends it too ${when}` }], inSync: false };
  }
  const found = partsThatDiffer(message, other).map((part) => ({
    id: classifyParts(part, message, bytes, other),
    what: `${part} of ${JSON.stringify(message)} and ${JSON.stringify(other)}`,
  }));
  return { found, inSync: other.keepAlive && !other.upgrade };
}

function partsThatDiffer(message: Message, other: LlhttpMessage): readonly string[] {
  const pairs: Readonly<Record<string, readonly [unknown, unknown]>> = {
    method: [message.method, other.method === '' ? message.method : other.method],
    target: [message.target, other.target],
    version: [`1.${message.minor}`, `${other.major}.${other.minor}`],
    fields: [flat(message.fields), lowerNames(other.fields)],
    body: [message.body, other.body],
    trailers: [flat(message.trailers), lowerNames(other.trailers)],
    keepAlive: [message.framing.keepAlive, other.keepAlive],
    upgrade: [message.framing.upgrade || message.method === 'CONNECT', other.upgrade],
  };
  return Object.keys(pairs).filter((name) => {
    const [ours, theirs] = pairs[name];
    return JSON.stringify(ours) !== JSON.stringify(theirs);
  });
}

function flat(fields: readonly (readonly [string, string])[]): readonly string[] {
  return fields.flat();
}

/** Names in lower case; in the list, names and values alternate. */
function lowerNames(pairs: readonly string[]): readonly string[] {
  return pairs.map((text, index) => (index % 2 === 0 ? text.toLowerCase() : text));
}
