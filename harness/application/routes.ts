// The simulated application: handlers of every kind, as users write them. Their responses follow
// from the request alone, so that a client can compute them.

import { HttpError } from '../../src/exchange/http-error.ts';
import { prepare } from '../../src/exchange/prepared.ts';
import type { Request } from '../../src/exchange/request.ts';
import type { Response } from '../../src/exchange/response.ts';
import { accessLog } from '../../src/middleware/access-log.ts';
import type { Server } from '../../src/server/server.ts';
import { serveStatic } from '../../src/static/serve-static.ts';
import { content, DIGEST_START, digest, HELLO, textOf } from '../world/content.ts';

/** Bytes of one write() of a stream. */
export const CHUNK_BYTES = 3000;

export interface ApplicationParts {
  readonly after: (ms: number, run: () => void) => void;
  /** The folder with the files of SITE. */
  readonly site: string;
  /** A write() of this chunk resolved: its memory is reused now. */
  readonly reused: (chunk: Uint8Array) => void;
}

export interface ApplicationState {
  /** Handlers that were called and have not settled. */
  running: number;
  /** Requests that reached a handler, and lines of the access log: of them, and of others. */
  handled: number;
  logged: number;
  refused: number;
  /** Handlers whose response was open again after it had been sent. */
  reopened: number;
  /** Responses whose afterSend() reported a wrong length. */
  miscounted: number;
}

export function addRoutes(server: Server, parts: ApplicationParts): ApplicationState {
  const state: ApplicationState = {
    running: 0,
    handled: 0,
    logged: 0,
    refused: 0,
    reopened: 0,
    miscounted: 0,
  };
  const pause = (ms: number): Promise<void> => new Promise((done) => parts.after(ms, done));
  /** Counts a handler while it runs. */
  const counted =
    (handler: (request: Request, response: Response) => Promise<void>) =>
    async (request: Request, response: Response): Promise<void> => {
      state.running += 1;
      try {
        await handler(request, response);
      } finally {
        state.running -= 1;
      }
    };

  server.use((request, response, next) => {
    state.handled += 1;
    const id = request.header('x-id');
    if (id !== undefined) response.header('X-Id', id);
    const { method, target } = request;
    response.afterSend(({ status, bytes, complete }) => {
      const expected = contentBytes(method, target);
      if (complete && status === 200 && expected >= 0 && bytes !== expected) state.miscounted += 1;
    });
    return next();
  });
  server.use(
    accessLog({
      format: '{fault}',
      write: (fault) => {
        if (fault === '-') state.logged += 1;
        else state.refused += 1;
      },
    }),
  );
  server.use('/static', serveStatic(parts.site, { listing: true, cacheEntryBytesMax: 65536 }));
  addPlain(server);
  addBodies(server, counted, pause, state);
  addStreams(server, counted, pause, parts.reused);
  addFailures(server, counted, pause);
  server.get(
    '/file/:name',
    counted((request, response) => response.file(`${parts.site}/${request.params['name']}`)),
  );
  return state;
}

type Counted = (
  handler: (request: Request, response: Response) => Promise<void>,
) => (request: Request, response: Response) => Promise<void>;
type Pause = (ms: number) => Promise<void>;

function contentOf(request: Request): Buffer {
  return content(Number(request.query.get('id')), Number(request.params['length']));
}

/** The length of the content for a target, -1 when it is unknown. */
function contentBytes(method: string, target: string): number {
  if (method === 'GET' && target === '/hello') return HELLO.length;
  const [, name, number] = /^\/(text|bytes|stream|sized)\/(\d+)/.exec(target) ?? [];
  if (name === undefined) return -1;
  if (method === 'HEAD') return 0;
  return name === 'text' ? Buffer.byteLength(textOf(Number(number))) : Number(number);
}

function addPlain(server: Server): void {
  const hello = prepare(200, {}, HELLO);
  server.get('/hello', (_request, response) => response.prepared(hello));
  server.get('/text/:id', (request, response) => {
    response.text(textOf(Number(request.params['id'])));
  });
  server.get('/bytes/:length', (request, response) => response.send(contentOf(request)));
  server.get('/peer', (request, response) => {
    response.text(`${request.remoteAddress}:${request.remotePort}`);
  });
  server.get('/params/:one/:two', (request, response) => {
    response.json({ ...request.params, q: request.query.get('q') });
  });
}

