// The smallest program: one route. perf:start measures how soon it responds.

import { createServer } from 'vibing';

const server = createServer({ host: '127.0.0.1', port: 0, logLevel: 'warn' });
server.get('/', (_request, response) => response.text('Hello, World!'));
const { port } = await server.listen();
console.log(`listening on 127.0.0.1:${port}`);
// The server ends with the process that started it.
process.on('disconnect', () => process.exit());
process.on('SIGTERM', () => void server.close().then(() => process.exit()));
