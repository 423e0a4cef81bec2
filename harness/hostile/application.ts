// The hostile application: a front that knows every request, programs in every part of the chain,
// guards that let nobody pass whom they do not know, and handlers of citizens among them.

import type { Next } from '../../src/exchange/middleware.ts';
import type { Request } from '../../src/exchange/request.ts';
import type { Response } from '../../src/exchange/response.ts';
import type { Server } from '../../src/server/server.ts';
import type { Stage } from './context.ts';
import { CITIZENS } from './correct-handlers.ts';
import type { PartName, Pass } from './grammar.ts';
import { type Frame, RequestRecord } from './record.ts';
import { runPart } from './runner.ts';
import type { Part } from './script.ts';

/** A part of a chain runs no more often, whatever calls next(). */
const RUNS_MAX = 24;
/** So long a guard takes at most that asks elsewhere first. */
const GUARD_MS_MAX = 60;

type Given = void | Promise<void>;

/** Where the front leaves what it knows of a request. */
const STATE_KEY = 'record';

export function addHostileRoutes(server: Server, stage: Stage): void {
  server.use((request, response, next) => front(stage, request, response, next));
  server.use((request, response, next) => middleware('outer', stage, request, response, next));
  server.use('/mounted', (request, response, next) => mounted(stage, request, response, next));
  server.use('/guard', (request, response, next) => guard(stage, request, response, next));
  server.use((request, response, next) => middleware('inner', stage, request, response, next));
  server.all('/guard/:kind/:secret', (request, response) => handle(stage, request, response));
  server.all('/:area/:secret', (request, response) => handle(stage, request, response));
  server.onError((error, request, response) => failed(stage, error, request, response));
}

/** The record of a request, as it says itself; it must be one request in all that it says. */
function recordOf(stage: Stage, request: Request, response: Response): RequestRecord {
  const record = request.state[STATE_KEY] as RequestRecord;
  const { watch } = stage;
  watch.readSame(record, 'the target', request.target, record.target);
  watch.readSame(record, 'the cookie', request.header('cookie') ?? '', record.cookie);
  watch.readAddress(record, request.remoteAddress, request.remotePort);
  watch.read(record, 'the mark of the response', response.getHeader('X-Mark'));
  return record;
}

function front(stage: Stage, request: Request, response: Response, next: Next): Given {
  const id = Number(request.header('x-id'));
  const script = stage.parts.scriptOf(id);
  const record = new RequestRecord(id, script, request);
  const { state } = request;
  stage.watch.read(record, 'a new state', state);
  state[STATE_KEY] = record;
  state['mark'] = record.mark;
  stage.watch.read(record, 'the path', request.path);
  response.header('X-Mark', record.mark);
  if (script.watched) {
    response.afterSend((summary) => {
      record.end(summary);
      if (record.ends === 1) return;
      stage.watch.report('isolation', `the end of request ${id} was told twice`, record);
    });
  }
  stage.records.push(record);
  stage.obtained('request', request, record);
  stage.obtained('response', response, record);
  const settled = (): void => record.settle();
  record.syncDepth += 1;
  try {
    const given = pass(script.front, stage, record, next);
    void Promise.resolve(given).then(settled, settled);
    return given;
  } catch (error) {
    settled();
    throw error;
  } finally {
    record.syncDepth -= 1;
  }
}

/** Hands on as a middleware that does nothing. */
function pass(how: Pass, stage: Stage, record: RequestRecord, next: Next): Given {
  stage.watch.count('pass', how);
  // Who has called next() may keep it: it must do nothing for anybody.
  const used = (): Promise<void> => {
    const given = stage.callNext(next, record);
    stage.museum.keep('next', next, record);
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
  stage: Stage,
  request: Request,
  response: Response,
  next: Next,
): Given {
  const record = recordOf(stage, request, response);
  stage.began(record, name);
  const part = record.script[name];
  if (part.pass !== null) return pass(part.pass, stage, record, next);
  stage.obtained('next', next, record);
  return run(stage, { record, request, response, next }, part, name);
}

function run(stage: Stage, frame: Frame, part: Part, name: PartName): Given {
  if (frame.record.runs > RUNS_MAX) return;
  stage.watch.count('part', name);
  // A handler may return whatever it likes, and does.
  return runPart(stage, frame, part) as Given;
}

function mounted(stage: Stage, request: Request, response: Response, next: Next): Given {
  const record = recordOf(stage, request, response);
  stage.began(record, 'mounted middleware');
  stage.watch.readSame(record, 'the mounted path', request.path, `/${record.secret}`);
  return pass(record.script.front, stage, record, next);
}

// --- Guards ---

function guard(stage: Stage, request: Request, response: Response, next: Next): Given {
  const record = recordOf(stage, request, response);
  stage.began(record, 'guard');
  const { area } = record.script;
  stage.watch.count('guard', area);
  if (area === 'guard/sync') return decide(stage, record, { request, response, next });
  return decideLater(stage, record, { request, response, next });
}

async function decideLater(stage: Stage, record: RequestRecord, given: Doors): Promise<void> {
  if (record.script.area === 'guard/async') await null;
  else await new Promise<void>((done) => stage.after(1 + (record.id % GUARD_MS_MAX), done));
  await decide(stage, record, given);
}

interface Doors {
  readonly request: Request;
  readonly response: Response;
  readonly next: Next;
}

/** By what the request itself brings, read now. */
function decide(stage: Stage, record: RequestRecord, { request, response, next }: Doors): Given {
  const cookie = request.header('cookie') ?? '';
  stage.watch.readSame(record, 'the cookie', cookie, record.cookie);
  if (cookie === `pass=${record.secret}`) {
    record.letThrough = true;
    return pass('returns next()', stage, record, next);
  }
  response.status(403).text(deniedText(record.mark));
  // Once all is over, next() of a request that was turned away is anybody's.
  stage.obtained('next', next, record);
}

export function deniedText(mark: string): string {
  return `${mark} may not\n`;
}

// --- Handlers ---

function handle(stage: Stage, request: Request, response: Response): Given {
  const record = recordOf(stage, request, response);
  const { area, kind } = record.script;
  stage.watch.readSame(record, 'the path', request.path, `/${area}/${record.secret}`);
  if (area.startsWith('guard') && !record.letThrough) {
    const text = `the handler of request ${record.id} runs, which its guard did not let through`;
    stage.watch.report('guard', text, record);
  }
  stage.began(record, 'handler');
  if (kind === 'hostile') {
    const part = record.script.handler;
    // A tamed one answers, and does nothing else.
    if (part.pass !== null) return response.text(record.mark);
    return run(stage, { record, request, response, next: null }, part, 'handler');
  }
  const { behaviour } = record.script;
  stage.watch.count('behaviour', behaviour);
  return CITIZENS[behaviour](stage, record.id, request, response);
}

function failed(stage: Stage, error: unknown, request: Request, response: Response): Given {
  const record = recordOf(stage, request, response);
  stage.watch.caught(record, 'onError', error);
  if (record.script.kind !== 'hostile') return;
  stage.watch.count('part', 'onError');
  return run(stage, { record, request, response, next: null }, record.script.onError, 'onError');
}
