// A program: a server for spec/behaviour/descriptors.test.ts, which runs it with few descriptors.

import { closeSync, openSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { createServer } from '../../../src/index.ts';

const server = createServer({
  port: 0,
  driver: process.argv[2] as 'uring' | 'epoll' | 'net',
  logLevel: 'error',
});

/** Descriptors that are not connections. */
const held: number[] = [];

server.get('/', (_request, response) => response.text('hello'));
server.get('/spent', (_request, response) => {
  const { user, system } = process.cpuUsage();
  const { acceptFaults } = server.counters;
  response.json({ acceptFaults, cpuMs: (user + system) / 1000 });
});
server.get('/hold', async (_request, response) => {
  // Connections that are about to close would release descriptors.
  while (server.counters.accepted - server.counters.closed > 1) await setTimeout(1);
  holdAll();
  response.text(String(held.length));
});
server.get('/release', (_request, response) => {
  for (const fd of held.splice(0)) closeSync(fd);
  response.text('released');
});

function holdAll(): void {
  for (;;) {
    try {
      held.push(openSync('/dev/null', 'r'));
    } catch {
      return;
    }
  }
}

const { port, driver } = await server.listen();
console.log(JSON.stringify({ port, driver }));
process.stdin.resume().on('end', () => void server.close());
