// Measures what the server takes when little is asked of it: nothing while connections are idle,
// and no more than nginx at a moderate rate. Run: npm run perf:quiet

import { setTimeout as sleep } from 'node:timers/promises';
import { type ServerChild, startServer } from '../measure/child-process.ts';
import { startNginx } from '../servers/nginx.ts';
import { median } from '../measure/pairs.ts';
import { startVibing } from '../servers/start-peer.ts';
import { usedMicroseconds, wakeUps } from '../system/process-figures.ts';
import { runScript } from '../runner/run-command.ts';
import { type Bar, cell, tableText } from '../runner/table.ts';
import { type WindowFigures, WindowLoad } from '../measure/window-load.ts';
import { LOAD_CORE, SERVER_CORE } from '../catalog/setup.ts';

const DRIVERS = ['uring', 'epoll'];
const IDLE_CONNECTIONS = 1_000;
const SHARE_BAR = 0.003;
const WAKE_UPS_BAR = 5;
/** hello on as many connections. */
const SCENARIO = 'connections-1024';
const LOAD_CONNECTIONS = 1_024;
const RATE = 10_000;
/** Some 8 s after work V8 tidies its heap up, once, for 50 ms; then all is quiet. */
const SETTLE_MS = 12_000;
const START_SECONDS = 60;

interface Idle {
  /** Of a core, 0 to 1. */
  readonly share: number;
  readonly wakeUps: number;
}

// Servers and loads of a run that failed end with it.
process.exit(
  await runScript({
    name: 'perf:quiet',
    about:
      `Measures processor time and wake-ups with ${IDLE_CONNECTIONS} idle connections, and\n` +
      `processor time for a request at ${RATE} requests a second over ${LOAD_CONNECTIONS}\n` +
      'connections, with windows of nginx in turn.',
    programs: [],
    numbers: {
      seconds: { default: 10, max: 60, what: 'length of a window' },
      rounds: { default: 3, max: 99, what: 'windows of each at that rate' },
    },
    lists: { drivers: { values: DRIVERS, what: 'which drivers' } },
    secondsMax: ({ numbers: { seconds, rounds }, lists }) =>
      START_SECONDS * 2 + (lists.drivers.length + 1) * (rounds + 2) * (seconds + 10),
    measure: async ({ numbers: { seconds, rounds }, lists }) => {
      const idle = new Map<string, Idle>();
      for (const driver of lists.drivers) {
        const figures = await tried(driver, () => measureIdle(driver, seconds));
        if (figures !== null) idle.set(driver, figures);
      }
      const costs = await measureLoad(lists.drivers, seconds, rounds);
      const nginx = costs.get('nginx') ?? Number.NaN;
      const rows = [['', 'idle: share of a core', 'wake-ups/s', 'loaded: us CPU', 'to nginx']];
      const bars: Bar[] = [];
      for (const name of [...lists.drivers, 'nginx']) {
        const { share, wakeUps: wakes } = idle.get(name) ?? {
          share: Number.NaN,
          wakeUps: Number.NaN,
        };
        const cost = costs.get(name) ?? Number.NaN;
        const percent = Number.isNaN(share) ? '-' : `${(share * 100).toFixed(2)} %`;
        rows.push([name, percent, cell(wakes, 1), cell(cost, 2), cell(cost / nginx, 3)]);
        if (name !== 'nginx')
          bars.push(...barsOf(name, share, wakes, cost / nginx, costs.has('nginx')));
      }
      console.log(tableText(rows));
      return bars;
    },
  }),
);

function barsOf(
  driver: string,
  share: number,
  wakes: number,
  ratio: number,
  hasNginx: boolean,
): readonly Bar[] {
  const bars: Bar[] = [
    {
      name: `${driver}, idle: % of a core`,
      value: share * 100,
      is: 'less than',
      bound: SHARE_BAR * 100,
      digits: 2,
    },
    {
      name: `${driver}, idle: wake-ups a second`,
      value: wakes,
      is: 'less than',
      bound: WAKE_UPS_BAR,
      digits: 1,
    },
  ];
  if (hasNginx) {
    const name = `${driver}: CPU for a request, to nginx`;
    bars.push({ name, value: ratio, is: 'at most', bound: 1, digits: 3 });
  }
  return bars;
}

/** What cannot run is said, and left out. */
async function tried<T>(name: string, act: () => Promise<T>): Promise<T | null> {
  try {
    return await act();
  } catch (error) {
    console.log(`${name}: NOT RUN: ${(error as Error).message.trim()}`);
    return null;
  }
}

async function measureIdle(driver: string, seconds: number): Promise<Idle> {
  const server = await startVibing(driver, keptFor(seconds + START_SECONDS));
  const args = ['--port', `${server.port}`, '--kind', 'idle', '--count', `${IDLE_CONNECTIONS}`];
  const pool = await startServer('crowd.ts', { args, core: LOAD_CORE });
  // What was made for the requests is collected, and compiled, by then.
  await sleep(SETTLE_MS);
  const usedBefore = usedMicroseconds(server.pid);
  const wakesBefore = wakeUps(server.pid);
  const beganMs = performance.now();
  await sleep(seconds * 1000);
  const elapsedMs = performance.now() - beganMs;
  const figures = {
    share: (usedMicroseconds(server.pid) - usedBefore) / 1000 / elapsedMs,
    wakeUps: ((wakeUps(server.pid) - wakesBefore) * 1000) / elapsedMs,
  };
  await pool.stop();
  await server.stop();
  return figures;
}

function keptFor(seconds: number): readonly string[] {
  return [`keepAliveTimeoutMs=${seconds * 1000}`];
}

interface Measured {
  readonly server: ServerChild;
  readonly costs: number[];
}

/** Microseconds for a request, by name. All are up; only one is asked at a time. */
async function measureLoad(
  drivers: readonly string[],
  seconds: number,
  rounds: number,
): Promise<ReadonlyMap<string, number>> {
  const all = new Map<string, Measured>();
  const load = await WindowLoad.start();
  const keep = keptFor((drivers.length + 1) * (rounds + 1) * (seconds + 10) + START_SECONDS);
  for (const name of [...drivers, 'nginx']) {
    const measured = await tried(name, async () => {
      const server = await (name === 'nginx'
        ? startNginx(SERVER_CORE, LOAD_CONNECTIONS)
        : startVibing(name, keep));
      return { server, costs: [] };
    });
    if (measured !== null) all.set(name, measured);
  }
  for (let round = 0; round <= rounds; round++) {
    for (const [name, { server, costs }] of all) {
      const { cpuUs } = await run(load, name, server, seconds);
      // The first window is for compiling, and not counted.
      if (round > 0) costs.push(cpuUs);
    }
  }
  await load.stop();
  for (const { server } of all.values()) await server.stop();
  return new Map([...all].map(([name, { costs }]) => [name, median(costs)]));
}

async function run(
  load: WindowLoad,
  name: string,
  server: ServerChild,
  seconds: number,
): Promise<WindowFigures> {
  const figures = await load.run(server, SCENARIO, { windowMs: seconds * 1000, rate: RATE });
  const { outstanding } = figures;
  if (outstanding > 0) throw new Error(`${name}: ${outstanding} requests unanswered`);
  return figures;
}
