// The hostile application: a front middleware that records every request, programs in every part of
// the chain, guards that deny requests without the right cookie, and correct handlers among the
// others.

import type { Next } from '../../src/exchange/handler.ts';
import type { Request } from '../../src/exchange/request.ts';
import type { Response } from '../../src/exchange/response.ts';
import type { Server } from '../../src/server/server.ts';
import type { HostileContext } from './context.ts';
import { CORRECT_HANDLERS } from './correct-handlers.ts';
import type { PartName, Pass } from './grammar.ts';
import { type Frame, RequestRecord } from './record.ts';
import { runPart } from './runner.ts';
import type { Part } from './script.ts';

/** The most runs of parts of one chain, whatever calls next(). */
const RUNS_MAX = 24;
/** The longest time of a guard that decides later. */
const GUARD_MS_MAX = 60;

type Given = void | Promise<void>;

/** The key of the record in the request's state. */
const STATE_KEY = 'record';

export function addHostileRoutes(server: Server, context: HostileContext): void {
  server.use((request, response, next) => front(context, request, response, next));
  server.use((request, response, next) => middleware('outer', context, request, response, next));
  server.use('/mounted', (request, response, next) => mounted(context, request, response, next));
  server.use('/guard', (request, response, next) => guard(context, request, response, next));
  server.use((request, response, next) => middleware('inner', context, request, response, next));
  server.all('/guard/:kind/:secret', (request, response) => handle(context, request, response));
  server.all('/:area/:secret', (request, response) => handle(context, request, response));
  server.onError((error, request, response) => failed(context, error, request, response));
}

/** The record of a request. Checks that all properties of the request belong to it. */
function recordOf(context: HostileContext, request: Request, response: Response): RequestRecord {
  const record = request.state[STATE_KEY] as RequestRecord;
  const { monitor } = context;
  monitor.readSame(record, 'the target', request.target, record.target);
  monitor.readSame(record, 'the cookie', request.header('cookie') ?? '', record.cookie);
  monitor.readAddress(record, request.remoteAddress, request.remotePort);
  monitor.read(record, 'the mark of the response', response.getHeader('X-Mark'));
  return record;
}

function front(context: HostileContext, request: Request, response: Response, next: Next): Given {
  const id = Number(request.header('x-id'));
  const script = context.parts.scriptOf(id);
  const record = new RequestRecord(id, script, request);
  const { state } = request;
  context.monitor.read(record, 'a new state', state);
  state[STATE_KEY] = record;
  state['mark'] = record.mark;
  context.monitor.read(record, 'the path', request.path);
  response.header('X-Mark', record.mark);
  if (script.hasAfterSend) {
    response.afterSend((summary) => {
      record.end(summary);
      if (record.ends === 1) return;
      context.monitor.report('isolation', `afterSend() of request ${id} was called twice`, record);
    });
  }
  context.records.push(record);
  context.obtained('request', request, record);
  context.obtained('response', response, record);
  const settled = (): void => record.settle();
  record.syncDepth += 1;
  try {
    const given = pass(script.front, context, record, next);
    void Promise.resolve(given).then(settled, settled);
    return given;
  } catch (error) {
    settled();
    throw error;
  } finally {
    record.syncDepth -= 1;
  }
}

/** Calls next() like a middleware that does nothing. */
function pass(how: Pass, context: HostileContext, record: RequestRecord, next: Next): Given {
  context.monitor.count('pass', how);
  // Keeps the used next(): later calls must have no effect.
  const used = (): Promise<void> => {
    const given = context.callNext(next, record);
    context.keptObjects.keep('next', next, record);
    return given;
  };
  if (how === 'returns next()') return used();
  return passLater(how === 'awaits before next()', used);
}

async function passLater(waits: boolean, next: Next): Promise<void> {
  if (waits) await null;
  await next();
}

function middleware(
  name: PartName,
  context: HostileContext,
  request: Request,
  response: Response,
  next: Next,
): Given {
  const record = recordOf(context, request, response);
  context.began(record, name);
  const part = record.script[name];
  if (part.pass !== null) return pass(part.pass, context, record, next);
  context.obtained('next', next, record);
  return run(context, { record, request, response, next }, part, name);
}

function run(context: HostileContext, frame: Frame, part: Part, name: PartName): Given {
  if (frame.record.runs > RUNS_MAX) return;
  context.monitor.count('part', name);
  // A hostile handler may return anything.
  return runPart(context, frame, part) as Given;
}

function mounted(context: HostileContext, request: Request, response: Response, next: Next): Given {
  const record = recordOf(context, request, response);
  context.began(record, 'mounted middleware');
  context.monitor.readSame(record, 'the mounted path', request.path, `/${record.secret}`);
  return pass(record.script.front, context, record, next);
}

// --- Guards ---

function guard(context: HostileContext, request: Request, response: Response, next: Next): Given {
  const record = recordOf(context, request, response);
  context.began(record, 'guard');
  const { area } = record.script;
  context.monitor.count('guard', area);
  if (area === 'guard/sync') return decide(context, record, { request, response, next });
  return decideLater(context, record, { request, response, next });
}

async function decideLater(
  context: HostileContext,
  record: RequestRecord,
  args: GuardArguments,
): Promise<void> {
  if (record.script.area === 'guard/async') await null;
  else await new Promise<void>((done) => context.after(1 + (record.id % GUARD_MS_MAX), done));
  await decide(context, record, args);
}

interface GuardArguments {
  readonly request: Request;
  readonly response: Response;
  readonly next: Next;
}

/** Decides by the cookie of the request, read now. */
function decide(
  context: HostileContext,
  record: RequestRecord,
  { request, response, next }: GuardArguments,
): Given {
  const cookie = request.header('cookie') ?? '';
  context.monitor.readSame(record, 'the cookie', cookie, record.cookie);
  if (cookie === `pass=${record.secret}`) {
    record.admitted = true;
    return pass('returns next()', context, record, next);
  }
  response.status(403).text(deniedText(record.mark));
  // Other requests may call next() of a denied request once that is over.
  context.obtained('next', next, record);
}

export function deniedText(mark: string): string {
  return `${mark} may not\n`;
}

// --- Handlers ---

function handle(context: HostileContext, request: Request, response: Response): Given {
  const record = recordOf(context, request, response);
  const { area, kind } = record.script;
  context.monitor.readSame(record, 'the path', request.path, `/${area}/${record.secret}`);
  if (area.startsWith('guard') && !record.admitted) {
    const text = `the handler of request ${record.id} runs, though its guard denied it`;
    context.monitor.report('guard', text, record);
  }
  context.began(record, 'handler');
  if (kind === 'hostile') {
    const part = record.script.handler;
    // The handler of a benign request only responds.
    if (part.pass !== null) return response.text(record.mark);
    return run(context, { record, request, response, next: null }, part, 'handler');
  }
  const { behaviour } = record.script;
  context.monitor.count('behaviour', behaviour);
  return CORRECT_HANDLERS[behaviour](context, record.id, request, response);
}

function failed(
  context: HostileContext,
  error: unknown,
  request: Request,
  response: Response,
): Given {
  const record = recordOf(context, request, response);
  context.monitor.caught(record, 'onError', error);
  if (record.hasFailed) {
    const what = `the error handler of request ${record.id} runs again, for its own error`;
    context.monitor.report('liveness', what, record);
  }
  record.hasFailed = true;
  if (record.script.kind !== 'hostile') return;
  context.monitor.count('part', 'onError');
  return run(context, { record, request, response, next: null }, record.script.onError, 'onError');
}
