// A server for balancer.test.ts, on a unix socket: POST appends its body to a file.
// usage: recording-server SOCKET FILE [proxy]; with `proxy` connections have a PROXY header.

import { appendFileSync } from 'node:fs';
import { createServer } from 'vibing';
import { trustProxy } from 'vibing/middleware';

const [socket = '', file = '', proxy] = process.argv.slice(2);
const server = createServer({
  socket,
  healthz: true,
  proxyProtocol: proxy === 'proxy' ? 'required' : 'off',
});
server.use(trustProxy(['unix']));
server.get('/', (req, res) => res.json({ pid: process.pid, address: req.remoteAddress }));
server.get('/forwarded', (req, res) => {
  res.json({ host: req.host, protocol: req.protocol, address: req.remoteAddress });
});
server.post('/records', async (req, res) => {
  const text = await req.text();
  appendFileSync(file, `${text}\n`);
  res.text(text);
});
await server.listen();
process.once('SIGTERM', () => void server.close());
console.log('ready');
