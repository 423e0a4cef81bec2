// The entry for the public benchmark HttpArena: its profiles for HTTP/1.1, on the public API, with
// one worker for each core. README.md of this folder describes its use.
//
// Variables of the environment, whose defaults are those of the benchmark's containers:
//   ARENA_HOST, ARENA_PORT   where to listen (0.0.0.0, 8080)
//   ARENA_DATASET            the items of /json/{count} (/data/dataset.json)
//   ARENA_STATIC             the folder of /static/* (/data/static)
//   ARENA_WORKERS            processes that serve, or auto (auto: one for each core)

import { readFileSync } from 'node:fs';
import { createServer, HttpError, type Server } from 'vibing';
import { compress } from 'vibing/middleware';
import { serveStatic } from 'vibing/static';

/** Responses of few items are compressed, too. */
const COMPRESSED_BYTES_MIN = 64;
const INTEGER = /^-?\d{1,15}$/;

interface Item {
  readonly price: number;
  readonly quantity: number;
}

const {
  ARENA_HOST: host = '0.0.0.0',
  ARENA_PORT: port = '8080',
  ARENA_DATASET: datasetPath = '/data/dataset.json',
  ARENA_STATIC: staticPath = '/data/static',
  ARENA_WORKERS: workers = 'auto',
} = process.env;

const dataset = readDataset(datasetPath);
const server = serverOrExit();

server.get('/pipeline', (_req, res) => res.text('ok'));

server.get('/baseline11', (req, res) => res.text(String(sumOf(req.query))));
server.post('/baseline11', async (req, res) => {
  const body = integer('the body', (await req.text()).trim());
  res.text(String(sumOf(req.query) + body));
});

server.get('/json/:count', compress({ threshold: COMPRESSED_BYTES_MIN }), (req, res) => {
  const count = countOf(req.params.count);
  const m = integer('m', req.query.get('m') ?? '1');
  const items = dataset
    .slice(0, count)
    .map((item) => ({ ...item, total: item.price * item.quantity * m }));
  res.json({ items, count });
});

server.post('/upload', async (req, res) => {
  let bytes = 0;
  for await (const chunk of req.body) bytes += chunk.length;
  res.text(String(bytes));
});

server.use('/static', serveStatic(staticPath, { precompressed: true }));

const address = await server.listen().catch((error: Error) => fail(error.message));
console.log(`arena on ${host}:${address.port}`);

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => void server.close().then(() => process.exit()));
}

function serverOrExit(): Server {
  try {
    return createServer({
      host,
      port: Number(port),
      workers: workers === 'auto' ? 'auto' : Number(workers),
      logLevel: 'warn',
    });
  } catch (error) {
    return fail((error as Error).message);
  }
}

function readDataset(path: string): readonly Item[] {
  let items: unknown;
  try {
    items = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    return fail(`cannot read ${path}: ${(error as Error).message}; ARENA_DATASET names the file`);
  }
  return Array.isArray(items) ? items : fail(`${path} is no list of items`);
}

function fail(problem: string): never {
  console.error(`arena: ${problem}`);
  process.exit(1);
}

/** The sum of all values of a query. */
function sumOf(query: URLSearchParams): number {
  let sum = 0;
  for (const [name, value] of query) sum += integer(name, value);
  return sum;
}

function countOf(text: string): number {
  const count = integer('count', text);
  if (count >= 0 && count <= dataset.length) return count;
  throw new HttpError(400, `count: given ${count}, allowed: 0 to ${dataset.length}`);
}

function integer(name: string, text: string): number {
  if (INTEGER.test(text)) return Number(text);
  throw new HttpError(400, `${name}: ${JSON.stringify(text)} is no integer`);
}
