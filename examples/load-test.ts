// A load test as a program: starts a small server, or uses a running one, measures it at full load,
// then at half of that rate, to measure latencies without saturation.
// usage: npm run example:load-test -- [address]

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'vibing';
import { LoadProblem, reportText, runLoad } from 'vibing/load';
import { fail, formatUrl, readAddress, readArguments } from './address.ts';

const USAGE = `usage: load-test [address]
  address   host:port or a port of a running server (default: starts one for the test)`;
/** The environment variable that makes this program the server. */
const SERVE = 'VIBING_LOAD_TEST_SERVES';
const CONNECTIONS = 64;
const SECONDS = Number(process.env['VIBING_LOAD_TEST_SECONDS'] ?? 5);

if (process.env[SERVE] === undefined) await test();
else await serve();

/** Runs in its own process, so that load and server do not share a thread. */
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
    if (child === null) throw new Error('no server was started');
    const [listening] = (await once(child, 'message')) as [number];
    return { host: '127.0.0.1', port: listening };
  }
}

function serverEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, [SERVE]: '1' };
}
