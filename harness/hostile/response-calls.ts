// Calls on a response. All that is written has the mark of the response's request, whichever
// handler writes it.

import type { Outgoing } from '../../src/exchange/callbacks.ts';
import { HttpError } from '../../src/exchange/http-error.ts';
import { prepare } from '../../src/exchange/prepared.ts';
import type { Response } from '../../src/exchange/response.ts';
import { SITE } from '../world/files.ts';
import type { CallArguments } from './context.ts';
import type { CallOf } from './grammar.ts';
import { loopOf } from './loops.ts';
import { repeated } from './marks.ts';
import { LOOP_CHUNK_BYTES } from './monitor.ts';
import { sourceOf } from './sources.ts';

type ResponseCall = (response: Response, args: CallArguments) => unknown;

const STATUSES = [200, 200, 201, 202, 204, 205, 206, 304, 400, 404, 500, 503, 599];
const ODD_STATUSES = [99, 100, 101, 199, 600, 200.5, Number.NaN];
const NAMES = ['X-One', 'X-Two', 'Set-Cookie', 'Content-Type', 'Vary', 'ETag', 'Cache-Control'];
const ODD_NAMES = ['', 'no name', 'Transfer-Encoding', 'Connection', 'Trailer', 'x:y', 'a\r\nb'];
const REDIRECTS = [301, 302, 303, 307, 308, 200];

/** One in eight calls gets invalid arguments. */
function isOdd({ step }: CallArguments): boolean {
  return step.form % 8 === 7;
}

function at<T>(items: readonly T[], { step }: CallArguments): T {
  return items[(step.form >> 3) % items.length];
}

function textOf({ owner, step }: CallArguments): string {
  return repeated(owner.mark, step.bytes);
}

/** Text or bytes, sometimes neither. */
function contentOf(args: CallArguments): string | Uint8Array {
  if (isOdd(args)) return at([null, 7, {}, undefined], args) as unknown as string;
  const text = textOf(args);
  return args.step.form % 2 === 0 ? text : Buffer.from(text, 'latin1');
}

function fieldValueOf(args: CallArguments): string | number {
  if (isOdd(args)) return at(['a\r\nX-Injected: 1', 'a\nb', 'a\0b'], args);
  return args.step.form % 16 === 3 ? 7 : args.owner.mark;
}

function runNested({ context, step, owner }: CallArguments, objects: { response: Response }): void {
  const request = owner.latest.get('request');
  if (request === undefined) return;
  const frame = { record: owner, request: request as never, next: null, ...objects };
  context.runSteps(step.nested, frame);
}

/** A callback belongs to one response, so it is called once at most. */
function once(name: string, { owner, context }: CallArguments): () => void {
  let count = 0;
  return () => {
    context.monitor.count('callback', name);
    count += 1;
    if (count < 2) return;
    context.monitor.report(
      'isolation',
      `a ${name}() callback of request ${owner.id} ran twice`,
      owner,
    );
  };
}

/** Writes from one buffer, and overwrites it as soon as write() allows. */
async function writeReused(response: Response, args: CallArguments): Promise<void> {
  const chunk = Buffer.from(textOf(args), 'latin1');
  for (let count = 0; count < 3 && !args.context.monitor.isOver; count++) {
    await response.write(chunk);
    chunk.fill('-');
    chunk.write(textOf(args), 'latin1');
  }
}

function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

