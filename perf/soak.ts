// Lets a server live with mixed traffic for some minutes and looks whether its memory and its
// descriptors stay as they are: npm run perf:soak -- --minutes 3

import { setTimeout as sleep } from 'node:timers/promises';
import { pinSelf } from './machine.ts';
import { MixedTraffic } from './mixed-traffic.ts';
import { startVibing } from './peer-servers.ts';
import { descriptorCount, residentBytes } from './process-figures.ts';
import { randomFrom } from './random.ts';
import { runScript } from './script.ts';
import { type Bar, tableText } from './table.ts';
import { chart, median } from './trend.ts';
import { LOAD_CORE } from './workloads.ts';

const MB = 1_000_000;
const GROWTH_BYTES_BAR = 4 * MB;
const LANES = 24;
const PEAKS = 30;
const SAMPLE_MS = 2_000;
/** The first third is warm-up; the medians of the second and of the last are compared. */
const WARM_UP_SHARE = 1 / 3;
/** A connection that was closed for both sides is gone by then. */
const SETTLE_MS_MAX = 10_000;
const SETTLE_MS = 3_000;
const CHART_COLUMNS = 72;

interface Lived {
  readonly memory: readonly number[];
  readonly descriptorsBefore: number;
  readonly descriptorsAfter: number;
  readonly traffic: MixedTraffic;
}

// Servers and loads of a run that failed end with it.
process.exit(
  await runScript({
    name: 'perf:soak',
    about:
      'Lets a server live with mixed traffic: kept and short connections, pipelines, echoes,\n' +
      'files, slow readers, resets, malformed heads. After a third of the time its memory has\n' +
      'to stay flat.',
    programs: [],
    numbers: {
      minutes: { default: 3, max: 1_440, what: 'how long' },
      seed: {
        default: 0,
        min: 0,
        max: 999_999_999,
        what: 'repeats a run; 0: by the clock',
      },
    },
    lists: {
      drivers: {
        values: ['auto', 'uring', 'epoll', 'net'],
        default: ['auto'],
        what: 'which drivers',
      },
    },
    secondsMax: ({ numbers: { minutes }, lists }) => lists.drivers.length * (minutes * 60 + 240),
    measure: async ({ numbers: { minutes, seed: given }, lists }) => {
      pinSelf(LOAD_CORE);
      const seed = given === 0 ? 1 + (Date.now() % 999_999_999) : given;
      console.log(
        `${minutes} minutes of mixed traffic on ${LANES} connections at once; --seed ${seed}`,
      );
      const bars: Bar[] = [];
      for (const driver of lists.drivers) {
        const lived = await live(driver, minutes, seed);
        console.log(`\n${driver}\n${trafficTable(lived.traffic)}\n`);
        for (const problem of lived.traffic.problems) console.log(`failed: ${problem}`);
        bars.push(...judge(driver, lived));
      }
      return bars;
    },
  }),
);

async function live(driver: string, minutes: number, seed: number): Promise<Lived> {
  const server = await startVibing(driver);
  const traffic = new MixedTraffic(server.port, randomFrom(seed));
  // What is opened once and stays is open after this, and memory has been as high as it has to.
  await traffic.peaks(LANES, PEAKS);
  await sleep(SETTLE_MS);
  const descriptorsBefore = descriptorCount(server.pid);
  const memory: number[] = [];
  const samples = (minutes * 60_000) / SAMPLE_MS;
  traffic.start(LANES);
  for (let sample = 0; sample < samples; sample++) {
    await sleep(SAMPLE_MS);
    memory.push(residentBytes(server.pid, 'now'));
  }
  await traffic.stop();
  const untilMs = performance.now() + SETTLE_MS_MAX;
  while (descriptorCount(server.pid) > descriptorsBefore && performance.now() < untilMs) {
    await sleep(SETTLE_MS / 10);
  }
  const descriptorsAfter = descriptorCount(server.pid);
  await server.stop();
  return { memory, descriptorsBefore, descriptorsAfter, traffic };
}

function trafficTable(traffic: MixedTraffic): string {
  const rows = [['', 'done', 'failed']];
  for (const [kind, { done, failed }] of traffic.tallies) {
    rows.push([kind, String(done), String(failed)]);
  }
  return tableText(rows);
}

function judge(driver: string, lived: Lived): readonly Bar[] {
  const { memory, descriptorsBefore, descriptorsAfter, traffic } = lived;
  // V8 lets memory rise between two collections of all garbage, so single samples say nothing.
  const third = Math.floor(memory.length * WARM_UP_SHARE);
  const growth = median(memory.slice(-third)) - median(memory.slice(third, -third));
  const megabytes = (bytes: number): string => (bytes / MB).toFixed(1);
  const range = `${megabytes(Math.min(...memory))} to ${megabytes(Math.max(...memory))} MB`;
  console.log(`memory, ${range}:\n${chart(memory, CHART_COLUMNS)}`);
  console.log(`descriptors: ${descriptorsBefore} before, ${descriptorsAfter} after`);
  const failed = [...traffic.tallies.values()].reduce((sum, tally) => sum + tally.failed, 0);
  return [
    {
      name: `${driver}: MB more in the last third than in the second`,
      value: growth / MB,
      is: 'less than',
      bound: GROWTH_BYTES_BAR / MB,
      digits: 1,
    },
    {
      name: `${driver}: descriptors left over`,
      value: descriptorsAfter - descriptorsBefore,
      is: 'at most',
      bound: 0,
      digits: 0,
    },
    { name: `${driver}: failures`, value: failed, is: 'at most', bound: 0, digits: 0 },
  ];
}
