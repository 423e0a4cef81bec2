// Serves in a process of its own, with an access log on standard output and errors on standard
// error, whatever those are: for spec/behaviour/log-streams.test.ts, which talks to it by messages.

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
  // Of the streams of the process, which are the user's, the server takes no errors.
  const listeners = process.stdout.listenerCount('error') + process.stderr.listenerCount('error');
  response.json({ rss, listeners, pid: process.pid, ...counters });
});
/** The last words of a process that ends at once. */
server.get('/exit', (_request, response) => {
  response.afterSend(() => {
    setImmediate(() => {
      server.counters.requests > 0 && process.exit(3);
    });
  });
  throw new Error('the last words');
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
  // A test that failed leaves nothing behind.
  process.on('disconnect', () => {
    if (!closes) process.exit(1);
  });
}
