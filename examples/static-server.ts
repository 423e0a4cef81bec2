// Serves a folder, with listings for folders that have no index.html.
// usage: npm run example:static-server -- [address] [directory]

import { statSync } from 'node:fs';
import { createServer } from 'vibing';
import { accessLog } from 'vibing/middleware';
import { serveStatic } from 'vibing/static';
import { fail, failListening, formatUrl, readAddress, readArguments } from './address.ts';

const USAGE = `usage: static-server [address] [directory]
  address     host:port or a port; 0 is any free one (default 127.0.0.1:8082)
  directory   the folder to serve (default ./examples/site)`;

const [given = '127.0.0.1:8082', directory = './examples/site'] = readArguments(USAGE, 2);
const address = readAddress(given);
if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory()) {
  fail(`invalid directory ${JSON.stringify(directory)}: it does not exist`);
}

const server = createServer(address);
server.use(accessLog());
server.use(serveStatic(directory, { listing: true }));

const { port } = await server.listen().catch(failListening);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void server.close());
}
console.log(`static server for ${directory} on ${formatUrl(address.host, port)}`);
