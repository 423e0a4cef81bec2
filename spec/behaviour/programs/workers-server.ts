// A program: a server of two workers, for tests of clusters. The primary prints its address in a
// line of JSON, reloads on 'reload' in its standard input, and closes when that ends. Files in the
// folder of its third argument, if any, disturb the start of workers: with `crash` they exit at
// once, with `wait` they wait, with `mute` they do not report to the primary that they listen. Its
// fourth argument is worker_timeout_ms.

import { execFileSync } from 'node:child_process';
import cluster from 'node:cluster';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createServer, HttpError } from '../../../src/index.ts';
import { rateLimit } from '../../../src/middleware/rate-limit.ts';
import type { DriverName } from '../../../testing/with-server.ts';

const [driver, port, folder, workerTimeoutMs = '30000'] = process.argv.slice(2);
const CRASH_CODE = 7;

const wait = (waitMs: number) => new Promise((resolve) => setTimeout(resolve, waitMs));
const isAsked = (file: string) => folder !== undefined && existsSync(join(folder, file));

if (cluster.isWorker && isAsked('crash')) process.exit(CRASH_CODE);

if (cluster.isWorker && isAsked('mute')) {
  const send = process.send?.bind(process) as (...args: unknown[]) => boolean;
  process.send = (...args: unknown[]) => {
    const [message] = args as [{ vibing?: string }];
    return message.vibing === 'listening' || send(...args);
  };
}

const server = createServer({
  port: Number(port),
  workers: 2,
  driver: driver as DriverName,
  metrics: true,
  shutdownTimeoutMs: 2_000,
  workerTimeoutMs: Number(workerTimeoutMs),
  // Many tests have clients that keep their side open.
  lingerTimeoutMs: 200,
  // Longer than tests wait before they send a request, also on a loaded machine.
  drainLingerMs: 1_000,
});
server.get('/', (_request, response) => response.text(String(process.pid)));
/** Responds when this worker was asked to close. */
server.get('/slow', async (_request, response) => {
  const message = once(process, 'message');
  console.log('slow');
  await message;
  await wait(20);
  response.text(String(process.pid));
});
/** Events that end when this worker begins to close. */
server.get('/events', async (_request, response) => {
  const events = response.events();
  await events.send(String(process.pid), { event: 'worker' });
  if (!server.closing.aborted) await once(server.closing, 'abort');
  await events.send('closing', { event: 'bye' });
  events.close();
});
/** Responds after so many milliseconds. */
server.get('/after/:ms', async (request, response) => {
  await wait(Number(request.params['ms']));
  response.text(String(process.pid));
});
/** The options of V8 and Node that this worker was started with. */
server.get('/options', (_request, response) => response.json(process.execArgv));
server.get('/throw', () => {
  throw new Error('thrown on purpose');
});
server.onError((error, { path }, response) => {
  const status = error instanceof HttpError ? error.status : 500;
  response.status(status).json([process.pid, `onError ${path}`]);
});
server.notFound(({ path }, response) => response.json([process.pid, `notFound ${path}`]));
/** Ten requests a day, of all workers together. */
server.use('/limited', rateLimit({ limit: 10, windowMs: 86_400_000, shared: true }));
server.get('/limited', (_request, response) => response.text(String(process.pid)));
server.get('/hang', () => {
  console.log('hanging');
  for (;;) {}
});
/** Blocks the event loop for so many milliseconds; with `later` when its promise settles. */
server.get('/block/:ms', async (request, response) => {
  if (request.query.has('later')) await null;
  const endMs = performance.now() + Number(request.params['ms']);
  while (performance.now() < endMs) {}
  response.text(String(process.pid));
});
/** The open descriptors of a program that a handler starts, one a line. */
server.get('/descriptors', (_request, response) => {
  response.text(execFileSync('ls', ['-l', '/proc/self/fd'], { encoding: 'utf8' }));
});

try {
  while (cluster.isWorker && isAsked('wait')) await wait(10);
  const listening = await server.listen();
  if (cluster.isPrimary) {
    console.log(JSON.stringify(listening));
    void server.ended.then((error) => {
      if (error !== null) console.log(`ended: ${error.message}`);
    });
    process.stdin.setEncoding('utf8').on('data', (text: string) => {
      for (const _command of text.matchAll(/reload/g)) {
        server.reload().then(
          () => console.log('reloaded'),
          (error: Error) => console.log(`not reloaded: ${error.message}`),
        );
      }
    });
    process.stdin.on('end', () => {
      void server.close().then(() => console.log('closed'));
    });
  }
} catch (error) {
  if (!cluster.isPrimary) throw error;
  const { code, message } = error as Error & { code?: string };
  console.log(JSON.stringify({ code, message }));
}
