// Handlers that do everything right, and what their clients must get, whatever others do meanwhile.
// The answer follows from the request alone.

import { Readable } from 'node:stream';
import { HttpError } from '../../src/exchange/http-error.ts';
import { prepare } from '../../src/exchange/prepared.ts';
import type { Request } from '../../src/exchange/request.ts';
import type { Response } from '../../src/exchange/response.ts';
import type { Stage } from './context.ts';
import type { Behaviour } from './grammar.ts';
import { markOf, repeated, secretOf } from './marks.ts';
import type { Script } from './script.ts';

const PAUSE_MS = 3;
const PIECES = 4;
const PIECE_BYTES = 1600;
const FILE_BYTES = 150_000;

type Handle = (
  stage: Stage,
  id: number,
  request: Request,
  response: Response,
) => void | Promise<void>;

function textOf(id: number): string {
  return repeated(markOf(id), 80 + (id % 50) * 8);
}

function pieceOf(id: number): string {
  return repeated(markOf(id), PIECE_BYTES);
}

function pause(stage: Stage, ms = PAUSE_MS): Promise<void> {
  return new Promise((done) => stage.after(ms, done));
}

/** All that would answer in place of what answers already; none of it has an effect. */
function callOthers(response: Response, id: number): void {
  const text = `${markOf(id)} too late`;
  const calls = [
    () => response.write(text),
    () => response.events().send(text),
    () => response.text(text),
    () => response.stream([text]),
    () => response.file(citizenPath(id)),
    () => response.end(text),
  ];
  for (const call of calls) {
    try {
      call();
    } catch {
      // In the call of the handler it is told so.
    }
  }
}

/** Calls them within the call of the handler, and later. */
function othersBeside(stage: Stage, response: Response, id: number): void {
  callOthers(response, id);
  void Promise.resolve().then(() => callOthers(response, id));
  for (const ms of [1, 2, 40]) stage.after(ms, () => callOthers(response, id));
}

/** What a request says of itself, in one text. */
function sayingOf(request: Request): string {
  const { method, params, query } = request;
  const fields = [request.header('cookie'), request.header('x-secret'), request.header('x-id')];
  return [method, params['secret'], query.get('q'), ...fields].join(' ');
}

export function citizenPath(id: number): string {
  return `/marked/${markOf(id)}/${FILE_BYTES}`;
}

export const CITIZENS: Readonly<Record<Behaviour, Handle>> = {
  'text at once': (_stage, id, _request, response) => response.text(textOf(id)),
  'text later': async (stage, id, _request, response) => {
    await pause(stage);
    response.text(textOf(id));
  },
  'text later, nothing returned': (stage, id, _request, response) => {
    stage.after(PAUSE_MS, () => {
      try {
        response.text(textOf(id));
      } catch {
        // The server gave it up; the client sees what it got in its place.
      }
    });
  },
  prepared: (_stage, id, _request, response) => {
    response.prepared(prepare(200, { 'X-Prepared': markOf(id) }, textOf(id)));
  },
  echo: async (_stage, _id, request, response) => response.send(await request.bytes()),
  'pieces of the body': async (stage, _id, request, response) => {
    for await (const piece of request.body) {
      await pause(stage, 1);
      await response.write(piece);
    }
    response.end();
  },
  'what the request says': (_stage, _id, request, response) => response.text(sayingOf(request)),
  'what the request says later': async (stage, _id, request, response) => {
    await pause(stage, 8);
    response.text(sayingOf(request));
  },
  'stream of write': async (stage, id, _request, response) => {
    const piece = Buffer.alloc(PIECE_BYTES);
    for (let count = 0; count < PIECES; count++) {
      piece.write(pieceOf(id), 'latin1');
      await response.write(piece);
      piece.fill('-');
      if (count === 1) await pause(stage);
    }
    response.end();
  },
  'stream of an iterable': async (stage, id, _request, response) => {
    async function* pieces(): AsyncGenerator<string> {
      for (let count = 0; count < PIECES; count++) {
        await pause(stage, 1);
        yield pieceOf(id);
      }
    }
    await response.stream(pieces());
  },
  'stream of a readable': (_stage, id, _request, response) => {
    return response.stream(Readable.from(Array.from({ length: PIECES }, () => pieceOf(id))));
  },
  events: async (stage, id, _request, response) => {
    const events = response.events();
    for (let count = 0; count < PIECES && !events.closed; count++) {
      await events.send(markOf(id));
      await pause(stage);
    }
    events.close();
  },
  trailers: async (_stage, id, _request, response) => {
    response.trailer('X-Trailer', markOf(id));
    await response.write(textOf(id));
    response.end();
  },
  file: (_stage, id, _request, response) => response.file(citizenPath(id)),
  'no content': (_stage, _id, _request, response) => response.empty(),
  'stream, and others beside': (stage, id, _request, response) => {
    async function* pieces(): AsyncGenerator<string> {
      for (let count = 0; count < PIECES; count++) {
        await pause(stage, 1);
        yield pieceOf(id);
      }
    }
    const streamed = response.stream(pieces());
    othersBeside(stage, response, id);
    return streamed;
  },
  'events, and others beside': async (stage, id, _request, response) => {
    const events = response.events();
    othersBeside(stage, response, id);
    for (let count = 0; count < PIECES; count++) {
      await events.send(markOf(id));
      await pause(stage, 1);
    }
    events.close();
    events.close();
    void events.send(markOf(id));
  },
  'file, and others beside': (stage, id, _request, response) => {
    const sent = response.file(citizenPath(id));
    othersBeside(stage, response, id);
    return sent;
  },
  'text, and others behind': (stage, id, _request, response) => {
    response.text(textOf(id));
    othersBeside(stage, response, id);
  },
  error: async (stage, id) => {
    await pause(stage, 1);
    throw new HttpError(409, markOf(id));
  },
};

/** What the client of a citizen must get. */
export interface Right {
  readonly status: number;
  readonly body: string;
  readonly fields: readonly (readonly [string, string])[];
  readonly trailers: readonly (readonly [string, string])[];
}

export function rightOf(script: Script, sentBody: string): Right {
  const { behaviour, id, method } = script;
  const fields = [['x-mark', markOf(id)] as const];
  const status = behaviour === 'no content' ? 204 : behaviour === 'error' ? 409 : 200;
  const whole = method === 'HEAD' ? '' : contentOf(script, sentBody);
  const hasTrailers = behaviour === 'trailers';
  return { status, body: whole, fields, trailers: hasTrailers ? [['x-trailer', markOf(id)]] : [] };
}

function contentOf({ behaviour, id, method }: Script, sentBody: string): string {
  switch (behaviour) {
    case 'echo':
    case 'pieces of the body':
      return sentBody;
    case 'what the request says':
    case 'what the request says later':
      return `${method} ${secretOf(id)} ${secretOf(id)} pass=${secretOf(id)} ${secretOf(id)} ${id}`;
    case 'stream of write':
    case 'stream of an iterable':
    case 'stream of a readable':
    case 'stream, and others beside':
      return pieceOf(id).repeat(PIECES);
    case 'events':
    case 'events, and others beside':
      return `data: ${markOf(id)}\n\n`.repeat(PIECES);
    case 'file':
    case 'file, and others beside':
      return repeated(markOf(id), FILE_BYTES);
    case 'no content':
      return '';
    case 'error':
      return `${markOf(id)}\n`;
    default:
      return textOf(id);
  }
}
