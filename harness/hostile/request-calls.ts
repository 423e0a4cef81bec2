// Calls on a request. Nothing that is read may be of another request, or change.

import type { Request } from '../../src/exchange/request.ts';
import type { Act } from './context.ts';
import type { CallOf } from './grammar.ts';
import { loopOf } from './loops.ts';
import { isPieceOf } from './marks.ts';

type RequestCall = (request: Request, act: Act) => unknown;

const FIELDS = ['cookie', 'x-id', 'host', 'x-secret', 'content-type', 'none', 'a b'];

function read(act: Act, what: string, value: unknown): void {
  act.stage.watch.read(act.owner, what, value);
}

/** Bytes of a plain body are the secret over and over. */
export function readPiece(act: Act, bytes: Uint8Array | undefined): void {
  if (bytes === undefined) return;
  const { owner, stage } = act;
  read(act, 'a piece of the body', bytes);
  const { body } = owner.script;
  const isPlain = body !== 'json' && body !== 'urlencoded' && body !== 'multipart';
  if (!isPlain || isPieceOf(bytes, owner.secret)) return;
  const text = JSON.stringify(Buffer.from(bytes).toString('latin1', 0, 40));
  stage.watch.report('isolation', `the body of request ${owner.id} has ${text}`, owner);
}

function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

export async function readBody(
  body: AsyncIterable<Uint8Array>,
  act: Act,
  most: number = Number.POSITIVE_INFINITY,
): Promise<void> {
  let count = 0;
  for await (const piece of body) {
    readPiece(act, piece);
    count += 1;
    if (count >= most) return;
  }
}

function kept(act: Act, iterator: AsyncIterator<Uint8Array>): Promise<unknown> {
  act.stage.obtained('chunks', iterator, act.owner);
  return iterator.next();
}

export const REQUEST_CALLS: Readonly<Record<CallOf<'request'>, RequestCall>> = {
  method: (request, { owner, stage }) => {
    stage.watch.readSame(owner, 'the method', request.method, owner.script.method);
  },
  target: (request, { owner, stage }) => {
    stage.watch.readSame(owner, 'the target', request.target, owner.target);
  },
  path: (request, act) => read(act, 'the path', request.path),
  query: (request, act) => {
    const { query } = request;
    read(act, 'the query', query);
    act.stage.obtained('query', query, act.owner);
  },
  params: (request, act) => {
    const { params } = request;
    read(act, 'the parameters', params);
    act.stage.obtained('params', params, act.owner);
  },
  header: (request, act) => {
    const name = FIELDS[act.step.form % FIELDS.length];
    const value = request.header(name);
    const { owner, stage } = act;
    if (name === 'cookie') stage.watch.readSame(owner, 'the cookie', value ?? '', owner.cookie);
    else read(act, `the field ${name}`, value);
  },
  headers: (request, act) => {
    for (const [name, value] of request.headers()) read(act, 'a field', `${name}: ${value}`);
  },
  'headers half way': (request, act) => {
    const iterator = request.headers();
    read(act, 'a field', iterator.next().value);
    act.stage.obtained('fields', iterator, act.owner);
  },
  httpVersion: (request) => request.httpVersion,
  remote: (request, { owner, stage }) => {
    stage.watch.readAddress(owner, request.remoteAddress, request.remotePort);
  },
  signal: (request, act) => act.stage.obtained('signal', request.signal, act.owner),
  state: (request, act) => act.stage.obtained('state', request.state, act.owner),
  bytes: (request) => request.bytes(),
  text: (request) => request.text(),
  json: (request) => request.json(),
  form: (request) => request.form(),
  body: (request, act) => {
    act.stage.obtained('body', request.body, act.owner);
    return handled(readBody(request.body, act));
  },
  'body half way': (request, act) => kept(act, request.body[Symbol.asyncIterator]()),
  'body not begun': (request, act) => {
    act.stage.obtained('chunks', request.body[Symbol.asyncIterator](), act.owner);
  },
  'body twice': (request, act) => {
    const one = request.body[Symbol.asyncIterator]();
    act.stage.obtained('chunks', one, act.owner);
    const both = [one.next(), request.body[Symbol.asyncIterator]().next(), one.next()];
    return handled(Promise.allSettled(both));
  },
  'body broken off': (request, act) => handled(readBody(request.body, act, 1)),
  trailers: (request, act) => read(act, 'a trailer', [...request.trailers()].flat()),
  'loop of bytes': (request, act) => loopOf('request.bytes', act, () => request.bytes()),
  'loop of body': (request, act) => {
    const iterator = request.body[Symbol.asyncIterator]();
    return loopOf('the next piece of request.body', act, () => iterator.next());
  },
};
