// Echoes bodies as they come, in a process of its own whose memory spec/behaviour/bulk.test.ts
// watches.

import { createServer } from '../../../src/index.ts';
import type { DriverName } from '../../../testing/with-server.ts';

const server = createServer({
  port: 0,
  driver: process.argv[2] as DriverName,
  logLevel: 'error',
});

let rssMax = 0;

function look(): void {
  rssMax = Math.max(rssMax, process.memoryUsage.rss());
}

server.post('/echo', async (request, response) => {
  const length = request.header('content-length');
  if (length !== undefined) response.header('Content-Length', length);
  response.header('Content-Type', 'application/octet-stream');
  let pieces = 0;
  for await (const piece of request.body) {
    await response.write(piece);
    pieces += 1;
    if (pieces % 64 === 0) look();
  }
  response.end();
});
server.post('/count', async (request, response) => {
  let bytes = 0;
  for await (const piece of request.body) bytes += piece.length;
  look();
  response.text(String(bytes));
});
/** The most memory since the last call. */
server.get('/memory', (_request, response) => {
  globalThis.gc?.();
  look();
  const seen = rssMax;
  rssMax = process.memoryUsage.rss();
  response.json(seen);
});

const { port } = await server.listen();
console.log(JSON.stringify({ port }));
process.stdin.resume().on('end', () => void server.close());
