// hono on this server, for perf:fetch.
//
//   node build/perf/servers/hono-vibing.js DRIVER [lean]

import { createServer, type ServerOptions } from 'vibing';
import { fetchHandler } from 'vibing/fetch';
import { honoApplication } from './hono-application.ts';

const [name = 'auto', kind = ''] = process.argv.slice(2);

const server = createServer({
  host: '127.0.0.1',
  port: 0,
  // The server itself rejects an unknown name.
  driver: name as NonNullable<ServerOptions['driver']>,
  logLevel: 'warn',
});
const options = { overrideGlobalObjects: kind === 'lean' };
server.all('/*', fetchHandler(honoApplication().fetch, options));

const { port, driver } = await server.listen();
console.log(`vibing ${driver} on 127.0.0.1:${port}`);
for (const event of ['SIGTERM', 'disconnect']) process.on(event, () => process.exit());
