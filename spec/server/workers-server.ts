// A server of two workers in processes of its own, for spec/server/workers.test.ts. The primary
// says in one line of JSON where it listens, and closes when its standard input ends.

import cluster from 'node:cluster';
import { once } from 'node:events';
import { createServer } from '../../src/index.ts';
import type { DriverName } from './with-server.ts';

const [driver, port] = process.argv.slice(2);
const server = createServer({
  port: Number(port),
  workers: 2,
  driver: driver as DriverName,
  shutdownTimeoutMs: 2_000,
});
server.get('/', (_request, response) => response.text(String(process.pid)));
/** Is answered only when this worker was told to close. */
server.get('/slow', async (_request, response) => {
  const told = once(process, 'message');
  console.log('slow');
  await told;
  await new Promise((resolve) => setTimeout(resolve, 20));
  response.text(String(process.pid));
});

try {
  const listening = await server.listen();
  if (cluster.isPrimary) {
    console.log(JSON.stringify(listening));
    process.stdin.resume().on('end', () => {
      void server.close().then(() => console.log('closed'));
    });
  }
} catch (error) {
  if (!cluster.isPrimary) throw error;
  console.log(JSON.stringify({ code: (error as { code?: string }).code }));
}
