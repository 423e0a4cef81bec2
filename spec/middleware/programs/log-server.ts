// A program: a server of two workers whose access log is a file: log-server.js FILE. It prints its
// port in a line of JSON, and closes when its standard input ends.

import cluster from 'node:cluster';
import { createServer } from '../../../src/index.ts';
import { accessLog } from '../../../src/middleware/index.ts';

const server = createServer({
  host: '127.0.0.1',
  port: 0,
  workers: 2,
  shutdownTimeoutMs: 2_000,
  drainLingerMs: 20,
});
server.use(accessLog({ file: process.argv[2], format: '{target}' }));
server.get('/', (_request, response) => response.text(String(process.pid)));
const { port } = await server.listen();
if (cluster.isPrimary) {
  console.log(JSON.stringify({ port }));
  process.stdin.resume().on('end', () => void server.close());
}
