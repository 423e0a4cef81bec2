// Lets a server live with mixed traffic for some minutes and looks whether its memory and its
// descriptors stay as they are: npm run perf:soak -- --minutes 3

import { setTimeout as sleep } from 'node:timers/promises';
import { perfScript, type ServerChild } from '../measure/child-process.ts';
import type { Held } from '../measure/watch.ts';
import { pinSelf } from '../measure/machine.ts';
import { MixedTraffic } from '../load/mixed-traffic.ts';
import { startVibing } from '../servers/start-peer.ts';
import { descriptorCount, residentBytes } from '../system/process-figures.ts';
import { randomFrom } from '../random.ts';
import { runScript } from '../runner/run-command.ts';
import { type Bar, tableText } from '../runner/table.ts';
import { chart } from '../runner/chart.ts';
import { LOAD_CORE } from '../catalog/setup.ts';

const MB = 1_000_000;
const BESIDE_BYTES_BAR = 6 * MB;
const HEAP_BYTES_BAR = MB;
const LANES = 24;
const PEAKS = 30;
const SAMPLE_MS = 2_000;
/** This much of the time is warm-up: what the rest of it adds is judged. */
const WARM_UP_SHARE = 1 / 3;
/** A connection that was closed for both sides is gone by then. */
const SETTLE_MS_MAX = 10_000;
const SETTLE_MS = 3_000;
const CHART_COLUMNS = 72;
/** With a young generation as large as it gets, buffers of garbage are soon as many as ever. */
const NODE_FLAGS = ['--min-semi-space-size=16', `--import=${perfScript('gate/watch.ts')}`];

/** What a server has while nobody asks anything, after a collection of all garbage. */
interface Settled extends Held {
  readonly descriptors: number;
}

interface Lived {
  /** Resident bytes while there was traffic. */
  readonly memory: readonly number[];
  readonly warm: Settled;
  readonly after: Settled;
  readonly traffic: MixedTraffic;
}

// Servers and loads of a run that failed end with it.
process.exit(
  await runScript({
    name: 'perf:soak',
    about:
      'Lets a server live with mixed traffic: kept and short connections, pipelines, echoes,\n' +
      'files, slow readers, resets, malformed heads. After a third of the time, and at its end,\n' +
      'nobody asks anything and all garbage is collected: it has to hold as much as before.',
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
  const server = await startVibing(driver, [], 0, NODE_FLAGS);
  const traffic = new MixedTraffic(server.port, randomFrom(seed));
  // What is opened once and stays is open after this, and memory has been as high as it has to.
  await traffic.peaks(LANES, PEAKS);
  const memory: number[] = [];
  const spell = async (share: number): Promise<void> => {
    traffic.start(LANES);
    for (let leftMs = share * minutes * 60_000; leftMs > 0; leftMs -= SAMPLE_MS) {
      await sleep(Math.min(SAMPLE_MS, leftMs));
      memory.push(residentBytes(server.pid, 'now'));
    }
    await traffic.stop();
  };
  await spell(WARM_UP_SHARE);
  const warm = await settle(server, 0);
  await spell(1 - WARM_UP_SHARE);
  const after = await settle(server, warm.descriptors);
  await server.stop();
  return { memory, warm, after, traffic };
}

async function settle(server: ServerChild, descriptors: number): Promise<Settled> {
  const untilMs = performance.now() + SETTLE_MS_MAX;
  await sleep(SETTLE_MS);
  while (descriptorCount(server.pid) > descriptors && performance.now() < untilMs) {
    await sleep(SETTLE_MS / 10);
  }
  const held = (await server.ask('held')) as Held;
  return { ...held, descriptors: descriptorCount(server.pid) };
}

function trafficTable(traffic: MixedTraffic): string {
  const rows = [['', 'done', 'failed']];
  for (const [kind, { done, failed }] of traffic.tallies) {
    rows.push([kind, String(done), String(failed)]);
  }
  return tableText(rows);
}

function judge(driver: string, { after, memory, traffic, warm }: Lived): readonly Bar[] {
  const range = `${megabytes(Math.min(...memory))} to ${megabytes(Math.max(...memory))} MB`;
  // V8 lets memory rise between two collections of all garbage, so the line is to look at.
  console.log(`memory, ${range}:\n${chart(memory, CHART_COLUMNS)}`);
  console.log(`held when warm: ${heldText(warm)}`);
  console.log(`held at the end: ${heldText(after)}`);
  const failed = [...traffic.tallies.values()].reduce((sum, tally) => sum + tally.failed, 0);
  return [
    {
      name: `${driver}: MB more in the heap at the end than when warm`,
      value: (after.heap - warm.heap) / MB,
      is: 'less than',
      bound: HEAP_BYTES_BAR / MB,
      digits: 1,
    },
    {
      name: `${driver}: MB more beside the heap at the end than when warm`,
      value: (after.beside - warm.beside) / MB,
      is: 'less than',
      bound: BESIDE_BYTES_BAR / MB,
      digits: 1,
    },
    {
      name: `${driver}: descriptors left over`,
      value: after.descriptors - warm.descriptors,
      is: 'at most',
      bound: 0,
      digits: 0,
    },
    { name: `${driver}: failures`, value: failed, is: 'at most', bound: 0, digits: 0 },
  ];
}

function heldText({ beside, descriptors, heap }: Settled): string {
  const memory = `${megabytes(heap)} MB alive in the heap, ${megabytes(beside)} MB beside it`;
  return `${memory}, ${descriptors} descriptors`;
}

function megabytes(bytes: number): string {
  return (bytes / MB).toFixed(1);
}
