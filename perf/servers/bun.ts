// Bun.serve, for perf:peers, with what its documentation calls fastest: routes, fixed responses as
// static routes, small files read once, large ones as files. Bun runs it, not Node.
//
//   bun build/perf/servers/bun.js PORT

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BEARER, CATALOGUE, type Order, receiptOf, sumOf, USER } from './responses.ts';

type BunRequest = Request & { readonly params: Readonly<Record<string, string>> };
type Route = (request: BunRequest) => unknown;

/** What middleware leaves for a handler, and the fields of its response. */
interface Context {
  name: unknown;
  readonly headers: Record<string, string>;
}
type Step = (request: BunRequest, context: Context, next: () => Response) => Response;

interface BunGlobal {
  file(path: string): Blob;
  gzipSync(bytes: Uint8Array): Uint8Array<ArrayBuffer>;
  serve(options: {
    readonly port: number;
    readonly hostname: string;
    readonly routes: Readonly<Record<string, unknown>>;
    fetch(): globalThis.Response;
  }): { readonly port: number };
}

const { Bun } = globalThis as unknown as { readonly Bun: BunGlobal };

const user: Route = ({ params }) => Response.json({ ...USER, id: params['id'] });
const sum: Route = (request) => new Response(String(sumOf(queryOf(request.url))));
const sumWithBody: Route = async (request) => {
  const body = Number(await request.text());
  return new Response(String(sumOf(queryOf(request.url)) + body));
};
const mirror: Route = async (request) => new Response(await request.arrayBuffer());

/** Bun has no middleware: functions that call the next one. */
const STEPS: readonly Step[] = [
  (_request, context, next) => {
    context.headers['X-Content-Type-Options'] = 'nosniff';
    return next();
  },
  (_request, context, next) => {
    context.name = USER['name'];
    return next();
  },
  (request, _context, next) => {
    if (request.headers.get('authorization') !== BEARER) return new Response('', { status: 401 });
    return next();
  },
];
const checkedUser: Route = (request) => {
  const context: Context = { name: undefined, headers: {} };
  const run = (index: number): Response => {
    if (index < STEPS.length) return STEPS[index](request, context, () => run(index + 1));
    const { headers, name } = context;
    return Response.json({ ...USER, id: request.params['id'], name }, { headers });
  };
  return run(0);
};

const order: Route = async (request) => Response.json(receiptOf((await request.json()) as Order));

const encoder = new TextEncoder();
const catalogue: Route = (request) => {
  const text = JSON.stringify(CATALOGUE);
  const headers = { 'Content-Type': 'application/json', Vary: 'Accept-Encoding' };
  if (!(request.headers.get('accept-encoding') ?? '').includes('gzip')) {
    return new Response(text, { headers });
  }
  const encoded = Bun.gzipSync(encoder.encode(text));
  return new Response(encoded, { headers: { ...headers, 'Content-Encoding': 'gzip' } });
};

const folder = mkdtempSync(join(tmpdir(), 'vibing-bun-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
process.on('SIGTERM', () => process.exit());

function largeFile(kib: number): Response {
  const path = join(folder, `file-${kib}.txt`);
  writeFileSync(path, 'x'.repeat(kib * 1024));
  return new Response(Bun.file(path));
}

const { port } = Bun.serve({
  port: Number(process.argv[2]),
  hostname: '127.0.0.1',
  routes: {
    '/': new Response('Hello, World!'),
    '/file-1k.txt': new Response('x'.repeat(1024)),
    '/file-16k.txt': new Response('x'.repeat(16 * 1024)),
    '/file-64k.txt': largeFile(64),
    '/file-256k.txt': largeFile(256),
    '/file-1m.txt': largeFile(1024),
    '/users/:id': { GET: user },
    '/checked/users/:id': { GET: checkedUser },
    '/orders': { POST: order },
    '/catalogue': { GET: catalogue },
    '/baseline11': { GET: sum, POST: sumWithBody },
    '/mirror': { POST: mirror },
  },
  fetch: () => new Response('Not Found', { status: 404 }),
});
console.log(`bun on 127.0.0.1:${port}`);

function queryOf(url: string): URLSearchParams {
  return new URL(url).searchParams;
}
