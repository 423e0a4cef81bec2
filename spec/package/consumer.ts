// A program of a user of the package: it imports every entry, starts a server, and prints what the
// server responds. spec/package/check.ts compiles it against the installed package, and runs it.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, HttpError, type Server } from 'vibing';
import { fetchHandler } from 'vibing/fetch';
import { runLoad } from 'vibing/load';
import { accessLog, basicAuth, bearerAuth, cors, jwt, requestId } from 'vibing/middleware';
import { serveStatic } from 'vibing/static';
import { FetchProblem, viewMetrics } from 'vibing/viewer';

const folder = mkdtempSync(join(tmpdir(), 'vibing-consumer-'));
writeFileSync(join(folder, 'page.txt'), 'a file');

const server: Server = createServer({ host: '127.0.0.1', port: 0, metrics: true });
server.use(accessLog({ write: () => {} }));
server.use('/api', cors());
server.get('/api/users/:id', (req, res) => res.json({ id: req.params['id'] }));
// The package jose, which jwt() uses, is not installed: its types are not needed.
const verify = jwt({ key: new Uint8Array(32), algorithms: ['HS256'] });
server.get('/claims', requestId(), bearerAuth({ verify }), ({ state }, res) => {
  const subject: string | undefined = state.claims.sub;
  res.json({ id: state.requestId.toUpperCase(), subject, until: state.claims.exp.toFixed() });
});
const session = bearerAuth({ verify: async (token) => token === 'a' && { roles: ['reader'] } });
server.group('/session', (group) => {
  const named = group.use(session).use(basicAuth({ users: { ann: 'correct horse' } }));
  named.get('/', ({ state }, res) => res.json([state.user.length, state.claims.roles[0]]));
  // @ts-expect-error: no middleware sets it.
  named.get('/none', ({ state }, res) => res.text(state.requestId.toUpperCase()));
});
server.get('/teapot', () => {
  throw new HttpError(418);
});
/** Throws, and its stack names it. */
function readStock(): never {
  throw new Error('no stock');
}
server.get('/stock', function listStock() {
  readStock();
});
server.onError((error, _req, res) => {
  if (error instanceof HttpError) throw error;
  const functions = String(error instanceof Error && error.stack).matchAll(/ at \S*?(\w+Stock)\b/g);
  res.json([...functions].map(([, name]) => name));
});
server.use('/files', serveStatic(folder));
server.get(
  '/web',
  fetchHandler((request) => new Response(request.method)),
);

const { port } = await server.listen();
const url = `http://127.0.0.1:${port}`;
const json = await fetch(`${url}/api/users/7`);
const file = await fetch(`${url}/files/page.txt`);
const { status } = await fetch(`${url}/teapot`);
const stock = await (await fetch(`${url}/stock`)).json();
const web = await (await server.inject('/web')).text();
const load = await runLoad({ url: `${url}/api/users/7`, connections: 1, count: 20 });
const viewing = viewMetrics({ url: `${url}/teapot` });
const isProblem = await viewing.catch((error: unknown) => error instanceof FetchProblem);
const viewer = await viewMetrics({ url: `${url}/metrics` });
const script = async (name: string) => (await fetch(new URL(name, viewer.url))).text();
const hasCharts = (await script('uplot.js')).includes('var uPlot=');
const hasPage = (await script('page.js')).includes('EventSource');
await viewer.close();
const viewed = [isProblem, hasCharts, hasPage];
const manifest = readFileSync(new URL(import.meta.resolve('vibing/package.json')), 'utf8');
const said = [JSON.parse(manifest).version, await json.text(), await file.text(), status, web];
console.log(JSON.stringify([...said, load.responses === 20, ...viewed, stock]));
await server.close();
rmSync(folder, { recursive: true });
