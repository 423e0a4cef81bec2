// A plain load for where the number of requests matters and their rate does not: each connection
// sends its next request when the answer to the one before is there. Answers have one length.

import { connect, type Socket } from 'node:net';
import { probe } from './probe.ts';

export interface ClosedLoop {
  readonly port: number;
  readonly path: string;
  readonly connections: number;
  readonly requests: number;
  readonly timeoutMs: number;
}

const GOOD = Buffer.from('HTTP/1.1 200 ');

/** Resolves when exactly so many requests are answered with 200. */
export async function runClosedLoop(load: ClosedLoop): Promise<void> {
  const { bytes } = await probe(load.port, load.path);
  const request = `GET ${load.path} HTTP/1.1\r\nHost: 127.0.0.1:${load.port}\r\n\r\n`;
  const sockets: Socket[] = [];
  let sent = 0;
  let answered = 0;
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`${answered} of ${load.requests} answers in ${load.timeoutMs} ms`));
      }, load.timeoutMs);
      const next = (socket: Socket): void => {
        if (answered === load.requests) {
          clearTimeout(timer);
          resolve();
        } else if (sent < load.requests) {
          sent += 1;
          socket.write(request);
        }
      };
      for (let index = 0; index < load.connections; index++) {
        const socket = connect({ port: load.port, host: '127.0.0.1', noDelay: true });
        sockets.push(socket);
        let missing = bytes;
        socket.on('connect', () => next(socket));
        socket.on('data', (chunk: Buffer) => {
          const isStart = missing === bytes;
          missing -= chunk.length;
          if (missing < 0 || (isStart && !startsWell(chunk))) {
            reject(new Error(`an answer is not like the first: ${chunk.toString('latin1')}`));
          } else if (missing === 0) {
            missing = bytes;
            answered += 1;
            next(socket);
          }
        });
        socket.on('error', reject);
        socket.on('close', () => reject(new Error('the server closed a connection')));
      }
    });
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}

function startsWell(chunk: Buffer): boolean {
  return chunk.length >= GOOD.length && chunk.compare(GOOD, 0, GOOD.length, 0, GOOD.length) === 0;
}
