// The server of the gate with an injected fault, to prove that the gate detects it.
//
//   node build/perf/gate/faulty-server.js --fault none|slow|pause|leak [--driver NAME] [--spin NS]
//
// slow: every request takes NS nanoseconds more. pause: the event loop is blocked for 5 ms once a
// second. leak: a kilobyte of every request is kept.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createServer, type Middleware, type ServerOptions } from 'vibing';

const PAUSE_MS = 5;
const PAUSE_EVERY_MS = 1_000;
const LEAK_BYTES = 1_024;

const { values } = parseArgs({
  options: {
    fault: { type: 'string', default: 'none' },
    driver: { type: 'string', default: 'auto' },
    spin: { type: 'string', default: '0' },
  },
});

const folder = mkdtempSync(join(tmpdir(), 'vibing-gate-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
writeFileSync(join(folder, 'file-1k.txt'), 'x'.repeat(1024));

const server = createServer({
  host: '127.0.0.1',
  port: 0,
  driver: values.driver as NonNullable<ServerOptions['driver']>,
  staticDir: folder,
  logLevel: 'warn',
  shutdownTimeoutMs: 500,
});

const leaked: Uint8Array[] = [];
const injected: Record<string, Middleware> = {
  slow: (_request, _response, next) => {
    spin(Number(values.spin) / 1e6);
    return next();
  },
  leak: (_request, _response, next) => {
    leaked.push(new Uint8Array(LEAK_BYTES).fill(1));
    return next();
  },
};
const middleware = injected[values.fault];
if (middleware !== undefined) server.use(middleware);
server.get('/', (_request, response) => response.text('Hello, World!'));

const { driver, port } = await server.listen();
console.log(`fault ${values.fault} ${driver} on 127.0.0.1:${port}`);
if (values.fault === 'pause') setInterval(() => spin(PAUSE_MS), PAUSE_EVERY_MS);
for (const event of ['SIGTERM', 'disconnect']) process.on(event, () => process.exit());

function spin(forMs: number): void {
  const untilMs = performance.now() + forMs;
  while (performance.now() < untilMs);
}
