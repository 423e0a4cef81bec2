// A server with two workers and routes of different speed, some of which fail, whose metrics are
// pictured: see pictures.ts.

import cluster from 'node:cluster';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer, HttpError } from 'vibing';

/** One report in so many fails. */
const FAILS = 150;
const PAGE = `<!doctype html><title>Notes</title>${'<p>A note.</p>'.repeat(60)}`;

const server = createServer({ host: '127.0.0.1', port: 0, workers: 2, metrics: true });
let reports = 0;
server.get('/', (_request, response) => response.html(PAGE));
server.get('/users/:id', (request, response) => response.json({ id: request.params.id }));
server.get('/search', async (_request, response) => {
  await sleep(1 + 15 * Math.random() ** 3);
  response.json({ found: [] });
});
server.get('/api/notes', (_request, response) => response.json([{ id: 1, text: 'a note' }]));
server.get('/reports/:year', (request, response) => {
  const doneMs = performance.now() + 2 * Math.random();
  while (performance.now() < doneMs);
  reports += 1;
  if (reports % FAILS === 0) throw new HttpError(503, 'the report is not ready');
  response.text(`the report of ${request.params.year}`);
});

const { port } = await server.listen();
if (cluster.isPrimary) {
  console.log(`listens on ${port}`);
  process.once('SIGTERM', () => void server.close());
}
