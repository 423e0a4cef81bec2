// Vibing's parser and llhttp on one stream: in what they differ, each difference under a name that
// differences.ts has a reason for.

import { classifyAccepted, classifyParts, classifyRefused } from './differences.ts';
import { Llhttp, type LlhttpMessage } from './llhttp.ts';
import { type Message, modelStream } from './model.ts';
import { USUAL_LIMITS } from './streams.ts';
import { readStream } from './subject.ts';

export interface Found {
  /** A name of DIFFERENCES, or '' for one that is not listed. */
  readonly id: string;
  readonly what: string;
}

/** Message by message, as far as both go on. */
export function compare(stream: Uint8Array): readonly Found[] {
  const { messages, end } = readStream(stream, USUAL_LIMITS);
  const llhttp = new Llhttp();
  const found: Found[] = [];
  let at = 0;
  for (const message of messages) {
    const bytes = stream.subarray(at, at + message.bytes);
    const differences = compareMessage(message, bytes, llhttp);
    found.push(...differences.found);
    if (!differences.goesOn) return found;
    at += message.bytes;
  }
  const rest = stream.subarray(at);
  if (end.kind === 'refused' || end.kind === 'incomplete') {
    const before = llhttp.messages.length;
    llhttp.feed(rest);
    const taken = llhttp.messages[before];
    if (taken === undefined) return found;
    const { rule } = modelStream(stream, USUAL_LIMITS);
    const what = `${end.kind} (${rule}), but llhttp takes ${JSON.stringify(taken)}`;
    found.push({ id: classifyRefused(end, rule, taken), what });
  }
  return found;
}

interface Compared {
  readonly found: readonly Found[];
  /** Whether llhttp is where Vibing is, so that what follows can be compared. */
  readonly goesOn: boolean;
}

/** A message that Vibing takes: it must end for llhttp at the very same byte. */
function compareMessage(message: Message, bytes: Uint8Array, llhttp: Llhttp): Compared {
  const before = llhttp.messages.length;
  llhttp.feed(bytes.subarray(0, -1));
  const early = llhttp.messages[before];
  if (early === undefined) llhttp.feed(bytes.subarray(-1));
  const { error } = llhttp;
  if (error !== null) {
    const stopByte = bytes[error.at] ?? bytes[bytes.length - 1];
    const what = `taken, but llhttp says ${error.code}, ${error.reason}, at byte ${stopByte}`;
    const id = classifyAccepted(message, bytes, error, stopByte);
    return { found: [{ id, what }], goesOn: false };
  }
  const other = llhttp.messages[before];
  if (early !== undefined || other === undefined) {
    const when = other === undefined ? 'later' : 'earlier';
    const id = other === undefined ? '' : classifyParts('end', message, other);
    return { found: [{ id, what: `ends ${when} for llhttp` }], goesOn: false };
  }
  const found = partsThatDiffer(message, other).map((part) => ({
    id: classifyParts(part, message, other),
    what: `${part} of ${JSON.stringify(message)} and ${JSON.stringify(other)}`,
  }));
  return { found, goesOn: !other.upgrade };
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

/** Names and values alternate. */
function lowerNames(pairs: readonly string[]): readonly string[] {
  return pairs.map((text, index) => (index % 2 === 0 ? text.toLowerCase() : text));
}
