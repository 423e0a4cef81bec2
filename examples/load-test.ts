// A load test as a program: measures a server at full load, then at half of that rate, to see its
// latencies without saturation. Without an address it starts a small server for the test.
// usage: npm run example:load-test -- [address] [options]

import { fork } from 'node:child_process';
import cluster from 'node:cluster';
import { once } from 'node:events';
import { createServer } from 'vibing';
import { LoadProblem, type LoadReport, reportText, runLoad } from 'vibing/load';
import { type Address, fail, formatUrl, readAddress, readNumber, readOptions } from './address.ts';

const USAGE = `usage: load-test [address] [options]
  address           host:port or a port of a running server (default: starts one for the test)
  --path PATH       what is requested (default /)
  --connections N   (default 64)
  --seconds N       of each of the two loads (default 5)
  --p99 MS          exit code 1 when the P99 at half of the rate is above this
  --workers N       processes of the server that is started (default 1)
  --help            this text

Exit code: 0, 1 when a request failed or a limit was exceeded, 2 when an argument is wrong.`;
/** The environment variable that makes this program the server, with its number of workers. */
const SERVE = 'VIBING_LOAD_TEST_SERVES';

if (process.env[SERVE] !== undefined) await serve(Number(process.env[SERVE]));
else await test();

/** Runs in its own process, so that load and server do not share a thread. */
async function serve(workers: number): Promise<void> {
  const server = createServer({ host: '127.0.0.1', port: 0, workers });
  server.get('/', (_req, res) => res.text('Hello, World!'));
  const { port } = await server.listen();
  // A worker's parent is its primary, which closes it.
  if (!cluster.isPrimary) return;
  process.send?.(port);
  process.on('disconnect', () => void server.close().then(() => process.exit()));
}

async function test(): Promise<void> {
  const given = readOptions(USAGE, 1, {
    path: 'text',
    connections: 'text',
    seconds: 'text',
    p99: 'text',
    workers: 'text',
  });
  const number = (name: string, usual: number, most: number) =>
    readNumber(name, given.text(name) ?? String(usual), 1, most);
  const connections = number('connections', 64, 10_000);
  const durationMs = number('seconds', 5, 3_600) * 1000;
  const p99MsMax = given.text('p99') === undefined ? Infinity : number('p99', 1, 60_000);
  const workers = number('workers', 1, 64);
  const path = given.text('path') ?? '/';
  if (!path.startsWith('/')) fail(`--path: begins with a slash, given ${JSON.stringify(path)}`);
  const [where] = given.words;
  const started = where === undefined ? await startServer(workers) : null;
  const { host, port } = started?.address ?? readAddress(where ?? '');

  const options = {
    url: formatUrl(host, port).replace(/\/$/, () => path),
    connections,
    durationMs,
  };
  const warmUpMs = Math.min(1000, durationMs);
  try {
    console.log(`full load on ${options.url}`);
    const full = await runLoad({ ...options, warmUpMs });
    console.log(reportText(full));
    const rate = Math.max(1, Math.round(full.requestsPerSecond / 2));
    console.log(`half of that rate: ${rate} requests a second`);
    const half = await runLoad({ ...options, warmUpMs, rate });
    console.log(reportText(half));
    process.exitCode = judge([full, half], half.latencyMs.percentiles['99'], p99MsMax);
  } catch (error) {
    if (!(error instanceof LoadProblem)) throw error;
    console.error(error.message);
    process.exitCode = error.isUsageError ? 2 : 1;
  } finally {
    started?.stop();
  }
}

/** Prints what is wrong, and returns the exit code. */
function judge(reports: readonly LoadReport[], p99Ms: number, p99MsMax: number): number {
  const errorCount = reports.reduce((sum, report) => sum + report.errorCount, 0);
  const responses = reports.flatMap(({ statuses }) => Object.entries(statuses));
  const bad = responses.filter(([status]) => Number(status) >= 400);
  const problems: string[] = [];
  if (errorCount > 0) problems.push(`${errorCount} requests failed`);
  for (const [status, count] of bad) problems.push(`${count} responses were ${status}`);
  if (p99Ms > p99MsMax) problems.push(`the P99 is ${p99Ms.toFixed(2)} ms, above ${p99MsMax} ms`);
  for (const problem of problems) console.error(problem);
  return problems.length === 0 ? 0 : 1;
}

async function startServer(workers: number): Promise<{ readonly address: Address; stop(): void }> {
  const env = { ...process.env, [SERVE]: String(workers) };
  const child = fork(process.argv[1], { env });
  const [port] = (await once(child, 'message')) as [number];
  return { address: { host: '127.0.0.1', port }, stop: () => child.disconnect() };
}
