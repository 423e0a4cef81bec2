// The server that is measured, as a user would write it: a handler for GET /, an echo of request
// bodies, and a folder with a file of one kilobyte, /file-1k.txt.
//
//   node build/perf/servers/vibing.js [--driver uring|epoll|net] [--port PORT]

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createServer } from 'vibing';

const FILE_BYTES = 1024;
const SHUTDOWN_TIMEOUT_MS = 500;

const { values } = parseArgs({
  options: {
    driver: { type: 'string', default: 'auto' },
    port: { type: 'string', default: '0' },
  },
});

const folder = mkdtempSync(join(tmpdir(), 'vibing-perf-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
writeFileSync(join(folder, 'file-1k.txt'), 'x'.repeat(FILE_BYTES));

const server = createServer({
  host: '127.0.0.1',
  port: Number(values.port),
  driver: values.driver as 'auto' | 'uring' | 'epoll' | 'net',
  staticDir: folder,
  logLevel: 'warn',
  shutdownTimeoutMs: SHUTDOWN_TIMEOUT_MS,
});
server.get('/', (_request, response) => response.text('Hello, World!'));
server.post('/echo', async (request, response) => {
  for await (const chunk of request.body) await response.write(chunk);
  response.end();
});

const { port, driver } = await server.listen();
console.log(`vibing ${driver} on 127.0.0.1:${port}`);

let ending = false;
// 'disconnect' comes when whoever started this as a child is gone.
for (const event of ['SIGTERM', 'SIGINT', 'disconnect']) {
  process.on(event, () => {
    if (ending) return;
    ending = true;
    void server.close().then(() => process.exit());
  });
}
