// Metrics in the browser: starts a small server with metrics and a load for it, or uses a running
// server, and serves a page with its charts.
// usage: npm run example:metrics-viewer -- [address] [--no-load]

import { setTimeout as sleep } from 'node:timers/promises';
import { createServer, HttpError, type Server } from 'vibing';
import { FetchProblem, type MetricsViewer, viewMetrics } from 'vibing/viewer';
import { fail, failListening, formatUrl, readAddress, readArguments } from './address.ts';

const USAGE = `usage: metrics-viewer [address] [--no-load]
  address    host:port or a port of a running server with metrics (default: starts one)
  --no-load  sends no requests to the server that it starts`;
const NO_LOAD = '--no-load';
/** A request of the load, with its weight. */
const REQUESTS: readonly (readonly [weight: number, method: string, path: string])[] = [
  [40, 'GET', '/'],
  [30, 'GET', '/users/7'],
  [12, 'GET', '/search?q=vibing'],
  [8, 'POST', '/notes'],
  [3, 'GET', '/reports/2026'],
  [2, 'GET', '/no/such/page'],
];
/** Clients of the load, each with one request at a time. */
const CLIENTS = 6;
/** One report in so many fails. */
const FAILS = 400;

const hasLoad = !process.argv.includes(NO_LOAD);
process.argv = process.argv.filter((word) => word !== NO_LOAD);
const [given] = readArguments(USAGE, 1);
let isStopped = false;
const server = given === undefined ? demoServer() : null;
const target = server === null ? targetOf(given) : await listening(server);
if (server !== null && hasLoad) for (let client = 0; client < CLIENTS; client++) void load(client);
const viewer = await viewMetrics({ url: target }).catch(failViewing);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop(viewer));
console.log(`open ${viewer.url} in a browser: metrics of ${target}; Ctrl-C stops`);

function targetOf(address: string | undefined): string {
  const { host, port } = readAddress(address ?? '');
  if (port === 0) fail('port 0 is no port of a running server: use one from 1 to 65535');
  return `${formatUrl(host, port)}metrics`;
}

async function listening(demo: Server): Promise<string> {
  const { port } = await demo.listen().catch(failListening);
  return `${formatUrl('127.0.0.1', port)}metrics`;
}

function failViewing(error: unknown): never {
  if (!(error instanceof FetchProblem)) throw error;
  return fail(error.message, 1);
}

async function stop({ close }: MetricsViewer): Promise<void> {
  isStopped = true;
  await close();
  await server?.close();
}

/** Its routes take different times, and one fails now and then. */
function demoServer(): Server {
  const demo = createServer({ host: '127.0.0.1', port: 0, metrics: true });
  let reports = 0;
  demo.get('/', (_req, res) => res.text('Hello, World!'));
  demo.get('/users/:id', (req, res) => res.json({ id: req.params.id }));
  demo.get('/search', async (_req, res) => {
    await sleep(2 + 20 * Math.random() ** 3);
    res.json({ found: [] });
  });
  demo.post('/notes', async (req, res) => {
    await req.text();
    res.status(201).json({ id: 1 });
  });
  demo.get('/reports/:year', (req, res) => {
    const doneMs = performance.now() + 3 * Math.random();
    while (performance.now() < doneMs);
    reports += 1;
    if (reports % FAILS === 0) throw new HttpError(503, 'the report is not ready');
    res.text(`the report of ${req.params.year}`);
  });
  return demo;
}

/** More requests in one minute than in the next, so that there is something to see. */
async function load(client: number): Promise<void> {
  const begun = performance.now();
  while (!isStopped) {
    const [method, path] = drawn();
    const body = method === 'POST' ? 'a note' : null;
    // A server that closes resets what it no longer serves.
    const response = await fetch(new URL(path, target), { method, body }).catch(() => null);
    await response?.arrayBuffer().catch(() => null);
    const busy = 1.2 + Math.sin((performance.now() - begun) / 12_000 + client / 4);
    await sleep((1 + 12 * Math.random()) / busy);
  }
}

function drawn(): readonly [method: string, path: string] {
  const total = REQUESTS.reduce((sum, [weight]) => sum + weight, 0);
  let left = total * Math.random();
  for (const [weight, method, path] of REQUESTS) {
    left -= weight;
    if (left < 0) return [method, path];
  }
  return ['GET', '/'];
}
