// Serves in a process of its own, which spec/server/overload.test.ts gives few descriptors.

import { createServer } from '../../src/index.ts';

const server = createServer({
  port: 0,
  driver: process.argv[2] === 'net' ? 'net' : 'epoll',
  logLevel: 'error',
});

server.get('/', (_request, response) => response.text('hello'));
server.get('/spent', (_request, response) => {
  const { user, system } = process.cpuUsage();
  const { acceptFaults } = server.counters;
  response.json({ acceptFaults, cpuMs: (user + system) / 1000 });
});

const { port } = await server.listen();
console.log(JSON.stringify({ port }));
process.stdin.resume().on('end', () => void server.close());