function addBodies(server: Server, counted: Counted, pause: Pause, state: ApplicationState): void {
  server.post(
    '/echo',
    counted(async (request, response) => response.send(await request.bytes())),
  );
  server.post(
    '/sum',
    counted(async (request, response) => {
      const pauseMs = Number(request.query.get('ms') ?? 0);
      const laterMs = Number(request.query.get('later') ?? 0);
      if (laterMs > 0) await pause(laterMs);
      let hash = DIGEST_START;
      let bytes = 0;
      for await (const chunk of request.body) {
        hash = digest(hash, chunk);
        bytes += chunk.length;
        if (pauseMs > 0) await pause(pauseMs);
      }
      response.json({ bytes, hash, target: request.target });
    }),
  );
  server.post(
    '/mirror',
    counted(async (request, response) => {
      for await (const chunk of request.body) await response.write(chunk);
      response.end();
    }),
  );
  server.post(
    '/hold',
    counted(async (request) => {
      await request.body[Symbol.asyncIterator]().next();
      await aborted(request);
    }),
  );
  server.post('/ignore', (_request, response) => response.text('ignored\n'));
  server.post(
    '/ignore/later',
    counted(async (_request, response) => {
      await pause(1);
      response.text('ignored\n');
      // Users keep their objects. A late call may throw, but must not reach another request.
      state.running += 1;
      void pause(15).then(() => {
        state.running -= 1;
        if (isOpenAgain(response)) state.reopened += 1;
      });
    }),
  );
}

/** Resolves when the client is gone, or at the handler timeout. */
function aborted({ signal }: Request): Promise<void> {
  return new Promise((resolve) => {
    // It may have left in the turn in which the body came.
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve());
  });
}

function isOpenAgain(response: Response): boolean {
  try {
    return !response.closed;
  } catch {
    return false;
  }
}

function addStreams(
  server: Server,
  counted: Counted,
  pause: Pause,
  reused: ApplicationParts['reused'],
): void {
  /** One buffer for all chunks: it is overwritten as soon as the promise of write() allows. */
  const writeChunks = async (request: Request, response: Response): Promise<void> => {
    const content = contentOf(request);
    const pauseMs = Number(request.query.get('ms') ?? 0);
    const chunkBytes = Number(request.query.get('chunk') ?? CHUNK_BYTES);
    const chunk = Buffer.alloc(chunkBytes);
    // An empty chunk is not the end.
    await response.write('');
    for (let at = 0; at < content.length; at += chunkBytes) {
      const count = content.copy(chunk, 0, at, Math.min(at + chunkBytes, content.length));
      await response.write(chunk.subarray(0, count));
      reused(chunk);
      chunk.fill(0xdd);
      if (pauseMs > 0) await pause(pauseMs);
    }
  };
  server.get(
    '/stream/:length',
    counted(async (request, response) => {
      await writeChunks(request, response);
      response.end();
    }),
  );
  server.get(
    '/sized/:length',
    counted(async (request, response) => {
      response.header('Content-Length', request.params['length']);
      await writeChunks(request, response);
      response.end();
    }),
  );
  server.get(
    '/events/:count',
    counted(async (request, response) => {
      const pauseMs = Number(request.query.get('ms') ?? 5);
      const events = response.events();
      for (let number = 1; number <= Number(request.params['count']); number++) {
        if (events.closed) return;
        await events.send(`event ${number}`, { id: String(number) });
        await pause(pauseMs);
      }
      events.close();
    }),
  );
}

function addFailures(server: Server, counted: Counted, pause: Pause): void {
  server.get(
    '/slow/:ms',
    counted(async (request, response) => {
      await pause(Number(request.params['ms']));
      response.text(`slow ${request.params['ms']}\n`);
    }),
  );
  server.get(
    '/never',
    counted((request) => aborted(request)),
  );
  server.get('/throw', () => {
    throw new Error('thrown on purpose');
  });
  server.get(
    '/reject',
    counted(async () => {
      await pause(1);
      throw new HttpError(409, 'rejected on purpose');
    }),
  );
  server.get(
    '/cut/:length',
    counted(async (request, response) => {
      await response.write(contentOf(request));
      await pause(1);
      throw new Error('thrown in the middle of a response');
    }),
  );
}
