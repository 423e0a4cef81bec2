// hono on Bun.serve, for perf:fetch. Bun runs it, not Node.
//
//   bun build/perf/servers/hono-bun.js PORT

import { honoApplication } from './hono-application.ts';

interface BunGlobal {
  serve(options: {
    readonly port: number;
    readonly hostname: string;
    fetch(request: globalThis.Request): unknown;
  }): { readonly port: number };
}

const { Bun } = globalThis as unknown as { readonly Bun: BunGlobal };

const { fetch } = honoApplication();
const { port } = Bun.serve({ port: Number(process.argv[2]), hostname: '127.0.0.1', fetch });
console.log(`hono on Bun on 127.0.0.1:${port}`);