export const RESPONSE_CALLS: Readonly<Record<CallOf<'response'>, ResponseCall>> = {
  status: (response, args) => response.status(at(isOdd(args) ? ODD_STATUSES : STATUSES, args)),
  header: (response, args) => response.header(at(NAMES, args), fieldValueOf(args)),
  appendHeader: (response, args) => {
    response.appendHeader(
      at(args.step.form % 8 === 6 ? ODD_NAMES : NAMES, args),
      fieldValueOf(args),
    );
  },
  getHeader: (response, args) => {
    const name = at([...NAMES, 'X-Mark'], args);
    args.context.monitor.read(args.owner, 'a header of the response', response.getHeader(name));
  },
  statusCode: (response) => response.statusCode,
  sent: (response, { owner, context }) => {
    context.monitor.staysTrue(owner, 'sent', response.sent, owner.complete);
  },
  closed: (response, { owner, context }) => {
    context.monitor.staysTrue(owner, 'closed', response.closed, owner.ended);
  },
  send: (response, args) => response.send(contentOf(args), at([undefined, 'a/b'], args)),
  text: (response, args) => response.text(contentOf(args) as string),
  html: (response, args) => response.html(contentOf(args) as string),
  json: (response, args) => response.json(isOdd(args) ? undefined : { mark: textOf(args) }),
  empty: (response, args) => response.empty(at([undefined, 204, 304, 200, 404], args)),
  redirect: (response, args) => response.redirect(`/to/${args.owner.mark}/ä`, at(REDIRECTS, args)),
  prepared: (response, args) => {
    const { mark } = args.owner;
    response.prepared(prepare(at([200, 404], args), { 'X-One': mark }, textOf(args)));
  },
  file: (response, args) => response.file(pathOf(args), at([{}, { type: 'a/b' }], args)),
  stream: (response, args) => {
    const { owner, context, step } = args;
    const before = context.sources.count;
    const parts = {
      monitor: context.monitor,
      after: (ms: number, run: () => void) => context.after(ms, run),
      callBack: () => runNested(args, { response }),
    };
    const { kind, source } = sourceOf(step.form, step.bytes, owner, context.sources, parts);
    context.monitor.count('source', kind);
    try {
      return response.stream(source);
    } catch (error) {
      context.sources.rejected(before);
      throw error;
    }
  },
  write: (response, args) => response.write(contentOf(args)),
  'write reused': (response, args) => handled(writeReused(response, args)),
  end: (response, args) => response.end(at([undefined, contentOf(args)], args)),
  trailer: (response, args) => {
    const name = isOdd(args) ? at(['Content-Length', 'Date', 'a b'], args) : 'X-Trailer';
    response.trailer(name, String(fieldValueOf(args)));
  },
  events: (response, args) => {
    args.context.obtained('events', response.events(), args.owner);
  },
  beforeSend: (response, args) => {
    const called = once('beforeSend', args);
    response.beforeSend((outgoing: Outgoing) => {
      called();
      args.context.monitor.read(args.owner, 'a header of outgoing', outgoing.header('X-Mark'));
      args.context.obtained('outgoing', outgoing, args.owner);
      runNested(args, { response });
    });
  },
  afterSend: (response, args) => {
    const called = once('afterSend', args);
    response.afterSend(() => {
      called();
      runNested(args, { response });
    });
  },
  'declare length': (response, args) => {
    response.header('Content-Length', isOdd(args) ? at(['-1', 'x', '1e9'], args) : args.step.bytes);
  },
  'declare close': (response, args) => {
    response.header('Connection', at(['close', 'keep-alive', 'upgrade'], args));
  },
  'loop of write': (response, args) => {
    const chunk = repeated(args.owner.mark, LOOP_CHUNK_BYTES);
    return loopOf('response.write', args, () => response.write(chunk));
  },
  'loop of empty write': (response, args) =>
    loopOf('response.write of an empty chunk', args, () => response.write('')),
  'loop of stream': (response, args) => loopOf('response.stream', args, () => response.stream([])),
  'loop of file': (response, args) =>
    loopOf('response.file', args, () => response.file(`${SITE}/none`)),
};

/** A file with the mark of the request, a file of the site, or no file. */
function pathOf(args: CallArguments): string {
  const { mark } = args.owner;
  if (isOdd(args)) return at([`${SITE}/none`, SITE, '', '/'], args);
  return at(
    [`/marked/${mark}/${args.step.bytes}`, `${SITE}/small.txt`, `/marked/${mark}/9000`],
    args,
  );
}

/** An error whose message is sent. */
export function sentErrorOf(mark: string): HttpError {
  return new HttpError(409, mark);
}
