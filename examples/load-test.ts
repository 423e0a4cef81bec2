// A load test by program: starts a small server, or takes one that runs already, and asks it as
// often as it can, then at half of that rate, to see how long answers take when it is not full.
// usage: npm run example:load-test -- [address]

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'vibing';
import { LoadProblem, reportText, runLoad } from 'vibing/load';
import { fail, formatUrl, readAddress, readArguments } from './address.ts';

const USAGE = `usage: load-test [address]
  address   host:port or a port of a server that runs (default: one is started for the test)`;
/** How the program is called when it is the server. */
const SERVE = 'VIBING_LOAD_TEST_SERVES';
const CONNECTIONS = 64;
const SECONDS = Number(process.env['VIBING_LOAD_TEST_SECONDS'] ?? 5);

if (process.env[SERVE] === undefined) await test();
else await serve();

/** In a process of its own, so that load and server do not share a thread. */
async function serve(): Promise<void> {
  const server = createServer({ host: '127.0.0.1', port: 0 });
  server.get('/', (_req, res) => res.text('Hello, World!'));
  const { port } = await server.listen();
  process.send?.(port);
  process.on('disconnect', () => void server.close().then(() => process.exit()));
}

async function test(): Promise<void> {
  const [given] = readArguments(USAGE, 1);
  const child = given === undefined ? fork(process.argv[1], { env: serverEnvironment() }) : null;
  const { host, port } = given === undefined ? await started() : readAddress(given);
  const url = formatUrl(host, port);
  const durationMs = SECONDS * 1000;
  const warmUpMs = Math.min(1000, durationMs);
  try {
    const full = await runLoad({ url, connections: CONNECTIONS, durationMs, warmUpMs });
    console.log(reportText(full));
    const rate = Math.max(1, Math.round(full.requestsPerSecond / 2));
    const half = await runLoad({ url, connections: CONNECTIONS, durationMs, warmUpMs, rate });
    console.log(reportText(half));
  } catch (error) {
    if (!(error instanceof LoadProblem)) throw error;
    fail(error.message, error.isUsageError ? 2 : 1);
  } finally {
    child?.disconnect();
  }

  async function started(): Promise<{ host: string; port: number }> {
    if (child === null) throw new Error('a server was given');
    const [listening] = (await once(child, 'message')) as [number];
    return { host: '127.0.0.1', port: listening };
  }
}

function serverEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, [SERVE]: '1' };
}
