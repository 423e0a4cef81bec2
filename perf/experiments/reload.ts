// Puts a load on a server with two workers while it is reloaded again and again, while a worker is
// killed, and while it is told to end, and counts what fails: npm run perf:reload

import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type ServerChild, startCommand } from '../measure/child-process.ts';
import { type Failure, KeepAliveClient, reasonsText } from '../load/keep-alive-client.ts';
import { pinSelf } from '../measure/machine.ts';
import { probe } from '../load/probe.ts';
import { childrenOf } from '../system/process-figures.ts';
import { runScript } from '../runner/run-command.ts';
import { clientPortsOf } from '../system/socket-owners.ts';
import { type Bar, tableText } from '../runner/table.ts';
import { LOAD_CORE, SERVER_CORE } from '../catalog/setup.ts';

const WORKERS = 2;
const PATHS = ['/', '/about.html', '/robots.txt', '/favicon.svg'];
const WARM_UP_MS = 1_000;
/** After a worker was killed. */
const RESPONSE_MS_BAR = 1_000;
const RECOVERY_MS_MAX = 10_000;
/** Beyond the time between two reloads: a worker of before may still have a client. */
const RENEWAL_MS_MAX = 10_000;
const END_MS_MAX = 20_000;
const LOOK_MS = 20;

/** Compiled, this file lies in build/perf/. */
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

interface Phase {
  readonly name: string;
  readonly responded: number;
  readonly retried: number;
  readonly failures: readonly Failure[];
  readonly bars: readonly Bar[];
}

// Servers and loads of a run that failed end with it.
process.exit(
  await runScript({
    name: 'perf:reload',
    about:
      `Asks a server with ${WORKERS} workers without a pause while SIGHUP reloads it, while one\n` +
      'worker is killed, and while SIGTERM ends it. No request may fail that did not have to.',
    programs: [],
    numbers: {
      seconds: { default: 60, min: 1, max: 3_600, what: 'how long it is reloaded' },
      every: { default: 6, min: 1, max: 600, what: 'seconds between two reloads' },
      connections: { default: 32, max: 1_000, what: 'connections' },
      retries: {
        default: 0,
        min: 0,
        max: 1,
        what: 'asking again where a kept connection ended',
      },
    },
    lists: {},
    secondsMax: ({ numbers: { seconds } }) => seconds + 90,
    measure: async ({ numbers: { seconds, every, connections, retries } }) => {
      pinSelf(LOAD_CORE);
      const server = await start();
      const options = { port: server.port, paths: PATHS, connections, retries: retries === 1 };
      const client = new KeepAliveClient(options);
      console.log(`${server.line}; ${connections} connections`);
      client.start();
      await sleep(WARM_UP_MS);
      const phases = [
        await phase('reloads', client, () => reloads(server, seconds, every)),
        await phase('a worker killed', client, () => kill(server)),
        await phase('the end', client, () => end(server, client)),
      ];
      const rows = [['', 'answered', 'asked again', 'failed', 'reasons']];
      for (const { name, responded, retried, failures } of phases) {
        const counts = [responded, retried, failures.length].map(String);
        rows.push([name, ...counts, reasonsText(failures) || '-']);
      }
      console.log(tableText(rows));
      return phases.flatMap(({ bars }) => bars);
    },
  }),
);

function start(): Promise<ServerChild> {
  const main = `${ROOT}dist/cli/main.js`;
  const site = `${ROOT}examples/site`;
  const args = ['serve', site, '--workers', String(WORKERS), '--host', '127.0.0.1', '--port', '0'];
  // That both workers are on one core is no news here.
  args.push('--log-level', 'error');
  return startCommand('vibing serve', [process.execPath, main, ...args], { core: SERVER_CORE });
}

type Judge = (failures: readonly Failure[]) => readonly Bar[];

/** Does something under load; what it gives judges the failures of that time. */
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
    bars: judge(failures),
  };
}

async function reloads(server: ServerChild, seconds: number, every: number): Promise<Judge> {
  let asked = 0;
  let done = 0;
  let isGone = false;
  void server.ended.then(() => {
    isGone = true;
  });
  for (let elapsed = 0; elapsed < seconds && !isGone; elapsed += every) {
    const before = childrenOf(server.pid);
    server.signal('SIGHUP');
    asked += 1;
    await sleep(every * 1000);
    const isRenewed = (): boolean => {
      const after = childrenOf(server.pid);
      return after.length === WORKERS && !after.some((pid) => before.includes(pid));
    };
    const untilMs = performance.now() + RENEWAL_MS_MAX;
    while (!isGone && !isRenewed() && performance.now() < untilMs) await sleep(LOOK_MS);
    if (!isGone && isRenewed()) done += 1;
  }
  if (isGone) throw new Error(`the server did not survive reload ${asked}: ${await server.ended}`);
  return (failures) => [
    atMost('reloads: failed requests', failures.length, 0),
    { name: 'reloads with new workers', value: done, is: 'at least', bound: asked, digits: 0 },
  ];
}

async function kill(server: ServerChild): Promise<Judge> {
  const [victim] = childrenOf(server.pid);
  if (victim === undefined) throw new Error('there is no worker to kill');
  const ports = clientPortsOf(victim, server.port);
  // Of our own child, found a moment ago.
  process.kill(victim, 'SIGKILL');
  const beganMs = performance.now();
  let respondedMs = Number.POSITIVE_INFINITY;
  while (respondedMs > RECOVERY_MS_MAX && performance.now() - beganMs < RECOVERY_MS_MAX) {
    const isGood = await probe(server.port, '/').then(
      ({ status }) => status === 200,
      () => false,
    );
    if (isGood) respondedMs = performance.now() - beganMs;
    else await sleep(LOOK_MS);
  }
  while (performance.now() - beganMs < RECOVERY_MS_MAX && !isWhole(server, victim)) {
    await sleep(LOOK_MS);
  }
  await sleep(WARM_UP_MS);
  console.log(`worker ${victim} killed: ${ports.size} connections were its own`);
  const workers = childrenOf(server.pid).length;
  return (failures) => {
    const others = failures.filter(({ port }) => !ports.has(port));
    return [
      atMost('killed: ms until a new connection is answered', respondedMs, RESPONSE_MS_BAR),
      atMost("killed: failures on others' connections", others.length, 0),
      atMost('killed: failures', failures.length, ports.size),
      { name: 'killed: workers again', value: workers, is: 'at least', bound: WORKERS, digits: 0 },
    ];
  };
}

function isWhole(server: ServerChild, victim: number): boolean {
  const workers = childrenOf(server.pid);
  return workers.length === WORKERS && !workers.includes(victim);
}

async function end(server: ServerChild, client: KeepAliveClient): Promise<Judge> {
  server.signal('SIGTERM');
  const late = sleep(END_MS_MAX, 'nothing yet', { ref: false });
  const code = await Promise.race([server.ended, late]);
  await client.stop();
  console.log(`the server ended with ${code}`);
  return (failures) => {
    const halves = failures.filter(({ reason }) => /^(half|wrong|silence)/.test(reason));
    return [
      atMost('end: answers cut in half, wrong or never given', halves.length, 0),
      atMost('end: exit code', typeof code === 'number' ? code : Number.NaN, 0),
    ];
  };
}

function atMost(name: string, value: number, bound: number): Bar {
  return { name, value, is: 'at most', bound, digits: 0 };
}
