// A program: a server with an access log on standard output and errors on standard error, for
// spec/behaviour/log-streams.test.ts, which controls it by messages.

import cluster from 'node:cluster';
import { createServer } from '../../../src/index.ts';
import { accessLog } from '../../../src/middleware/access-log.ts';
import type { DriverName } from '../../../testing/with-server.ts';

const [driver, workers] = process.argv.slice(2);

const server = createServer({
  host: '127.0.0.1',
  port: 0,
  driver: driver as DriverName,
  workers: Number(workers),
  lingerTimeoutMs: 200,
  drainLingerMs: 20,
});
server.use(accessLog());
server.get('/', (_request, response) => response.text('hello'));
server.get('/error', () => {
  throw new Error('failed on purpose');
});
server.get('/long-error', () => {
  throw new Error(`failed with ${'x'.repeat(8_000)}`);
});
server.get('/stats', (_request, response) => {
  globalThis.gc?.();
  const { rss } = process.memoryUsage();
  const { counters } = server;
  // The streams of the process are the user's: the server adds no error listeners to them.
  const listeners = process.stdout.listenerCount('error') + process.stderr.listenerCount('error');
  response.json({ rss, listeners, pid: process.pid, ...counters });
});
/** The last lines of a process that exits at once. */
server.get('/exit', (_request, response) => {
  response.afterSend(() => {
    setImmediate(() => {
      server.counters.requests > 0 && process.exit(3);
    });
  });
  throw new Error('the last line');
});

const { port } = await server.listen();
if (cluster.isPrimary) {
  let closes = false;
  process.send?.({ port });
  process.on('message', (what) => {
    if (what !== 'close') return;
    closes = true;
    void server.close().then(() => process.disconnect());
  });
  // The test failed: exit, too.
  process.on('disconnect', () => {
    if (!closes) process.exit(1);
  });
}
