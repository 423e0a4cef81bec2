// node:http with the same responses, for perf:peers, with Content-Length so that none is chunked.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Order, receiptOf, sumOf, USER } from './responses.ts';

const server = createServer((request, response) => {
  const target = request.url ?? '';
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  if (path === '/') end(response, 'text/plain', 'Hello, World!');
  else if (path === '/baseline11') sum(request, response, target.slice(mark + 1));
  else if (path === '/mirror') read(request, (body) => end(response, 'text/plain', body));
  else if (path === '/orders') {
    read(request, (body) => {
      const order = JSON.parse(body.toString()) as Order;
      end(response, 'application/json', JSON.stringify(receiptOf(order)));
    });
  } else if (path.startsWith('/users/')) {
    end(response, 'application/json', JSON.stringify({ ...USER, id: path.slice(7) }));
  } else response.writeHead(404).end();
});
server.keepAliveTimeout = 600_000;
server.requestTimeout = 0;
server.listen(0, '127.0.0.1', () => {
  console.log(`node:http on 127.0.0.1:${(server.address() as AddressInfo).port}`);
});
for (const event of ['SIGTERM', 'disconnect']) process.on(event, () => process.exit());

function sum(request: IncomingMessage, response: ServerResponse, query: string): void {
  const total = sumOf(new URLSearchParams(query));
  if (request.method === 'GET') {
    end(response, 'text/plain', String(total));
    return;
  }
  read(request, (body) => end(response, 'text/plain', String(total + Number(body.toString()))));
}

function read(request: IncomingMessage, done: (body: Buffer) => void): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => done(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)));
}

function end(response: ServerResponse, type: string, body: string | Buffer): void {
  const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
  response.writeHead(200, { 'Content-Type': type, 'Content-Length': length });
  response.end(body);
}
