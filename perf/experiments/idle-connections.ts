// Measures what connections cost that do nothing: memory for each, and the speed of the traffic
// beside them. Run: npm run perf:idle

import { setTimeout as sleep } from 'node:timers/promises';
import { measureBeside, rate, WARM_UP_SECONDS } from '../measure/background-load.ts';
import { descriptorsOf, startServer } from '../measure/child-process.ts';
import { startVibing } from '../servers/start-peer.ts';
import { descriptorCount, residentBytes } from '../system/process-figures.ts';
import { runScript } from '../runner/run-command.ts';
import { type Bar, cell, tableText } from '../runner/table.ts';
import { LOAD_CORE } from '../catalog/setup.ts';

const DRIVERS = ['uring', 'epoll'];
const KIB = 1024;
const BYTES_BAR = 2 * KIB;
const SPEED_BAR = 0.9;
/** For wrk, listeners, and what a process has open anyway. */
const SPARE = 200;
const SETTLE_MS = 3_000;
const START_SECONDS = 150;

interface Figures {
  readonly connections: number;
  readonly bytes: number;
  readonly free: number;
  readonly burdened: number;
  readonly ratio: number;
}

// Servers and loads of a run that failed end with it.
process.exit(
  await runScript({
    name: 'perf:idle',
    about:
      'Measures how the memory of a server grows by connections that asked once and stay, and\n' +
      'how fast GET / is beside them, with windows of a server without them in turn.',
    programs: ['wrk', 'prlimit'],
    numbers: {
      connections: { default: 20_000, min: 100, max: 80_000, what: 'idle connections' },
      rounds: { default: 5, max: 99, what: 'windows of each' },
      seconds: { default: 2, max: 60, what: 'length of a window' },
    },
    lists: { drivers: { values: DRIVERS, what: 'which drivers' } },
    secondsMax: ({ numbers: { rounds, seconds }, lists }) =>
      lists.drivers.length * (START_SECONDS + (2 * rounds + 3) * (seconds + 3)),
    measure: async ({ numbers: { connections: wanted, rounds, seconds }, lists }) => {
      const connections = descriptorsOf(wanted + SPARE) - SPARE;
      if (connections < wanted) {
        const limit = connections + SPARE;
        console.log(
          `a process may have ${limit} descriptors (ulimit -Hn): ${connections} connections`,
        );
      }
      const rows = [['', 'connections', 'bytes each', 'without/s', 'beside/s', 'ratio']];
      const bars: Bar[] = [];
      for (const driver of lists.drivers) {
        const figures = await measure(driver, connections, rounds, seconds).catch(
          (error: Error) => {
            console.log(`${driver}: NOT RUN: ${error.message.trim()}`);
            return null;
          },
        );
        const { bytes = Number.NaN, free = Number.NaN, burdened = Number.NaN } = figures ?? {};
        const ratio = figures?.ratio ?? Number.NaN;
        const open = String(figures?.connections ?? '-');
        rows.push([driver, open, cell(bytes, 0), cell(free, 0), cell(burdened, 0), cell(ratio, 3)]);
        bars.push({
          name: `${driver}: bytes for a connection`,
          value: bytes,
          is: 'less than',
          bound: BYTES_BAR,
          digits: 0,
        });
        bars.push({
          name: `${driver}: speed beside them`,
          value: ratio,
          is: 'at least',
          bound: SPEED_BAR,
          digits: 3,
        });
      }
      console.log(tableText(rows));
      return bars;
    },
  }),
);

async function measure(
  driver: string,
  connections: number,
  rounds: number,
  seconds: number,
): Promise<Figures> {
  const keepSeconds = START_SECONDS + (2 * rounds + 3) * (seconds + 3);
  const settings = [
    `connectionsMax=${connections + SPARE}`,
    `keepAliveTimeoutMs=${keepSeconds * 1000}`,
  ];
  const burdened = await startVibing(driver, settings, connections + SPARE);
  const free = await startVibing(driver, settings, connections + SPARE);
  // Compiling, and the heap that full load wants, are not the connections' doing.
  for (const server of [burdened, free]) await rate(server, WARM_UP_SECONDS);
  await sleep(SETTLE_MS);
  const bytesBefore = residentBytes(burdened.pid, 'now');
  const openBefore = descriptorCount(burdened.pid);
  const args = ['--port', `${burdened.port}`, '--kind', 'idle', '--count', `${connections}`];
  const descriptors = connections + SPARE;
  const pool = await startServer('crowd.ts', { args, core: LOAD_CORE, descriptors });
  await sleep(SETTLE_MS);
  const bytes = (residentBytes(burdened.pid, 'now') - bytesBefore) / connections;
  const beside = await measureBeside({ free, burdened, rounds, seconds });
  const open = descriptorCount(burdened.pid) - openBefore;
  if (open < connections) throw new Error(`only ${open} of ${connections} connections stayed`);
  await pool.stop();
  for (const server of [burdened, free]) await server.stop();
  return { ...beside, connections: open, bytes, ratio: beside.ratios.median };
}
