// hono on @hono/node-server, for perf:fetch.
//
//   node build/perf/servers/hono-node.js PACKAGE_JSON_OF_PEERS

import { createRequire } from 'node:module';
import { honoApplication } from './hono-application.ts';

type Fetch = (request: globalThis.Request) => unknown;

interface NodeServer {
  serve(
    options: { readonly fetch: Fetch; readonly port: number; readonly hostname: string },
    listening: (address: { readonly port: number }) => void,
  ): unknown;
}

const [packages = ''] = process.argv.slice(2);
const { serve } = createRequire(packages)('@hono/node-server') as NodeServer;

const { fetch } = honoApplication();
serve({ fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => {
  console.log(`@hono/node-server on 127.0.0.1:${port}`);
});
for (const event of ['SIGTERM', 'disconnect']) process.on(event, () => process.exit());
