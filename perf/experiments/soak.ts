// Runs a server under mixed traffic for minutes, and compares the memory and the descriptors that
// it holds after a third of the time with those at the end.

import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../testing/random.ts';
import { LOAD_CORE } from '../catalog/setup.ts';
import { SOAK_HEAP_BYTES_MAX, SOAK_OTHER_BYTES_MAX } from '../catalog/thresholds.ts';
import { MixedTraffic } from '../load/mixed-traffic.ts';
import { perfScript, type ServerChild } from '../measure/child-process.ts';
import { pinSelf } from '../measure/machine.ts';
import type { Held } from '../measure/watch.ts';
import { chart } from '../runner/chart.ts';
import { tableText } from '../runner/table.ts';
import type { Threshold } from '../runner/threshold.ts';
import { startVibing } from '../servers/start-vibing.ts';
import { descriptorCount, residentBytes } from '../system/process-figures.ts';

const MB = 1_000_000;
export const LANES = 24;
const PEAKS = 30;
const SAMPLE_MS = 2_000;
/** This share of the time is warm-up; growth in the rest of it is judged. */
const WARM_UP_SHARE = 1 / 3;
/** By then a connection that both sides have closed has released its descriptor. */
const SETTLE_MS_MAX = 10_000;
const SETTLE_MS = 3_000;
const CHART_COLUMNS = 72;
/** With the young generation at its full size from the start, its growth is not counted. */
const NODE_FLAGS = ['--min-semi-space-size=16', `--import=${perfScript('measure/watch.ts')}`];

/** What a server holds without load, after a full garbage collection. */
interface Settled extends Held {
  readonly descriptors: number;
}

interface Soaked {
  /** Resident bytes under load. */
  readonly memory: readonly number[];
  readonly warm: Settled;
  readonly after: Settled;
  readonly traffic: MixedTraffic;
}

export async function soak(
  drivers: readonly string[],
  minutes: number,
  seed: number,
): Promise<readonly Threshold[]> {
  pinSelf(LOAD_CORE);
  console.log(`${minutes} minutes of mixed traffic on ${LANES} lanes; --seed ${seed}`);
  const thresholds: Threshold[] = [];
  for (const driver of drivers) {
    const soaked = await soakOne(driver, minutes, seed);
    console.log(`\n${driver}\n${trafficTable(soaked.traffic)}\n`);
    for (const problem of soaked.traffic.problems) console.log(`failed: ${problem}`);
    printMemory(soaked);
    thresholds.push(...thresholdsOf(driver, soaked));
  }
  return thresholds;
}

async function soakOne(driver: string, minutes: number, seed: number): Promise<Soaked> {
  const server = await startVibing(driver, { nodeFlags: NODE_FLAGS });
  const traffic = new MixedTraffic(server.port, new Random(seed).draw);
  // Opens what stays open for the lifetime of the process, and brings memory to its maximum.
  await traffic.peaks(LANES, PEAKS);
  const memory: number[] = [];
  const run = async (share: number): Promise<void> => {
    traffic.start(LANES);
    for (let leftMs = share * minutes * 60_000; leftMs > 0; leftMs -= SAMPLE_MS) {
      await sleep(Math.min(SAMPLE_MS, leftMs));
      memory.push(residentBytes(server.pid, 'now'));
    }
    await traffic.stop();
  };
  await run(WARM_UP_SHARE);
  const warm = await settle(server, 0);
  await run(1 - WARM_UP_SHARE);
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

function printMemory({ after, memory, warm }: Soaked): void {
  const range = `${megabytes(Math.min(...memory))} to ${megabytes(Math.max(...memory))} MB`;
  // Not judged: V8 lets memory grow between two full collections.
  console.log(`resident memory, ${range}:\n${chart(memory, CHART_COLUMNS)}`);
  console.log(`held after a third of the time: ${heldText(warm)}`);
  console.log(`held at the end: ${heldText(after)}`);
}

function thresholdsOf(driver: string, { after, traffic, warm }: Soaked): readonly Threshold[] {
  const failed = [...traffic.tallies.values()].reduce((sum, tally) => sum + tally.failed, 0);
  return [
    {
      name: `${driver}: growth of the heap in MB`,
      value: (after.heap - warm.heap) / MB,
      is: 'less than',
      bound: SOAK_HEAP_BYTES_MAX / MB,
      digits: 1,
    },
    {
      name: `${driver}: growth outside of the heap in MB`,
      value: (after.other - warm.other) / MB,
      is: 'less than',
      bound: SOAK_OTHER_BYTES_MAX / MB,
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

function heldText({ descriptors, heap, other }: Settled): string {
  const memory = `${megabytes(heap)} MB alive in the heap, ${megabytes(other)} MB outside of it`;
  return `${memory}, ${descriptors} descriptors`;
}

function megabytes(bytes: number): string {
  return (bytes / MB).toFixed(1);
}
