// Correct handlers, and the responses that their clients expect, whatever hostile handlers do
// meanwhile. The response follows from the request alone.

import { Readable } from 'node:stream';
import { HttpError } from '../../src/exchange/http-error.ts';
import { prepare } from '../../src/exchange/prepared.ts';
import type { Request } from '../../src/exchange/request.ts';
import type { Response } from '../../src/exchange/response.ts';
import type { HostileContext } from './context.ts';
import type { Behaviour } from './grammar.ts';
import { markOf, repeated, secretOf } from './marks.ts';
import type { Script } from './script.ts';

const PAUSE_MS = 3;
const CHUNKS = 4;
const CHUNK_BYTES = 1600;
const FILE_BYTES = 150_000;

type Handle = (
  context: HostileContext,
  id: number,
  request: Request,
  response: Response,
) => void | Promise<void>;

function textOf(id: number): string {
  return repeated(markOf(id), 80 + (id % 50) * 8);
}

function chunkOf(id: number): string {
  return repeated(markOf(id), CHUNK_BYTES);
}

function pause(context: HostileContext, ms = PAUSE_MS): Promise<void> {
  return new Promise((done) => context.after(ms, done));
}

/** Calls that would start another response: none may have an effect. */
function callLate(response: Response, id: number): void {
  const text = `${markOf(id)} too late`;
  const calls = [
    () => response.write(text),
    () => response.events().send(text),
    () => response.text(text),
    () => response.stream([text]),
    () => response.file(markedPath(id)),
    () => response.end(text),
  ];
  for (const call of calls) {
    try {
      call();
    } catch {
      // Within the handler's own call it throws.
    }
  }
}

/** Makes these calls within the handler's own call, and later. */
function callLateAtTimes(context: HostileContext, response: Response, id: number): void {
  callLate(response, id);
  void Promise.resolve().then(() => callLate(response, id));
  for (const ms of [1, 2, 40]) context.after(ms, () => callLate(response, id));
}

/** All properties of a request in one text. */
function requestText(request: Request): string {
  const { method, params, query } = request;
  const fields = [request.header('cookie'), request.header('x-secret'), request.header('x-id')];
  return [method, params['secret'], query.get('q'), ...fields].join(' ');
}

export function markedPath(id: number): string {
  return `/marked/${markOf(id)}/${FILE_BYTES}`;
}

export const CORRECT_HANDLERS: Readonly<Record<Behaviour, Handle>> = {
  'text at once': (_stage, id, _request, response) => response.text(textOf(id)),
  'text later': async (context, id, _request, response) => {
    await pause(context);
    response.text(textOf(id));
  },
  'text later, nothing returned': (context, id, _request, response) => {
    context.after(PAUSE_MS, () => {
      try {
        response.text(textOf(id));
      } catch {
        // The handler timed out; its client has received a 503.
      }
    });
  },
  prepared: (_stage, id, _request, response) => {
    response.prepared(prepare(200, { 'X-Prepared': markOf(id) }, textOf(id)));
  },
  echo: async (_stage, _id, request, response) => response.send(await request.bytes()),
  'chunks of the body': async (context, _id, request, response) => {
    for await (const chunk of request.body) {
      await pause(context, 1);
      await response.write(chunk);
    }
    response.end();
  },
  'what the request says': (_stage, _id, request, response) => response.text(requestText(request)),
  'what the request says later': async (context, _id, request, response) => {
    await pause(context, 8);
    response.text(requestText(request));
  },
  'stream of write': async (context, id, _request, response) => {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    for (let count = 0; count < CHUNKS; count++) {
      chunk.write(chunkOf(id), 'latin1');
      await response.write(chunk);
      chunk.fill('-');
      if (count === 1) await pause(context);
    }
    response.end();
  },
  'stream of an iterable': async (context, id, _request, response) => {
    async function* chunks(): AsyncGenerator<string> {
      for (let count = 0; count < CHUNKS; count++) {
        await pause(context, 1);
        yield chunkOf(id);
      }
    }
    await response.stream(chunks());
  },
  'stream of a readable': (_stage, id, _request, response) => {
    return response.stream(Readable.from(Array.from({ length: CHUNKS }, () => chunkOf(id))));
  },
  events: async (context, id, _request, response) => {
    const events = response.events();
    for (let count = 0; count < CHUNKS && !events.closed; count++) {
      await events.send(markOf(id));
      await pause(context);
    }
    events.close();
  },
  trailers: async (_stage, id, _request, response) => {
    response.trailer('X-Trailer', markOf(id));
    await response.write(textOf(id));
    response.end();
  },
  file: (_stage, id, _request, response) => response.file(markedPath(id)),
  'no content': (_stage, _id, _request, response) => response.empty(),
  'stream, with late calls': (context, id, _request, response) => {
    async function* chunks(): AsyncGenerator<string> {
      for (let count = 0; count < CHUNKS; count++) {
        await pause(context, 1);
        yield chunkOf(id);
      }
    }
    const streamed = response.stream(chunks());
    callLateAtTimes(context, response, id);
    return streamed;
  },
  'events, with late calls': async (context, id, _request, response) => {
    const events = response.events();
    callLateAtTimes(context, response, id);
    for (let count = 0; count < CHUNKS; count++) {
      await events.send(markOf(id));
      await pause(context, 1);
    }
    events.close();
    events.close();
    void events.send(markOf(id));
  },
  'file, with late calls': (context, id, _request, response) => {
    const sent = response.file(markedPath(id));
    callLateAtTimes(context, response, id);
    return sent;
  },
  'text, then late calls': (context, id, _request, response) => {
    response.text(textOf(id));
    callLateAtTimes(context, response, id);
  },
  error: async (context, id) => {
    await pause(context, 1);
    throw new HttpError(409, markOf(id));
  },
};

/** What the client of a correct handler expects. */
export interface ExpectedResponse {
  readonly status: number;
  readonly body: string;
  readonly fields: readonly (readonly [string, string])[];
  readonly trailers: readonly (readonly [string, string])[];
}

export function expectedResponseOf(script: Script, sentBody: string): ExpectedResponse {
  const { behaviour, id, method } = script;
  const fields = [['x-mark', markOf(id)] as const];
  const status = behaviour === 'no content' ? 204 : behaviour === 'error' ? 409 : 200;
  const content = method === 'HEAD' ? '' : contentOf(script, sentBody);
  const hasTrailers = behaviour === 'trailers';
  return {
    status,
    body: content,
    fields,
    trailers: hasTrailers ? [['x-trailer', markOf(id)]] : [],
  };
}

function contentOf({ behaviour, id, method }: Script, sentBody: string): string {
  switch (behaviour) {
    case 'echo':
    case 'chunks of the body':
      return sentBody;
    case 'what the request says':
    case 'what the request says later':
      return `${method} ${secretOf(id)} ${secretOf(id)} pass=${secretOf(id)} ${secretOf(id)} ${id}`;
    case 'stream of write':
    case 'stream of an iterable':
    case 'stream of a readable':
    case 'stream, with late calls':
      return chunkOf(id).repeat(CHUNKS);
    case 'events':
    case 'events, with late calls':
      return `data: ${markOf(id)}\n\n`.repeat(CHUNKS);
    case 'file':
    case 'file, with late calls':
      return repeated(markOf(id), FILE_BYTES);
    case 'no content':
      return '';
    case 'error':
      return `${markOf(id)}\n`;
    default:
      return textOf(id);
  }
}
