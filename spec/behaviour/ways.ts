// The ways to respond that a handler has, each as a route and as what the RFC makes of it. The
// expectations are written from RFC 9110 and RFC 9112 and share no code with the server.

import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { HttpError } from '../../src/exchange/http-error.ts';
import { type Prepared, prepare } from '../../src/exchange/prepared.ts';
import type { Request } from '../../src/exchange/request.ts';
import type { Response } from '../../src/exchange/response.ts';
import type { Server } from '../../src/server/server.ts';
import { serveStatic } from '../../src/static/serve-static.ts';

/** What a request should get, whatever its method and version. */
export interface Expected {
  readonly status: number;
  /** What a GET would get; a HEAD, and a status without content, get none of it. */
  readonly content: string;
  /** Whether the length is known when the head is sent. */
  readonly known: boolean;
  /** Fields that must have this value. */
  readonly fields?: Readonly<Record<string, string>>;
  /** The handler says that the connection ends. */
  readonly closes?: boolean;
  /** The content cannot be sent whole, so the client must see that something is missing. */
  readonly cut?: boolean;
}

export interface Way {
  readonly name: string;
  /** The statuses it is tried with; one that gives its own status has just that one. */
  readonly statuses: readonly number[];
  readonly expected: (status: number, method: string) => Expected;
  /** Responds, as a handler; null for what the server answers without one. */
  readonly respond: ((request: Request, response: Response, status: number) => unknown) | null;
  /** For ways without a handler: what to ask for, by which methods, with which field lines. */
  /** The handler throws, which needs somebody who waits for it. */
  readonly throws?: boolean;
  readonly target?: string;
  readonly methods?: readonly string[];
  readonly lines?: readonly string[];
}

export const STATUSES: readonly number[] = [200, 201, 204, 205, 304, 404, 500, 503];

/** RFC 9110 15.3.5, 15.3.6 and 15.4.5. */
export function isEmptyStatus(status: number): boolean {
  return status === 204 || status === 205 || status === 304;
}

const BIG_BYTES = 150_000;
const BIG = 'abcdefghij'.repeat(BIG_BYTES / 10);
const SMALL = 'a small file\n';
const PLAIN = 'text/plain; charset=utf-8';
const OCTETS = 'application/octet-stream';

const FAILED: Expected = {
  status: 500,
  content: 'Internal Server Error\n',
  known: true,
  fields: { 'content-type': PLAIN },
};

/** Content that is handed over whole: with a status that has none it is a mistake. */
function whole(content: string, type: string): Way['expected'] {
  return (status) => {
    if (isEmptyStatus(status) && content !== '') return FAILED;
    return { status, content, known: true, fields: { 'content-type': type } };
  };
}

/** Content that comes in pieces: a status without content drops it. */
function pieces(content: string, type: string, known = false): Way['expected'] {
  return (status) => ({
    status,
    content: isEmptyStatus(status) ? '' : content,
    known,
    fields: type === '' ? {} : { 'content-type': type },
  });
}

/** What does not give the content that it announced is cut, unless the response is only a head. */
function cut(content: string, known: boolean): Way['expected'] {
  return (status, method) => {
    const isHeadOnly = method === 'HEAD' || isEmptyStatus(status);
    return { status, content, known, cut: !isHeadOnly };
  };
}

function always(expected: Expected): Way['expected'] {
  return () => expected;
}

function way(name: string, expected: Way['expected'], respond: Way['respond']): Way {
  return { name, statuses: STATUSES, expected, respond };
}

async function* generated(...parts: string[]): AsyncGenerator<string> {
  for (const part of parts) {
    await null;
    yield part;
  }
}

async function* failing(...parts: string[]): AsyncGenerator<string> {
  yield* generated(...parts);
  throw new Error('the source failed');
}

const preparedBy = new Map<string, Prepared>();

function preparedFor(status: number, content: string): Prepared {
  const key = `${status} ${content}`;
  const made = preparedBy.get(key) ?? prepare(status, { 'X-Prepared': 'yes' }, content);
  preparedBy.set(key, made);
  return made;
}

