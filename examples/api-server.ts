// A REST API on a real database: books in SQLite, with pages, filters, entity tags against lost
// updates, idempotency keys, problem details, bearer tokens and an OpenAPI document.
// usage: npm run example:api-server -- [address] [database]

import cluster from 'node:cluster';
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, HttpError, problemDetails, type Request, type Response } from 'vibing';
import { accessLog, bearerAuth, bodyLimit, cache, timeout } from 'vibing/middleware';
import { fail, failListening, formatUrl, readAddress, readArguments } from './address.ts';
import { BOOK_FIELDS, type Book, type BookFields, LIST_QUERY } from './api/book.ts';
import { listRequest, nextTarget } from './api/list.ts';
import { mergePatch } from './api/merge-patch.ts';
import { OPENAPI } from './api/openapi.ts';
import { fingerprint, idempotencyKey, requireType } from './api/request-fields.ts';
import * as store from './api/store.ts';
import { openStore, prepareFile } from './sqlite/client.ts';

const USAGE = `usage: api-server [address] [database]
  address    host:port or a port; 0 is any free one (default 127.0.0.1:8083)
  database   the SQLite file; a new one gets 10,000 books (default ./api-server.db)

variables of the environment:
  API_TOKEN     the bearer token that writes need, 16 characters or more; without it a random
                one is printed
  API_WORKERS   the number of processes that serve (default 1)`;

const REQUEST_MS_MAX = 10_000;
const BODY_BYTES_MAX = 64 * 1024;
/** How often a change that needs no particular version is tried while others change the book. */
const TRIES_MAX = 5;
/** The one who has the token. */
const OWNER = 'owner';
const DUPLICATE = 'another book has this ISBN';

const [given = '127.0.0.1:8083', path = './api-server.db'] = readArguments(USAGE, 2);
const address = readAddress(given);
const workers = readWorkers(process.env['API_WORKERS'] ?? '1');
// Workers inherit the token of the first process.
const givenToken = process.env['API_TOKEN'];
const token =
  givenToken === undefined ? randomBytes(24).toString('base64url') : checked(givenToken);
process.env['API_TOKEN'] = token;

await prepareFile(path, store.TABLES).catch((error: Error) =>
  fail(`cannot open the database ${JSON.stringify(path)}: ${error.message}`, 1),
);
const server = createServer({ ...address, workers, healthz: true });
// With several workers the first process only supervises them. The threads are started before
// listen(), which binds this thread, and those it starts, to one core.
const serves = workers === 1 || cluster.isWorker;
const database = serves
  ? openStore<typeof store>({ path, module: new URL('./api/store.js', import.meta.url).href })
  : null;

const mayWrite = bearerAuth({
  verify: (sent) => isToken(sent) && { sub: OWNER },
  realm: 'books',
});

server.use(accessLog());
server.use(timeout(REQUEST_MS_MAX));
server.use(bodyLimit(BODY_BYTES_MAX));
server.use(cache({ noCache: true }));
server.onError(problemDetails);

server.get('/', (_req, res) => res.json({ books: '/books', openapi: '/openapi.json' }));
server.get('/openapi.json', (_req, res) => res.etag().json(OPENAPI));

server.get('/books', async (req, res) => {
  const request = listRequest(await req.validate(LIST_QUERY, req.query));
  const page = await open().read('list', request);
  const next = nextTarget('/books', req.query, page);
  if (next !== null) res.header('Link', `<${next}>; rel="next"`);
  res.etag().json({ items: page.items, next });
});

server.get('/books/:id', async (req, res) => {
  const book = await findBook(req.params.id);
  res.etag(tagOf(book)).json(book);
});

server.post('/books', mayWrite, async (req, res) => {
  requireType(req, 'application/json');
  const key = idempotencyKey(req);
  const fields = await req.json({ validate: BOOK_FIELDS });
  const idempotency = key === null ? null : { owner: OWNER, key, fingerprint: fingerprint(fields) };
  const made = await open().write('create', { fields, idempotency, nowMs: Date.now() });
  if (made.outcome === 'key reused') {
    throw new HttpError(422, 'Idempotency-Key: it was used with another body; send a new one');
  }
  if (made.outcome === 'duplicate') throw new HttpError(409, DUPLICATE);
  if (made.outcome === 'repeated') res.header('Idempotency-Replayed', 'true');
  res.status(201).header('Location', `/books/${made.book.id}`);
  sendChanged(res, made.book);
});

