// The slow, simple parser: the requests of a pipelined stream, directly from the grammar. It shares
// nothing with the parser of the server but the RFCs.

import { modelChunkedBody } from './model-chunked.ts';
import { type ModelFraming, modelFraming } from './model-framing.ts';
import { type ModelField, type ModelLimits, modelHead } from './model-head.ts';
import { modelPath } from './model-path.ts';
import type { ModelForm } from './model-target.ts';
import { Incomplete, Reader, Rejection } from './reader.ts';

/** One request with all its parts. Text has one character for each byte. */
export interface Message {
  readonly method: string;
  readonly target: string;
  readonly form: ModelForm;
  readonly path: string;
  readonly query: string | null;
  /** The path as a handler sees it, null when the response is 400. */
  readonly route: string | null;
  readonly minor: number;
  readonly fields: readonly ModelField[];
  readonly framing: ModelFraming;
  readonly body: string;
  readonly trailers: readonly ModelField[];
  /** Consumed bytes, including an empty line before the request. */
  readonly bytes: number;
}

/** How a stream ends: with a complete message, within a message, or with invalid bytes. */
export type End =
  | { readonly kind: 'complete' }
  /** The last message closes the connection; what follows it is not parsed. */
  | { readonly kind: 'closed' }
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'rejected'; readonly status: number };

export interface Stream {
  readonly messages: readonly Message[];
  readonly end: End;
}

/** The model's result, with the rule that a rejected stream violates ('' for none). */
export interface ModelStream extends Stream {
  readonly rule: string;
}

export function modelStream(bytes: Uint8Array, limits: ModelLimits): ModelStream {
  const text = Buffer.from(bytes).toString('latin1');
  const reader = new Reader(text, 0);
  const messages: Message[] = [];
  try {
    while (reader.at < text.length) {
      const message = modelMessage(reader, limits);
      messages.push(message);
      if (!message.framing.keepAlive) return { messages, end: { kind: 'closed' }, rule: '' };
    }
  } catch (error) {
    if (error instanceof Incomplete) return { messages, end: { kind: 'incomplete' }, rule: '' };
    if (!(error instanceof Rejection)) throw error;
    return { messages, end: { kind: 'rejected', status: error.status }, rule: error.rule };
  }
  return { messages, end: { kind: 'complete' }, rule: '' };
}

function modelMessage(reader: Reader, limits: ModelLimits): Message {
  const start = reader.at;
  const head = modelHead(reader, limits);
  const framing = modelFraming(head);
  let content = '';
  let trailers: readonly ModelField[] = [];
  if (framing.kind === 'length') {
    for (let index = 0; index < framing.length; index++) content += reader.take();
  } else if (framing.kind === 'chunked') {
    ({ content, trailers } = modelChunkedBody(reader, limits));
  }
  const hasPath = head.target.form === 'origin' || head.target.form === 'absolute';
  return {
    method: head.method,
    ...head.target,
    route: hasPath ? modelPath(head.target.path) : null,
    minor: head.minor,
    fields: head.fields,
    framing,
    body: content,
    trailers,
    bytes: reader.at - start,
  };
}