const WHOLE: readonly Way[] = [
  way('send text', whole('sent', PLAIN), (_, response, status) =>
    response.status(status).send('sent'),
  ),
  way('send text outside ASCII', whole('h\u00e9 \u20ac', PLAIN), (_, response, status) =>
    response.status(status).send('h\u00e9 \u20ac'),
  ),
  way('send bytes', whole('bytes', OCTETS), (_, response, status) =>
    response.status(status).send(Buffer.from('bytes')),
  ),
  way('send many bytes', whole(BIG, OCTETS), (_, response, status) =>
    response.status(status).send(Buffer.from(BIG)),
  ),
  way('send nothing', whole('', PLAIN), (_, response, status) => response.status(status).send('')),
  way('text', whole('text', PLAIN), (_, response, status) => response.status(status).text('text')),
  way('html', whole('<p>', 'text/html; charset=utf-8'), (_, response, status) =>
    response.status(status).html('<p>'),
  ),
  way('json', whole('{"a":1}', 'application/json; charset=utf-8'), (_, response, status) =>
    response.status(status).json({ a: 1 }),
  ),
  way('empty', pieces('', '', true), (_, response, status) => response.empty(status)),
  {
    ...way('empty with a length', pieces('', '', true), (_, response, status) =>
      response.header('Content-Length', 6).empty(status),
    ),
    statuses: STATUSES.filter(isEmptyStatus),
  },
  way('end()', pieces('', '', true), (_, response, status) => response.status(status).end()),
  way(
    'end(chunk)',
    (status) => (isEmptyStatus(status) ? FAILED : { status, content: 'end', known: true }),
    (_, response, status) => response.status(status).end('end'),
  ),
  way(
    'prepared',
    (status) => {
      const fields = { 'x-prepared': 'yes' };
      return { status, content: isEmptyStatus(status) ? '' : 'made', known: true, fields };
    },
    (_, response, status) =>
      response.prepared(preparedFor(status, isEmptyStatus(status) ? '' : 'made')),
  ),
  way(
    'Connection: close',
    (status) => ({ ...whole('bye', PLAIN)(status, ''), closes: true }),
    (_, response, status) => response.status(status).header('Connection', 'close').text('bye'),
  ),
  way('beforeSend sets the status', whole('text', PLAIN), (_, response, status) =>
    response
      .beforeSend((outgoing) => {
        outgoing.status = status;
      })
      .text('text'),
  ),
  way(
    'beforeSend takes the content',
    (status) => ({ status, content: '', known: true }),
    (_, response, status) =>
      response
        .status(200)
        .beforeSend((outgoing) => {
          outgoing.status = status;
          outgoing.content = null;
        })
        .text('text'),
  ),
];

const IN_PIECES: readonly Way[] = [
  way('stream an iterable', pieces('onetwo', OCTETS), (_, response, status) =>
    response.status(status).stream(['one', 'two']),
  ),
  way('stream an async iterable', pieces('onetwo', OCTETS), (_, response, status) =>
    response.status(status).stream(generated('one', '', 'two')),
  ),
  way('stream a Readable', pieces('node', OCTETS), (_, response, status) =>
    response.status(status).stream(Readable.from([Buffer.from('no'), Buffer.from('de')])),
  ),
  way('stream a ReadableStream', pieces('web', OCTETS), (_, response, status) =>
    response.status(status).stream(new Blob(['web']).stream()),
  ),
  way('stream nothing', pieces('', OCTETS), (_, response, status) =>
    response.status(status).stream(generated()),
  ),
  way('stream with a length', pieces('onetwo', OCTETS, true), (_, response, status) =>
    response.status(status).header('Content-Length', 6).stream(generated('one', 'two')),
  ),
  way('stream that fails at once', always(FAILED), (_, response, status) =>
    response.status(status).stream(failing()),
  ),
  way('stream that fails later', cut('one', false), (_, response, status) =>
    response.status(status).stream(failing('one')),
  ),
  way('stream that is too short', cut('onetwo', true), (_, response, status) =>
    response.status(status).header('Content-Length', 6).stream(generated('one')),
  ),
  way('stream that is too long', cut('on', true), (_, response, status) =>
    response.status(status).header('Content-Length', 2).stream(generated('one')),
  ),
  way('beforeSend of a stream', pieces('one', OCTETS), (_, response, status) =>
    response
      .beforeSend((outgoing) => {
        outgoing.status = status;
      })
      .stream(generated('one')),
  ),
  way('write, end', pieces('onetwo', ''), async (_, response, status) => {
    await response.status(status).write('one');
    response.end('two');
  }),
  way('write, end at once', pieces('onetwo', ''), (_, response, status) => {
    void response.status(status).write('one');
    void response.write('two');
    response.end();
  }),
  way('write with a length', pieces('onetwo', '', true), async (_, response, status) => {
    await response.status(status).header('Content-Length', 6).write('one');
    await response.write('two');
    response.end();
  }),
  way('write of many bytes', pieces(BIG, ''), async (_, response, status) => {
    await response.status(status).write(BIG);
    response.end();
  }),
  way('events', pieces('data: tick\n\n', 'text/event-stream'), async (_, response, status) => {
    const events = response.status(status).events();
    await events.send('tick');
    events.close();
  }),
];

