// Notes for several users: accounts with cookie sessions, attachments, and pages that follow each
// change at once. The page is in examples/notes/site/, the data in one folder.
// usage: npm run example:notes -- [address] [directory]

import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import {
  createServer,
  HttpError,
  type Middleware,
  problemDetails,
  type Request,
  type Response,
  signedCookies,
} from 'vibing';
import { accessLog, cache, csrf, rateLimit, securityHeaders, trustProxy } from 'vibing/middleware';
import { serveStatic } from 'vibing/static';
import { fail, failListening, formatUrl, readAddress, readArguments } from './address.ts';
import { makeFolder } from './folder.ts';
import { announce, closeStreams, subscribe } from './notes/live.ts';
import { hashPassword, isPassword } from './notes/passwords.ts';
import { CHANGED_NOTE, CREDENTIALS, type Credentials, NEW_NOTE } from './notes/schemas.ts';
import * as store from './notes/store.ts';
import { openStore, prepareFile } from './sqlite/client.ts';

const USAGE = `usage: notes [address] [directory]
  address     host:port or a port; 0 is any free one (default 127.0.0.1:8084)
  directory   the folder of the database and the attachments (default ./notes-data)

variables of the environment:
  TRUSTED_PROXIES   the proxies in front, as 10.0.0.0/8,127.0.0.1: clients have the addresses and
                    the protocol that these report; cookies over https are for https alone`;

const COOKIE = 'session';
const SESSION_SECONDS = 30 * 24 * 60 * 60;
const FILES_MAX = 5;
const FILE_BYTES_MAX = 10 * 1024 * 1024;
const CHANGED = 'the note was changed elsewhere; save again to overwrite that';
const FULL = `your notes have ${store.NOTE_BYTES_MAX} bytes at most; delete or shorten some`;

const [given = '127.0.0.1:8084', directory = './notes-data'] = readArguments(USAGE, 2);
const address = readAddress(given);
const folder = join(directory, 'attachments');
const path = join(directory, 'notes.db');
const cookies = signedCookies({ keys: [await prepareDirectory()] });
const server = createServer({ ...address, healthz: true });
const module = new URL('./notes/store.js', import.meta.url).href;
const database = openStore<typeof store>({ path, module });

const proxies = process.env['TRUSTED_PROXIES'];
if (proxies !== undefined) server.use(trusting(proxies));
server.use(accessLog());
server.use(securityHeaders());
server.use(csrf());
server.onError(problemDetails);

/** Lets only users pass, and adds who it is. */
const session: Middleware<{ user: store.User }> = async (req, _res, next) => {
  const digest = sessionOf(req);
  const nowMs = Date.now();
  const user = digest === null ? null : await database.read('userOfSession', { digest, nowMs });
  if (user === null) throw new HttpError(403, 'log in first');
  req.state.user = user;
  await next();
};

/** Reads who wants to log in, before a limit that counts by name. */
const credentials: Middleware<{ credentials: Credentials }> = async (req, _res, next) => {
  req.state.credentials = await req.json({ validate: CREDENTIALS });
  await next();
};
/** An attacker with many addresses guesses no faster. */
const limitByName = rateLimit({
  limit: 10,
  windowMs: 60_000,
  name: 'name',
  key: (req) => (req.state as { credentials: Credentials }).credentials.name,
});

server.group('/api', (api) => {
  api.use(cache({ noStore: true }));

  api.group('/session', (all) => {
    // Before the limits: who may not log in any more can still log out.
    all.delete('/', async (req, res) => {
      const digest = sessionOf(req);
      if (digest !== null) await database.write('removeSession', digest);
      res.clearCookie(COOKIE).empty();
    });
    // Guessing passwords, and making accounts, is slow.
    all.use(rateLimit({ limit: 20, windowMs: 60_000, name: 'accounts' }));
    const accounts = all.use(credentials);
    accounts.post('/new', async (req, res) => {
      const { name, password } = req.state.credentials;
      const hash = await hashPassword(password);
      const user = await database.write('addUser', { name, password: hash });
      if (user === null) throw new HttpError(409, 'this name is taken');
      await logIn(req, res, user);
    });
    accounts.post('/', limitByName, async (req, res) => {
      const { name, password } = req.state.credentials;
      const user = await database.read('account', name);
      const isRight = await isPassword(password, user?.password ?? null);
      if (user === null || !isRight) throw new HttpError(403, 'the name or the password is wrong');
      await logIn(req, res, user);
    });
  });

  const mine = api.use(session);
  mine.get('/me', (req, res) => res.json({ name: req.state.user.name }));

  mine.get('/notes', async (req, res) => {
    res.json(await database.read('notes', req.state.user.id));
  });
  mine.post('/notes', async (req, res) => {
    const userId = req.state.user.id;
    const { text } = await req.json({ validate: NEW_NOTE });
    const result = await database.write('addNote', { userId, text, nowMs: Date.now() });
    if (result === 'too many notes') {
      throw new HttpError(409, `there are ${store.NOTES_MAX} notes already; delete some`);
    }
    if (result === 'too many bytes') throw new HttpError(413, FULL);
    announce(userId);
    res.status(201).json({ id: result });
  });
  mine.put('/notes/:id(int)', async (req, res) => {
    const userId = req.state.user.id;
    const { text, version } = await req.json({ validate: CHANGED_NOTE });
    const note = { userId, id: Number(req.params.id), text, version, nowMs: Date.now() };
    const result = await database.write('changeNote', note);
    if (result === 'too many bytes') throw new HttpError(413, FULL);
    if (result === 'not found') {
      const exists = await database.read('ownsNote', note);
      throw exists ? new HttpError(409, CHANGED) : new HttpError(404, 'no such note');
    }
    announce(userId);
    res.empty();
  });
  mine.delete('/notes/:id(int)', async (req, res) => {
    const userId = req.state.user.id;
    const files = await database.write('removeNote', { userId, id: Number(req.params.id) });
    if (files === null) throw new HttpError(404, 'no such note');
    announce(userId);
    await removeFiles(files);
    res.empty();
  });

  mine.post('/notes/:id(int)/attachments', async (req, res) => {
    const note = { userId: req.state.user.id, id: Number(req.params.id) };
    // Nothing is written for a note that is not there.
    if (!(await database.read('ownsNote', note))) throw new HttpError(404, 'no such note');
    const files = await saveFiles(req);
    const result = await addFiles(note, files);
    if (result !== 'added') throw refusal(result);
    announce(note.userId);
    res.status(201).json({ files: files.length });
  });
  mine.get('/attachments/:id(int)', async (req, res) => {
    const wanted = { userId: req.state.user.id, id: Number(req.params.id) };
    const found = await database.read('attachment', wanted);
    if (found === null) throw new HttpError(404, 'no such attachment');
    // A page of a user would run with the rights of this site, so none is shown here.
    const type = 'application/octet-stream';
    await res.file(join(folder, found.file), { type, download: found.name });
  });
  mine.delete('/attachments/:id(int)', async (req, res) => {
    const userId = req.state.user.id;
    const file = await database.write('removeAttachment', { userId, id: Number(req.params.id) });
    if (file === null) throw new HttpError(404, 'no such attachment');
    announce(userId);
    await removeFiles([file]);
    res.empty();
  });

  mine.get('/events', (req, res) => subscribe(req.state.user.id, req, res, server.closing));
});

