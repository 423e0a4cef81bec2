// Bun's own server with a fixed answer, for perf:peers. Run by Bun, not by Node.
//
//   bun build/perf/servers/bun.js PORT

interface BunGlobal {
  serve(options: {
    readonly port: number;
    readonly hostname: string;
    fetch(): globalThis.Response;
  }): { readonly port: number };
}

const { Bun } = globalThis as unknown as { readonly Bun: BunGlobal };
const { port } = Bun.serve({
  port: Number(process.argv[2]),
  hostname: '127.0.0.1',
  fetch: () => new Response('Hello, World!'),
});
console.log(`bun on 127.0.0.1:${port}`);
