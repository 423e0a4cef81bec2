// uWebSockets.js with the same responses, for perf:peers, where its binary is installed.
//
//   node build/perf/servers/uws.js PATH_OF_UWS_JS

import { createRequire } from 'node:module';
import { sumOf, USER } from './responses.ts';

interface Response {
  onData(act: (chunk: ArrayBuffer, isLast: boolean) => void): void;
  onAborted(act: () => void): void;
  cork(act: () => void): void;
  writeHeader(name: string, value: string): Response;
  end(body: string | Uint8Array): void;
}

interface Request {
  getQuery(): string;
  getParameter(index: number): string;
}

type Handler = (response: Response, request: Request) => void;

interface Application {
  get(path: string, handler: Handler): Application;
  post(path: string, handler: Handler): Application;
  listen(host: string, port: number, done: (socket: unknown) => void): Application;
}

interface Library {
  App(): Application;
  us_socket_local_port(socket: unknown): number;
}

const [path = ''] = process.argv.slice(2);
const library = createRequire(import.meta.url)(path) as Library;

library
  .App()
  .get('/', (response) => response.end('Hello, World!'))
  .get('/users/:id', (response, request) => {
    const body = JSON.stringify({ ...USER, id: request.getParameter(0) });
    response.writeHeader('Content-Type', 'application/json').end(body);
  })
  .get('/baseline11', (response, request) => {
    response.end(String(sumOf(new URLSearchParams(request.getQuery()))));
  })
  .post('/baseline11', (response, request) => {
    const sum = sumOf(new URLSearchParams(request.getQuery()));
    read(response, (body) => response.end(String(sum + Number(body.toString()))));
  })
  .post('/mirror', (response) => read(response, (body) => response.end(body)))
  .listen('127.0.0.1', 0, (socket) => {
    if (!socket) process.exit(1);
    console.log(`uWebSockets.js on 127.0.0.1:${library.us_socket_local_port(socket)}`);
  });
for (const event of ['SIGTERM', 'disconnect']) process.on(event, () => process.exit());

/** A chunk is valid only during the call, so it is copied. */
function read(response: Response, done: (body: Buffer) => void): void {
  const chunks: Buffer[] = [];
  let isAborted = false;
  response.onAborted(() => {
    isAborted = true;
  });
  response.onData((chunk, isLast) => {
    chunks.push(Buffer.from(new Uint8Array(chunk)));
    if (isLast && !isAborted) response.cork(() => done(Buffer.concat(chunks)));
  });
}
