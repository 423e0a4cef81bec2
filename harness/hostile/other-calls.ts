// Calls on what requests and responses give: next(), streams of events, iterators, signals, and
// plain objects.

import type { EventStream } from '../../src/exchange/event-stream.ts';
import type { Outgoing } from '../../src/exchange/outgoing.ts';
import type { Act, Calls } from './context.ts';
import type { CallOf, Kind } from './grammar.ts';
import { loopOf } from './loops.ts';
import { repeated } from './marks.ts';
import { LOOP_PIECE_BYTES } from './monitor.ts';
import { REQUEST_CALLS, readBody, readPiece } from './request-calls.ts';
import { RESPONSE_CALLS } from './response-calls.ts';

type Next = () => Promise<void>;
type CallsOf<K extends Kind, T> = Readonly<Record<CallOf<K>, (object: T, act: Act) => unknown>>;

function isOdd({ step }: Act): boolean {
  return step.form % 8 === 7;
}

function textOf({ owner, step }: Act): string {
  return repeated(owner.mark, step.bytes);
}

const NEXT: CallsOf<'next', Next> = {
  call: (next, { owner, stage }) => stage.callNext(next, owner),
  'loop of call': (next, act) => {
    return loopOf('next', act, () => act.stage.callNext(next, act.owner));
  },
};

const EVENTS: CallsOf<'events', EventStream> = {
  send: (events, act) => {
    const options = { id: act.owner.mark, event: isOdd(act) ? 'a\nb' : 'mark', retryMs: 10 };
    return events.send(textOf(act), options);
  },
  comment: (events, act) => events.comment(isOdd(act) ? 'a\r\n\r\ndata: b' : act.owner.mark),
  close: (events) => events.close(),
  closed: (events, { owner, stage }) => {
    const { closed } = events;
    // A stream that events() gives in vain is closed from the beginning, others are not.
    if (owner.ended) stage.watch.staysTrue(owner, 'events.closed', closed, true);
  },
  'loop of send': (events, act) => {
    const text = repeated(act.owner.mark, LOOP_PIECE_BYTES);
    return loopOf('events.send', act, () => events.send(text));
  },
  'loop of comment': (events, act) => loopOf('events.comment', act, () => events.comment()),
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

function nameOf({ step }: Act): string {
  return NAMES[step.form % NAMES.length];
}

const OUTGOING: CallsOf<'outgoing', Outgoing> = {
  status: (outgoing) => outgoing.status,
  'set status': (outgoing, { step }) => {
    outgoing.status = STATUSES[step.form % STATUSES.length];
  },
  header: (outgoing, act) => {
    act.stage.watch.read(act.owner, 'a header of outgoing', outgoing.header(nameOf(act)));
  },
  setHeader: (outgoing, act) => outgoing.setHeader(nameOf(act), act.owner.mark),
  appendHeader: (outgoing, act) => outgoing.appendHeader(nameOf(act), act.owner.mark),
  removeHeader: (outgoing, act) => outgoing.removeHeader(nameOf(act)),
  content: (outgoing, act) => act.stage.watch.read(act.owner, 'content', outgoing.content),
  'set content': (outgoing, act) => {
    const odd = [null, 7, Buffer.from(textOf(act), 'latin1')][act.step.form % 3];
    outgoing.content = isOdd(act) ? (odd as Outgoing['content']) : textOf(act);
  },
  streamed: (outgoing) => outgoing.streamed,
};

type Fields = Generator<[string, string]>;

const FIELDS: CallsOf<'fields', Fields> = {
  next: (fields, act) => act.stage.watch.read(act.owner, 'a field', fields.next().value),
  return: (fields) => fields.return(undefined),
};

type Chunks = AsyncIterator<Uint8Array>;

const CHUNKS: CallsOf<'chunks', Chunks> = {
  next: (chunks, act) => {
    const piece = chunks.next();
    if (!act.step.awaited) return piece;
    return piece.then(({ value }) => readPiece(act, value));
  },
  return: (chunks) => chunks.return?.(),
  'loop of next': (chunks, act) => loopOf('an iterator of a body', act, () => chunks.next()),
};

const BODY: CallsOf<'body', AsyncIterable<Uint8Array>> = {
  iterate: (body, act) => {
    const read = readBody(body, act);
    read.catch(() => {});
    return read;
  },
};

const SIGNAL: CallsOf<'signal', AbortSignal> = {
  aborted: (signal) => signal.aborted,
  listen: (signal, { owner, stage, step }) => {
    const request = owner.latest.get('request');
    const response = owner.latest.get('response');
    if (request === undefined || response === undefined) return;
    const frame = { record: owner, request: request as never, response: response as never };
    // Node ends the process for what a listener throws.
    const nested = step.nested.map((one) => ({ ...one, guarded: true }));
    signal.addEventListener('abort', () => {
      stage.watch.count('callback', 'abort');
      stage.runSteps(nested, { ...frame, next: null });
    });
  },
};

const QUERY: CallsOf<'query', URLSearchParams> = {
  read: (query, act) => act.stage.watch.read(act.owner, 'a kept query', query),
  write: (query, { owner }) => query.set('w', owner.mark),
};

const PARAMS: CallsOf<'params', object> = {
  read: (params, act) => act.stage.watch.read(act.owner, 'kept parameters', params),
};

const STATE: CallsOf<'state', Record<string, unknown>> = {
  read: (state, act) => act.stage.watch.read(act.owner, 'a kept state', state),
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
