// A full server in a process of its own: serves one request, prints its driver, and ends.

import { createServer } from '../../../src/index.ts';

const server = createServer({ port: 0, workers: 1 });
server.get('/', (_request, response) => {
  response.text('hello');
});
const { port, driver } = await server.listen();
const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } });
const text = await response.text();
await server.close();
process.stdout.write(`${driver}: ${text}\n`);
