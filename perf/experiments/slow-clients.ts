// Measures good traffic beside clients that hold their connections up: a thousand that send a byte
// of a head every second, a thousand that read nothing of a megabyte. They have to be gone when
// their timeouts say so. Run: npm run perf:slow

import { setTimeout as sleep } from 'node:timers/promises';
import { type Beside, measureBeside, rate, WARM_UP_SECONDS } from '../measure/background-load.ts';
import { startServer } from '../measure/child-process.ts';
import { startVibing } from '../servers/start-peer.ts';
import { descriptorCount } from '../system/process-figures.ts';
import { runScript } from '../runner/run-command.ts';
import { type Bar, cell, tableText } from '../runner/table.ts';
import { LOAD_CORE } from '../catalog/setup.ts';

const DRIVERS = ['uring', 'epoll'];
const SPEED_BAR = 0.9;
/** From starting to connect to the first window; more than it takes. */
const OPEN_SECONDS = 8;
/** lingerTimeoutMs comes after the timeout, and timeouts are looked at now and then. */
const LINGER_MS = 1_000;
const SLACK_MS = 3_000;
const LOOK_MS = 200;
const START_SECONDS = 60;

interface Figures extends Beside {
  readonly bad: number;
  /** Still there when their time was over. */
  readonly left: number;
  /** From when the last of them came to when all were gone. */
  readonly goneSeconds: number;
  readonly timeoutSeconds: number;
}

// Servers and loads of a run that failed end with it.
process.exit(
  await runScript({
    name: 'perf:slow',
    about:
      'Measures how fast GET / is beside clients that trickle their heads and clients that read\n' +
      'nothing, with windows of a server without them in turn, and whether they are gone in time.',
    programs: ['wrk'],
    numbers: {
      clients: { default: 1_000, min: 10, max: 8_000, what: 'slow clients of each kind' },
      rounds: { default: 3, max: 99, what: 'windows of each' },
      seconds: { default: 2, max: 60, what: 'length of a window' },
    },
    lists: { drivers: { values: DRIVERS, what: 'which drivers' } },
    secondsMax: ({ numbers: { rounds, seconds }, lists }) =>
      lists.drivers.length * (START_SECONDS + 2 * timeoutSeconds(rounds, seconds)),
    measure: async ({ numbers: { clients, rounds, seconds }, lists }) => {
      const rows = [
        ['', 'slow', 'without/s', 'beside/s', 'ratio', 'timeout', 'gone after', 'left'],
      ];
      const bars: Bar[] = [];
      for (const driver of lists.drivers) {
        const figures = await measure(driver, clients, rounds, seconds).catch((error: Error) => {
          console.log(`${driver}: NOT RUN: ${error.message.trim()}`);
          return null;
        });
        rows.push([driver, ...cells(figures)]);
        bars.push(...barsOf(driver, figures));
      }
      console.log(tableText(rows));
      return bars;
    },
  }),
);

function cells(figures: Figures | null): readonly string[] {
  if (figures === null) return Array.from({ length: 7 }, () => '-');
  const { bad, free, burdened, ratios, left } = figures;
  const times = [`${figures.timeoutSeconds} s`, `${cell(figures.goneSeconds, 1)} s`];
  const speeds = [cell(free, 0), cell(burdened, 0), cell(ratios.median, 3)];
  return [String(bad), ...speeds, ...times, String(left)];
}

function barsOf(driver: string, figures: Figures | null): readonly Bar[] {
  const ratio = figures?.ratios.median ?? Number.NaN;
  const left = figures?.left ?? Number.NaN;
  return [
    {
      name: `${driver}: speed beside them`,
      value: ratio,
      is: 'at least',
      bound: SPEED_BAR,
      digits: 3,
    },
    { name: `${driver}: slow clients left`, value: left, is: 'at most', bound: 0, digits: 0 },
  ];
}

/** They stay for the measurement, and not for longer. */
function timeoutSeconds(rounds: number, seconds: number): number {
  return OPEN_SECONDS + (2 * rounds + 1) * (seconds + 1);
}

async function measure(
  driver: string,
  clients: number,
  rounds: number,
  seconds: number,
): Promise<Figures> {
  const timeout = timeoutSeconds(rounds, seconds);
  const settings = [`connectionTimeoutMs=${timeout * 1000}`, `lingerTimeoutMs=${LINGER_MS}`];
  const burdened = await startVibing(driver, settings);
  const free = await startVibing(driver, settings);
  for (const server of [burdened, free]) await rate(server, WARM_UP_SECONDS);
  // What wrk left is gone before the counting begins.
  await sleep(LOOK_MS);
  const openBefore = descriptorCount(burdened.pid);
  const slow = (): number => descriptorCount(burdened.pid) - openBefore;
  const start = (kind: string) => {
    const args = ['--port', `${burdened.port}`, '--kind', kind, '--count', `${clients}`];
    return startServer('crowd.ts', { args, core: LOAD_CORE });
  };
  const unread = await start('unread');
  const trickling = await start('trickle');
  const cameMs = performance.now();
  const weigh = (on: boolean): Promise<unknown> => trickling.ask(on ? 'resume' : 'pause');
  const beside = await measureBeside({ free, burdened, rounds, seconds, weigh });
  await sleep(LOOK_MS);
  const bad = slow();
  if (bad < 2 * clients) throw new Error(`${2 * clients - bad} slow clients were gone too early`);
  await trickling.ask('resume');
  const untilMs = cameMs + timeout * 1000 + LINGER_MS + SLACK_MS;
  while (slow() > 0 && performance.now() < untilMs) await sleep(LOOK_MS);
  const goneSeconds = (performance.now() - cameMs) / 1000;
  const left = slow();
  for (const child of [unread, trickling, burdened, free]) await child.stop();
  return { ...beside, bad, left, goneSeconds, timeoutSeconds: timeout };
}
