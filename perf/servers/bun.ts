// Bun.serve, for perf:peers, with what its documentation calls fastest: routes, fixed responses as
// static routes, small files read once, large ones as files. Bun runs it, not Node.
//
//   bun build/perf/servers/bun.js PORT

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sumOf, USER } from './responses.ts';

type Route = (request: Request & { readonly params: Readonly<Record<string, string>> }) => unknown;

interface BunGlobal {
  file(path: string): Blob;
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
    '/baseline11': { GET: sum, POST: sumWithBody },
    '/mirror': { POST: mirror },
  },
  fetch: () => new Response('Not Found', { status: 404 }),
});
console.log(`bun on 127.0.0.1:${port}`);

function queryOf(url: string): URLSearchParams {
  return new URL(url).searchParams;
}