server.use('/', serveStatic('./examples/notes/site'));

function trusting(list: string): Middleware {
  try {
    return trustProxy(list.split(',').map((one) => one.trim()));
  } catch (error) {
    return fail(`TRUSTED_PROXIES: ${(error as Error).message}`);
  }
}

async function logIn(req: Request, res: Response, user: store.User): Promise<void> {
  const id = randomBytes(32).toString('base64url');
  const nowMs = Date.now();
  const expiresMs = nowMs + SESSION_SECONDS * 1_000;
  const digest = digestOf(id);
  await database.write('addSession', { digest, userId: user.id, nowMs, expiresMs });
  cookies.set(res, COOKIE, id, {
    httpOnly: true,
    sameSite: 'lax',
    secure: req.protocol === 'https',
    maxAgeSeconds: SESSION_SECONDS,
  });
  res.json({ name: user.name });
}

/** The digest of the session of the cookie: the database does not have what the cookie has. */
function sessionOf(req: Request): string | null {
  const id = cookies.get(req, COOKIE);
  return id === undefined ? null : digestOf(id);
}

function digestOf(id: string): string {
  return createHash('sha256').update(id).digest('base64url');
}

async function saveFiles(req: Request): Promise<store.StoredFile[]> {
  const files: store.StoredFile[] = [];
  const limits = { parts: FILES_MAX, files: FILES_MAX, partBytes: FILE_BYTES_MAX };
  for await (const part of req.parts({ limits })) {
    if (part.filename === undefined) continue;
    const saved = await part.saveTo(folder);
    files.push({ name: part.filename, file: basename(saved.path), bytes: saved.bytes });
  }
  return files;
}

/** Files that the database does not know are removed. */
async function addFiles(
  note: { userId: number; id: number },
  files: readonly store.StoredFile[],
): Promise<store.Added> {
  let result: store.Added | null = null;
  try {
    result = await database.write('addAttachments', { ...note, files });
    return result;
  } finally {
    if (result !== 'added') await removeFiles(files.map(({ file }) => file));
  }
}

/** Why attachments were not added. */
function refusal(result: Exclude<store.Added, 'added'>): HttpError {
  switch (result) {
    case 'no note':
      return new HttpError(404, 'no such note');
    case 'too many of this note': {
      const most = store.ATTACHMENTS_PER_NOTE_MAX;
      return new HttpError(409, `a note has ${most} attachments at most; remove some`);
    }
    case 'too many':
      return new HttpError(
        409,
        `you have ${store.ATTACHMENTS_MAX} attachments at most; remove some`,
      );
    case 'too many bytes': {
      const most = store.ATTACHMENT_BYTES_MAX;
      return new HttpError(413, `your attachments have ${most} bytes at most; remove some`);
    }
  }
}

/** A file that is gone already is as good. */
async function removeFiles(files: readonly string[]): Promise<void> {
  await Promise.allSettled(files.map((file) => unlink(join(folder, file))));
}

/** Makes the folder, the database, and the key that signs cookies; returns the key. */
async function prepareDirectory(): Promise<string> {
  try {
    makeFolder(folder);
    await prepareFile(path, store.TABLES);
    return keyIn(join(directory, 'cookie-key'));
  } catch (error) {
    return fail(`cannot use ${JSON.stringify(directory)}: ${(error as Error).message}`, 1);
  }
}

/** The key of an earlier start, or a new one, whose file is complete when it appears. */
function keyIn(keyPath: string): string {
  const key = randomBytes(32).toString('base64url');
  const kept = existsSync(keyPath) ? readFileSync(keyPath, 'utf8') : '';
  if (kept.length >= key.length) return kept;
  writeFileSync(`${keyPath}.new`, key, { mode: 0o600, flush: true });
  renameSync(`${keyPath}.new`, keyPath);
  return key;
}

const { port } = await server.listen().catch(failListening);
server.closing.addEventListener('abort', closeStreams);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void server.close());
}
void server.ended.then(() => database.close());
console.log(`notes on ${formatUrl(address.host, port)} (Ctrl-C stops it)`);
