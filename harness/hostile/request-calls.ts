// Calls on a request. No value may come from another request, or change.

import type { Request } from '../../src/exchange/request.ts';
import type { CallArguments } from './context.ts';
import type { CallOf } from './grammar.ts';
import { loopOf } from './loops.ts';
import { isPartOf } from './marks.ts';

type RequestCall = (request: Request, args: CallArguments) => unknown;

const FIELDS = ['cookie', 'x-id', 'host', 'x-secret', 'content-type', 'none', 'a b'];

function read(args: CallArguments, what: string, value: unknown): void {
  args.context.monitor.read(args.owner, what, value);
}

/** A plain body is the repeated secret. */
export function readChunk(args: CallArguments, bytes: Uint8Array | undefined): void {
  if (bytes === undefined) return;
  const { owner, context } = args;
  read(args, 'a chunk of the body', bytes);
  const { body } = owner.script;
  const isPlain = body !== 'json' && body !== 'urlencoded' && body !== 'multipart';
  if (!isPlain || isPartOf(bytes, owner.secret)) return;
  const text = JSON.stringify(Buffer.from(bytes).toString('latin1', 0, 40));
  context.monitor.report('isolation', `the body of request ${owner.id} has ${text}`, owner);
}

function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

export async function readBody(
  body: AsyncIterable<Uint8Array>,
  args: CallArguments,
  most: number = Number.POSITIVE_INFINITY,
): Promise<void> {
  let count = 0;
  for await (const chunk of body) {
    readChunk(args, chunk);
    count += 1;
    if (count >= most) return;
  }
}

function kept(args: CallArguments, iterator: AsyncIterator<Uint8Array>): Promise<unknown> {
  args.context.obtained('chunks', iterator, args.owner);
  return iterator.next();
}

export const REQUEST_CALLS: Readonly<Record<CallOf<'request'>, RequestCall>> = {
  method: (request, { owner, context }) => {
    context.monitor.readSame(owner, 'the method', request.method, owner.script.method);
  },
  target: (request, { owner, context }) => {
    context.monitor.readSame(owner, 'the target', request.target, owner.target);
  },
  path: (request, args) => read(args, 'the path', request.path),
  query: (request, args) => {
    const { query } = request;
    read(args, 'the query', query);
    args.context.obtained('query', query, args.owner);
  },
  params: (request, args) => {
    const { params } = request;
    read(args, 'the parameters', params);
    args.context.obtained('params', params, args.owner);
  },
  header: (request, args) => {
    const name = FIELDS[args.step.form % FIELDS.length];
    const value = request.header(name);
    const { owner, context } = args;
    if (name === 'cookie') context.monitor.readSame(owner, 'the cookie', value ?? '', owner.cookie);
    else read(args, `the field ${name}`, value);
  },
  headers: (request, args) => {
    for (const [name, value] of request.headers()) read(args, 'a field', `${name}: ${value}`);
  },
  'headers partly read': (request, args) => {
    const iterator = request.headers();
    read(args, 'a field', iterator.next().value);
    args.context.obtained('fields', iterator, args.owner);
  },
  httpVersion: (request) => request.httpVersion,
  remote: (request, { owner, context }) => {
    context.monitor.readAddress(owner, request.remoteAddress, request.remotePort);
  },
  signal: (request, args) => args.context.obtained('signal', request.signal, args.owner),
  state: (request, args) => args.context.obtained('state', request.state, args.owner),
  bytes: (request) => request.bytes(),
  text: (request) => request.text(),
  json: (request) => request.json(),
  form: (request) => request.form(),
  body: (request, args) => {
    args.context.obtained('body', request.body, args.owner);
    return handled(readBody(request.body, args));
  },
  'body partly read': (request, args) => kept(args, request.body[Symbol.asyncIterator]()),
  'body not begun': (request, args) => {
    args.context.obtained('chunks', request.body[Symbol.asyncIterator](), args.owner);
  },
  'body twice': (request, args) => {
    const one = request.body[Symbol.asyncIterator]();
    args.context.obtained('chunks', one, args.owner);
    const both = [one.next(), request.body[Symbol.asyncIterator]().next(), one.next()];
    return handled(Promise.allSettled(both));
  },
  'body left early': (request, args) => handled(readBody(request.body, args, 1)),
  trailers: (request, args) => read(args, 'a trailer', [...request.trailers()].flat()),
  'loop of bytes': (request, args) => loopOf('request.bytes', args, () => request.bytes()),
  'loop of body': (request, args) => {
    const iterator = request.body[Symbol.asyncIterator]();
    return loopOf('the next chunk of request.body', args, () => iterator.next());
  },
};