const ERRORS: readonly Way[] = [
  { ...way('throw', always(FAILED), () => fail(new Error('thrown'))), statuses: [200, 204] },
  {
    ...way(
      'HttpError',
      (status) => ({ status, content: 'no\n', known: true, fields: { 'content-type': PLAIN } }),
      (_, __, status) => fail(new HttpError(status, 'no')),
    ),
    statuses: [404, 500, 503],
    throws: true,
  },
  {
    ...way(
      'redirect',
      (status) => ({ status, content: '', known: true, fields: { location: '/there' } }),
      (_, response, status) => response.redirect('/there', status),
    ),
    statuses: [301, 302, 307],
  },
];

function fail(error: Error): never {
  throw error;
}

const PATHS = { small: 'small.txt', empty: 'empty.txt', big: 'big.txt', page: 'page.html' };

/** Files as they were made long ago, so that the server may remember them. */
export function makeFiles(folder: string): void {
  mkdirSync(join(folder, 'sub'));
  const contents = { small: SMALL, empty: '', big: BIG, page: '<p>' };
  for (const [name, content] of Object.entries(contents)) {
    const file = join(folder, PATHS[name as keyof typeof PATHS]);
    writeFileSync(file, content);
    utimesSync(file, 1_600_000_000.5, 1_600_000_000.5);
  }
}

function files(folder: string): readonly Way[] {
  const at = (name: keyof typeof PATHS) => join(folder, PATHS[name]);
  const missing = { status: 404, content: 'Not Found\n', known: true };
  return [
    way('file, small', pieces(SMALL, PLAIN, true), (_, response, status) =>
      response.status(status).file(at('small')),
    ),
    way('file, empty', pieces('', PLAIN, true), (_, response, status) =>
      response.status(status).file(at('empty')),
    ),
    way('file, big', pieces(BIG, PLAIN, true), (_, response, status) =>
      response.status(status).file(at('big')),
    ),
    {
      ...way('file, missing', always(missing), (_, response, status) =>
        response.status(status).file(join(folder, 'missing.txt')),
      ),
      throws: true,
    },
    {
      ...way(
        'file that the client has',
        (_, method) =>
          method === 'POST'
            ? { status: 200, content: SMALL, known: true }
            : { status: 304, content: '', known: true },
        (_, response) => response.file(at('small')),
      ),
      statuses: [200],
      lines: ['If-None-Match: *'],
    },
  ];
}

/** What the server answers without a handler. */
function unasked(
  name: string,
  target: string,
  expected: Way['expected'] | Expected,
  more: Partial<Way> = {},
): Way {
  const asked = typeof expected === 'function' ? expected : always(expected);
  return { name, statuses: [0], expected: asked, respond: null, target, ...more };
}