server.put('/books/:id', mayWrite, async (req, res) => {
  requireType(req, 'application/json');
  const fields = await req.json({ validate: BOOK_FIELDS });
  sendChanged(res, await change(req, req.params.id, () => fields));
});

server.patch('/books/:id', mayWrite, async (req, res) => {
  requireType(req, 'application/merge-patch+json');
  const patch = await req.json();
  const patched = (book: Book) => req.validate(BOOK_FIELDS, mergePatch(fieldsOf(book), patch));
  sendChanged(res, await change(req, req.params.id, patched));
});

server.delete('/books/:id', mayWrite, async (req, res) => {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const { id, version } = await matching(req, req.params.id);
    if (await open().write('remove', { id, version })) return res.empty();
  }
  throw contended();
});

/**
 * Replaces the fields of a book by those that `next` makes of it. A book that another client
 * changes in between is read again, and then no longer matches, unless If-Match is `*`.
 */
async function change(
  req: Request,
  id: string,
  next: (book: Book) => BookFields | Promise<BookFields>,
): Promise<Book> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const book = await matching(req, id);
    const fields = await next(book);
    const { version } = book;
    const replacement = { id: book.id, version, fields, nowMs: Date.now() };
    const result = await open().write('replace', replacement);
    if (result.outcome === 'duplicate') throw new HttpError(409, DUPLICATE);
    if (result.outcome === 'replaced') return result.book;
  }
  throw contended();
}

function contended(): HttpError {
  const headers = { 'Retry-After': 1 };
  return new HttpError(503, 'others change this book all the time; try again in a second', {
    headers,
  });
}

/** The book, if it is the one that the client has seen. */
async function matching(req: Request, id: string): Promise<Book> {
  const book = await findBook(id);
  req.requireMatch(tagOf(book));
  return book;
}

async function findBook(id: string): Promise<Book> {
  // One spelling for each id, of those that a number can hold exactly.
  const book = /^[1-9]\d{0,14}$/.test(id) ? await open().read('find', Number(id)) : null;
  if (book === null) throw new HttpError(404, 'there is no such book');
  return book;
}

function tagOf({ id, version }: Book): string {
  return `"${id}-${version}"`;
}

function sendChanged(res: Response, book: Book): void {
  res.header('ETag', tagOf(book)).json(book);
}

function fieldsOf({ title, author, year, pages, isbn }: Book): object {
  return { title, author, year, ...(pages && { pages }), ...(isbn && { isbn }) };
}

function open(): NonNullable<typeof database> {
  if (database === null) throw new HttpError(503, 'this process serves no requests');
  return database;
}

/** Takes the same time for each wrong token. */
function isToken(sent: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(sent), digest(token));
}

/** Another token could not be sent (RFC 6750, section 2.1), or could be guessed. */
function checked(text: string): string {
  if (/^[\w.~+/-]{16,}=*$/.test(text)) return text;
  return fail(
    'API_TOKEN: allowed are 16 or more letters, digits and . _ ~ + / - with = at the end',
  );
}

function readWorkers(text: string): number {
  const count = Number(text);
  if (/^\d{1,3}$/.test(text) && count > 0) return count;
  return fail(`API_WORKERS: given ${JSON.stringify(text)}, allowed: an integer from 1 to 999`);
}

const { port } = await server.listen().catch(failListening);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  if (cluster.isPrimary) process.once(signal, () => void server.close());
}
void server.ended.then(() => database?.close());
if (cluster.isPrimary) {
  console.log(`api server on ${formatUrl(address.host, port)} (Ctrl-C stops it)`);
  if (givenToken === undefined) console.log(`writes need the field Authorization: Bearer ${token}`);
}
