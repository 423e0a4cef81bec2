// A small web application: a form that works without JavaScript, uploads with their progress, live
// events, and a JSON API over the same notes. Several workers share a folder of files.
// usage: npm run example:web-server -- [address] [--workers N] [--directory DIR]

import cluster from 'node:cluster';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createServer, HttpError, type Request } from 'vibing';
import { accessLog, cache, compress, cors, csrf, securityHeaders } from 'vibing/middleware';
import { serveStatic } from 'vibing/static';
import { fail, failListening, formatUrl, readAddress, readNumber, readOptions } from './address.ts';
import { Live } from './web/live.ts';
import { renderLists, renderPage } from './web/page.ts';
import { FILE_BYTES_MAX, NOTE_CHARACTERS_MAX, Store, type Uploaded } from './web/store.ts';

const USAGE = `usage: web-server [address] [options]
  address           host:port or a port; 0 is any free one (default 127.0.0.1:8081)
  --workers N       processes that serve (default 1)
  --directory DIR   the folder of the notes and files (default: a new one, removed at the end)
  --help            this text`;
/** The workers run this program again, and read here which folder the first process has made. */
const FOLDER_VARIABLE = 'VIBING_EXAMPLE_WEB_FOLDER';

const given = readOptions(USAGE, 1, { workers: 'text', directory: 'text' });
const address = readAddress(given.words[0] ?? '127.0.0.1:8081');
const workers = readNumber('workers', given.text('workers') ?? '1', 1, 64);
const directory = given.text('directory');
const temporary = directory === undefined && cluster.isPrimary;
if (temporary) process.env[FOLDER_VARIABLE] = mkdtempSync(join(tmpdir(), 'vibing-web-'));
const store = openStore(directory ?? process.env[FOLDER_VARIABLE] ?? '');
/** Compiled, this file lies in build/examples/. */
const assets = fileURLToPath(new URL('../../examples/web/public', import.meta.url));

const server = createServer({ ...address, workers, healthz: true });
const live = new Live(store, server);

server.use(accessLog());
server.use(securityHeaders()); // also forbids inline scripts and styles: they are files
server.use(csrf()); // other sites can read the API below, and change nothing
server.use(compress());
server.use('/assets', cache({ noCache: true }));
server.use('/assets', serveStatic(assets));
server.use('/api', cors());

server.get('/', async (_req, res) => {
  res
    .header('Cache-Control', 'no-store')
    .html(renderPage(await store.notes(), await store.files()));
});
/** The part of the page that changes; its script replaces it after each event. */
server.get('/lists', async (_req, res) => {
  res
    .header('Cache-Control', 'no-store')
    .html(renderLists(await store.notes(), await store.files()));
});

// Forms. After a POST the browser is redirected, so that a reload does not send the form again.
server.post('/notes', async (req, res) => {
  await store.addNote(noteText((await req.form()).get('text')));
  res.redirect('/', 303);
});
server.post('/notes/:id(uuid)/delete', async (req, res) => {
  await store.removeNote(req.params.id);
  res.redirect('/', 303);
});
server.post('/files', async (req, res) => {
  await upload(req);
  res.redirect('/', 303);
});
server.post('/files/:id(uuid)/delete', async (req, res) => {
  await store.removeFile(req.params.id);
  res.redirect('/', 303);
});
/** Always saved, never shown: an uploaded page would run with the rights of this site. */
server.get('/files/:id(uuid)', async (req, res) => {
  const { name, path } = await store.file(req.params.id);
  await res.file(path, { type: 'application/octet-stream', download: name });
});

server.get('/api/time', (_req, res) => res.json({ now: new Date().toISOString() }));
server.get('/api/notes', async (_req, res) => res.json(await store.notes()));
server.post('/api/notes', async (req, res) => {
  const body = await req.json();
  const text = typeof body === 'object' && body !== null && 'text' in body ? body.text : undefined;
  const note = await store.addNote(noteText(text));
  res.status(201).header('Location', `/api/notes/${note.id}`).json(note);
});
server.delete('/api/notes/:id(uuid)', async (req, res) => {
  if (!(await store.removeNote(req.params.id))) throw new HttpError(404, 'no such note');
  res.empty();
});
/** The time every second, and an event whenever a note or a file comes or goes. */
server.get('/api/stream', (req, res) => live.add(req, res));

function noteText(text: unknown): string {
  if (typeof text === 'string' && text.trim() !== '' && text.length <= NOTE_CHARACTERS_MAX) {
    return text.trim();
  }
  throw new HttpError(400, `a note has a "text" of 1 to ${NOTE_CHARACTERS_MAX} characters`);
}

/** Files are written to the disk while they arrive, and removed again when their form fails. */
async function upload(req: Request): Promise<void> {
  const begun: string[] = [];
  const saved: Uploaded[] = [];
  try {
    for await (const part of req.parts({ limits: { files: 5, partBytes: FILE_BYTES_MAX } })) {
      // A form without a chosen file sends one without a name.
      if (part.filename === undefined || part.filename === '') continue;
      const { id, path } = await store.newFile();
      begun.push(id);
      const { bytes } = await part.saveTo(path);
      saved.push({ id, name: part.filename, bytes });
    }
    await store.addFiles(saved);
  } catch (error) {
    await Promise.allSettled(begun.map((id) => store.removeFile(id)));
    throw error;
  }
}

function openStore(folder: string): Store {
  try {
    return new Store(folder);
  } catch (error) {
    return fail(`cannot use ${JSON.stringify(folder)}: ${(error as Error).message}`, 1);
  }
}

function removeTemporary(): void {
  if (temporary) rmSync(process.env[FOLDER_VARIABLE] ?? '', { recursive: true, force: true });
}

const { port } = await server.listen().catch((error: unknown) => {
  removeTemporary();
  return failListening(error);
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  // Ctrl-C reaches the workers too; the first process closes them.
  if (cluster.isPrimary) process.once(signal, () => void server.close());
}
if (cluster.isPrimary) {
  console.log(`web server on ${formatUrl(address.host, port)} (Ctrl-C stops it)`);
  await server.ended;
  removeTemporary();
}
