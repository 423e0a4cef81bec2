// Calls on objects that requests and responses return: next(), event streams, iterators, signals
// and plain objects.

import type { Outgoing } from '../../src/exchange/callbacks.ts';
import type { EventStream } from '../../src/exchange/event-stream.ts';
import type { CallArguments, Calls } from './context.ts';
import type { CallOf, Kind } from './grammar.ts';
import { loopOf } from './loops.ts';
import { repeated } from './marks.ts';
import { LOOP_CHUNK_BYTES } from './monitor.ts';
import { REQUEST_CALLS, readBody, readChunk } from './request-calls.ts';
import { RESPONSE_CALLS } from './response-calls.ts';

type Next = () => Promise<void>;
type CallsOf<K extends Kind, T> = Readonly<
  Record<CallOf<K>, (object: T, args: CallArguments) => unknown>
>;

function isOdd({ step }: CallArguments): boolean {
  return step.form % 8 === 7;
}

function textOf({ owner, step }: CallArguments): string {
  return repeated(owner.mark, step.bytes);
}

const NEXT: CallsOf<'next', Next> = {
  call: (next, { owner, context }) => context.callNext(next, owner),
  'loop of call': (next, args) => {
    return loopOf('next', args, () => args.context.callNext(next, args.owner));
  },
};

const EVENTS: CallsOf<'events', EventStream> = {
  send: (events, args) => {
    const options = { id: args.owner.mark, event: isOdd(args) ? 'a\nb' : 'mark', retryMs: 10 };
    return events.send(textOf(args), options);
  },
  comment: (events, args) => events.comment(isOdd(args) ? 'a\r\n\r\ndata: b' : args.owner.mark),
  close: (events) => events.close(),
  closed: (events, { owner, context }) => {
    const { closed } = events;
    // An event stream of a finished request is closed from the beginning.
    if (owner.ended) context.monitor.staysTrue(owner, 'events.closed', closed, true);
  },
  'loop of send': (events, args) => {
    const text = repeated(args.owner.mark, LOOP_CHUNK_BYTES);
    return loopOf('events.send', args, () => events.send(text));
  },
  'loop of comment': (events, args) => loopOf('events.comment', args, () => events.comment()),
};

const STATUSES = [200, 201, 204, 304, 404, 500, 99, 100];
const NAMES = [
  'X-Mark',
  'X-One',
  'X-Two',
  'Content-Type',
  'Content-Length',
  'Transfer-Encoding',
  'a b',
];

function nameOf({ step }: CallArguments): string {
  return NAMES[step.form % NAMES.length];
}

const OUTGOING: CallsOf<'outgoing', Outgoing> = {
  status: (outgoing) => outgoing.status,
  'set status': (outgoing, { step }) => {
    outgoing.status = STATUSES[step.form % STATUSES.length];
  },
  header: (outgoing, args) => {
    args.context.monitor.read(args.owner, 'a header of outgoing', outgoing.header(nameOf(args)));
  },
  setHeader: (outgoing, args) => outgoing.setHeader(nameOf(args), args.owner.mark),
  appendHeader: (outgoing, args) => outgoing.appendHeader(nameOf(args), args.owner.mark),
  removeHeader: (outgoing, args) => outgoing.removeHeader(nameOf(args)),
  content: (outgoing, args) => args.context.monitor.read(args.owner, 'content', outgoing.content),
  'set content': (outgoing, args) => {
    const odd = [null, 7, Buffer.from(textOf(args), 'latin1')][args.step.form % 3];
    outgoing.content = isOdd(args) ? (odd as Outgoing['content']) : textOf(args);
  },
  streamed: (outgoing) => outgoing.streamed,
};

type Fields = Generator<[string, string]>;

const FIELDS: CallsOf<'fields', Fields> = {
  next: (fields, args) => args.context.monitor.read(args.owner, 'a field', fields.next().value),
  return: (fields) => fields.return(undefined),
};

type Chunks = AsyncIterator<Uint8Array>;

const CHUNKS: CallsOf<'chunks', Chunks> = {
  next: (chunks, args) => {
    const chunk = chunks.next();
    if (!args.step.awaited) return chunk;
    return chunk.then(({ value }) => readChunk(args, value));
  },
  return: (chunks) => chunks.return?.(),
  'loop of next': (chunks, args) => loopOf('an iterator of a body', args, () => chunks.next()),
};

const BODY: CallsOf<'body', AsyncIterable<Uint8Array>> = {
  iterate: (body, args) => {
    const read = readBody(body, args);
    read.catch(() => {});
    return read;
  },
};

const SIGNAL: CallsOf<'signal', AbortSignal> = {
  aborted: (signal) => signal.aborted,
  listen: (signal, { owner, context, step }) => {
    const request = owner.latest.get('request');
    const response = owner.latest.get('response');
    if (request === undefined || response === undefined) return;
    const frame = { record: owner, request: request as never, response: response as never };
    // An error of a listener ends the process.
    const nested = step.nested.map((one) => ({ ...one, guarded: true }));
    signal.addEventListener('abort', () => {
      context.monitor.count('callback', 'abort');
      context.runSteps(nested, { ...frame, next: null });
    });
  },
};

const QUERY: CallsOf<'query', URLSearchParams> = {
  read: (query, args) => args.context.monitor.read(args.owner, 'a kept query', query),
  write: (query, { owner }) => query.set('w', owner.mark),
};

const PARAMS: CallsOf<'params', object> = {
  read: (params, args) => args.context.monitor.read(args.owner, 'kept parameters', params),
};

const STATE: CallsOf<'state', Record<string, unknown>> = {
  read: (state, args) => args.context.monitor.read(args.owner, 'a kept state', state),
  write: (state, { owner, step }) => {
    state[`key${step.form % 4}`] = owner.mark;
  },
};

/** What each call does, by the kind of object and its name. */
export const CALLS_BY_KIND: Readonly<Record<Kind, Calls>> = {
  response: RESPONSE_CALLS,
  request: REQUEST_CALLS,
  next: NEXT,
  events: EVENTS,
  outgoing: OUTGOING,
  fields: FIELDS,
  chunks: CHUNKS,
  body: BODY,
  signal: SIGNAL,
  query: QUERY,
  params: PARAMS,
  state: STATE,
};
