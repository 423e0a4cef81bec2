// A program: a server that echoes bodies as they arrive and reports its memory, for
// spec/behaviour/bulk.test.ts.

import { createServer } from '../../../src/index.ts';
import type { DriverName } from '../../../testing/with-server.ts';

const server = createServer({
  port: 0,
  driver: process.argv[2] as DriverName,
  logLevel: 'error',
});

let rssMax = 0;

function sample(): void {
  rssMax = Math.max(rssMax, process.memoryUsage.rss());
}

server.post('/echo', async (request, response) => {
  const length = request.header('content-length');
  if (length !== undefined) response.header('Content-Length', length);
  response.header('Content-Type', 'application/octet-stream');
  let chunks = 0;
  for await (const chunk of request.body) {
    await response.write(chunk);
    chunks += 1;
    if (chunks % 64 === 0) sample();
  }
  response.end();
});
server.post('/count', async (request, response) => {
  let bytes = 0;
  for await (const chunk of request.body) bytes += chunk.length;
  sample();
  response.text(String(bytes));
});
/** The most memory since the last call. */
server.get('/memory', (_request, response) => {
  globalThis.gc?.();
  sample();
  const most = rssMax;
  rssMax = process.memoryUsage.rss();
  response.json(most);
});

const { port } = await server.listen();
console.log(JSON.stringify({ port }));
process.stdin.resume().on('end', () => void server.close());
