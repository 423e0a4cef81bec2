// A small web application: a JSON API, server-sent events and the page that uses them.
// usage: npm run example:web-server -- [address]

import { setTimeout as sleep } from 'node:timers/promises';
import { createServer, HttpError } from 'vibing';
import { accessLog, cors } from 'vibing/middleware';
import { failListening, formatUrl, readAddress, readArguments } from './address.ts';
import { PAGE } from './web-page.ts';

const USAGE = `usage: web-server [address]
  address   host:port or a port; 0 is any free one (default 127.0.0.1:8081)`;
const NOTES_MAX = 100;
const NOTE_CHARACTERS_MAX = 200;

interface Note {
  readonly id: number;
  readonly text: string;
}

const [given = '127.0.0.1:8081'] = readArguments(USAGE, 1);
const address = readAddress(given);
const server = createServer(address);
const notes = new Map<number, Note>();
let lastId = 0;

server.use(accessLog());
server.use('/api', cors());

server.get('/', (_req, res) => res.html(PAGE));
server.get('/api/time', (_req, res) => res.json({ now: new Date().toISOString() }));
server.get('/api/notes', (_req, res) => res.json([...notes.values()]));

server.post('/api/notes', async (req, res) => {
  const text = noteText(await req.json());
  if (notes.size >= NOTES_MAX) throw new HttpError(409, `there are ${NOTES_MAX} notes already`);
  const note = { id: ++lastId, text };
  notes.set(note.id, note);
  res.status(201).header('location', `/api/notes/${note.id}`).json(note);
});

server.delete('/api/notes/:id', (req, res) => {
  if (!notes.delete(Number(req.params['id']))) throw new HttpError(404, 'no such note');
  res.empty();
});

/** Sends the time every second until the client disconnects or the server closes. */
server.get('/api/stream', async (req, res) => {
  const events = res.events();
  for (let id = 1; !events.closed && !server.closing.aborted; id++) {
    await events.send(new Date().toISOString(), { event: 'time', id: String(id) });
    await sleep(1000, undefined, { signal: req.signal }).catch(() => {});
  }
  events.close();
});

function noteText(body: unknown): string {
  const text = typeof body === 'object' && body !== null && 'text' in body ? body.text : undefined;
  if (typeof text !== 'string' || text.trim() === '' || text.length > NOTE_CHARACTERS_MAX) {
    throw new HttpError(400, `send {"text": "1 to ${NOTE_CHARACTERS_MAX} characters"}`);
  }
  return text.trim();
}

const { port } = await server.listen().catch(failListening);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void server.close());
}
console.log(`web server on ${formatUrl(address.host, port)}`);
