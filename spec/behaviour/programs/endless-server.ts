// A program: a server whose handlers send or read without an end. It prints its port in a line of
// JSON, then a line for each handler that begins. When its standard input ends it closes, and
// prints two lines of JSON: how long that took, and which sources were released.

import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer, type Handler, type Request } from '../../../src/index.ts';
import type { DriverName } from '../../../testing/with-server.ts';

const SHUTDOWN_TIMEOUT_MS = 200;
const CHUNK = Buffer.alloc(32 * 1024, 'x');

/** Sources that were destroyed, cancelled or returned, and handlers that settled. */
const released: string[] = [];
const settled: string[] = [];

const server = createServer({
  host: '127.0.0.1',
  port: 0,
  driver: process.argv[2] as DriverName,
  shutdownTimeoutMs: SHUTDOWN_TIMEOUT_MS,
  drainLingerMs: 50,
  logLevel: 'silent',
});

const never = (): Promise<never> => new Promise(() => {});

const handlers: Readonly<Record<string, Handler>> = {
  '/quiet-readable': (_request, response) => {
    const source = new Readable({ read: () => {} });
    source.push('begun');
    source.on('close', () => released.push('/quiet-readable'));
    return response.stream(source);
  },
  '/quiet-web-stream': (_request, response) => {
    const source = new ReadableStream({
      start: (controller) => controller.enqueue(Buffer.from('begun')),
      cancel: () => void released.push('/quiet-web-stream'),
    });
    return response.stream(source);
  },
  '/quiet-generator': (_request, response) => {
    async function* source(): AsyncGenerator<string> {
      yield 'begun';
      await never();
    }
    return response.stream(source());
  },
  '/busy-generator': (_request, response) => {
    async function* source(): AsyncGenerator<Buffer> {
      try {
        for (;;) {
          yield CHUNK;
          await sleep(1);
        }
      } finally {
        released.push('/busy-generator');
      }
    }
    return response.stream(source());
  },
  '/busy-readable': (_request, response) => {
    const source = new Readable({
      read() {
        this.push(CHUNK);
      },
    });
    source.on('close', () => released.push('/busy-readable'));
    return response.stream(source);
  },
  '/busy-writes': async (_request, response) => {
    for (let left = 100_000; left > 0 && !server.closing.aborted; left--) {
      await response.write(CHUNK);
    }
  },
  '/quiet-events': async (_request, response) => {
    const events = response.events();
    await events.send('begun');
    await never();
  },
  '/busy-events': async (request, response) => {
    const events = response.events();
    const { signal } = request;
    while (!events.closed) {
      await events.send('tick');
      await sleep(5, undefined, { signal }).catch(() => {});
    }
  },
  '/never': () => never(),
  '/read-all': async (request, response) => response.send(await request.bytes()),
  '/read-chunks': async (request, response) => {
    let bytes = 0;
    for await (const chunk of request.body) bytes += chunk.length;
    response.text(String(bytes));
  },
  '/mirror': (request, response) => response.stream(request.body),
};

for (const [path, handler] of Object.entries(handlers)) {
  server.all(path, (request: Request, response) => {
    console.log(`begun ${path}`);
    const result = handler(request, response);
    const settle = () => void settled.push(path);
    void Promise.resolve(result).then(settle, settle);
    return result;
  });
}

const { port } = await server.listen();
console.log(JSON.stringify({ port, paths: Object.keys(handlers) }));
process.stdin.resume().on('end', async () => {
  const startMs = performance.now();
  await server.close();
  const tookMs = performance.now() - startMs;
  console.log(JSON.stringify({ tookMs }));
  // Only when nothing keeps the process alive.
  process.on('beforeExit', () => {
    console.log(JSON.stringify({ released, settled }));
    process.removeAllListeners('beforeExit');
  });
});
