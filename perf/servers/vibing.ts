// The server that is measured, as a user would write it: a handler for GET /, JSON, sums, echoes of
// request bodies, a megabyte at GET /large, and a folder with files, /file-1k.txt and larger ones.
//
//   node build/perf/servers/vibing.js [--driver NAME] [--port PORT] [--metrics] [--routes NUMBER]
//     [--set OPTION=NUMBER]...

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createServer, HttpError, type Middleware, type Server, type ServerOptions } from 'vibing';
import { compress } from 'vibing/middleware';
import { BEARER, CATALOGUE, type Order, receiptOf, sumOf, USER } from './responses.ts';

const KIB = 1024;
const FILE_KIB = { '1k': 1, '16k': 16, '64k': 64, '256k': 256, '300k': 300, '1m': 1024 };
const LARGE_BYTES = KIB * KIB;
const SHUTDOWN_TIMEOUT_MS = 500;

const { values } = parseArgs({
  options: {
    driver: { type: 'string', default: 'auto' },
    port: { type: 'string', default: '0' },
    metrics: { type: 'boolean', default: false },
    routes: { type: 'string', default: '0' },
    set: { type: 'string', multiple: true, default: [] },
  },
});

const folder = mkdtempSync(join(tmpdir(), 'vibing-perf-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const [name, kib] of Object.entries(FILE_KIB)) {
  writeFileSync(join(folder, `file-${name}.txt`), 'x'.repeat(kib * KIB));
}

const limits = values.set.map((setting) => {
  const [name, value] = setting.split('=');
  return [name, Number(value)];
});
const server = serverOrExit({
  host: '127.0.0.1',
  port: Number(values.port),
  // The server itself rejects an unknown name.
  driver: values.driver as NonNullable<ServerOptions['driver']>,
  staticDir: folder,
  metrics: values.metrics,
  logLevel: 'warn',
  shutdownTimeoutMs: SHUTDOWN_TIMEOUT_MS,
  ...Object.fromEntries(limits),
});
function serverOrExit(options: ServerOptions): Server {
  try {
    return createServer(options);
  } catch (error) {
    // The parent process prints the output of a child that did not start.
    console.log((error as Error).message);
    process.exit(1);
  }
}

const large = Buffer.alloc(LARGE_BYTES, 'x');
server.get('/', (_request, response) => response.text('Hello, World!'));
server.get('/large', (_request, response) => response.end(large));
server.get('/refused', () => {
  throw new HttpError(409);
});
server.post('/echo', async (request, response) => {
  for await (const chunk of request.body) await response.write(chunk);
  response.end();
});
server.post('/mirror', async (request, response) => response.send(await request.bytes()));
server.get('/users/:id', (request, response) => {
  const { id = '' } = request.params;
  response.json({ ...USER, id });
});
const noSniff: Middleware = (_request, response, next) => {
  response.header('X-Content-Type-Options', 'nosniff');
  return next();
};
const named: Middleware = (request, _response, next) => {
  request.state['name'] = USER['name'];
  return next();
};
const authorized: Middleware = (request, _response, next) => {
  if (request.header('authorization') !== BEARER) throw new HttpError(401);
  return next();
};
server.group('/checked', (checked) => {
  checked.use(noSniff);
  checked.use(named);
  checked.use(authorized);
  checked.get('/users/:id', (request, response) => {
    const { id } = request.params;
    response.json({ ...USER, id, name: request.state['name'] });
  });
});
server.post('/orders', async (request, response) => {
  response.json(receiptOf((await request.json()) as Order));
});
server.get('/catalogue', compress(), (_request, response) => response.json(CATALOGUE));
server.get('/baseline11', (request, response) => response.text(String(sumOf(request.query))));
server.post('/baseline11', async (request, response) => {
  const body = Number(await request.text());
  response.text(String(sumOf(request.query) + body));
});

for (let route = 0; route < Number(values.routes); route++) {
  const pattern = `/area${route}/things/:id` as const;
  for (const method of ['get', 'post', 'put', 'patch', 'delete'] as const) {
    server[method](pattern, (_request, response) => response.text('thing'));
  }
}

const { port, driver } = await server.listen().catch((error: Error) => {
  console.log(error.message);
  process.exit(1);
});
console.log(`vibing ${driver} on 127.0.0.1:${port}`);

// The signal goes to the process that supervises workers; with one process there is none.
process.on('SIGHUP', () => {
  server.reload().catch((error: Error) => console.log(error.message));
});

let ending = false;
// 'disconnect' comes when the parent process has ended.
for (const event of ['SIGTERM', 'SIGINT', 'disconnect']) {
  process.on(event, () => {
    if (ending) return;
    ending = true;
    void server.close().then(() => process.exit());
  });
}