/** A file of the static site is for GET and HEAD. */
function site(expected: Expected): Way['expected'] {
  const fields = { allow: 'GET, HEAD, OPTIONS' };
  const refused = { status: 405, content: 'Method Not Allowed\n', known: true, fields };
  return (_, method) => (method === 'POST' ? refused : expected);
}

function ok(content: string, type = PLAIN): Expected {
  return { status: 200, content, known: true, fields: { 'content-type': type } };
}

const HTML = 'text/html; charset=utf-8';
const OPTIONS: Expected = { status: 204, content: '', known: true };
const LINES_304 = { lines: ['If-None-Match: *'] };

const WITHOUT_HANDLER: readonly Way[] = [
  unasked('static, cached', '/site/small.txt', site(ok(SMALL))),
  unasked('static, too big for the cache', '/site/big.txt', site(ok(BIG))),
  unasked('static, empty', '/site/empty.txt', site(ok(''))),
  unasked('static, uncached', '/fresh/page.html', site(ok('<p>', HTML))),
  unasked('static, missing', '/site/missing', { status: 404, content: 'Not Found\n', known: true }),
  unasked('static, directory', '/site/sub', site({ status: 301, content: '', known: true })),
  unasked('static, 304', '/site/small.txt', site({ ...OPTIONS, status: 304 }), LINES_304),
  unasked('static, 304 uncached', '/fresh/big.txt', site({ ...OPTIONS, status: 304 }), LINES_304),
  unasked('404', '/nothing', { status: 404, content: 'Not Found\n', known: true }),
  unasked('405', '/only-put', {
    status: 405,
    content: 'Method Not Allowed\n',
    known: true,
    fields: { allow: 'OPTIONS, PUT' },
  }),
  unasked('400 of a path', '/%', { status: 400, content: 'Bad Request\n', known: true }),
  unasked(
    '501',
    '/only-put',
    { status: 501, content: 'Not Implemented\n', known: true },
    {
      methods: ['BREW'],
    },
  ),
  unasked(
    'OPTIONS',
    '/only-put',
    { ...OPTIONS, fields: { allow: 'OPTIONS, PUT' } },
    {
      methods: ['OPTIONS'],
    },
  ),
  unasked('OPTIONS *', '*', OPTIONS, { methods: ['OPTIONS'] }),
  unasked(
    'CONNECT',
    'a.test:80',
    { status: 501, content: 'Not Implemented\n', known: true, closes: true },
    { methods: ['CONNECT'] },
  ),
];

/** Every way to respond, with the files in this folder. */
export function allWays(folder: string): readonly Way[] {
  return [...WHOLE, ...IN_PIECES, ...ERRORS, ...files(folder), ...WITHOUT_HANDLER];
}

/** The routes of all ways with a handler, and what stands beside them. */
export function addRoutes(server: Server, ways: readonly Way[], folder: string): void {
  server.use('/site', serveStatic(folder, { listing: true }));
  server.use('/fresh', serveStatic(folder, { cacheBytesMax: 0 }));
  server.put('/only-put', (_request, response) => response.empty());
  server.get('/plain/:number', (request, response) =>
    response.text(`plain ${request.params['number']}`),
  );
  server.all('/way/:index/:status/:when/:body', (request, response) => {
    const { index, status, when, body } = request.params;
    const { respond } = ways[Number(index)];
    const run = () => respond?.(request, response, Number(status)) as void | Promise<void>;
    if (body === 'unread') return later(when, run);
    return request.bytes().then(() => later(when, run));
  });
}

function later(when: string | undefined, run: () => void | Promise<void>): void | Promise<void> {
  if (when === 'once') return run();
  if (when === 'await') return Promise.resolve().then(run);
  if (when === 'timer') return new Promise((resolve) => setTimeout(resolve, 0)).then(run);
  // The handler returns nothing and answers when it likes.
  setImmediate(() => {
    Promise.resolve()
      .then(run)
      .catch((error: unknown) => lateErrors.push(error));
  });
}

/** What handlers threw when nobody waited for them. */
export const lateErrors: unknown[] = [];
