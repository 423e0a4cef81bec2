// Loads a server with two workers while it is reloaded again and again, while a worker is killed,
// and while it shuts down, and counts the failed requests.

import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { LOAD_CORE, SERVER_CORE } from '../catalog/setup.ts';
import { RECOVERY_MS_MAX } from '../catalog/thresholds.ts';
import { type Failure, KeepAliveClient, reasonsText } from '../load/keep-alive-client.ts';
import { probe } from '../load/probe.ts';
import { type ServerChild, startCommand } from '../measure/child-process.ts';
import { pinSelf } from '../measure/machine.ts';
import { tableText } from '../runner/table.ts';
import type { Threshold } from '../runner/threshold.ts';
import { childrenOf } from '../system/process-figures.ts';
import { clientPortsOf } from '../system/socket-owners.ts';

export const WORKERS = 2;
const PATHS = ['/', '/about.html', '/robots.txt', '/favicon.svg'];
const WARM_UP_MS = 1_000;
/** How long a killed worker may take to be replaced, before that is a failure. */
const REPLACEMENT_MS_MAX = 10_000;
/** In addition to the time between two reloads: an old worker may still have a client. */
const RENEWAL_MS_MAX = 10_000;
const SHUTDOWN_MS_MAX = 20_000;
const POLL_MS = 20;

/** Compiled, this file lies in build/perf/experiments/. */
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

export interface ReloadOptions {
  readonly seconds: number;
  /** Between two reloads. */
  readonly everySeconds: number;
  readonly connections: number;
  readonly retries: boolean;
}

interface Phase {
  readonly name: string;
  readonly responded: number;
  readonly retried: number;
  readonly failures: readonly Failure[];
  readonly thresholds: readonly Threshold[];
}

export async function measureReloads(options: ReloadOptions): Promise<readonly Threshold[]> {
  const { connections, everySeconds, retries, seconds } = options;
  pinSelf(LOAD_CORE);
  const server = await start();
  const client = new KeepAliveClient({ port: server.port, paths: PATHS, connections, retries });
  console.log(`${server.line}; ${connections} connections`);
  client.start();
  await sleep(WARM_UP_MS);
  const phases = [
    await phase('reloads', client, () => reload(server, seconds, everySeconds)),
    await phase('worker killed', client, () => killWorker(server)),
    await phase('shutdown', client, () => shutDown(server, client)),
  ];
  const rows = [['', 'responses', 'retried', 'failed', 'reasons']];
  for (const { name, responded, retried, failures } of phases) {
    const counts = [responded, retried, failures.length].map(String);
    rows.push([name, ...counts, reasonsText(failures) || '-']);
  }
  console.log(tableText(rows));
  return phases.flatMap(({ thresholds }) => thresholds);
}

function start(): Promise<ServerChild> {
  const main = `${ROOT}dist/cli/main.js`;
  const site = `${ROOT}examples/site`;
  const args = ['serve', site, '--workers', String(WORKERS), '--host', '127.0.0.1', '--port', '0'];
  // Without the warning that both workers share one core.
  args.push('--log-level', 'error');
  return startCommand('vibing serve', [process.execPath, main, ...args], { core: SERVER_CORE });
}

type Judge = (failures: readonly Failure[]) => readonly Threshold[];

/** Runs `act` under load; what it returns judges the failures of that time. */
async function phase(
  name: string,
  client: KeepAliveClient,
  act: () => Promise<Judge>,
): Promise<Phase> {
  const { responded, retried } = client;
  client.takeFailures();
  const judge = await act();
  const failures = client.takeFailures();
  return {
    name,
    responded: client.responded - responded,
    retried: client.retried - retried,
    failures,
    thresholds: judge(failures),
  };
}

async function reload(server: ServerChild, seconds: number, everySeconds: number): Promise<Judge> {
  let requested = 0;
  let done = 0;
  let hasEnded = false;
  void server.ended.then(() => {
    hasEnded = true;
  });
  for (let elapsed = 0; elapsed < seconds && !hasEnded; elapsed += everySeconds) {
    const before = childrenOf(server.pid);
    server.signal('SIGHUP');
    requested += 1;
    await sleep(everySeconds * 1000);
    const isRenewed = (): boolean => {
      const after = childrenOf(server.pid);
      return after.length === WORKERS && !after.some((pid) => before.includes(pid));
    };
    const untilMs = performance.now() + RENEWAL_MS_MAX;
    while (!hasEnded && !isRenewed() && performance.now() < untilMs) await sleep(POLL_MS);
    if (!hasEnded && isRenewed()) done += 1;
  }
  if (hasEnded) throw new Error(`the server ended at reload ${requested}: ${await server.ended}`);
  return (failures) => [
    atMost('reloads: failed requests', failures.length, 0),
    atLeast('reloads with new workers', done, requested),
  ];
}

async function killWorker(server: ServerChild): Promise<Judge> {
  const [victim] = childrenOf(server.pid);
  if (victim === undefined) throw new Error('there is no worker to kill');
  const ports = clientPortsOf(victim, server.port);
  // A child of our own server, whose pid was read a moment ago.
  process.kill(victim, 'SIGKILL');
  const beganMs = performance.now();
  const isLate = (): boolean => performance.now() - beganMs >= REPLACEMENT_MS_MAX;
  let recoveryMs = Number.POSITIVE_INFINITY;
  while (recoveryMs > REPLACEMENT_MS_MAX && !isLate()) {
    const isServed = await probe(server.port, '/').then(
      ({ status }) => status === 200,
      () => false,
    );
    if (isServed) recoveryMs = performance.now() - beganMs;
    else await sleep(POLL_MS);
  }
  while (!isLate() && !isComplete(server, victim)) await sleep(POLL_MS);
  await sleep(WARM_UP_MS);
  console.log(`worker ${victim} was killed: it had ${ports.size} connections`);
  const workers = childrenOf(server.pid).length;
  return (failures) => {
    const elsewhere = failures.filter(({ port }) => !ports.has(port));
    return [
      atMost('killed: ms until a new connection is served', recoveryMs, RECOVERY_MS_MAX),
      atMost('killed: failures on connections of the other worker', elsewhere.length, 0),
      atMost('killed: failures', failures.length, ports.size),
      atLeast('killed: workers afterwards', workers, WORKERS),
    ];
  };
}

function isComplete(server: ServerChild, victim: number): boolean {
  const workers = childrenOf(server.pid);
  return workers.length === WORKERS && !workers.includes(victim);
}

async function shutDown(server: ServerChild, client: KeepAliveClient): Promise<Judge> {
  server.signal('SIGTERM');
  const late = sleep(SHUTDOWN_MS_MAX, 'nothing yet', { ref: false });
  const code = await Promise.race([server.ended, late]);
  await client.stop();
  console.log(`the server ended with ${code}`);
  return (failures) => {
    const bad = failures.filter(({ reason }) => /^(truncated|wrong|timeout)/.test(reason));
    return [
      atMost('shutdown: responses truncated, wrong or missing', bad.length, 0),
      atMost('shutdown: exit code', typeof code === 'number' ? code : Number.NaN, 0),
    ];
  };
}

function atMost(name: string, value: number, bound: number): Threshold {
  return { name, value, is: 'at most', bound, digits: 0 };
}

function atLeast(name: string, value: number, bound: number): Threshold {
  return { name, value, is: 'at least', bound, digits: 0 };
}
